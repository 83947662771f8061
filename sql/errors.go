package sql

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"millrace/errs"
	"millrace/plan"
)

// failure carries an error up to the entry point. Farthest says how many tokens had been accepted.
type failure struct {
	err      *errs.Error
	farthest int
}

// fail reports the current token as a syntax error.
func (p *parser) fail() { p.failAt(p.pos, "") }

func (p *parser) failAt(pos int, hint string) {
	if p.farthest.err != nil && p.farthest.farthest > pos {
		panic(p.farthest)
	}
	t := p.toks[pos]
	what := "end of input"
	if t.kind != tEOF {
		what = "'" + t.text + "'"
	}
	e := errs.New("PARSE_SYNTAX_ERROR", "error", what, "hint", hint)
	e.Trailer = p.marked(t.start)
	panic(failure{e, pos})
}

// marked is the line and position of a byte offset and the text with a marker below that line, as Spark writes them.
func (p *parser) marked(offset int) string {
	before := p.text[:offset]
	line := strings.Count(before, "\n")
	col := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	var b strings.Builder
	fmt.Fprintf(&b, " (line %d, pos %d)\n\n== SQL ==\n", line+1, col)
	for i, l := range strings.Split(p.text, "\n") {
		b.WriteString(l + "\n")
		if i == line {
			b.WriteString(strings.Repeat("-", col) + "^^^\n")
		}
	}
	return b.String()
}

// raise ends parsing by an error about the tokens from start up to the current one.
func (p *parser) raise(start int, condition string, params ...string) {
	e := errs.New(condition, params...)
	e.Class = errs.ClassParse
	panic(failure{e.With(contextOf(p.origin(start))), p.pos})
}

// raiseAnalysis ends parsing by an error that Spark finds in analysis.
func (p *parser) raiseAnalysis(condition string, params ...string) {
	panic(failure{errs.New(condition, params...), p.pos})
}

func (p *parser) raiseErr(start int, err *errs.Error) {
	panic(failure{err.With(contextOf(p.origin(start))), p.pos})
}

// raiseFrom ends parsing by an error that something the parser asked has given.
func (p *parser) raiseFrom(start int, err error) {
	e, ok := err.(*errs.Error)
	if !ok {
		e = errs.Newf(errs.Invalid, "%v", err)
	}
	panic(failure{e, start})
}

// unsupported names something that Spark parses and this parser does not.
func (p *parser) unsupported(format string, args ...any) {
	panic(failure{errs.Unsupportedf(format, args...), p.pos})
}

func contextOf(o *plan.Origin) errs.QueryContext {
	runes := []rune(o.SQL)
	stop := min(o.Stop+1, len(runes))
	return errs.QueryContext{Start: o.Start, Stop: o.Stop, Fragment: string(runes[min(o.Start, stop):stop]), SQL: o.SQL}
}
