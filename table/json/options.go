package json

import (
	"millrace/errs"
	"millrace/table/csv"
)

// Options are those of Spark's JSON source. What it shares with CSV (formats of dates and times, the mode, the column for
// malformed records, line separators, the time zone) is there.
type Options struct {
	*csv.Options
	SingleQuotes     bool
	UnquotedNames    bool
	NonNumeric       bool // NaN, Infinity
	LeadingZeros     bool
	PrimitivesText   bool
	PreferDecimal    bool
	InferTimestamp   bool
	IgnoreNullFields bool
	ControlChars     bool // as they are in strings
	Comments         bool // as in C
	AnyEscape        bool // a backslash before any character stands for that character
	DropAllNull      bool // inference leaves out fields that are always null, or empty arrays and objects
	Pretty           bool
	ASCII            bool   // writing: what is not ASCII is escaped
	VariantColumn    string // whole records become a variant column of that name
}

// ParseOptions reads the options; writing tells which of them are those of a writer.
func ParseOptions(options map[string]string, zone string, now int64, writing bool) (*Options, error) {
	shared := map[string]string{}
	own := map[string]string{}
	for k, v := range options {
		if key := lower(k); csvOnly[key] {
			continue
		} else {
			shared[k], own[key] = v, v
		}
	}
	base, err := csv.ParseOptions(shared, zone, now, writing)
	if err != nil {
		return nil, err
	}
	o := &Options{Options: base}
	for _, f := range []struct {
		to       *bool
		name     string
		fallback bool
	}{{&o.SingleQuotes, "allowsinglequotes", true}, {&o.UnquotedNames, "allowunquotedfieldnames", false},
		{&o.NonNumeric, "allownonnumericnumbers", true}, {&o.LeadingZeros, "allownumericleadingzeros", false},
		{&o.PrimitivesText, "primitivesasstring", false}, {&o.PreferDecimal, "prefersdecimal", false},
		{&o.ControlChars, "allowunquotedcontrolchars", false}, {&o.Comments, "allowcomments", false}, {&o.AnyEscape, "allowbackslashescapinganycharacter", false},
		{&o.DropAllNull, "dropfieldifallnull", false}, {&o.Pretty, "pretty", false}, {&o.ASCII, "writenonasciicharacterascodepoint", false},
		{&o.InferTimestamp, "infertimestamp", false}, {&o.IgnoreNullFields, "ignorenullfields", true}} {
		switch v, ok := own[f.name]; {
		case !ok:
			*f.to = f.fallback
		case lower(v) == "true" || lower(v) == "false":
			*f.to = lower(v) == "true"
		default:
			return nil, errs.Newf(errs.Invalid, "the option %s can be true or false, not %q", f.name, v)
		}
	}
	o.VariantColumn = own["singlevariantcolumn"]
	if !writing && !o.MultiLine && o.Encoding != "" {
		switch {
		case o.Encoding == "UTF-16" || o.Encoding == "UTF-32":
			return nil, errs.Newf(errs.Invalid, "requirement failed: The %s encoding must not be included in the denyList when multiLine is disabled:\ndenylist: UTF-16, UTF-32", o.Encoding)
		case o.LineSeparator == nil:
			return nil, errs.Newf(errs.Invalid, "requirement failed: The lineSep option must be specified for the %s encoding", o.Encoding)
		}
	}
	return o, nil
}

// csvOnly are names of options that mean something else to CSV.
var csvOnly = map[string]bool{"sep": true, "delimiter": true, "quote": true, "escape": true, "comment": true, "header": true,
	"nullvalue": true, "emptyvalue": true}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 32
		}
	}
	return string(b)
}
