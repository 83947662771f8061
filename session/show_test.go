package session

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/types"
)

// TestShow compares with what Spark 4.2 wrote for the same rows: testdata/show.json holds its schemas, rows and texts.
func TestShow(t *testing.T) {
	data, err := os.ReadFile("testdata/show.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		SQL, Schema, Tree, DDL, HTML string
		Arrow                        []byte
		Shows                        []struct {
			Rows, Truncate int
			Vertical       bool
			Text           string
		}
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	zone, _ := ZoneOf("America/Los_Angeles")
	for _, c := range cases {
		schema, err := types.ParseJSON([]byte(c.Schema))
		if err != nil {
			t.Fatalf("%s: %v", c.SQL, err)
		}
		all := render(t, schema, c.Arrow, text{zone})
		for _, s := range c.Shows {
			table := all.first(s.Rows)
			got := table.Text(s.Rows, s.Truncate)
			if s.Vertical {
				got = table.Vertical(s.Rows, s.Truncate)
			}
			if got != s.Text {
				t.Errorf("%s\ngot\n%s\nwant\n%s", c.SQL, got, s.Text)
			}
		}
		if got := all.first(20).HTML(20, 20); got != c.HTML {
			t.Errorf("%s\ngot\n%s\nwant\n%s", c.SQL, got, c.HTML)
		}
		if got := TreeString(schema, 0); got != c.Tree {
			t.Errorf("%s\ngot\n%s\nwant\n%s", c.SQL, got, c.Tree)
		}
		if got := DDL(schema); got != c.DDL {
			t.Errorf("%s\ngot\n%s\nwant\n%s", c.SQL, got, c.DDL)
		}
	}
}

func render(t *testing.T, schema *types.Type, stream []byte, x text) *Table {
	t.Helper()
	r, err := ipc.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if want, err := ArrowSchema(schema, "America/Los_Angeles"); err != nil || !want.Equal(r.Schema()) {
		t.Errorf("Arrow schema: got %v (%v), want %v", want, err, r.Schema())
	}
	table := &Table{Columns: schema.Names()}
	for r.Next() {
		batch := r.RecordBatch()
		for i := range int(batch.NumRows()) {
			row := make([]string, len(schema.Fields))
			for c, f := range schema.Fields {
				row[c] = string(x.append(nil, f.Type, batch.Column(c), i))
			}
			table.Rows = append(table.Rows, row)
		}
	}
	return table
}

func (t *Table) first(n int) *Table {
	if len(t.Rows) <= n {
		return t
	}
	return &Table{Columns: t.Columns, Rows: t.Rows[:n], More: true}
}
