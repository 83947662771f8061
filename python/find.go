package python

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"millrace/errs"
)

// found keeps what an executable answered: it does not change while the server runs, and asking starts a process.
var found sync.Map // executable's path and requirement -> nil error or string

// Find gives an executable of a Python version (major.minor) that has PySpark and the modules. Setting, where not empty, is the one that
// the user chose; else it is $PYSPARK_PYTHON, and without that the first fitting one of python3 and python<version>.
func Find(ctx context.Context, version, setting string, modules ...string) (string, error) {
	modules = append([]string{"pyspark"}, modules...)
	candidates := []string{"python3", "python" + version, "python"}
	if setting == "" {
		setting = os.Getenv("PYSPARK_PYTHON")
	}
	if setting != "" {
		candidates = []string{setting}
	}
	var why []string
	for _, c := range candidates {
		path, err := exec.LookPath(c)
		if err != nil {
			why = append(why, c+" is not there")
			continue
		}
		problem := probe(ctx, path, version, modules)
		if problem == "" {
			return path, nil
		}
		why = append(why, path+" "+problem)
	}
	return "", errs.Unsupportedf("The function needs Python %s with %s, as its client has, on the server: %s. "+
		"Name an executable by spark.conf.set(\"spark.pyspark.python\", …) or by PYSPARK_PYTHON in the server's environment.",
		version, strings.Join(modules, ", "), strings.Join(why, "; "))
}

// probe says what is wrong with an executable, or nothing.
func probe(ctx context.Context, path, version string, modules []string) string {
	key := path + "\n" + version + "\n" + strings.Join(modules, " ")
	if p, ok := found.Load(key); ok {
		return p.(string)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, append([]string{"-c", "import sys, importlib.util as u\n" +
		"print('%d.%d' % sys.version_info[:2], *(m for m in sys.argv[1:] if not u.find_spec(m)))"}, modules...)...).Output()
	if err != nil {
		return "does not run: " + err.Error()
	}
	problem := ""
	switch answer := strings.Fields(string(out)); {
	case len(answer) == 0:
		problem = "does not answer as Python does"
	case answer[0] != version:
		problem = "is Python " + answer[0]
	case len(answer) > 1:
		problem = "has no " + strings.Join(answer[1:], " and no ")
	}
	if problem == "" { // what is missing may be installed later
		found.Store(key, problem)
	}
	return problem
}
