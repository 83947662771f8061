package csv

import (
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/javatime"
	"millrace/table/internal/pattern"
)

// Mode says what becomes of malformed records.
type Mode uint8

// The modes.
const (
	Permissive Mode = iota
	DropMalformed
	FailFast
)

// Options are the options of Spark's CSV source, for reading and writing.
type Options struct {
	Separator     []byte
	Quote         byte // 0: none
	Escape        byte // 0: none
	EscapeEscape  byte // what escapes the escape character in a quoted value
	Comment       byte // 0: none
	Header        bool
	InferSchema   bool
	PreferDate    bool
	MultiLine     bool
	TrimLeading   bool
	TrimTrailing  bool
	Null          string
	Empty         string
	NaN           string
	PositiveInf   string
	NegativeInf   string
	Mode          Mode
	CorruptRecord string
	EnforceSchema bool
	MaxColumns    int
	SamplingRatio float64
	LineSeparator []byte // nil: \n, \r\n, \r
	Zone          *javatime.Zone
	Now           int64
	DateFormat    *pattern.Formatter // nil: as a cast does
	TimeFormat    *pattern.Formatter
	NTZFormat     *pattern.Formatter

	// Writing.
	QuoteAll    bool
	EscapeQuote bool
	Compression string
}

// Defaults of the name of the column for malformed records.
const defaultCorruptRecord = "_corrupt_record"

// option looks options up without regard to the case of their names.
type option map[string]string

func newOption(options map[string]string) option {
	o := option{}
	for k, v := range options {
		o[strings.ToLower(k)] = v
	}
	return o
}

func (o option) get(fallback string, names ...string) string {
	for _, n := range names {
		if v, ok := o[strings.ToLower(n)]; ok {
			return v
		}
	}
	return fallback
}

func (o option) flag(name string, fallback bool) (bool, error) {
	v, ok := o[strings.ToLower(name)]
	if !ok {
		return fallback, nil
	}
	switch strings.ToLower(v) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errs.Newf(errs.Invalid, "%s flag can be true or false", name)
}

// char reads an option of one character.
func (o option) char(name string, fallback byte) (byte, error) {
	v, ok := o[strings.ToLower(name)]
	switch {
	case !ok:
		return fallback, nil
	case v == "":
		return 0, nil
	case len(v) == 1:
		return v[0], nil
	}
	return 0, errs.Newf(errs.Invalid, "%s cannot be more than one character", name)
}

// ParseOptions reads the options; writing tells which of them are those of a writer.
func ParseOptions(options map[string]string, zone string, now int64, writing bool) (*Options, error) {
	o := newOption(options)
	p := &Options{Now: now, MaxColumns: 20480, SamplingRatio: 1, Compression: o.get("", "compression", "codec")}
	var err error
	if p.Zone, err = javatime.ZoneOf(o.get(zone, "timeZone")); err != nil {
		return nil, err
	}
	if p.Separator, err = separator(o.get(",", "sep", "delimiter")); err != nil {
		return nil, err
	}
	if err := p.flags(o, writing); err != nil {
		return nil, err
	}
	if err := p.chars(o); err != nil {
		return nil, err
	}
	if err := p.texts(o, writing); err != nil {
		return nil, err
	}
	return p, p.formats(o)
}

func (p *Options) flags(o option, writing bool) (err error) {
	for _, f := range []struct {
		to       *bool
		name     string
		fallback bool
	}{{&p.Header, "header", false}, {&p.InferSchema, "inferSchema", false}, {&p.PreferDate, "preferDate", true},
		{&p.MultiLine, "multiLine", false}, {&p.TrimLeading, "ignoreLeadingWhiteSpace", writing},
		{&p.TrimTrailing, "ignoreTrailingWhiteSpace", writing}, {&p.EnforceSchema, "enforceSchema", true},
		{&p.QuoteAll, "quoteAll", false}, {&p.EscapeQuote, "escapeQuotes", true}} {
		if *f.to, err = o.flag(f.name, f.fallback); err != nil {
			return err
		}
	}
	return nil
}

func (p *Options) chars(o option) (err error) {
	if p.Quote, err = o.char("quote", '"'); err != nil {
		return err
	}
	if p.Escape, err = o.char("escape", '\\'); err != nil {
		return err
	}
	if p.Comment, err = o.char("comment", 0); err != nil {
		return err
	}
	p.EscapeEscape, err = o.char("charToEscapeQuoteEscaping", p.Escape)
	return err
}

func (p *Options) texts(o option, writing bool) error {
	p.Null = o.get("", "nullValue")
	p.Empty = o.get("", "emptyValue")
	if writing {
		p.Empty = o.get(`""`, "emptyValue")
	}
	p.NaN, p.PositiveInf, p.NegativeInf = o.get("NaN", "nanValue"), o.get("Inf", "positiveInf"), o.get("-Inf", "negativeInf")
	p.CorruptRecord = o.get(defaultCorruptRecord, "columnNameOfCorruptRecord")
	switch mode := strings.ToUpper(o.get("PERMISSIVE", "mode")); mode {
	case "DROPMALFORMED":
		p.Mode = DropMalformed
	case "FAILFAST":
		p.Mode = FailFast
	}
	if s := o.get("", "lineSep"); s != "" {
		p.LineSeparator = []byte(s)
	} else if writing {
		p.LineSeparator = []byte("\n")
	}
	if n, err := strconv.Atoi(o.get("20480", "maxColumns")); err == nil && n > 0 {
		p.MaxColumns = n
	}
	if f, err := strconv.ParseFloat(o.get("1", "samplingRatio"), 64); err == nil {
		p.SamplingRatio = f
	}
	return charset(o.get("UTF-8", "encoding", "charset"), "CSVOptions")
}

// charset refuses all but UTF-8, by name.
func charset(name, where string) error {
	switch strings.ToLower(name) {
	case "utf-8", "utf8", "us-ascii":
		return nil
	case "iso-8859-1", "utf-16", "utf-16be", "utf-16le", "utf-32":
		return errs.Unsupportedf("Files in the encoding %s are not supported; only UTF-8 is.", name)
	}
	return errs.New("INVALID_PARAMETER_VALUE.CHARSET", "parameter", "`charset`", "functionName", "`"+where+"`", "charset", name,
		"charsets", "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8")
}

func (p *Options) formats(o option) (err error) {
	if f := o.get("", "dateFormat"); f != "" && f != "yyyy-MM-dd" {
		if p.DateFormat, err = pattern.New(f); err != nil {
			return err
		}
	}
	if f := o.get("", "timestampFormat"); f != "" {
		if p.TimeFormat, err = pattern.New(f); err != nil {
			return err
		}
	}
	if f := o.get("", "timestampNTZFormat"); f != "" {
		p.NTZFormat, err = pattern.New(f)
	}
	return err
}

// separator reads a delimiter with Spark's escapes.
func separator(s string) ([]byte, error) {
	switch {
	case s == "":
		return nil, errs.New("INVALID_DELIMITER_VALUE.EMPTY_STRING")
	case s == `\`:
		return nil, errs.New("INVALID_DELIMITER_VALUE.SINGLE_BACKSLASH")
	case s[0] != '\\' || s == `\\`:
		return []byte(strings.TrimPrefix(s, `\`)), nil
	}
	var out []byte
	escapes := map[byte]byte{'t': '\t', 'r': '\r', 'n': '\n', 'b': '\b', 'f': '\f', '"': '"', '\'': '\'', '\\': '\\', '0': 0}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		c, ok := escapes[s[i]]
		if !ok {
			return nil, errs.New("INVALID_DELIMITER_VALUE.UNSUPPORTED_SPECIAL_CHARACTER", "str", s)
		}
		out = append(out, c)
	}
	return out, nil
}
