package session

import (
	"encoding/json"
	"fmt"
	"strings"

	"millrace/types"
)

// TreeString draws a schema as printSchema does. Level bounds the depth; zero or less: all.
func TreeString(schema *types.Type, level int) string {
	var b strings.Builder
	b.WriteString("root\n")
	if level <= 0 {
		level = int(^uint(0) >> 1)
	}
	treeFields(&b, schema.Fields, " |", level)
	return b.String()
}

func treeFields(b *strings.Builder, fields []types.Field, prefix string, level int) {
	for _, f := range fields {
		fmt.Fprintf(b, "%s-- %s: %s (nullable = %t)\n", prefix, escapes.Replace(f.Name), treeName(f.Type), f.Nullable)
		treeInner(b, f.Type, prefix+"    |", level-1)
	}
}

func treeInner(b *strings.Builder, t *types.Type, prefix string, level int) {
	if level <= 0 {
		return
	}
	switch t.Kind {
	case types.KindStruct:
		treeFields(b, t.Fields, prefix, level)
	case types.KindArray:
		fmt.Fprintf(b, "%s-- element: %s (containsNull = %t)\n", prefix, treeName(t.Elem), t.ElemNull)
		treeInner(b, t.Elem, prefix+"    |", level-1)
	case types.KindMap:
		fmt.Fprintf(b, "%s-- key: %s\n", prefix, treeName(t.Key))
		treeInner(b, t.Key, prefix+"    |", level-1)
		fmt.Fprintf(b, "%s-- value: %s (valueContainsNull = %t)\n", prefix, treeName(t.Elem), t.ElemNull)
		treeInner(b, t.Elem, prefix+"    |", level-1)
	}
}

// treeName is Spark's typeName: the JSON form's word, parameters included.
func treeName(t *types.Type) string {
	switch t.Kind {
	case types.KindStruct:
		return "struct"
	case types.KindArray:
		return "array"
	case types.KindMap:
		return "map"
	case types.KindUDT:
		class := t.UDT.Class
		if class == "" {
			class = t.UDT.PyClass
		}
		name := class[strings.LastIndexByte(class, '.')+1:]
		return strings.ToLower(strings.TrimSuffix(name, "UDT"))
	case types.KindString:
		return t.String()
	}
	return strings.Trim(t.JSON(), `"`)
}

// DDL writes a schema as the text of a column list.
func DDL(schema *types.Type) string {
	parts := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		parts[i] = fieldDDL(f, " ")
	}
	return strings.Join(parts, ",")
}

func fieldDDL(f types.Field, between string) string {
	s := types.QuoteIfNeeded(f.Name) + between + f.Type.SQL()
	if !f.Nullable {
		s += " NOT NULL"
	}
	var meta map[string]any
	if json.Unmarshal([]byte(f.Metadata), &meta) != nil {
		return s
	}
	if d, ok := meta["CURRENT_DEFAULT"].(string); ok {
		s += " DEFAULT " + d
	}
	if c, ok := meta["comment"].(string); ok {
		s += " COMMENT '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(c) + "'"
	}
	return s
}
