package sql

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"millrace/errs"
)

// golden is one statement of Spark's golden files and, if Spark refused to parse it, the condition.
type golden struct {
	file, query, condition string
	later                  string // the condition, when Spark parsed the statement and then refused it
	params                 map[string]any
}

var sections = regexp.MustCompile(`(?m)^-- !query (?:schema|output|analysis)\n`)

func goldens(t *testing.T) []golden {
	root := filepath.Join("..", "..", "shared", "conformance", "sqltests", "results")
	if _, err := os.Stat(root); err != nil {
		t.Skip("Spark's golden files are not next to the repository")
	}
	var all []golden
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || !strings.HasSuffix(path, ".out") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		for _, block := range strings.Split(string(text), "-- !query\n")[1:] {
			parts := sections.Split(block, -1)
			g := golden{file: name, query: strings.TrimSuffix(parts[0], "\n")}
			class, body, _ := strings.Cut(parts[len(parts)-1], "\n")
			var e struct {
				ErrorClass        string
				MessageParameters map[string]any
			}
			if strings.HasPrefix(body, "{") {
				json.NewDecoder(strings.NewReader(body)).Decode(&e)
			}
			if g.later = e.ErrorClass; class == "org.apache.spark.sql.catalyst.parser.ParseException" {
				g.condition, g.params = e.ErrorClass, e.MessageParameters
			}
			all = append(all, g)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestGoldenFiles parses what Spark parsed and refuses what it refused.
func TestGoldenFiles(t *testing.T) {
	var refused, accepted, differs, total int
	for _, g := range goldens(t) {
		total++
		_, err := ParseStatement(g.query)
		got := errs.ConditionOf(err)
		switch {
		case g.condition == "" && (errs.Is(err, errs.Unsupported) || g.later == got):
		case g.condition == "" && err != nil:
			refused++
			if refused <= 40 {
				t.Logf("%s: refused: %v\n%s", g.file, err, g.query)
			}
		case g.condition != "" && err == nil:
			accepted++
			if accepted <= 40 {
				t.Logf("%s: accepted, Spark says %s %v\n%s", g.file, g.condition, g.params, g.query)
			}
		case g.condition != got:
			differs++
			t.Logf("%s: %s, Spark says %s\n%s", g.file, got, g.condition, g.query)
		case g.condition == "PARSE_SYNTAX_ERROR":
			if e := err.(*errs.Error); e.Params["error"] != g.params["error"] || e.Params["hint"] != g.params["hint"] {
				differs++
				t.Logf("%s: %v, Spark says %v\n%s", g.file, e.Params, g.params, g.query)
			}
		}
	}
	t.Logf("%d statements: %d refused, %d accepted that Spark refuses, %d refused differently", total, refused, accepted, differs)
	if refused > 1 || accepted > 15 || differs > 5 {
		t.Fail()
	}
}

func TestTPCH(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "bench", "tpch", "*.sql"))
	if len(files) == 0 {
		t.Skip("the TPC-H queries are not next to the repository")
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseStatement(string(text)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}
