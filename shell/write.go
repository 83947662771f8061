package shell

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"golang.org/x/term"

	"millrace/gateway/connect/client"
	"millrace/session"
	"millrace/types"
)

// maxCell is the most characters of a value that a table shows.
const maxCell = 100

// write prints all rows and returns how many there were.
func write(rows *client.Rows, f Format, out io.Writer) (int64, error) {
	w := bufio.NewWriterSize(out, 1<<16)
	var n int64
	var err error
	if f == Arrow {
		n, err = writeArrow(rows, w)
	} else {
		n, err = writeText(rows, f, w, terminalWidth(out))
	}
	if err == nil {
		err = rows.Err()
	}
	if err == nil {
		err = w.Flush()
	}
	return n, err
}

func writeArrow(rows *client.Rows, w io.Writer) (n int64, err error) {
	var stream *ipc.Writer
	for rows.Next() {
		if stream == nil {
			stream = ipc.NewWriter(w, ipc.WithSchema(rows.Batch().Schema()))
		}
		n += rows.Batch().NumRows()
		if err := stream.Write(rows.Batch()); err != nil {
			return n, err
		}
	}
	if stream == nil && rows.Schema() != nil {
		stream = ipc.NewWriter(w, ipc.WithSchema(rows.Schema()))
	}
	if stream != nil {
		err = stream.Close()
	}
	return n, err
}

// printer writes rows of texts.
type printer interface {
	header(names []string) error
	row(cells []string, null []bool) error
	end() error
}

func writeText(rows *client.Rows, f Format, w io.Writer, width int) (n int64, err error) {
	var p printer
	var schema *types.Type
	var zone *time.Location
	begin := func(s *arrow.Schema) error {
		if schema, err = session.FromArrow(s); err != nil {
			return err
		}
		zone, p = zoneOf(s), printerOf(f, schema, w, width)
		return p.header(schema.Names())
	}
	for rows.Next() {
		b := rows.Batch()
		if b.NumCols() == 0 {
			continue // what a command gives that has nothing to show
		}
		if p == nil {
			if err := begin(b.Schema()); err != nil {
				return n, err
			}
		}
		n += b.NumRows()
		if err := printBatch(p, schema, b, zone); err != nil {
			return n, err
		}
	}
	if p == nil && rows.Schema() != nil && rows.Schema().NumFields() > 0 {
		if err := begin(rows.Schema()); err != nil {
			return n, err
		}
	}
	if p == nil {
		return n, nil
	}
	return n, p.end()
}

func printBatch(p printer, schema *types.Type, b arrow.RecordBatch, zone *time.Location) error {
	cells, null := make([]string, len(schema.Fields)), make([]bool, len(schema.Fields))
	for i := range int(b.NumRows()) {
		for c, f := range schema.Fields {
			a := b.Column(c)
			null[c] = a.IsNull(i)
			cells[c] = string(session.AppendText(nil, f.Type, a, i, zone))
		}
		if err := p.row(cells, null); err != nil {
			return err
		}
	}
	return nil
}

// zoneOf is the session's time zone, which the timestamps carry.
func zoneOf(s *arrow.Schema) *time.Location {
	for _, f := range s.Fields() {
		if t, ok := f.Type.(*arrow.TimestampType); ok && t.TimeZone != "" {
			if zone, err := session.ZoneOf(t.TimeZone); err == nil {
				return zone
			}
		}
	}
	return time.UTC
}

// terminalWidth is the number of characters in a line of the terminal that out is, or 0 where it is none.
func terminalWidth(out io.Writer) int {
	f, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func printerOf(f Format, schema *types.Type, w io.Writer, width int) printer {
	switch f {
	case CSV:
		return &csvPrinter{csv.NewWriter(w)}
	case JSON:
		return &jsonPrinter{w: w, schema: schema}
	}
	return &tablePrinter{w: w, schema: schema, width: width}
}

type csvPrinter struct{ w *csv.Writer }

func (p *csvPrinter) header(names []string) error { return p.w.Write(names) }

func (p *csvPrinter) row(cells []string, null []bool) error {
	for i := range cells {
		if null[i] {
			cells[i] = ""
		}
	}
	return p.w.Write(cells)
}

func (p *csvPrinter) end() error { p.w.Flush(); return p.w.Error() }

// jsonPrinter writes an object a line; numbers and booleans as such, all else as text.
type jsonPrinter struct {
	w      io.Writer
	schema *types.Type
}

func (p *jsonPrinter) header([]string) error { return nil }

func (p *jsonPrinter) row(cells []string, null []bool) error {
	var b strings.Builder
	b.WriteByte('{')
	for i, f := range p.schema.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quote(f.Name))
		b.WriteByte(':')
		switch {
		case null[i]:
			b.WriteString("null")
		case f.Type.Kind == types.KindBoolean, f.Type.IsIntegral(), f.Type.Kind == types.KindDecimal, f.Type.IsFloating() && isNumber(cells[i]):
			b.WriteString(cells[i])
		default:
			b.Write(quote(cells[i]))
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(p.w, b.String())
	return err
}

// quote is a string in JSON, with < and > as they are.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && !strings.ContainsAny(s, "NnIi")
}

func (p *jsonPrinter) end() error { return nil }

// tablePrinter holds the rows until it knows how wide the columns are. A table wider than the terminal is printed a value a line.
type tablePrinter struct {
	w      io.Writer
	schema *types.Type
	width  int
	names  []string
	rows   [][]string
}

func (p *tablePrinter) header(names []string) error { p.names = names; return nil }

func (p *tablePrinter) row(cells []string, null []bool) error {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch {
		case null[i]:
			c = "NULL"
		case utf8.RuneCountInString(c) > maxCell:
			c = string([]rune(c)[:maxCell-1]) + "…"
		}
		row[i] = strings.NewReplacer("\n", "\\n", "\t", "\\t", "\r", "\\r").Replace(c)
	}
	p.rows = append(p.rows, row)
	return nil
}

func (p *tablePrinter) end() error {
	widths := make([]int, len(p.names))
	for _, row := range append([][]string{p.names}, p.rows...) {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	if p.width > 0 && total > p.width {
		return p.records()
	}
	var b strings.Builder
	line := func(row []string, right bool) {
		for i, c := range row {
			if i > 0 {
				b.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if right && p.schema.Fields[i].Type.IsNumeric() {
				b.WriteString(pad + c)
			} else if i < len(row)-1 {
				b.WriteString(c + pad)
			} else {
				b.WriteString(c)
			}
		}
		b.WriteByte('\n')
	}
	line(p.names, true)
	rule := make([]string, len(widths))
	for i, w := range widths {
		rule[i] = strings.Repeat("─", w)
	}
	line(rule, false)
	for _, row := range p.rows {
		line(row, true)
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}

// records prints each row as lines of a column's name and value.
func (p *tablePrinter) records() error {
	widest := 0
	for _, name := range p.names {
		widest = max(widest, utf8.RuneCountInString(name))
	}
	var b strings.Builder
	for i, row := range p.rows {
		b.WriteString("── row " + strconv.Itoa(i+1) + " ──\n")
		for c, v := range row {
			b.WriteString(p.names[c] + strings.Repeat(" ", widest-utf8.RuneCountInString(p.names[c])) + "  " + v + "\n")
		}
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}
