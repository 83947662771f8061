package analyze

import (
	"maps"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// parseTexts makes lists of rows of the texts by a kernel of the format and then a row of each item.
func (a *analyzer) parseTexts(n *plan.ParseTexts) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	columns := output(in)
	if len(columns) != 1 {
		return nil, errs.New("DATAFRAME_INPUT_NOT_SINGLE_COLUMN", "numColumns", itoa(len(columns)))
	}
	text := columns[0]
	if text.T.Kind != types.KindString {
		return nil, errs.New("DATAFRAME_INPUT_NOT_STRING_TYPE", "dataType", `"`+text.T.SQL()+`"`)
	}
	switch n.Format {
	case "json", "csv", "xml":
	default:
		return nil, errs.Unsupportedf("Reading texts of the format %q is not supported.", n.Format)
	}
	options := maps.Clone(n.Options)
	if options == nil {
		options = map[string]string{}
	}
	var header [][]byte
	if n.Format == "csv" && (n.Schema == nil || option(options, "header") == "true") {
		if header, err = a.firstText(in, text, option(options, "comment")); err != nil {
			return nil, err
		}
		if len(header) > 0 && option(options, "header") == "true" {
			options[headerLine] = string(header[0])
		}
	}
	schema := n.Schema
	if schema == nil {
		if schema, err = a.textsType(n.Format, options, in, header); err != nil {
			return nil, err
		}
	}
	if schema.Kind != types.KindStruct {
		return nil, errs.New("INVALID_SCHEMA.NON_STRUCT_TYPE", "inputSchema", `"`+schema.SQL()+`"`, "dataType", `"`+schema.SQL()+`"`)
	}
	schema = schema.AsNullable()
	if len(schema.Fields) == 0 {
		return &plan.Project{Input: in}, nil
	}
	rows := &plan.Call{Name: "rows_of_" + n.Format, Args: []plan.Expr{text}, T: types.ArrayOf(schema, false), Options: options, Pretty: "rows_of_" + n.Format + "(" + text.Name + ")"}
	each, err := a.apply("inline", nil, rows)
	if err != nil {
		return nil, err
	}
	attrs, err := a.generatedColumns(each, nil, false)
	if err != nil {
		return nil, err
	}
	return &plan.Project{Input: a.generate(in, each, attrs, false), Exprs: exprsOf(attrs)}, nil
}

// headerLine is the option by which the kernel of CSV learns which lines are headers.
const headerLine = "millrace.header"

// option is an option's value, in lower case, by its name without regard to case.
func option(options map[string]string, name string) string {
	for k, v := range options {
		if strings.EqualFold(k, name) {
			return strings.ToLower(v)
		}
	}
	return ""
}

// firstText is the first text that is neither blank nor a comment, if there is one.
func (a *analyzer) firstText(in plan.Node, text *plan.Attribute, comment string) ([][]byte, error) {
	trimmed, err := a.apply("trim", nil, text)
	if err != nil {
		return nil, err
	}
	wanted, err := a.apply("!=", nil, trimmed, plan.Str(""))
	if err != nil {
		return nil, err
	}
	if comment != "" {
		is, err := a.apply("startswith", nil, text, plan.Str(comment[:1]))
		if err != nil {
			return nil, err
		}
		not, err := a.apply("not", nil, is)
		if err != nil {
			return nil, err
		}
		if wanted, err = a.apply("and", nil, wanted, not); err != nil {
			return nil, err
		}
	}
	rows, err := a.collect(&plan.Filter{Input: in, Condition: wanted}, 1, "Reading texts")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	first, _ := rows[0][0].(string)
	return [][]byte{[]byte(first)}, nil
}

// mostTexts is how many texts a schema is inferred from.
const mostTexts = 1<<31 - 1

// textsType infers a schema from all texts, or, where they do not matter for it, from the first.
func (a *analyzer) textsType(format string, options map[string]string, in plan.Node, header [][]byte) (*types.Type, error) {
	if a.conf.TextsType == nil {
		return nil, errs.Unsupportedf("Reading texts is not supported here.")
	}
	texts := header
	if format != "csv" || option(options, "inferSchema") == "true" {
		rows, err := a.collect(in, mostTexts, "Reading texts")
		if err != nil {
			return nil, err
		}
		line, named := options[headerLine]
		if texts = nil; named {
			texts = header
		}
		for _, r := range rows {
			t, ok := r[0].(string)
			switch {
			case !ok:
				texts = append(texts, nil)
			case !named || t != line: // headers stand anywhere
				texts = append(texts, []byte(t))
			}
		}
	}
	return a.conf.TextsType(format, options, texts)
}
