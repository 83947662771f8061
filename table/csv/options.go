package csv

import (
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/javatime"
	"millrace/table/internal/lines"
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
	DateFormat    *pattern.Formatter // nil: yyyy-MM-dd
	TimeFormat    *pattern.Formatter
	NTZFormat     *pattern.Formatter
	ClockFormat   *pattern.Formatter // of times of day; nil: as a cast does
	DateFallback  bool               // dates that are not of their format are read as a cast does
	TimeFallback  bool
	Encoding      string // as lines.Charset gives it: empty for UTF-8
	EncodingGiven bool
	MaxChars      int // of a value; -1: any number
	StrayQuotes   StrayQuotes
	// Sample says which lines of a part of the files inference looks at; nil: at all.
	Sample func(part int) (draw func() bool)

	// Writing.
	QuoteAll    bool
	EscapeQuote bool
	Compression string
}

// StrayQuotes says what becomes of a value in quotes that goes on behind its closing quote: the option unescapedQuoteHandling.
type StrayQuotes uint8

// What may become of such a value.
const (
	UntilDelimiter StrayQuotes = iota
	UntilClosingQuote
	SkipValue
	RaiseError
)

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
	return p, p.formats(o, writing)
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
	if s, given := o["linesep"]; given {
		if s == "" {
			return errs.Newf(errs.Invalid, "requirement failed: 'lineSep' cannot be an empty string.")
		}
		p.LineSeparator = []byte(s)
	} else if writing {
		p.LineSeparator = []byte("\n")
	}
	var err error
	if p.MaxColumns, err = o.number("maxColumns", 20480); err != nil {
		return err
	}
	if p.MaxChars, err = o.number("maxCharsPerColumn", -1); err != nil {
		return err
	}
	if p.SamplingRatio, err = strconv.ParseFloat(o.get("1", "samplingRatio"), 64); err != nil {
		return errs.Newf(errs.Invalid, "For input string: \"%s\"", o.get("", "samplingRatio"))
	}
	if !english(o.get("en-US", "locale")) {
		return errs.Unsupportedf("The option locale=%s is not supported; only English is.", o.get("", "locale"))
	}
	if p.Encoding, err = lines.Charset(o.get("UTF-8", "encoding", "charset"), "CSVOptions"); err != nil {
		return err
	}
	_, p.EncodingGiven = o[`encoding`]
	switch how := strings.ToUpper(o.get("STOP_AT_DELIMITER", "unescapedQuoteHandling")); how {
	case "STOP_AT_DELIMITER":
	case "STOP_AT_CLOSING_QUOTE":
		p.StrayQuotes = UntilClosingQuote
	case "SKIP_VALUE":
		p.StrayQuotes = SkipValue
	case "RAISE_ERROR":
		p.StrayQuotes = RaiseError
	default:
		return errs.Unsupportedf("The option unescapedQuoteHandling=%s is not supported.", how)
	}
	return nil
}

func english(tag string) bool {
	language, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	return language == "en"
}

// CheckSample refuses a share of records that Spark does not allow in inference.
func (p *Options) CheckSample() error {
	if p.SamplingRatio <= 0 {
		text := strconv.FormatFloat(p.SamplingRatio, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return errs.Newf(errs.Invalid, "requirement failed: samplingRatio (%s) should be greater than 0", text)
	}
	return nil
}

// number reads an option that is a whole number.
func (o option) number(name string, fallback int) (int, error) {
	v, ok := o[strings.ToLower(name)]
	if !ok {
		return fallback, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, errs.Newf(errs.Invalid, "%s should be an integer. Found %s.", name, v)
	}
	return n, nil
}

func (p *Options) formats(o option, writing bool) (err error) {
	if f := o.get("", "dateFormat"); f != "" && !(writing && f == "yyyy-MM-dd") {
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
		if p.NTZFormat, err = pattern.New(f); err != nil {
			return err
		}
	}
	if f := o.get("", "timeFormat"); f != "" {
		if p.ClockFormat, err = pattern.New(f); err != nil {
			return err
		}
	}
	if p.DateFallback, err = o.flag("enableDateTimeParsingFallback", p.DateFormat == nil); err != nil {
		return err
	}
	p.TimeFallback, err = o.flag("enableDateTimeParsingFallback", p.TimeFormat == nil)
	return err
}

// separator reads a delimiter with Spark's escapes.
func separator(s string) ([]byte, error) {
	switch {
	case s == "":
		return nil, errs.New("INVALID_DELIMITER_VALUE.EMPTY_STRING")
	case s == `\`:
		return nil, errs.New("INVALID_DELIMITER_VALUE.SINGLE_BACKSLASH")
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
