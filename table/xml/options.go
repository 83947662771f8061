package xml

import (
	"strings"

	"millrace/errs"
	"millrace/table/csv"
)

// Options are those of Spark's XML source. What it shares with CSV (formats of dates and times, the mode, the column for malformed records,
// the time zone) is there.
type Options struct {
	*csv.Options
	RowTag          string
	AttributePrefix string
	ValueTag        string // the field that an element's own text becomes beside attributes or other elements
	ArrayElement    string // the elements of arrays in arrays
	Indent          string
	NullValue       string
	HasNullValue    bool
	SkipAttributes  bool
	KeepSpaces      bool // around values
	IgnoreNamespace bool
	PreferDecimal   bool
	NoInference     bool // all values are strings
	AnyCase         bool // fields are found by names in any case
	Lines           bool // each line of a file is a document
	RootTag         string
	Declaration     string // behind <?xml; empty: none
}

// ParseOptions reads the options; writing tells which of them are those of a writer.
func ParseOptions(options map[string]string, zone string, now int64, writing bool) (*Options, error) {
	own, shared := map[string]string{}, map[string]string{}
	for k, v := range options {
		name := strings.ToLower(k)
		if own[name] = v; sharedNames[name] {
			shared[k] = v
		}
	}
	for _, name := range []string{"rowvalidationxsdpath", "wildcardcolname", "singlevariantcolumn"} {
		if _, given := own[name]; given {
			return nil, errs.Unsupportedf("The option %s of XML is not supported.", name)
		}
	}
	base, err := csv.ParseOptions(shared, zone, now, writing)
	if err != nil {
		return nil, err
	}
	get := func(name, fallback string) string {
		if v, given := own[name]; given {
			return v
		}
		return fallback
	}
	flag := func(name string, fallback bool) bool {
		v := strings.ToLower(get(name, ""))
		if v != "" && v != "true" && v != "false" {
			err = errs.Newf(errs.Invalid, "%s flag can be true or false", name)
		}
		return v == "true" || v == "" && fallback
	}
	base.DateFallback, base.TimeFallback = false, false // as in Spark, whatever the option says
	o := &Options{Options: base, RowTag: strings.TrimSpace(get("rowtag", "ROW")), AttributePrefix: get("attributeprefix", "_"), ValueTag: get("valuetag", "_VALUE"),
		ArrayElement: get("arrayelementname", "item"), Indent: get("indent", "    "), SkipAttributes: flag("excludeattribute", false),
		KeepSpaces: !flag("ignoresurroundingspaces", true), IgnoreNamespace: flag("ignorenamespace", false), PreferDecimal: flag("prefersdecimal", false),
		NoInference: !flag("inferschema", true)}
	o.Lines, o.RootTag = !flag("multiline", true), strings.TrimSpace(get("roottag", "ROWS"))
	o.Declaration = get("declaration", `version="1.0" encoding="UTF-8" standalone="yes"`)
	o.NullValue, o.HasNullValue = own["nullvalue"]
	switch {
	case err != nil:
		return nil, err
	case o.RowTag == "":
		return nil, errs.Newf(errs.Invalid, "requirement failed: '%s' option should not be an empty string.", "rowTag")
	case strings.ContainsAny(o.RowTag, "<>"):
		return nil, errs.Newf(errs.Invalid, "requirement failed: '%s' should not include angle brackets", "rowTag")
	case o.ValueTag == "" || o.ValueTag == o.AttributePrefix:
		return nil, errs.Newf(errs.Invalid, "requirement failed: 'valueTag' and 'attributePrefix' options should not be the same.")
	}
	return o, nil
}

// sharedNames are the options that mean the same to CSV.
var sharedNames = map[string]bool{"dateformat": true, "timestampformat": true, "timestampntzformat": true, "timeformat": true, "mode": true,
	"columnnameofcorruptrecord": true, "timezone": true, "locale": true, "encoding": true, "charset": true, "samplingratio": true}
