package analyze

import (
	"strings"

	"millrace/collation"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// CollationKey is the kernel that makes of a text the bytes by which its collation compares it; of an array, those of its elements.
const CollationKey = "collation_key"

// strength is how much an expression's collation weighs where several meet, as in the SQL standard.
type strength uint8

const (
	byDefault strength = iota // literals and what is made of them
	implied                   // columns, subqueries, explicit casts
	explicit                  // COLLATE
)

// collated finds a string type within t whose collation is not the default one; nil if there is none.
func collated(t *types.Type) *types.Type {
	var found *types.Type
	eachString(t, func(s *types.Type) {
		if found == nil && s.Collation != "" {
			found = s
		}
	})
	return found
}

// eachString calls f for every string type within t.
func eachString(t *types.Type, f func(*types.Type)) {
	switch {
	case t == nil:
	case t.Kind == types.KindString:
		f(t)
	default:
		eachString(t.Key, f)
		eachString(t.Elem, f)
		for _, m := range t.Fields {
			eachString(m.Type, f)
		}
	}
}

// withCollation is t with all of its strings in a collation; empty for the default one.
func withCollation(t *types.Type, name string) *types.Type {
	switch {
	case t == nil:
		return nil
	case t.Kind == types.KindString && t.Collation == name:
		return t
	}
	m := *t
	if t.Kind == types.KindString {
		m.Collation = name
		return &m
	}
	m.Key, m.Elem = withCollation(t.Key, name), withCollation(t.Elem, name)
	m.Fields = append([]types.Field(nil), t.Fields...)
	for i := range m.Fields {
		m.Fields[i].Type = withCollation(m.Fields[i].Type, name)
	}
	return &m
}

// strengthOf weighs an expression that has a string.
func strengthOf(e plan.Expr) strength {
	switch e := e.(type) {
	case *plan.Literal:
		return byDefault
	case *plan.Cast:
		if !e.Implicit {
			return implied
		}
		if hasString(plan.TypeOf(e.Child)) {
			return strengthOf(e.Child)
		}
		return byDefault
	case *plan.Call:
		switch e.Name {
		case "collate":
			return explicit
		case "field", "element_fields", "[]", "element", "element_at":
			return strengthOf(e.Args[0])
		}
		most := byDefault
		for _, a := range e.Args {
			if t := plan.TypeOf(a); t != nil && hasString(t) {
				most = max(most, strengthOf(a))
			}
		}
		return most
	}
	return implied
}

func hasString(t *types.Type) bool {
	has := false
	eachString(t, func(*types.Type) { has = true })
	return has
}

// common is the collation in which a call's strings meet. The type of an argument that holds several collations has none of its own.
func common(args []plan.Expr, places func(i int) bool) (string, error) {
	type set struct {
		names []string
		has   map[string]bool
	}
	var found [3]set
	for i, e := range args {
		t := plan.TypeOf(e)
		if t == nil || !places(i) || !hasString(t) {
			continue
		}
		s := &found[strengthOf(e)]
		eachString(t, func(u *types.Type) {
			if !s.has[u.Collation] {
				if s.has == nil {
					s.has = map[string]bool{}
				}
				s.has[u.Collation] = true
				s.names = append(s.names, u.Collation)
			}
		})
	}
	for k := explicit; ; k-- {
		switch names := found[k].names; {
		case len(names) == 1:
			return names[0], nil
		case len(names) > 1 && k == explicit:
			for i, n := range names {
				names[i] = `"STRING COLLATE ` + collationName(n) + `"`
			}
			return "", errs.New("COLLATION_MISMATCH.EXPLICIT", "explicitTypes", join(names))
		case len(names) > 1:
			return collation.Indeterminate, nil
		}
		if k == byDefault {
			return "", nil
		}
	}
}

func collationName(name string) string {
	if name == "" {
		return collation.Binary
	}
	return name
}

// The ways in which functions deal with collations. What is in none of these lists is refused for collated strings.
var (
	// compares: the arguments are compared, and reach the kernel as keys.
	compares = words("= == <=> equal_null != <> < <= > >= between in array_contains array_position arrays_overlap approx_count_distinct hll_sketch_agg theta_sketch_agg")
	// searches: the first argument is searched for the others by their collation, which is an option of the kernel.
	searches = words("contains startswith endswith instr locate position find_in_set substring_index split_part replace translate")
	// carries: the strings meet in one collation, which the result has; nothing is compared.
	carries = words(`concat || concat_ws coalesce nvl ifnull nvl2 if case when elt array upper ucase lower lcase initcap substring substr left right
		lpad rpad overlay repeat reverse quote make_valid_utf8 validate_utf8 try_validate_utf8`)
	// moves: values come out as they went in.
	moves = words(`collect_list array_agg first first_value last last_value any_value lag lead nth_value max_by min_by explode explode_outer posexplode
		posexplode_outer inline inline_outer slice flatten get map_values transform filter exists forall array_compact array_repeat typeof`)
	// trims: as carries with one argument; with two, characters are compared.
	trims = words("trim ltrim rtrim btrim")
	// ignores: the collation does not matter, and the result has none.
	ignores = words(`length len char_length character_length octet_length bit_length ascii base64 unbase64 encode decode to_binary try_to_binary soundex levenshtein luhn_check md5 sha sha1 sha2 crc32 hex
		unhex format_number is_valid_utf8 isnull isnotnull count assert_true raise_error to_date to_timestamp date_format to_number to_char sentences format_string printf
		get_json_object from_json to_json size cardinality array_size`)
	// meets: of ignores, those whose strings must still agree.
	meets = words("levenshtein sentences format_string printf")
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// resolver resolves a call with its literals in a collation.
type resolver = func(args []plan.Expr, collation string) (*plan.Call, error)

// agreed resolves a call whose strings have to agree on a collation, which it gives. It changes args.
func agreed(args []plan.Expr, resolve resolver) (*plan.Call, string, error) {
	c, err := common(args, func(int) bool { return true })
	if err != nil {
		return nil, "", err
	}
	call, err := resolve(args, c)
	if err == nil && c == collation.Indeterminate {
		err = indeterminate(call)
	}
	if err != nil {
		return nil, "", err
	}
	return call, c, nil
}

// collatedCall resolves a call some of whose arguments are strings of other collations than the default one.
func (a *analyzer) collatedCall(f *fn.Func, name string, args []plan.Expr, known []fn.Arg, o *plan.Origin) (*plan.Call, error) {
	plainKnown := append([]fn.Arg(nil), known...)
	for i := range known {
		plainKnown[i].Type = withCollation(known[i].Type, "")
	}
	resolve := func(args []plan.Expr, collationOf string) (*plan.Call, error) {
		for i := range known {
			if l, ok := args[i].(*plan.Literal); ok && collationOf != "" && hasString(l.T) {
				m := *l
				m.T = withCollation(l.T, collationOf)
				args[i] = &m
			}
		}
		return a.resolvePlain(f, name, args, plainKnown, o)
	}
	args = append([]plan.Expr(nil), args...)
	switch key := f.Names[0]; {
	case (key == "min" || key == "max") && len(args) == 1:
		return a.collatedExtreme(f, name, args, plainKnown, o)
	case moves[name]:
		return a.resolvePlain(f, name, args, known, o)
	case ignores[name] && !meets[name]:
		return a.resolvePlain(f, name, args, plainKnown, o)
	case ignores[name]:
		c, err := common(args, func(int) bool { return true })
		if err != nil {
			return nil, err
		}
		return resolve(args, c)
	case name == "nullif" || name == "least" || name == "greatest":
		return a.collatedChoice(name, args, resolve)
	case name == "like" && len(args) == 2:
		return a.collatedLike(args, resolve)
	case trims[name] && len(args) == 2:
		return a.searched(args, resolve)
	case trims[name], carries[name]:
		return a.carried(name, args, resolve)
	case compares[name]:
		call, c, err := agreed(args, resolve)
		if err != nil {
			return nil, err
		}
		for i, e := range call.Args {
			if call.Args[i], err = keyOf(e, c); err != nil {
				return nil, err
			}
		}
		return call, nil
	case searches[name]:
		return a.searched(args, resolve)
	}
	return nil, errs.Unsupportedf("the function %s of strings with the collation %s is not supported", types.Quote(name), collationOfArgs(known))
}

func collationOfArgs(known []fn.Arg) string {
	for _, k := range known {
		if s := collated(k.Type); s != nil {
			return s.Collation
		}
	}
	return collation.Binary
}

func indeterminate(c *plan.Call) error {
	if c.Name == "split_part" || c.Name == "str_to_map" {
		return errs.New("INDETERMINATE_COLLATION")
	}
	return errs.New("INDETERMINATE_COLLATION_IN_EXPRESSION", "expr", SQL(c))
}

// carried resolves a call whose result has the collation of its arguments' strings. Of a conditional, the conditions do not count.
func (a *analyzer) carried(name string, args []plan.Expr, resolve resolver) (*plan.Call, error) {
	places := func(int) bool { return true }
	switch name {
	case "case", "when":
		places = func(i int) bool { return i%2 == 1 || i == len(args)-1 }
	case "if", "nvl2":
		places = func(i int) bool { return i > 0 }
	}
	written := append([]plan.Expr(nil), args...)
	c, err := common(args, places)
	if err != nil {
		return nil, err
	}
	call, err := resolve(args, c)
	if err != nil {
		return nil, err
	}
	call.T = withCollation(call.T, c)
	if name == "nvl" || name == "ifnull" || name == "nvl2" {
		plain, err := resolve(append([]plan.Expr(nil), written...), "")
		if err != nil {
			return nil, err
		}
		call.Pretty = plain.Pretty
	}
	return call, nil
}

// searched resolves a search, which is refused where accents alone do not count.
func (a *analyzer) searched(args []plan.Expr, resolve resolver) (*plan.Call, error) {
	call, c, err := agreed(args, resolve)
	if err != nil || c == "" {
		return call, err
	}
	found, err := collation.Find(c)
	if err != nil {
		return nil, errs.Newf(errs.Internal, "collation %s", c)
	}
	if found.FoldAI && !found.FoldCI {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", SQL(call), "paramIndex", "first", "inputSql", SQL(args[0]),
			"inputType", `"STRING COLLATE `+c+`"`, "requiredType", `"STRING"`)
	}
	call.T = withCollation(call.T, c)
	if found.LCase || found.ICU || found.RTrim {
		call.Name, call.Options = "collated_"+call.Name, map[string]string{"collation": c}
	}
	return call, nil
}

// collatedExtreme is min and max: the value whose key is the least or greatest.
func (a *analyzer) collatedExtreme(f *fn.Func, name string, args []plan.Expr, known []fn.Arg, o *plan.Origin) (*plan.Call, error) {
	t := plan.TypeOf(args[0])
	if t.Kind != types.KindString {
		return nil, errs.Unsupportedf("the function %s of nested strings with a collation is not supported", types.Quote(name))
	}
	plain, err := a.resolvePlain(f, name, args, known, o)
	if err != nil {
		return nil, err
	}
	key, err := keyOf(args[0], t.Collation)
	if err != nil {
		return nil, err
	}
	by := name + "_by"
	c, err := a.resolvePlain(fn.Lookup(by), by, []plan.Expr{args[0], key}, []fn.Arg{known[0], a.describe(key)}, o)
	if err != nil {
		return nil, err
	}
	c.T, c.Pretty, c.Null = t, plain.Pretty, plain.Null
	return c, nil
}

// collatedChoice is nullif, least and greatest: a choice by keys.
func (a *analyzer) collatedChoice(name string, args []plan.Expr, resolve resolver) (*plan.Call, error) {
	written := append([]plan.Expr(nil), args...)
	call, c, err := agreed(args, resolve)
	if err != nil {
		return nil, err
	}
	plain, err := resolve(written, "")
	if err != nil {
		return nil, err
	}
	if name == "nullif" {
		call.Pretty = plain.Pretty
	}
	t := withCollation(call.T, c)
	choose := func(name string, x, y plan.Expr) (plan.Expr, error) {
		kx, err := keyOf(x, c)
		if err != nil {
			return nil, err
		}
		ky, err := keyOf(y, c)
		if err != nil {
			return nil, err
		}
		op, otherwise := map[string]string{"nullif": "<=>", "least": "<=", "greatest": ">="}[name], y
		first, second := x, otherwise
		if name == "nullif" {
			first, second = &plan.Literal{T: t}, x
		}
		better := &plan.Call{Name: op, Args: []plan.Expr{kx, ky}, T: types.Boolean, Null: op != "<=>", Mode: call.Mode}
		if name != "nullif" {
			null := func(e plan.Expr) plan.Expr { return &plan.Call{Name: "isnull", Args: []plan.Expr{e}, T: types.Boolean} }
			second = &plan.Call{Name: "if", Args: []plan.Expr{null(x), y, &plan.Call{Name: "if", Args: []plan.Expr{null(y), x, y}, T: t, Null: true}}, T: t, Null: true}
		}
		return &plan.Call{Name: "if", Args: []plan.Expr{better, first, second}, T: t, Null: true}, nil
	}
	out := call.Args[0]
	for _, e := range call.Args[1:] {
		if out, err = choose(name, out, e); err != nil {
			return nil, err
		}
	}
	last := out.(*plan.Call)
	last.Pretty, last.Null, last.T = call.Pretty, call.Null, t
	return last, nil
}

// collatedLike is LIKE, which Spark has for UTF8_LCASE beside the default: both sides in lower case.
func (a *analyzer) collatedLike(args []plan.Expr, resolve resolver) (*plan.Call, error) {
	written := append([]plan.Expr(nil), args...)
	call, c, err := agreed(args, resolve)
	if err != nil {
		return nil, err
	}
	pretty, err := resolve(written, "")
	if err != nil {
		return nil, err
	}
	if c != "" && c != "UTF8_LCASE" {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", SQL(call), "paramIndex", "first", "inputSql", SQL(args[0]),
			"inputType", `"STRING COLLATE `+c+`"`, "requiredType", `"STRING"`)
	}
	call.Pretty = pretty.Pretty
	for i, e := range call.Args {
		key, err := keyOf(e, c)
		if err != nil {
			return nil, err
		}
		if k, ok := key.(*plan.Call); ok && k.Name == CollationKey {
			k.T = types.String
		}
		call.Args[i] = key
	}
	return call, nil
}

// keyOf is what a collation compares of an expression of strings or of an array of them; any other expression is its own key.
func keyOf(e plan.Expr, name string) (plan.Expr, error) {
	t := plan.TypeOf(e)
	switch {
	case name == "" || !hasString(t):
		return e, nil
	case name == collation.Indeterminate:
		return nil, errs.New("INDETERMINATE_COLLATION")
	case t.Kind == types.KindString:
		return &plan.Call{Name: CollationKey, Args: []plan.Expr{e}, T: types.Binary, Null: plan.IsNullable(e), Options: map[string]string{"collation": name}, Pretty: Pretty(e)}, nil
	case t.Kind == types.KindArray && t.Elem.Kind == types.KindString:
		return &plan.Call{Name: CollationKey, Args: []plan.Expr{e}, T: types.ArrayOf(types.Binary, t.ElemNull), Null: plan.IsNullable(e),
			Options: map[string]string{"collation": name}, Pretty: Pretty(e)}, nil
	}
	return nil, errs.Unsupportedf("comparing values of the type %s by their collations is not supported", t.SQL())
}

// ownKey is an expression's key in the collation of its own type.
func ownKey(e plan.Expr) (plan.Expr, error) {
	s := collated(plan.TypeOf(e))
	if s == nil {
		return e, nil
	}
	return keyOf(e, s.Collation)
}

// collateCall is collate(text, 'NAME').
func (a *analyzer) collateCall(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if len(u.Args) != 2 {
		return nil, wrongArgs(u.Name, 2, 2, len(u.Args))
	}
	args, err := a.exprs(s, u.Args)
	if err != nil {
		return nil, err
	}
	l := a.constant(args[1])
	if l == nil {
		return nil, errs.New("NON_FOLDABLE_ARGUMENT", "funcName", "`collate`", "paramName", "`collationName`", "paramType", `"STRING"`)
	}
	name, ok := l.Value.(string)
	if !ok {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", "", "exprName", "collation")
	}
	t := plan.TypeOf(args[0])
	c := &plan.Call{Name: "collate", Args: args[:1], T: types.String, Null: plan.IsNullable(args[0]), Pretty: "collate(" + Pretty(args[0]) + ", " + name + ")"}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	found, err := collation.Find(name)
	if err != nil {
		return nil, errs.New("COLLATION_INVALID_NAME", "collationName", name, "proposals", collation.Binary)
	}
	if t.Kind != types.KindString && t.Kind != types.KindNull {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", SQL(c), "paramIndex", "first", "inputSql", SQL(args[0]),
			"inputType", `"`+t.SQL()+`"`, "requiredType", `"STRING"`)
	}
	if t.Kind == types.KindNull {
		c.Args[0] = a.castTo(args[0], types.String)
	}
	if found.Name != collation.Binary {
		c.T = withCollation(types.String, found.Name)
	}
	return c, nil
}

// collationCall is collation(text).
func (a *analyzer) collationCall(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if len(u.Args) != 1 {
		return nil, wrongArgs(u.Name, 1, 1, len(u.Args))
	}
	args, err := a.exprs(s, u.Args)
	if err != nil {
		return nil, err
	}
	t := plan.TypeOf(args[0])
	if t.Kind == types.KindNull {
		t = types.String
	}
	c := &plan.Call{Name: "collation", Args: args, Pretty: "collation(" + Pretty(args[0]) + ")"}
	if t.Kind != types.KindString {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", SQL(c), "paramIndex", "first", "inputSql", SQL(args[0]),
			"inputType", `"`+t.SQL()+`"`, "requiredType", `"STRING"`)
	}
	if t.Collation == collation.Indeterminate {
		return &plan.Call{Name: "collate", Args: []plan.Expr{plan.Str("null")}, T: types.String, Pretty: c.Pretty}, nil
	}
	return &plan.Call{Name: "collate", Args: []plan.Expr{plan.Str("SYSTEM.BUILTIN." + collationName(t.Collation))}, T: types.String, Pretty: c.Pretty}, nil
}

// onlyCollation reports whether two types differ in the collations of strings only, which no kernel looks at.
func onlyCollation(from, to *types.Type) bool {
	return from != nil && collated(from) != nil && withCollation(from, "").SameData(withCollation(to, ""))
}
