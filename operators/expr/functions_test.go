package expr_test

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/physical"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/sql"
	"millrace/types"
)

const testZone = "America/Los_Angeles"

// TestFunctions evaluates the expressions in testdata/functions/*.spark. Below each stands what Spark 4.2 gives for it: its type
// and its value as a string, or the condition and message of its error. take.py beside them asks Spark.
func TestFunctions(t *testing.T) {
	files, err := filepath.Glob("testdata/functions/*.spark")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for lines := bufio.NewScanner(f); lines.Scan(); {
				text := lines.Text()
				if !lines.Scan() {
					t.Fatal("a line without its result: " + text)
				}
				if got, want := outcome(text), lines.Text(); got != want {
					t.Errorf("%s\n got %s\nwant %s", text, got, want)
				}
			}
		})
	}
}

// outcome is an expression's type and value, or its error, in the form of the test data.
func outcome(text string) string {
	typ, value, err := calculate(text)
	var e *errs.Error
	switch {
	case errors.As(err, &e):
		return "! " + e.Condition + " | " + clean(e.Message)
	case err != nil:
		return "!! " + err.Error()
	}
	return "= " + typ + " | " + clean(value)
}

func clean(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(s)
}

func calculate(text string) (typ, value string, err error) {
	settings := &planpb.Settings{Ansi: true, TimeZone: testZone}
	zone, err := expr.LoadZone(testZone)
	if err != nil {
		return "", "", err
	}
	e, err := (&sql.Parser{Location: zone}).ParseExpression(text)
	if err != nil {
		return "", "", err
	}
	e, err = analyze.Expression(&plan.Cast{Child: e, To: types.String}, &plan.OneRow{}, nil, analyze.Conf{ANSI: true, TimeZone: testZone})
	if err != nil {
		return "", "", err
	}
	if c, ok := e.(*plan.Cast); ok {
		typ = plan.TypeOf(c.Child).String()
	} else {
		typ = plan.TypeOf(e).String()
	}
	pb, err := physical.Fold(e)
	if err != nil {
		return "", "", err
	}
	lit, err := expr.Fold(pb, settings)
	if err != nil {
		return "", "", err
	}
	if v := planconv.Value(lit, types.String); v != nil {
		return typ, v.(string), nil
	}
	return typ, "NULL", nil
}
