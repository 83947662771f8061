package session

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"millrace/plan"
	"millrace/types"
)

// Table is the text of some rows and whether more follow.
type Table struct {
	Columns []string
	Rows    [][]string
	More    bool

	observed []Observation
}

// maxShown is the most rows that df.show takes.
const maxShown = 2147483632

// Fetch runs a relation and renders its first rows' values.
func (s *Session) Fetch(ctx context.Context, n plan.Node, rows int) (*Table, error) {
	rows = max(0, min(rows, maxShown))
	limited := &plan.Limit{Input: n, Count: plan.Int(int64(rows) + 1)}
	result, err := s.engine.Execute(ctx, s, limited)
	if err != nil {
		return nil, err
	}
	defer result.Close() // the rows are read
	t := &Table{Columns: result.Schema().Names()}
	zone, err := ZoneOf(s.Conf.Get("spark.sql.session.timeZone"))
	if err != nil {
		return nil, err
	}
	for {
		batch, err := result.Next(ctx)
		if err != nil || batch == nil {
			t.observed = result.Metrics().Observed
			return t, err
		}
		cols := result.Schema().Fields
		for i := range int(batch.NumRows()) {
			if len(t.Rows) == rows {
				t.More = true
				break
			}
			row := make([]string, len(cols))
			for c, f := range cols {
				row[c] = string(text{zone}.append(nil, f.Type, batch.Column(c), i))
			}
			t.Rows = append(t.Rows, row)
		}
		batch.Release()
	}
}

// show answers df.show and a notebook's display of a DataFrame.
func (s *Session) show(ctx context.Context, n *plan.ShowString) (Result, error) {
	t, err := s.Fetch(ctx, n.Input, n.Rows)
	if err != nil {
		return nil, err
	}
	rows := max(0, n.Rows)
	var out string
	name := "show_string"
	switch {
	case n.HTML:
		out, name = t.HTML(rows, n.Truncate), "html_string"
	case n.Vertical:
		out = t.Vertical(rows, n.Truncate)
	default:
		out = t.Text(rows, n.Truncate)
	}
	r, err := NewRows(fields(name, types.String), [][]any{{out}})
	if err != nil {
		return nil, err
	}
	r.observed = t.observed
	return r, nil
}

var escapes = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\f", `\f`, "\b", `\b`, "\v", `\v`, "\a", `\a`)

// cells are the table's texts, escaped and truncated.
func (t *Table) cells(truncate int) (header []string, rows [][]string) {
	for _, c := range t.Columns {
		header = append(header, escapes.Replace(c))
	}
	for _, row := range t.Rows {
		out := make([]string, len(row))
		for i, v := range row {
			out[i] = shorten(escapes.Replace(v), truncate)
		}
		rows = append(rows, out)
	}
	return header, rows
}

// shorten cuts a text to n UTF-16 units, the last three of which are dots when there is room for them.
func shorten(s string, n int) string {
	if n <= 0 || len(s) <= n {
		return s
	}
	units := utf16.Encode([]rune(s))
	switch {
	case len(units) <= n:
		return s
	case n < 4:
		return decode(units[:n])
	}
	return decode(units[:n-3]) + "..."
}

// decode writes half a character, which a cut may leave, as Java does.
func decode(units []uint16) string {
	last := len(units) - 1
	if last >= 0 && utf16.IsSurrogate(rune(units[last])) && units[last] < 0xDC00 {
		return string(utf16.Decode(units[:last])) + "?"
	}
	return string(utf16.Decode(units))
}

var fullWidth = regexp.MustCompile("[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]")

// width is the number of half-width places that a text takes on a terminal.
func width(s string) int {
	n := utf8.RuneCountInString(s)
	if n == len(s) {
		return n
	}
	return len(utf16.Encode([]rune(s))) + len(fullWidth.FindAllStringIndex(s, -1))
}

// Text draws the table; limit is the number of rows that were asked for.
func (t *Table) Text(limit, truncate int) string {
	header, rows := t.cells(truncate)
	widths := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], width(cell), 3)
		}
	}
	rule := "+"
	for _, w := range widths {
		rule += strings.Repeat("-", w) + "+"
	}
	if len(widths) == 0 {
		rule = "++"
	}
	var b strings.Builder
	b.WriteString(rule + "\n")
	writeRow(&b, header, widths, truncate > 0)
	b.WriteString(rule + "\n")
	for _, row := range rows {
		writeRow(&b, row, widths, truncate > 0)
	}
	b.WriteString(rule + "\n")
	t.footer(&b, limit)
	return b.String()
}

func writeRow(b *strings.Builder, row []string, widths []int, right bool) {
	b.WriteByte('|')
	for i, cell := range row {
		if i > 0 {
			b.WriteByte('|')
		}
		pad := strings.Repeat(" ", widths[i]-width(cell))
		if right {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	b.WriteString("|\n")
}

func (t *Table) footer(b *strings.Builder, limit int) {
	if !t.More {
		return
	}
	b.WriteString("only showing top " + strconv.Itoa(limit) + " row")
	if limit != 1 {
		b.WriteByte('s')
	}
}

// Vertical writes one line a value.
func (t *Table) Vertical(limit, truncate int) string {
	header, rows := t.cells(truncate)
	names, values := 3, 3
	for i, h := range header {
		names = max(names, width(h))
		for _, row := range rows {
			values = max(values, width(row[i]))
		}
	}
	var b strings.Builder
	for i, row := range rows {
		line := "-RECORD " + strconv.Itoa(i)
		b.WriteString(line + strings.Repeat("-", max(0, names+values+5-len(line))) + "\n")
		for c, cell := range row {
			b.WriteString(" " + header[c] + strings.Repeat(" ", names-width(header[c])) + " | ")
			b.WriteString(cell + strings.Repeat(" ", values-width(cell)) + " \n")
		}
	}
	if len(rows) == 0 {
		b.WriteString("(0 rows)")
	}
	t.footer(&b, limit)
	return b.String()
}

var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// HTML draws the table for a notebook.
func (t *Table) HTML(limit, truncate int) string {
	header, rows := t.cells(truncate)
	var b strings.Builder
	line := func(row []string, tag string) {
		b.WriteString("<tr>")
		for i, cell := range row {
			if i > 0 {
				b.WriteString("</" + tag + "><" + tag + ">")
			} else {
				b.WriteString("<" + tag + ">")
			}
			b.WriteString(htmlEscapes.Replace(cell))
		}
		b.WriteString("</" + tag + "></tr>\n")
	}
	b.WriteString("<table border='1'>\n")
	line(header, "th")
	for _, row := range rows {
		line(row, "td")
	}
	b.WriteString("</table>\n")
	t.footer(&b, limit)
	if t.More {
		b.WriteByte('\n')
	}
	return b.String()
}
