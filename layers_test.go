package millrace_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layers lists, from the lowest up, which packages of this module a folder may import besides those below it in its own line.
// A folder that is not listed fails the test: decide where it belongs. A package below a folder may have a line of its own.
var layers = map[string]string{
	"types":           "",
	"errs":            "",
	"memory":          "errs",
	"vector":          "types errs",
	"javatime":        "",
	"numberformat":    "",
	"collation":       "",
	"variant":         "types",
	"javaregex":       "",
	"proto":           "proto",
	"sketch":          "",
	"storage":         "errs",
	"python":          "errs",
	"state":           "errs storage",
	"plan":            "types errs javaregex numberformat collation plan",
	"planconv":        "types errs vector plan proto",
	"delta":           "types errs storage delta",
	"txn":             "types errs storage delta txn proto",
	"operators":       "types errs vector memory proto planconv javatime javaregex numberformat collation sketch variant state operators",
	"sql":             "types errs plan javatime collation",
	"table":           "types errs vector memory javatime variant proto planconv plan operators storage delta physical table",
	"scheduler":       "types errs vector memory proto planconv shuffle cluster operators scheduler",
	"shuffle":         "types errs vector memory proto planconv operators shuffle",
	"cache":           "types errs vector memory proto planconv operators shuffle",
	"cluster":         "types errs proto cluster",
	"physical":        "types errs plan planconv proto operators",
	"session":         "types errs plan vector variant sql",
	"ml":              "types errs vector plan planconv storage sql",
	"engine":          "types errs vector plan planconv proto operators storage delta txn table physical session sql",
	"stream":          "types errs javatime vector plan storage delta txn table session sql engine stream",
	"jobs":            "errs plan sql session",
	"gateway":         "jobs types errs vector plan sql session ml proto python gateway",
	"gateway/commits": "errs delta txn proto",
	"shell":           "types sql session gateway",
	"worker":          "types errs vector memory proto planconv operators storage state table shuffle cache cluster python worker",
	"coordinator": "types errs vector memory proto planconv operators storage delta txn table shuffle cluster scheduler physical session " +
		"engine stream jobs gateway sql plan coordinator",
	"cmd":      "jobs proto errs types cluster coordinator worker gateway shell cmd",
	"e2e":      "",
	"bench":    "delta txn gateway",
	"tools":    "",
	"examples": "",

	"engine/enginetest": "errs vector planconv proto operators session memory scheduler shuffle cache state worker engine", // for tests alone
}

// pure lists packages that may use no clock, goroutine, file or network: events or values in, decisions out.
var pure = []string{"scheduler", "scheduler/adaptive", "delta", "plan", "plan/fn", "plan/analyze", "plan/optimize", "plan/estimate", "types"}

var impure = map[string]bool{"net": true, "net/http": true, "os": true, "math/rand": true, "math/rand/v2": true, "os/exec": true}

func TestImportsGoDownOnly(t *testing.T) {
	eachFile(t, func(dir, file string, imports []string) {
		top := strings.Split(dir, "/")[0]
		allowed, known := layers[dir]
		if !known {
			allowed, known = layers[top]
		}
		if !known {
			t.Errorf("%s: the folder %s is in no layer; add it to layers in this test", file, top)
			return
		}
		for _, path := range imports {
			local, ok := strings.CutPrefix(path, "millrace/")
			if !ok {
				continue
			}
			target := strings.Split(local, "/")[0]
			if target != top && !contains(strings.Fields(allowed), target) {
				t.Errorf("%s imports %s: %s may know only of %q. A package that knows less is worth more; let the consumer define an interface",
					file, path, top, allowed)
			}
		}
	})
}

func TestPureCoresDoNoIO(t *testing.T) {
	eachFile(t, func(dir, file string, imports []string) {
		if !contains(pure, dir) {
			return
		}
		for _, path := range imports {
			if impure[path] {
				t.Errorf("%s imports %s: %s is a pure core; pass what it needs in as a parameter", file, path, dir)
			}
		}
	})
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// eachFile visits the imports of every Go file that is neither a test, generated bindings nor a generator.
func eachFile(t *testing.T, visit func(dir, file string, imports []string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "gen"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || !strings.Contains(path, "/"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, s := range f.Imports {
			p, _ := strconv.Unquote(s.Path.Value)
			imports = append(imports, p)
		}
		visit(filepath.ToSlash(filepath.Dir(path)), path, imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
