package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"transform"}, Min: 2, Max: 2, Lambdas: []int{1}, LambdaTypes: ofElement, Resolve: transform},
		&Func{Names: []string{"filter"}, Min: 2, Max: 2, Lambdas: []int{1}, LambdaTypes: ofElement, Resolve: filter},
		&Func{Names: []string{"exists"}, Min: 2, Max: 2, Lambdas: []int{1}, LambdaTypes: ofElementOnly, Resolve: quantifier},
		&Func{Names: []string{"forall"}, Min: 2, Max: 2, Lambdas: []int{1}, LambdaTypes: ofElementOnly, Resolve: quantifier},
		&Func{Names: []string{"aggregate", "reduce"}, Min: 3, Max: 4, Lambdas: []int{2, 3}, LambdaTypes: ofAggregate, Resolve: aggregate},
		&Func{Names: []string{"zip_with"}, Min: 3, Max: 3, Lambdas: []int{2}, LambdaTypes: ofPair, Resolve: zipWith},
		&Func{Names: []string{"array_sort"}, Min: 1, Max: 2, Lambdas: []int{1}, LambdaTypes: ofComparator, Resolve: arraySort},
		&Func{Names: []string{"map_filter"}, Min: 2, Max: 2, Lambdas: []int{1}, LambdaTypes: ofEntry, Resolve: mapFilter},
		&Func{Names: []string{"transform_keys"}, Min: 2, Max: 2, Lambdas: []int{1}, LambdaTypes: ofEntry, Resolve: transformKeys},
		&Func{Names: []string{"transform_values"}, Min: 2, Max: 2, Lambdas: []int{1}, LambdaTypes: ofEntry, Resolve: transformValues},
		&Func{Names: []string{"map_zip_with"}, Min: 3, Max: 3, Lambdas: []int{2}, LambdaTypes: ofTwoEntries, Resolve: mapZipWith},
	)
}

// arrayAt demands that argument i is an array.
func arrayAt(args []Arg, i int) (*types.Type, error) {
	if t := args[i].Type; t != nil && t.Kind == types.KindArray {
		return t, nil
	}
	return nil, notArray(args, i)
}

func mapAt(args []Arg, i int) (*types.Type, error) {
	if t := args[i].Type; t != nil && t.Kind == types.KindMap {
		return t, nil
	}
	return nil, notMap(args, i)
}

// PlaceParameter is the name of a lambda's last parameter that it need not have: the element's place.
const PlaceParameter = "idx"

// ofElement has the parameters element and place.
func ofElement(c *Context, args []Arg, i int) ([]types.Field, error) {
	fields, err := ofElementOnly(c, args, i)
	return append(fields, types.Field{Name: PlaceParameter, Type: types.Integer}), err
}

func ofElementOnly(_ *Context, args []Arg, _ int) ([]types.Field, error) {
	t, err := arrayAt(args, 0)
	if err != nil {
		return nil, err
	}
	return []types.Field{{Name: "x", Type: t.Elem, Nullable: t.ElemNull}}, nil
}

func ofComparator(c *Context, args []Arg, i int) ([]types.Field, error) {
	fields, err := ofElementOnly(c, args, i)
	return append(fields, fields...), err
}

func ofAggregate(_ *Context, args []Arg, i int) ([]types.Field, error) {
	t, err := arrayAt(args, 0)
	if err != nil {
		return nil, err
	}
	acc := types.Field{Name: "acc", Type: args[1].Type, Nullable: true}
	if i == 3 {
		return []types.Field{acc}, nil
	}
	return []types.Field{acc, {Name: "x", Type: t.Elem, Nullable: t.ElemNull}}, nil
}

func ofPair(_ *Context, args []Arg, _ int) ([]types.Field, error) {
	x, err := arrayAt(args, 0)
	if err != nil {
		return nil, err
	}
	y, err := arrayAt(args, 1)
	if err != nil {
		return nil, err
	}
	return []types.Field{{Name: "x", Type: x.Elem, Nullable: true}, {Name: "y", Type: y.Elem, Nullable: true}}, nil
}

func ofEntry(_ *Context, args []Arg, _ int) ([]types.Field, error) {
	t, err := mapAt(args, 0)
	if err != nil {
		return nil, err
	}
	return []types.Field{{Name: "k", Type: t.Key}, {Name: "v", Type: t.Elem, Nullable: t.ElemNull}}, nil
}

func ofTwoEntries(c *Context, args []Arg, _ int) ([]types.Field, error) {
	key, x, y, err := zippedMaps(c, args)
	if err != nil {
		return nil, err
	}
	return []types.Field{{Name: "k", Type: key}, {Name: "x", Type: x.Elem, Nullable: true}, {Name: "y", Type: y.Elem, Nullable: true}}, nil
}

func transform(_ *Context, args []Arg) (Result, error) {
	return Result{Type: types.ArrayOf(args[1].Type, args[1].Nullable), Nullable: args[0].Nullable, Deterministic: true}, nil
}

// predicate demands that lambda i is boolean.
func predicate(args []Arg, i int) error {
	if args[i].Type.Kind != types.KindBoolean {
		return unexpected("", args, i, `"BOOLEAN"`)
	}
	return nil
}

func filter(_ *Context, args []Arg) (Result, error) {
	return Result{Type: args[0].Type, Nullable: args[0].Nullable, Deterministic: true}, predicate(args, 1)
}

// quantifier is exists and forall; with two values instead of three it is never null for a list.
func quantifier(c *Context, args []Arg) (Result, error) {
	r := Result{Type: types.Boolean, Nullable: args[0].Nullable || args[1].Nullable, Deterministic: true}
	if c.conf("spark.sql.legacy.followThreeValuedLogicInArrayExists") == "false" {
		r.Options = map[string]string{"two_valued": "true"}
	}
	return r, predicate(args, 1)
}

// aggregate merges into values of zero's type, whose fields keep zero's names.
func aggregate(_ *Context, args []Arg) (Result, error) {
	zero, merge := args[1].Type, args[2]
	if !SameShape(zero, merge.Type) {
		return Result{}, unexpected("aggregate", args, 2, quoted(zero))
	}
	r := Result{Type: zero, Nullable: true, Deterministic: true}
	if len(args) > 3 {
		r.Type = args[3].Type
	}
	return r, nil
}

// SameShape reports whether types differ in no more than the names of fields and what may be null.
func SameShape(t, o *types.Type) bool {
	if t.Kind != o.Kind || len(t.Fields) != len(o.Fields) || !t.IsNested() {
		return t.SameData(o)
	}
	for i, f := range t.Fields {
		if !SameShape(f.Type, o.Fields[i].Type) {
			return false
		}
	}
	return (t.Elem == nil || SameShape(t.Elem, o.Elem)) && (t.Key == nil || SameShape(t.Key, o.Key))
}

func zipWith(_ *Context, args []Arg) (Result, error) {
	return Result{Type: types.ArrayOf(args[2].Type, args[2].Nullable), Nullable: args[0].Nullable || args[1].Nullable, Deterministic: true}, nil
}

func arraySort(_ *Context, args []Arg) (Result, error) {
	t, err := arrayAt(args, 0)
	if err != nil {
		return Result{}, err
	}
	r := Result{Type: t, Nullable: args[0].Nullable, Deterministic: true}
	if len(args) < 2 {
		if !Orderable(t.Elem) {
			return r, notOrderable("array_sort", t)
		}
		return r, nil
	}
	if args[1].Type.Kind != types.KindInteger {
		return r, errs.New("DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE", "sqlExpr", "", "functionName", "`lambdafunction`", "expectedType", `"INT"`,
			"actualType", quoted(args[1].Type))
	}
	r.Kernel = "array_sort_by"
	return r, nil
}

func mapFilter(_ *Context, args []Arg) (Result, error) {
	return Result{Type: args[0].Type, Nullable: args[0].Nullable, Deterministic: true}, predicate(args, 1)
}

func transformKeys(_ *Context, args []Arg) (Result, error) {
	m, key := args[0].Type, args[1].Type
	if HasMap(key) || HasVariant(key) {
		return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "sqlExpr", "", "keyType", quoted(key))
	}
	return Result{Type: types.MapOf(key, m.Elem, m.ElemNull), Nullable: args[0].Nullable, Deterministic: true}, nil
}

func transformValues(_ *Context, args []Arg) (Result, error) {
	return Result{Type: types.MapOf(args[0].Type.Key, args[1].Type, args[1].Nullable), Nullable: args[0].Nullable, Deterministic: true}, nil
}

// zippedMaps are two maps and the type of both their keys.
func zippedMaps(c *Context, args []Arg) (key, x, y *types.Type, err error) {
	if x, err = mapAt(args, 0); err != nil {
		return nil, nil, nil, err
	}
	if y, err = mapAt(args, 1); err != nil {
		return nil, nil, nil, err
	}
	key, ok := CommonType(c, x.Key, y.Key)
	if !ok {
		return nil, nil, nil, errs.New("DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES", "sqlExpr", "", "functionName", "`map_zip_with`",
			"leftType", quoted(x.Key), "rightType", quoted(y.Key))
	}
	return key, x, y, nil
}

func mapZipWith(c *Context, args []Arg) (Result, error) {
	key, x, y, err := zippedMaps(c, args)
	if err != nil {
		return Result{}, err
	}
	if !Orderable(key) {
		return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "sqlExpr", "", "functionName", "`map_zip_with`", "dataType", quoted(key))
	}
	casts := []*types.Type{types.MapOf(key, x.Elem, x.ElemNull), types.MapOf(key, y.Elem, y.ElemNull), nil}
	return Result{Args: casts, Type: types.MapOf(key, args[2].Type, args[2].Nullable), Nullable: args[0].Nullable || args[1].Nullable, Deterministic: true}, nil
}

// HasMap reports whether values of a type are or hold maps, which have no order and cannot be keys.
func HasMap(t *types.Type) bool {
	switch t.Kind {
	case types.KindMap:
		return true
	case types.KindArray, types.KindUDT:
		return HasMap(t.Elem)
	case types.KindStruct:
		for _, f := range t.Fields {
			if HasMap(f.Type) {
				return true
			}
		}
	}
	return false
}

func notOrderable(name string, t *types.Type) error {
	return errs.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "sqlExpr", "", "functionName", "`"+name+"`", "dataType", quoted(t))
}

// conf is a session's setting, empty when it is not known.
func (c *Context) conf(key string) string {
	if c.Conf == nil {
		return ""
	}
	return c.Conf(key)
}
