package analyze

import (
	"sort"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// groupingSets is GROUPING SETS, ROLLUP or CUBE: each input row goes into one group of every set, in which the keys that are not of
// the set are null.
type groupingSets struct {
	sets [][]int // places of keys
	// attrs are the columns that keep the sets' groups apart: the grouping id, whose bits, the first key's highest, say which keys the
	// row's set lacks, and, where sets are equal, the set's number.
	attrs []*plan.Attribute
}

// maxGroupings is the most keys that a grouping id can tell.
const maxGroupings = 64

// group makes the block one of grouping sets, which are given by places in groups.
func (b *block) group(groups []plan.Expr, sets [][]int) error {
	if len(b.keys) > maxGroupings {
		return errs.New("GROUPING_SIZE_LIMIT_EXCEEDED", "maxSize", itoa(maxGroupings))
	}
	g := &groupingSets{attrs: []*plan.Attribute{{ID: b.a.id(), Name: "spark_grouping_id", T: types.Long}}}
	seen := map[int64]bool{}
	for _, set := range sets {
		places := make([]int, len(set))
		for i, place := range set {
			places[i] = b.key(bare(groups[place]))
		}
		sort.Ints(places)
		g.sets = append(g.sets, places)
		if id := b.groupingID(places); seen[id] && len(g.attrs) == 1 {
			g.attrs = append(g.attrs, &plan.Attribute{ID: b.a.id(), Name: "_gen_grouping_pos", T: types.Integer})
		} else {
			seen[id] = true
		}
	}
	for i, k := range b.keys {
		b.attrs[i] = b.nulledKey(k, b.attrs[i], g.sets, i)
	}
	b.sets = g
	return nil
}

// nulledKey is the column of a key that some sets lack.
func (b *block) nulledKey(key plan.Expr, was *plan.Attribute, sets [][]int, place int) *plan.Attribute {
	c := *was
	if _, column := key.(*plan.Attribute); column { // aggregate functions still see the column itself
		c.ID = b.a.id()
	}
	for _, set := range sets {
		c.Null = c.Null || !contains(set, place)
	}
	return &c
}

func contains(places []int, place int) bool {
	i := sort.SearchInts(places, place)
	return i < len(places) && places[i] == place
}

func (b *block) groupingID(set []int) int64 {
	id := int64(0)
	for i := range b.keys {
		id <<= 1
		if !contains(set, i) {
			id |= 1
		}
	}
	return id
}

// expand makes a row for each set of every input row.
func (b *block) expand() plan.Node {
	in := output(b.input)
	e := &plan.Expand{Input: b.input, Attrs: append(append(in[:len(in):len(in)], b.attrs...), b.sets.attrs...)}
	for i, set := range b.sets.sets {
		list := exprsOf(in)
		for place, k := range b.keys {
			if contains(set, place) {
				list = append(list, b.value(place))
			} else {
				list = append(list, &plan.Literal{T: plan.TypeOf(k)})
			}
		}
		list = append(list, plan.BigInt(b.groupingID(set)), plan.Int(int64(i)))
		e.Lists = append(e.Lists, list[:len(e.Attrs)])
	}
	return e
}

func isGrouping(c *plan.Call) bool { return c.Name == "grouping" || c.Name == "grouping_id" }

// groupingFunction resolves grouping(key) and grouping_id(keys…), which the aggregation replaces.
func (a *analyzer) groupingFunction(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	name := lowered(u.Name[len(u.Name)-1])
	args, err := a.expandArgs(s, u.Args)
	if err != nil {
		return nil, err
	}
	if name == "grouping" && len(args) != 1 {
		return nil, wrongArgs(u.Name, 1, 1, len(args))
	}
	c := &plan.Call{Name: name, T: types.Long, Nondetermined: true}
	if name == "grouping" {
		c.T = types.Byte
	}
	if c.Args, err = a.exprs(s, args); err != nil {
		return nil, err
	}
	c.Pretty = prettyCall(name, c)
	return c, nil
}

func misplacedGrouping(c *plan.Call) error {
	return at(errs.New("UNSUPPORTED_GROUPING_EXPRESSION"), c.Origin)
}

// groupingCall is the value of grouping(key) or grouping_id() over the aggregation's columns.
func (b *block) groupingCall(c *plan.Call) (plan.Expr, error) {
	if b.sets == nil || b.listed && len(b.keys) == 0 && len(b.sets.sets) > 1 { // of several empty sets Spark knows them in the SELECT list only
		return nil, misplacedGrouping(c)
	}
	id := b.sets.attrs[0]
	if c.Name == "grouping_id" {
		if len(c.Args) > 0 && !equalAll(c.Args, b.keys) && !equalAll(c.Args, exprsOf(b.attrs)) {
			return nil, at(errs.New("GROUPING_ID_COLUMN_MISMATCH", "groupingIdColumn", prettyList(c.Args), "groupByColumns", prettyList(b.keys)), c.Origin)
		}
		return id, nil
	}
	place := b.key(c.Args[0])
	for i, k := range b.attrs { // ORDER BY names the aggregation's own columns
		if equal(c.Args[0], k) {
			place = i
		}
	}
	if place < 0 {
		return nil, at(errs.New("GROUPING_COLUMN_MISMATCH", "grouping", Pretty(c.Args[0]), "groupingColumns", prettyList(b.keys)), c.Origin)
	}
	shifted, err := b.a.apply("shiftright", nil, id, plan.Int(int64(len(b.keys)-1-place)))
	if err != nil {
		return nil, err
	}
	bit, err := b.a.apply("&", nil, shifted, plan.BigInt(1))
	if err != nil {
		return nil, err
	}
	return b.a.castTo(bit, types.Byte), nil
}

func prettyList(exprs []plan.Expr) string { return printer{}.list(exprs) }
