package engine

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/table"
	"millrace/types"
)

var jsonMetadataSchema = mustSchema("json_metadata STRING NOT NULL COMMENT 'JSON metadata of the table'")

// member is a member of a JSON object, whose order is kept.
type member struct {
	key   string
	value any
}

type object []member

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := plainJSON(&b, m.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := plainJSON(&b, m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plainJSON writes a value without Go's escapes for HTML.
func plainJSON(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	b.Truncate(b.Len() - 1) // the encoder's newline
	return err
}

// describeAsJSON is DESCRIBE EXTENDED … AS JSON of a table of files, a view or a temporary view.
func (st *statement) describeAsJSON(c *plan.Describe) (session.Result, error) {
	if c.Partition != nil {
		return st.describePartition(c)
	}
	if _, temporary := st.s.View(c.Name); temporary {
		return st.describeViewJSON(c.Name)
	}
	t, err := st.target(c.Name)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(c.Name...))
	case t.entry == nil || t.entry.Schema == "":
		return nil, errs.New("NOT_SUPPORTED_COMMAND_FOR_V2_TABLE", "cmd", "DESCRIBE TABLE AS JSON")
	}
	return st.describeJSON(t.entry, "")
}

// describeViewJSON describes a temporary view.
func (st *statement) describeViewJSON(name []string) (session.Result, error) {
	info, _ := st.s.ViewInfo(name)
	resolved, err := st.analyze(&plan.UnresolvedRelation{Parts: name})
	if err != nil {
		return nil, err
	}
	catalog, namespace := "system", "session"
	if len(name) > 1 {
		catalog, namespace = "spark_catalog", session.GlobalNamespace
	}
	o := object{{"table_name", strings.ToLower(name[len(name)-1])}, {"catalog_name", catalog}, {"namespace", []string{namespace}}, {"schema_name", namespace},
		{"columns", columnsJSON(plan.Schema(resolved))}}
	o = append(o, st.madeJSON(info.Created.UnixMilli())...)
	o = append(o, member{"type", "VIEW"})
	o = o.text("comment", info.Comment).text("view_text", info.Text).text("view_schema_mode", st.shownMode(""))
	if info.Text != "" {
		o = append(o, member{"view_catalog_and_namespace", "spark_catalog." + info.Within}, member{"view_query_output_columns", info.Query})
	}
	return st.jsonResult(append(o, member{"collation", collationOr(info.Collation)}))
}

func (o object) text(key, value string) object {
	if value == "" {
		return o
	}
	return append(o, member{key, value})
}

func collationOr(name string) string {
	if name == "" {
		return "UTF8_BINARY"
	}
	return name
}

func (st *statement) jsonResult(o object) (session.Result, error) {
	text, err := o.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return st.rowsResult(jsonMetadataSchema, [][]any{{string(text)}})
}

// describeJSON describes a table or view of the catalog, or with a directory a partition of it.
func (st *statement) describeJSON(e *Entry, dir string) (session.Result, error) {
	schema, err := e.fileSchema()
	if err != nil {
		return nil, err
	}
	known, err := st.statisticsOf(e)
	if err != nil {
		return nil, err
	}
	namespace := strings.ToLower(e.Namespace)
	o := object{{"table_name", strings.ToLower(e.Name)}, {"catalog_name", "spark_catalog"}, {"namespace", []string{namespace}}, {"schema_name", namespace},
		{"columns", columnsJSON(schema)}}
	if dir != "" {
		o = append(o, member{"partition_values", partitionJSON(dir)}, member{"location", strings.TrimRight(urlOf(e.Location), "/") + "/" + dir})
	} else if e.View == "" {
		o = append(o, bucketJSON(e)...)
		o = append(o, member{"location", urlOf(e.Location)})
	}
	o = o.pairs("storage_properties", e.Options)
	o = append(o, st.madeJSON(e.Created)...)
	if dir != "" {
		o = append(o, statisticsJSON("partition_statistics", known.Parts[dir])...)
	}
	o = append(o, member{"type", e.info().Kind})
	o = o.text("provider", e.Provider)
	if dir != "" {
		o = append(o, bucketJSON(e)...)
	}
	o = o.text("comment", e.Comment)
	if e.View != "" {
		o = append(o, viewJSON(st.viewDetails(e), e)...)
	}
	o = o.pairs("table_properties", e.Properties)
	if e.View == "" {
		o = append(o, statisticsJSON("statistics", known.Table)...)
	}
	if len(e.PartitionBy) > 0 {
		o = append(o, member{"partition_provider", "Catalog"}, member{"partition_columns", e.PartitionBy})
	}
	return st.jsonResult(append(o, member{"collation", collationOr(e.Collation)}))
}

func viewJSON(lines [][2]string, e *Entry) object {
	var o object
	for _, kv := range lines {
		key := strings.ReplaceAll(strings.ToLower(kv[0]), " ", "_")
		if key == "view_query_output_columns" {
			o = append(o, member{key, e.Shape.Query})
			continue
		}
		o = append(o, member{key, kv[1]})
	}
	return o
}

func statisticsJSON(key string, s *tableStatistics) object {
	if s == nil {
		return nil
	}
	o := object{{"size_in_bytes", s.Size}}
	if s.Rows != nil {
		o = append(o, member{"num_rows", *s.Rows})
	}
	return object{{key, o}}
}

func (st *statement) madeJSON(millis int64) object {
	return object{{"created_time", time.UnixMilli(millis).UTC().Format(time.RFC3339)}, {"last_access", "UNKNOWN"}, {"created_by", st.e.o.Version}}
}

// pairs adds settings, secrets left out.
func (o object) pairs(key string, m map[string]string) object {
	if len(m) == 0 {
		return o
	}
	var p object
	for _, k := range slices.Sorted(maps.Keys(m)) {
		p = append(p, member{k, redacted(k, m[k])})
	}
	return append(o, member{key, p})
}

func partitionJSON(dir string) object {
	names, values := table.PartitionValues(dir)
	var o object
	for i, n := range names {
		v := "null"
		if values[i] != nil {
			v = *values[i]
		}
		o = append(o, member{n, v})
	}
	return o
}

func columnsJSON(t *types.Type) []object {
	out := make([]object, len(t.Fields))
	for i, f := range t.Fields {
		o := object{{"name", f.Name}, {"type", typeJSON(f.Type)}, {"nullable", f.Nullable}}
		if raw := delta.FieldMetadata(f, "__CHAR_VARCHAR_TYPE_STRING"); raw != nil {
			name, length, _ := strings.Cut(strings.TrimSuffix(delta.Text(raw), ")"), "(")
			o[1].value = object{{"name", name}, {"length", json.Number(length)}}
		}
		if c, ok := comment(f).(string); ok {
			o = o.text("comment", c)
		}
		if raw := delta.FieldMetadata(f, "CURRENT_DEFAULT"); raw != nil {
			o = append(o, member{"default", delta.Text(raw)})
		}
		out[i] = o
	}
	return out
}

// typeJSON is a type in the form of DESCRIBE … AS JSON.
func typeJSON(t *types.Type) object {
	switch t.Kind {
	case types.KindString:
		return object{{"name", "string"}, {"collation", collationOr(t.Collation)}}
	case types.KindDecimal:
		return object{{"name", "decimal"}, {"precision", t.Precision}, {"scale", t.Scale}}
	case types.KindTimestamp:
		return object{{"name", "timestamp_ltz"}}
	case types.KindArray:
		return object{{"name", "array"}, {"element_type", typeJSON(t.Elem)}, {"element_nullable", t.ElemNull}}
	case types.KindMap:
		return object{{"name", "map"}, {"key_type", typeJSON(t.Key)}, {"value_type", typeJSON(t.Elem)}, {"value_nullable", t.ElemNull}}
	case types.KindStruct:
		return object{{"name", "struct"}, {"fields", columnsJSON(t)}}
	case types.KindYearMonth, types.KindDayTime:
		words := strings.Fields(t.String()) // interval day to second
		return object{{"name", "interval"}, {"start_unit", words[1]}, {"end_unit", words[len(words)-1]}}
	}
	return object{{"name", t.String()}}
}
