package connect

import (
	"math/rand/v2"
	"sort"
	"strings"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/types"
)

// relation translates a relation and, where it has an id, marks it.
func (t *translator) relation(r *pb.Relation) (plan.Node, error) {
	if err := t.enter(); err != nil {
		return nil, err
	}
	defer t.leave()
	if key := madeBy(r); key != "" {
		if made, err := t.s.Frame(key); err == nil { // the table is there since this relation ran first
			return made, nil
		}
	}
	n, err := t.rows(r)
	if err != nil || r.GetCommon() == nil || r.Common.PlanId == nil {
		return n, err
	}
	if _, command := n.(plan.Command); command {
		return n, nil
	}
	return &plan.PlanID{Input: n, ID: *r.Common.PlanId}, nil
}

// input translates a relation over which another stands; a missing one is a single row.
func (t *translator) input(r *pb.Relation) (plan.Node, error) {
	if r == nil {
		return &plan.OneRow{}, nil
	}
	return t.relation(r)
}

// rows translates the relations that make, choose, order and combine rows.
func (t *translator) rows(r *pb.Relation) (plan.Node, error) {
	switch rel := r.GetRelType().(type) {
	case nil:
		return nil, notSet("spark.connect.Relation", "RELTYPE_NOT_SET")
	case *pb.Relation_Read:
		return t.read(rel.Read, originOf(r.GetCommon().GetOrigin()))
	case *pb.Relation_Sql:
		return t.sql(rel.Sql)
	case *pb.Relation_Project:
		return t.project(rel.Project)
	case *pb.Relation_Filter:
		return t.filter(rel.Filter)
	case *pb.Relation_Join:
		return t.join(rel.Join)
	case *pb.Relation_LateralJoin:
		return t.lateralJoin(rel.LateralJoin)
	case *pb.Relation_AsOfJoin:
		return t.asOfJoin(rel.AsOfJoin)
	case *pb.Relation_SetOp:
		return t.setOp(rel.SetOp)
	case *pb.Relation_Sort:
		return t.sort(rel.Sort)
	case *pb.Relation_Limit:
		return over(t, rel.Limit.Input, func(in plan.Node) plan.Node {
			return &plan.Limit{Input: in, Count: plan.Int(int64(rel.Limit.Limit))}
		})
	case *pb.Relation_Offset:
		return over(t, rel.Offset.Input, func(in plan.Node) plan.Node {
			return &plan.Limit{Input: in, Offset: plan.Int(int64(rel.Offset.Offset))}
		})
	case *pb.Relation_Tail:
		return over(t, rel.Tail.Input, func(in plan.Node) plan.Node { return &plan.Tail{Input: in, Count: int64(rel.Tail.Limit)} })
	case *pb.Relation_Aggregate:
		return t.aggregate(rel.Aggregate)
	case *pb.Relation_LocalRelation:
		return t.local(rel.LocalRelation)
	case *pb.Relation_CachedLocalRelation:
		return t.cachedLocal(rel.CachedLocalRelation)
	case *pb.Relation_ChunkedCachedLocalRelation:
		return t.chunkedLocal(rel.ChunkedCachedLocalRelation)
	case *pb.Relation_CachedRemoteRelation:
		return t.s.Frame(rel.CachedRemoteRelation.RelationId)
	case *pb.Relation_Range:
		return rangeOf(rel.Range)
	case *pb.Relation_WithRelations:
		return t.withRelations(rel.WithRelations)
	case *pb.Relation_MapPartitions:
		return t.mapPartitions(rel.MapPartitions)
	case *pb.Relation_GroupMap:
		return t.groupMap(rel.GroupMap)
	case *pb.Relation_CoGroupMap:
		return t.coGroupMap(rel.CoGroupMap)
	case *pb.Relation_UnresolvedTableValuedFunction:
		return t.tableFunction(rel.UnresolvedTableValuedFunction, originOf(r.GetCommon().GetOrigin()))
	}
	return t.columns(r)
}

// over makes a node over a translated input.
func over(t *translator, r *pb.Relation, f func(plan.Node) plan.Node) (plan.Node, error) {
	in, err := t.input(r)
	if err != nil {
		return nil, err
	}
	return f(in), nil
}

// pathOption is the setting by which the option path and the paths of load() are read together.
const pathOption = "spark.sql.legacy.pathOptionBehavior.enabled"

func (t *translator) read(r *pb.Read, origin *plan.Origin) (plan.Node, error) {
	switch read := r.ReadType.(type) {
	case *pb.Read_NamedTable_:
		parts, err := t.name(read.NamedTable.UnparsedIdentifier)
		if err != nil {
			return nil, err
		}
		return &plan.UnresolvedRelation{Parts: parts, Options: read.NamedTable.Options, Streaming: r.IsStreaming, Origin: origin}, nil
	case *pb.Read_DataSource_:
		d := read.DataSource
		if len(d.Predicates) > 0 {
			return nil, errs.Unsupportedf("Reading with predicates (jdbc) is not supported.")
		}
		n := &plan.UnresolvedSource{Format: d.GetFormat(), Options: d.Options, Paths: d.Paths, Streaming: r.IsStreaming}
		if len(d.Paths) > 0 && !t.s.Conf.Bool(pathOption) {
			for k := range d.Options {
				if strings.EqualFold(k, "path") || strings.EqualFold(k, "paths") {
					return nil, errs.New("_LEGACY_ERROR_TEMP_1306", "config", pathOption)
				}
			}
		}
		if n.Format == "" {
			n.Format = t.s.Conf.Get("spark.sql.sources.default")
		}
		if d.GetSchema() != "" {
			schema, err := parseSchema(d.GetSchema())
			if err != nil {
				return nil, err
			}
			n.Schema = schema
		}
		return n, nil
	}
	return nil, notSet("spark.connect.Read", "READTYPE_NOT_SET")
}

func (t *translator) project(r *pb.Project) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	exprs, err := t.exprs(r.Expressions)
	return &plan.Project{Input: in, Exprs: exprs}, err
}

func (t *translator) filter(r *pb.Filter) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	cond, err := t.expr(r.Condition)
	return &plan.Filter{Input: in, Condition: cond}, err
}

var joinTypes = map[pb.Join_JoinType]plan.JoinType{pb.Join_JOIN_TYPE_INNER: plan.InnerJoin, pb.Join_JOIN_TYPE_FULL_OUTER: plan.FullJoin,
	pb.Join_JOIN_TYPE_LEFT_OUTER: plan.LeftJoin, pb.Join_JOIN_TYPE_RIGHT_OUTER: plan.RightJoin,
	pb.Join_JOIN_TYPE_LEFT_ANTI: plan.AntiJoin, pb.Join_JOIN_TYPE_LEFT_SEMI: plan.SemiJoin, pb.Join_JOIN_TYPE_CROSS: plan.CrossJoin}

func (t *translator) join(r *pb.Join) (plan.Node, error) {
	if r.JoinDataType != nil {
		return nil, errs.Unsupportedf("joinWith is not supported.")
	}
	n, err := t.pair(r.Left, r.Right, r.JoinType, r.JoinCondition)
	if err != nil {
		return nil, err
	}
	n.Using = r.UsingColumns
	return n, nil
}

func (t *translator) lateralJoin(r *pb.LateralJoin) (plan.Node, error) {
	n, err := t.pair(r.Left, r.Right, r.JoinType, r.JoinCondition)
	if err != nil {
		return nil, err
	}
	n.Lateral = true
	return n, nil
}

// asOfJoinTypes are the names of joins, in lower case and without underscores, and what Spark's messages call them.
var asOfJoinTypes = map[string]string{"inner": "", "left": "", "leftouter": "", "outer": "FullOuter", "full": "FullOuter", "fullouter": "FullOuter", "right": "RightOuter",
	"rightouter": "RightOuter", "semi": "LeftSemi", "leftsemi": "LeftSemi", "anti": "LeftAnti", "leftanti": "LeftAnti", "cross": "Cross"}

var asOfDirections = map[string]plan.AsOfDirection{"backward": plan.AsOfBackward, "forward": plan.AsOfForward, "nearest": plan.AsOfNearest}

func (t *translator) asOfJoin(r *pb.AsOfJoin) (plan.Node, error) {
	kind := strings.ReplaceAll(strings.ToLower(r.JoinType), "_", "")
	refused, ok := asOfJoinTypes[kind]
	if !ok {
		return nil, errs.New("UNSUPPORTED_JOIN_TYPE", "typ", r.JoinType, "supported", "'inner', 'outer', 'full', 'fullouter', 'full_outer', 'leftouter', 'left', 'left_outer', "+
			"'rightouter', 'right', 'right_outer', 'leftsemi', 'left_semi', 'semi', 'leftanti', 'left_anti', 'anti', 'cross'")
	}
	direction, ok := asOfDirections[strings.ToLower(r.Direction)]
	if !ok {
		return nil, errs.New("AS_OF_JOIN.UNSUPPORTED_DIRECTION", "direction", r.Direction, "supported", "'forward', 'backward', 'nearest'")
	}
	if refused != "" {
		return nil, illegalArgument("requirement failed: Unsupported as-of join type %s", refused)
	}
	n := &plan.AsOfJoin{Using: r.UsingColumns, Direction: direction, Exact: r.AllowExactMatches, Outer: kind != "inner"}
	var err error
	if n.Left, err = t.input(r.Left); err != nil {
		return nil, err
	}
	if n.Right, err = t.input(r.Right); err != nil {
		return nil, err
	}
	for _, e := range []struct {
		from *pb.Expression
		to   *plan.Expr
	}{{r.LeftAsOf, &n.LeftAsOf}, {r.RightAsOf, &n.RightAsOf}, {r.JoinExpr, &n.Condition}, {r.Tolerance, &n.Tolerance}} {
		if e.from == nil {
			continue
		}
		if *e.to, err = t.expr(e.from); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (t *translator) pair(left, right *pb.Relation, kind pb.Join_JoinType, on *pb.Expression) (*plan.Join, error) {
	jt, ok := joinTypes[kind]
	if !ok {
		return nil, errs.New("CONNECT_INVALID_PLAN.INVALID_ENUM", "fullName", "spark.connect.Join.JoinType", "name", kind.String(), "number", itoa(int(kind)))
	}
	n := &plan.Join{Type: jt}
	var err error
	if n.Left, err = t.input(left); err != nil {
		return nil, err
	}
	if n.Right, err = t.input(right); err != nil {
		return nil, err
	}
	if on != nil {
		n.Condition, err = t.expr(on)
	}
	return n, err
}

var setOps = map[pb.SetOperation_SetOpType]plan.SetOpKind{pb.SetOperation_SET_OP_TYPE_UNION: plan.UnionOp,
	pb.SetOperation_SET_OP_TYPE_INTERSECT: plan.IntersectOp, pb.SetOperation_SET_OP_TYPE_EXCEPT: plan.ExceptOp}

func (t *translator) setOp(r *pb.SetOperation) (plan.Node, error) {
	kind, ok := setOps[r.SetOpType]
	if !ok {
		return nil, errs.Unsupportedf("The set operation %s is not supported.", r.SetOpType)
	}
	left, err := t.input(r.LeftInput)
	if err != nil {
		return nil, err
	}
	right, err := t.input(r.RightInput)
	return &plan.SetOp{Kind: kind, Left: left, Right: right, All: r.GetIsAll(), ByName: r.GetByName(), Missing: r.GetAllowMissingColumns()}, err
}

func (t *translator) sort(r *pb.Sort) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	keys, err := t.sortOrders(r.Order)
	return &plan.Sort{Input: in, Keys: keys, Local: r.IsGlobal != nil && !*r.IsGlobal}, err
}

func (t *translator) aggregate(r *pb.Aggregate) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	groups, err := t.exprs(r.GroupingExpressions)
	if err != nil {
		return nil, err
	}
	exprs, err := t.exprs(r.AggregateExpressions)
	if err != nil {
		return nil, err
	}
	n := &plan.Aggregate{Input: in, Groups: groups, Exprs: exprs, DataFrame: true}
	switch r.GroupType {
	case pb.Aggregate_GROUP_TYPE_GROUPBY:
	case pb.Aggregate_GROUP_TYPE_ROLLUP:
		for i := len(groups); i >= 0; i-- {
			n.Sets = append(n.Sets, upTo(i))
		}
	case pb.Aggregate_GROUP_TYPE_CUBE:
		if len(groups) > maxCube {
			return nil, errs.Unsupportedf("CUBE of more than %d columns is not supported: there are %d.", maxCube, len(groups))
		}
		n.Sets = cube(len(groups))
	case pb.Aggregate_GROUP_TYPE_GROUPING_SETS:
		return n, t.groupingSets(n, r)
	case pb.Aggregate_GROUP_TYPE_PIVOT:
		return t.pivot(n, r.Pivot)
	default:
		return nil, errs.Unsupportedf("The grouping %s is not supported.", r.GroupType)
	}
	return n, nil
}

func upTo(n int) []int {
	set := make([]int, n)
	for i := range set {
		set[i] = i
	}
	return set
}

// maxCube is the most columns of a CUBE: each more doubles the groupings.
const maxCube = 16

// cube lists all subsets of n places in Spark's order.
func cube(n int) [][]int {
	sets := make([][]int, 0, 1<<n)
	for mask := 1<<n - 1; mask >= 0; mask-- {
		set := []int{}
		for i := range n {
			if mask>>(n-1-i)&1 == 1 {
				set = append(set, i)
			}
		}
		sets = append(sets, set)
	}
	return sets
}

// groupingSets finds the place of each set's expressions among the groups, adding those that are not there.
func (t *translator) groupingSets(n *plan.Aggregate, r *pb.Aggregate) error {
	places := map[string]int{}
	for i, g := range r.GroupingExpressions {
		places[keyOf(g)] = i
	}
	for _, s := range r.GroupingSets {
		set := []int{}
		for _, e := range s.GroupingSet {
			i, there := places[keyOf(e)]
			if !there {
				x, err := t.expr(e)
				if err != nil {
					return err
				}
				i = len(n.Groups)
				n.Groups = append(n.Groups, x)
				places[keyOf(e)] = i
			}
			set = append(set, i)
		}
		n.Sets = append(n.Sets, set)
	}
	return nil
}

func (t *translator) pivot(a *plan.Aggregate, p *pb.Aggregate_Pivot) (plan.Node, error) {
	col, err := t.expr(p.GetCol())
	if err != nil {
		return nil, err
	}
	n := &plan.Pivot{Input: a.Input, Groups: a.Groups, Column: col, Aggregates: a.Exprs}
	for _, v := range p.GetValues() {
		l, err := literal(v)
		if err != nil {
			return nil, err
		}
		n.Values = append(n.Values, l)
	}
	return n, nil
}

func rangeOf(r *pb.Range) (plan.Node, error) {
	switch {
	case r.Step == 0:
		return nil, illegalArgument("requirement failed: step (0) cannot be 0")
	case r.NumPartitions != nil && *r.NumPartitions <= 0:
		return nil, illegalArgument("Positive number of partitions required")
	}
	return &plan.Range{Start: r.GetStart(), End: r.End, Step: r.Step, Partitions: int(r.GetNumPartitions())}, nil
}

// withRelations: a reference with a name is a view that the root alone sees; others are named by their ids.
func (t *translator) withRelations(r *pb.WithRelations) (plan.Node, error) {
	var views []plan.CTE
	var refs []plan.Node
	for _, ref := range r.References {
		if a := ref.GetSubqueryAlias(); a != nil {
			in, err := t.input(a.Input)
			if err != nil {
				return nil, err
			}
			views = append(views, plan.CTE{Name: a.Alias, Query: in})
		}
		n, err := t.relation(ref)
		if err != nil {
			return nil, err
		}
		refs = append(refs, n)
	}
	root, err := t.relation(r.Root)
	if err != nil {
		return nil, err
	}
	var kept []plan.Node
	for _, n := range refs {
		if p, ok := n.(*plan.PlanID); ok && t.used[p.ID] {
			kept = append(kept, n)
		}
	}
	if len(kept) > 0 {
		root = &plan.WithRelations{Root: root, Refs: kept}
	}
	if _, command := root.(plan.Command); len(views) > 0 && !command {
		root = &plan.With{CTEs: views, Body: root}
	}
	return root, nil
}

func (t *translator) tableFunction(r *pb.UnresolvedTableValuedFunction, origin *plan.Origin) (plan.Node, error) {
	args, err := t.exprs(r.Arguments)
	return &plan.UnresolvedTVF{Name: []string{r.FunctionName}, Args: args, Origin: origin}, err
}

func (t *translator) sample(r *pb.Sample) (plan.Node, error) {
	in, err := t.input(r.Input)
	seed := rand.Int64()
	if r.Seed != nil {
		seed = *r.Seed
	}
	return &plan.Sample{Input: in, Lower: r.LowerBound, Upper: r.UpperBound, Replacement: r.GetWithReplacement(), Seed: seed,
		Ordered: r.DeterministicOrder}, err
}

func (t *translator) repartition(r *pb.RepartitionByExpression) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	if len(r.PartitionExprs) == 1 && r.PartitionExprs[0].GetDirectShufflePartitionId() != nil {
		id, err := t.expr(r.PartitionExprs[0].GetDirectShufflePartitionId().Child)
		return &plan.Repartition{Input: in, N: int(r.GetNumPartitions()), Shuffle: true, Direct: true, Ranges: []*plan.SortOrder{{Child: id}}}, err
	}
	exprs, err := t.exprs(r.PartitionExprs)
	if err != nil {
		return nil, err
	}
	n := &plan.Repartition{Input: in, N: int(r.GetNumPartitions()), Shuffle: true}
	ranges := false
	for _, e := range exprs {
		if _, ok := e.(*plan.SortOrder); ok {
			ranges = true
		}
	}
	if !ranges {
		n.Exprs = exprs
		return n, nil
	}
	for _, e := range exprs {
		key, ok := e.(*plan.SortOrder)
		if !ok {
			key = &plan.SortOrder{Child: e}
		}
		n.Ranges = append(n.Ranges, key)
	}
	return n, nil
}

func renames(r *pb.WithColumnsRenamed) [][2]string {
	var pairs [][2]string
	for _, n := range r.Renames {
		pairs = append(pairs, [2]string{n.ColName, n.NewColName})
	}
	if len(pairs) > 0 {
		return pairs
	}
	for from, to := range r.RenameColumnsMap {
		pairs = append(pairs, [2]string{from, to})
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
	return pairs
}

func (t *translator) toSchema(r *pb.ToSchema) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	schema, err := fromDataType(r.Schema)
	if err == nil && schema.Kind != types.KindStruct {
		err = errs.Newf(errs.Invalid, "df.to takes a struct, not %s.", strings.ToLower(schema.SQL()))
	}
	return &plan.ToSchema{Input: in, Schema: schema}, err
}
