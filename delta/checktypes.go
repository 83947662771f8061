package delta

import (
	"strings"

	"millrace/errs"
	"millrace/types"
)

// CheckTypes refuses the types that Delta stores no columns of: strings with a collation. Tables that have them all the same are read.
func CheckTypes(schema *types.Type) error {
	var found []string
	var walk func(t *types.Type, path string)
	walk = func(t *types.Type, path string) {
		switch t.Kind {
		case types.KindString:
			if t.Collation != "" {
				found = append(found, path+": StringType("+t.Collation+")")
			}
		case types.KindArray:
			walk(t.Elem, path+"[]")
		case types.KindMap:
			walk(t.Key, path+".key")
			walk(t.Elem, path+".value")
		case types.KindStruct:
			for _, f := range t.Fields {
				walk(f.Type, strings.TrimPrefix(path+"."+f.Name, "."))
			}
		}
	}
	if walk(schema, ""); len(found) == 0 {
		return nil
	}
	return errs.New("DELTA_UNSUPPORTED_DATA_TYPES", "dataTypeList", "["+strings.Join(found, ", ")+"]")
}
