package connect

import (
	"strconv"
	"strings"

	"millrace/errs"
)

func itoa(n int) string { return strconv.Itoa(n) }

// position is the line, from 1, and the column, from 0, at which a context of SQL text begins.
func position(c errs.QueryContext) (line, column int) {
	text := []rune(c.SQL)
	line = 1
	for _, r := range text[:min(max(c.Start, 0), len(text))] {
		column++
		if r == '\n' {
			line, column = line+1, 0
		}
	}
	return line, column
}

// maxAround is how many characters beside the marked text a summary shows.
const maxAround = 32

// Summary draws a query context as Spark does: the line of SQL with the part marked, or the DataFrame call.
func Summary(c errs.QueryContext) string {
	if c.DataFrame {
		return "== DataFrame ==\n\"" + c.Fragment + "\" was called from\n" + c.CallSite + "\n"
	}
	text := []rune(c.SQL)
	if len(text) == 0 || c.Start < 0 || c.Stop >= len(text) || c.Start > c.Stop {
		return ""
	}
	from, fromCut := c.Start, false
	for from > 0 && text[from-1] != '\n' {
		if c.Start-from == maxAround {
			fromCut = true
			break
		}
		from--
	}
	to, toCut := c.Stop+1, false
	for to < len(text) && text[to] != '\n' {
		if to-c.Stop > maxAround {
			toCut = true
			break
		}
		to++
	}
	var b strings.Builder
	line, column := position(c)
	b.WriteString("== SQL")
	if c.ObjectType != "" && c.ObjectName != "" {
		b.WriteString(" of " + c.ObjectType + " " + c.ObjectName)
	}
	b.WriteString(" (line " + itoa(line) + ", position " + itoa(column+1) + ") ==\n")
	mark(&b, text[from:to], c.Start-from, c.Stop-from, fromCut, toCut)
	return b.String()
}

// mark writes lines with carets under the characters from start to stop.
func mark(b *strings.Builder, text []rune, start, stop int, cutBefore, cutAfter bool) {
	at := 0
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		under := ""
		if i == 0 && cutBefore {
			b.WriteString("...")
			under = "   "
		}
		b.WriteString(line)
		if i == len(lines)-1 && cutAfter {
			b.WriteString("...")
		}
		b.WriteByte('\n')
		for range []rune(line) {
			switch {
			case at < start:
				under += " "
			case at <= stop:
				under += "^"
			}
			at++
		}
		at++
		b.WriteString(under + "\n")
	}
}
