package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millrace/session"
	"millrace/types"
)

// record is one statement of a file, as testdata/take.py describes it.
type record struct {
	line      int
	known     string // why Millrace does not do it yet
	query     bool
	ordered   bool
	columns   []string // nil: all
	condition string   // of the error that is expected
	text      string
	want      []string // the columns, then the rows
}

// readRecords parses a file.
func readRecords(t *testing.T, path string) []record {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []record
	line := 1
	for block := range strings.SplitSeq(string(data), "\n\n") {
		if r, ok := parseRecord(strings.Split(strings.Trim(block, "\n"), "\n")); ok {
			r.line += line + strings.Count(block, "\n") - strings.Count(strings.TrimLeft(block, "\n"), "\n")
			out = append(out, r)
		}
		line += strings.Count(block, "\n") + 2
	}
	return out
}

func parseRecord(lines []string) (r record, ok bool) {
	for i, l := range lines {
		head, rest, _ := strings.Cut(l, " ")
		switch head {
		case "known":
			r.known = rest
		case "statement", "query":
			r.line, r.query = i, head == "query"
			r.options(strings.Fields(rest))
			body := lines[i+1:]
			if cut := slices.Index(body, "----"); cut >= 0 {
				body, r.want = body[:cut], body[cut+1:]
			}
			r.text = strings.Join(body, "\n")
			return r, true
		}
	}
	return r, false
}

func (r *record) options(words []string) {
	for i, w := range words {
		switch {
		case w == "ordered":
			r.ordered = true
		case w == "error":
			r.condition = words[i+1]
		case strings.HasPrefix(w, "columns="):
			r.columns = strings.Split(strings.TrimPrefix(w, "columns="), ",")
		}
	}
}

// check runs the record and returns what is wrong.
func (r *record) check(s *session.Session, places *strings.Replacer) string {
	schema, rows, err := query(s, places.Replace(r.text))
	switch {
	case err != nil && r.condition == "":
		return fmt.Sprintf("[%s] %v", condition(err), err)
	case err != nil && r.condition == "?":
		return ""
	case err != nil && condition(err) != r.condition:
		return fmt.Sprintf("the error should be %s and is [%s] %v", r.condition, condition(err), err)
	case err != nil || !r.query && r.condition == "":
		return ""
	case r.condition != "":
		return fmt.Sprintf("the error %s should come; the rows are\n%s", r.condition, strings.Join(rows, "\n"))
	}
	if got := r.lines(schema, rows); !slices.Equal(got, r.want) {
		return fmt.Sprintf("the result should be\n%s\nand is\n%s", strings.Join(r.want, "\n"), strings.Join(got, "\n"))
	}
	return ""
}

// lines are a result as the file has it.
func (r *record) lines(schema *types.Type, rows []string) []string {
	var names, head []string
	for _, f := range schema.Fields {
		names, head = append(names, f.Name), append(head, f.Name+" "+f.Type.String())
	}
	out := append([]string{strings.Join(head, " | ")}, rows...)
	if r.columns != nil {
		for i, l := range out {
			values := strings.Split(l, " | ")
			var chosen []string
			for _, c := range r.columns {
				chosen = append(chosen, values[slices.Index(names, c)])
			}
			out[i] = strings.Join(chosen, " | ")
		}
	}
	if !r.ordered {
		slices.Sort(out[1:])
	}
	return out
}

// TestSQL runs the files of testdata/slt: whatever the number of tasks, the way of running and the memory, the rows are Spark's.
func TestSQL(t *testing.T) {
	files, err := filepath.Glob("testdata/slt/*.slt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	var scarcely int64 // spilled where memory is scarce; how much depends on which tasks meet
	for i, s := range setups {
		if testing.Short() && i > 4 {
			break
		}
		t.Run(s.String(), func(t *testing.T) {
			var spilled int64
			for _, file := range files {
				name := strings.TrimSuffix(filepath.Base(file), ".slt")
				t.Run(name, func(t *testing.T) { spilled += runFile(t, s, file, "slt_"+name) })
			}
			if s.memory == scarce {
				scarcely += spilled
			} else if spilled > 0 {
				t.Errorf("%d bytes were spilled", spilled)
			}
		})
	}
	if scarcely == 0 {
		t.Error("nothing was spilled")
	}
}

// runFile runs a file's records in order, in a schema of its own, and returns how many bytes were spilled.
func runFile(t *testing.T, s setup, file, schema string) int64 {
	c := newCluster(t, s)
	ses := c.session()
	for _, text := range []string{"CREATE SCHEMA " + schema, "USE " + schema} {
		if _, _, err := query(ses, text); err != nil {
			t.Fatal(err)
		}
	}
	data, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	places := strings.NewReplacer("${dir}", t.TempDir(), "${data}", data)
	for _, r := range readRecords(t, file) {
		wrong := r.check(ses, places)
		switch {
		case wrong != "" && r.known == "":
			t.Errorf("%s:%d: %s\n%s", file, r.line, r.text, wrong)
		case wrong == "" && r.known != "":
			t.Errorf("%s:%d: %s\nthis works now: remove the line that begins with known", file, r.line, r.text)
		}
	}
	if used := c.runner.Pool.Used(); used != 0 {
		t.Errorf("%d bytes are still reserved", used)
	}
	if n := c.runner.Store.Queries(); n != 0 {
		t.Errorf("%d queries' outputs are still kept", n)
	}
	return c.runner.Spilled.Load()
}
