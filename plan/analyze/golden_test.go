package analyze_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/sql"
	"millrace/types"
)

// golden is one statement of Spark's golden files with the schema or the condition that Spark answered with.
type golden struct{ query, schema, condition string }

var sections = regexp.MustCompile(`(?m)^-- !query (?:schema|output|analysis)\n`)

func readGolden(path string) ([]golden, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []golden
	for _, block := range strings.Split(string(text), "-- !query\n")[1:] {
		parts := sections.Split(block, -1)
		g := golden{query: strings.TrimSuffix(parts[0], "\n")}
		if len(parts) > 1 {
			g.schema = strings.TrimSpace(parts[1])
		}
		if _, body, _ := strings.Cut(parts[len(parts)-1], "\n"); strings.HasPrefix(body, "{") {
			var e struct{ ErrorClass string }
			if json.NewDecoder(strings.NewReader(body)).Decode(&e) == nil {
				g.condition = e.ErrorClass
			}
		}
		all = append(all, g)
	}
	return all, nil
}

// define adds what a DDL statement makes to the catalog.
func define(c *catalog, n plan.Node) bool {
	switch n := n.(type) {
	case *plan.CreateView:
		name := strings.ToLower(n.Name[len(n.Name)-1])
		view := n.Query
		if len(n.Columns) > 0 {
			cols := make([]string, len(n.Columns))
			for i, col := range n.Columns {
				cols[i] = col.Name
			}
			view = &plan.SubqueryAlias{Input: view, Name: []string{name}, Columns: cols}
		}
		c.views[name] = view
		return true
	case *plan.CreateTable:
		if n.Query == nil {
			t := types.Struct()
			for _, col := range n.Columns {
				t.Fields = append(t.Fields, types.Field{Name: col.Name, Type: col.Type, Nullable: true})
			}
			c.tables[strings.ToLower(n.Name[len(n.Name)-1])] = &table{n.Name[len(n.Name)-1], t}
		}
		return true
	}
	_, isCommand := n.(plan.Command)
	return isCommand
}

// TestGolden compares the schemas and conditions of Spark's golden files. Functions that do not exist yet and what is refused by name
// are counted apart.
func TestGolden(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "conformance", "sqltests", "results", "*.out"))
	more, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "conformance", "sqltests", "results", "*", "*.out"))
	if files = append(files, more...); len(files) == 0 {
		t.Skip("Spark's golden files are not next to the repository")
	}
	counts := map[string]int{}
	for _, f := range files {
		list, err := readGolden(f)
		if err != nil {
			t.Fatal(err)
		}
		c := &catalog{tables: map[string]*table{}, views: map[string]plan.Node{}}
		for _, g := range list {
			kind, detail := judge(c, g)
			counts[kind]++
			if detail != "" && (kind == "refused" || kind == "open" || kind == "schema" || kind == "panic" || kind == "accepted" || kind == "condition") {
				t.Logf("%s %s: %s\n%s", kind, filepath.Base(f), detail, g.query)
			}
		}
	}
	kinds := make([]string, 0, len(counts))
	for k := range counts {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	for _, k := range kinds {
		t.Logf("%s: %d", k, counts[k])
	}
	if counts["panic"]+counts["open"] > 0 || counts["same schema"] < 1900 {
		t.Fail()
	}
}

func judge(c *catalog, g golden) (kind, detail string) {
	defer func() {
		if r := recover(); r != nil {
			kind, detail = "panic", strings.TrimSpace(strings.Split(errs.Newf(errs.Internal, "%v", r).Message, "\n")[0])
		}
	}()
	n, err := sql.ParseStatement(g.query)
	if err != nil {
		return "unparsed", ""
	}
	if define(c, n) {
		return "command", ""
	}
	r, err := analyze.Analyze(n, c, analyze.Conf{ANSI: true, TimeZone: "America/Los_Angeles"})
	got := errs.ConditionOf(err)
	isSchema := strings.HasPrefix(g.schema, "struct<") && g.condition == ""
	switch {
	case err != nil && (errs.Is(err, errs.Unsupported) || got == "UNRESOLVED_ROUTINE" || got == "UNRESOLVABLE_TABLE_VALUED_FUNCTION") && got != g.condition:
		return "not built", ""
	case got == "TABLE_OR_VIEW_NOT_FOUND":
		return "no table", ""
	case err != nil && isSchema:
		return "refused", err.Error()
	case err != nil && got == g.condition:
		return "same condition", ""
	case err != nil:
		return "condition", got + ", Spark says " + g.condition
	case !isSchema:
		return "accepted", g.condition
	}
	if !isClosed(r) {
		return "open", plan.Format(r)
	}
	if s := plan.Schema(r).String(); s != g.schema {
		return "schema", "\n" + s + "\nSpark:\n" + g.schema
	}
	return "same schema", ""
}
