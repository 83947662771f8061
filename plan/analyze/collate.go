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
		lpad rpad overlay repeat reverse make_valid_utf8 validate_utf8 try_validate_utf8 mask array_join`)
	// moves: values come out as they went in. What compares them on the way does so by the collations in their types.
	moves = words(`collect_list array_agg first first_value last last_value any_value lag lead nth_value max_by min_by explode explode_outer posexplode
		posexplode_outer inline inline_outer slice flatten get map_values transform filter exists forall array_compact array_repeat typeof shuffle stack
		map_keys map_entries map_filter transform_values zip_with aggregate reduce arrays_zip array_prepend array_insert listagg string_agg collect_set count_min_sketch`)
	// orders: as moves, of values that are compared, so that their collations must be known.
	orders = words(`array_distinct array_sort sort_array array_max array_min map_from_arrays map_from_entries map_concat transform_keys map_zip_with
		element_at try_element_at map_contains_key`)
	// joins: as orders, after the arguments' strings have met in one collation.
	joins = words("array_union array_intersect array_except array_remove array_append")
	// follows: nothing is compared, and the result has the first argument's collation.
	follows = words("format_string printf sentences hex conv json_tuple")
	// patterns: a regular expression, in which case does not count under UTF8_LCASE; other collations than that and the default one are refused.
	patterns = words(`rlike regexp regexp_like regexp_replace regexp_extract regexp_extract_all regexp_count regexp_instr regexp_substr split ilike`)
	// trims: as carries with one argument; with two, characters are compared.
	trims = words("trim ltrim rtrim btrim")
	// recased: of carries, those that need to know the collation.
	recased = words("upper ucase lower lcase initcap")
	// ignores: the collation does not matter, and the result has none.
	ignores = words(`length len char_length character_length octet_length bit_length ascii base64 unbase64 encode decode to_binary try_to_binary soundex levenshtein luhn_check md5 sha sha1 sha2 crc32
		unhex quote format_number is_valid_utf8 isnull isnotnull count assert_true raise_error to_date try_to_date to_timestamp try_to_timestamp to_timestamp_ltz to_timestamp_ntz date_format to_number
		try_to_number to_char to_varchar from_unixtime unix_timestamp to_unix_timestamp date_trunc trunc next_day extract date_part datepart from_utc_timestamp to_utc_timestamp convert_timezone
		make_timestamp make_timestamp_ltz try_make_timestamp try_make_timestamp_ltz to_time try_to_time time_trunc get_json_object from_json to_json json_array_length json_object_keys schema_of_json
		from_csv to_csv from_xml to_xml xpath xpath_string xpath_boolean xpath_double xpath_number xpath_float xpath_long xpath_int xpath_short parse_json try_parse_json variant_get
		try_variant_get to_variant_object url_encode url_decode try_url_decode parse_url try_parse_url aes_encrypt aes_decrypt try_aes_decrypt hash xxhash64 size cardinality array_size`)
	// meets: of ignores, those whose strings must still agree.
	meets = words("levenshtein to_number try_to_number")
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
		all := plainKnown
		for i := range args {
			if i >= len(all) { // an optional one
				all = append(all[:i:i], a.describe(args[i]))
			}
			if _, ok := args[i].(*plan.Literal); ok && collationOf != "" {
				args[i] = recollated(args[i], collationOf)
			}
		}
		return a.resolvePlain(f, name, args, all, o)
	}
	args = append([]plan.Expr(nil), args...)
	switch key := f.Names[0]; {
	case (key == "min" || key == "max") && len(args) == 1:
		return a.collatedExtreme(f, name, args, plainKnown, o)
	case (key == "min_by" || key == "max_by") && len(args) > 1:
		return a.collatedBest(f, name, args, known, o)
	case moves[name]:
		return a.resolvePlain(f, name, args, known, o)
	case orders[name], joins[name], name == "map":
		return a.ordered(f, name, args, o)
	case follows[name]:
		call, err := a.resolvePlain(f, name, args, plainKnown, o)
		if err == nil && known[0].Type.Kind == types.KindString {
			call.T = withCollation(call.T, known[0].Type.Collation)
		}
		return call, err
	case patterns[name]:
		return a.patterned(name, args, resolve)
	case name == "schema_of_csv" || name == "schema_of_xml":
		call, err := a.resolvePlain(f, name, args, plainKnown, o)
		if err != nil {
			return nil, err
		}
		return nil, onlyPlain(call, args[0], collationOfArgs(known))
	case name == "str_to_map":
		return a.searched(optionals(name, args), resolve)
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
	case name == "like":
		return a.collatedLike(known[0].Type.Collation, args, resolve)
	case trims[name] && len(args) == 2:
		return a.searched(args, resolve)
	case carries[name] && alike(known):
		return a.resolvePlain(f, name, args, known, o)
	case trims[name], carries[name]:
		return a.carried(name, optionals(name, args), resolve)
	case compares[name]:
		return a.compared(name, args, known, resolve)
	case searches[name]:
		return a.searched(optionals(name, args), resolve)
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

// recollated is an expression with its strings in a collation: a literal of that type, or a cast that changes no value.
func recollated(e plan.Expr, name string) plan.Expr {
	from := plan.TypeOf(e)
	to := withCollation(from, name)
	if !hasString(from) || from.SameData(to) {
		return e
	}
	if l, ok := e.(*plan.Literal); ok {
		m := *l
		m.T = to
		return &m
	}
	return &plan.Cast{Child: e, To: to, Implicit: true}
}

// optionals adds the arguments of a function that were not written, so that they take part in its collation.
func optionals(name string, args []plan.Expr) []plan.Expr {
	d := defaults[name]
	if d == nil || plan.TypeOf(d.values[0]).Kind != types.KindString {
		return args
	}
	for n := max(len(args), d.from); n == len(args) && n < d.upTo; n++ {
		args = append(args, d.values[n-d.from])
	}
	return args
}

// alike reports whether the arguments with strings are nested values of one type, whose parts keep the collations that they have.
func alike(known []fn.Arg) bool {
	var t *types.Type
	for _, k := range known {
		switch {
		case k.Type == nil || !hasString(k.Type):
		case k.Type.Kind == types.KindString || t != nil && !fn.SameShape(t, k.Type):
			return false
		default:
			t = k.Type
		}
	}
	return t != nil
}

// compared resolves a comparison, whose kernel sees keys.
func (a *analyzer) compared(name string, args []plan.Expr, known []fn.Arg, resolve resolver) (*plan.Call, error) {
	written := append([]plan.Expr(nil), args...)
	c, key := "", func(e plan.Expr, _ string) (plan.Expr, error) { return ownKey(e) }
	call, err := resolve(args, "")
	if !alike(known) {
		key = keyOf
		call, c, err = agreed(args, resolve)
	}
	if err != nil {
		return nil, err
	}
	if name == "equal_null" {
		plain, err := resolve(written, "")
		if err != nil {
			return nil, err
		}
		call.Pretty = plain.Pretty
	}
	for i, e := range call.Args {
		if call.Args[i], err = key(e, c); err != nil {
			return nil, err
		}
	}
	return call, nil
}

// ordered resolves a function of arrays or maps that compares what is in them. A map is looked up by its keys' keys.
func (a *analyzer) ordered(f *fn.Func, name string, args []plan.Expr, o *plan.Origin) (*plan.Call, error) {
	var err error
	switch {
	case name == "map":
		for part := range 2 {
			if err = meet(args, func(i int) bool { return i%2 == part }); err != nil {
				return nil, err
			}
		}
	case joins[name]:
		err = meet(args, func(int) bool { return true })
	}
	if err != nil {
		return nil, err
	}
	known := make([]fn.Arg, len(args))
	for i, e := range args {
		if l, ok := e.(*plan.Lambda); ok {
			known[i] = fn.Arg{Lambda: true, Type: plan.TypeOf(l)}
		} else {
			known[i] = a.describe(e)
		}
	}
	call, err := a.resolvePlain(f, name, args, known, o)
	if err != nil {
		return nil, err
	}
	for i, e := range call.Args {
		t := plan.TypeOf(e)
		if t == nil {
			continue
		}
		unknown := false
		eachString(t, func(s *types.Type) { unknown = unknown || s.Collation == collation.Indeterminate })
		if unknown {
			return nil, errs.New("INDETERMINATE_COLLATION")
		}
		if i == 0 && t.Kind == types.KindMap && collated(t.Key) != nil && (call.Name == "map_contains_key" || strings.HasSuffix(call.Name, "element_at")) {
			call.Args[0] = byKeys(e)
			if call.Args[1], err = ownKey(call.Args[1]); err != nil {
				return nil, err
			}
		}
	}
	return call, nil
}

// meet gives the strings of some arguments one collation, unless they are of one type.
func meet(args []plan.Expr, places func(i int) bool) error {
	c, err := common(args, places)
	if err != nil {
		return err
	}
	var t *types.Type
	same := true
	for i, e := range args {
		if u := plan.TypeOf(e); u != nil && places(i) && hasString(u) {
			same = same && (t == nil || t.SameData(u))
			t = u
		}
	}
	for i, e := range args {
		if plan.TypeOf(e) != nil && places(i) && !same {
			args[i] = recollated(e, c)
		}
	}
	return nil
}

// byKeys is a map whose keys are what their collation compares.
func byKeys(e plan.Expr) plan.Expr {
	m := *plan.TypeOf(e)
	m.Key = keyType(m.Key)
	return &plan.Call{Name: CollationKey, Args: []plan.Expr{e}, T: &m, Null: plan.IsNullable(e), Pretty: Pretty(e)}
}

// patterned resolves a function of a regular expression, or ILIKE. The first argument's collation counts, except where a text is put in.
func (a *analyzer) patterned(name string, args []plan.Expr, resolve resolver) (*plan.Call, error) {
	c := plan.TypeOf(args[0]).Collation
	var call *plan.Call
	var err error
	if name == "regexp_replace" {
		call, c, err = agreed(args, resolve)
	} else if call, err = resolve(args, ""); err == nil && c == collation.Indeterminate {
		err = indeterminate(call)
	}
	if err != nil {
		return nil, err
	}
	if c != "" && c != "UTF8_LCASE" {
		return nil, onlyPlain(call, args[0], c)
	}
	if call.T = withCollation(call.T, c); c != "" && name != "ilike" {
		call.Options = map[string]string{"collation": c}
	}
	return call, nil
}

// onlyPlain is the error of a function that does not know a collation.
func onlyPlain(call *plan.Call, first plan.Expr, name string) error {
	return errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", SQL(call), "paramIndex", "first", "inputSql", SQL(first),
		"inputType", `"STRING COLLATE `+name+`"`, "requiredType", `"STRING"`)
}

func indeterminate(c *plan.Call) error {
	switch c.Name {
	case "split_part", "str_to_map", "greatest", "least":
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
	if found, err := collation.Find(c); err == nil && trims[name] && found.FoldAI && !found.FoldCI {
		return nil, onlyPlain(call, args[0], c)
	}
	if c == collation.Indeterminate && recased[name] {
		return nil, indeterminate(call)
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
	if found.FoldAI && !found.FoldCI || found.RTrim && call.Name == "str_to_map" {
		return nil, onlyPlain(call, args[0], c)
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
	plain, err := a.resolvePlain(f, name, args, known, o)
	if err != nil {
		return nil, err
	}
	key, err := ownKey(args[0])
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

// collatedBest is min_by and max_by: the least and greatest by keys.
func (a *analyzer) collatedBest(f *fn.Func, name string, args []plan.Expr, known []fn.Arg, o *plan.Origin) (*plan.Call, error) {
	key, err := ownKey(args[1])
	if err != nil {
		return nil, err
	}
	args[1] = key
	known = append([]fn.Arg(nil), known...)
	known[1] = a.describe(key)
	return a.resolvePlain(f, name, args, known, o)
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
func (a *analyzer) collatedLike(c string, args []plan.Expr, resolve resolver) (*plan.Call, error) {
	call, err := resolve(args, "")
	switch {
	case err != nil:
		return nil, err
	case c == collation.Indeterminate:
		return nil, indeterminate(call)
	case c != "" && c != "UTF8_LCASE":
		return nil, onlyPlain(call, args[0], c)
	}
	for i, e := range call.Args[:2] {
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

// keyOf is what a collation compares of an expression of strings, or of nested values with strings; any other expression is its own key.
func keyOf(e plan.Expr, name string) (plan.Expr, error) {
	if name == "" || !hasString(plan.TypeOf(e)) {
		return e, nil
	}
	k, err := ownKey(recollated(e, name))
	if c, ok := k.(*plan.Call); ok && c.Name == CollationKey {
		c.Args[0], c.Options = e, map[string]string{"collation": name}
	}
	return k, err
}

// ownKey is an expression's key by the collations of its own type.
func ownKey(e plan.Expr) (plan.Expr, error) {
	t := plan.TypeOf(e)
	if !keyed(t) {
		return e, nil
	}
	known := true
	eachString(t, func(s *types.Type) { known = known && s.Collation != collation.Indeterminate })
	if !known {
		return nil, errs.New("INDETERMINATE_COLLATION")
	}
	return &plan.Call{Name: CollationKey, Args: []plan.Expr{e}, T: keyType(t), Null: plan.IsNullable(e), Pretty: Pretty(e)}, nil
}

// keyed reports whether values of a type are compared by other ones: those with collated strings, and variants, of which DISTINCT compares the bytes.
func keyed(t *types.Type) bool { return collated(t) != nil || fn.HasVariant(t) }

var variantKey = types.Struct(types.Field{Name: "value", Type: types.Binary}, types.Field{Name: "metadata", Type: types.Binary})

// keyType is the type of the keys of values: collated strings are bytes, variants their two.
func keyType(t *types.Type) *types.Type {
	switch {
	case t == nil || !keyed(t):
		return t
	case t.Kind == types.KindVariant:
		return variantKey
	case t.Kind == types.KindString:
		return types.Binary
	}
	m := *t
	m.Key, m.Elem = keyType(t.Key), keyType(t.Elem)
	m.Fields = append([]types.Field(nil), t.Fields...)
	for i := range m.Fields {
		m.Fields[i].Type = keyType(m.Fields[i].Type)
	}
	return &m
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
		return nil, errs.New("UNEXPECTED_INPUT_TYPE", "paramIndex", "first", "functionName", "`collate`", "requiredType", `"STRING"`, "inputSql", SQL(args[1]), "inputType", `"`+l.T.SQL()+`"`)
	}
	name, ok = collation.Unqualified(strings.Split(name, "."))
	t := plan.TypeOf(args[0])
	c := &plan.Call{Name: "collate", Args: args[:1], T: types.String, Null: plan.IsNullable(args[0]), Pretty: "collate(" + Pretty(args[0]) + ", " + name + ")"}
	found, err := collation.Find(name)
	if err != nil || !ok {
		return nil, errs.New("COLLATION_INVALID_NAME", "collationName", name, "proposals", collation.Suggest(name))
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

// collatedValue is a map's value of a key with a collation, which must be of the type of the map's keys unless it is a literal.
func (a *analyzer) collatedValue(e, key plan.Expr, literal bool) (plan.Expr, error) {
	t := plan.TypeOf(e)
	call := &plan.Call{Name: "[]", Args: []plan.Expr{e, key}, T: t.Elem, Null: true, Mode: a.conf.mode()}
	call.Pretty = Pretty(call)
	if k := plan.TypeOf(key); !literal && !k.SameData(t.Key) {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", SQL(call), "paramIndex", "second", "inputSql", SQL(key),
			"inputType", `"`+k.SQL()+`"`, "requiredType", `"`+t.Key.SQL()+`"`)
	}
	if literal && t.Key.Kind == types.KindString {
		key = recollated(key, t.Key.Collation)
	}
	k, err := ownKey(key)
	if err != nil {
		return nil, err
	}
	if call.Args[1] = k; collated(t.Key) != nil {
		call.Args[0] = byKeys(e)
	}
	return call, nil
}
