package table

import (
	"bytes"

	"millrace/errs"
	"millrace/table/csv"
	"millrace/table/internal/lines"
	"millrace/table/json"
	"millrace/table/xml"
	"millrace/types"
)

// InferTexts infers the schema of texts that hold a record each (nil: null), as spark.read.json(df) and its like do.
func InferTexts(format string, options map[string]string, timeZone string, nowMicros int64, caseSensitive bool, texts [][]byte) (*types.Type, error) {
	switch format {
	case "json":
		o, err := json.ParseOptions(options, timeZone, nowMicros, false)
		if err != nil {
			return nil, err
		}
		asLines(o.Options)
		return json.Infer([]lines.Source{joined(texts, []byte("{"))}, o, caseSensitive)
	case "csv":
		o, err := csv.ParseOptions(options, timeZone, nowMicros, false)
		if err != nil {
			return nil, err
		}
		asLines(o)
		return csv.Infer([]lines.Source{joined(texts, nil)}, o, caseSensitive)
	case "xml":
		o, err := xml.ParseOptions(options, timeZone, nowMicros, false)
		if err != nil {
			return nil, err
		}
		return xml.InferTexts(texts, o)
	}
	return nil, errs.Unsupportedf("Reading texts of the format %q is not supported.", format)
}

// asLines makes options those of a file of a record a line.
func asLines(o *csv.Options) {
	o.MultiLine, o.Encoding, o.LineSeparator = false, "", []byte("\n")
	sampled(o)
}

// joined is a file of the texts, a line each. A line break within one becomes a tab, which is white space where that is and nowhere else valid where it is not.
func joined(texts [][]byte, null []byte) lines.Source {
	var b bytes.Buffer
	for _, t := range texts {
		if t == nil {
			t = null
		}
		for _, c := range t {
			if c == '\n' || c == '\r' {
				c = '\t'
			}
			b.WriteByte(c)
		}
		b.WriteByte('\n')
	}
	return lines.Source{File: bytes.NewReader(b.Bytes()), Path: "texts", Size: int64(b.Len())}
}
