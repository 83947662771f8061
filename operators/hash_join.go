package operators

import (
	"maps"

	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// hashJoin builds a table of one side and probes it with the other. When the build side outgrows memory both sides are divided
// into files by hash, and the files joined pair by pair.
type hashJoin struct {
	hashJoinConfig
	joiner
	buildIn, probeIn     Operator
	buildKeys, probeKeys []expr.Evaluator
	keyColumns           []int // of the build side, where all of its keys are columns
	m                    *OperatorMetrics
	mem                  reservation
	table                joinTable
	built                bool
	depth                int
	none                 bool // a null among the keys of NOT IN's right side: nothing matches

	spilled bool
	parts   [][2]*spillReader // build, probe
	sub     *hashJoin
}

// hashJoinConfig is what the levels of a spilled join share.
type hashJoinConfig struct {
	pb                    *planpb.HashJoin
	leftTypes, rightTypes []*types.Type
	read                  columnSet // of the output
	settings              *planpb.Settings
}

func newHashJoin(pb *planpb.HashJoin, left, right Operator, read columnSet, s *planpb.Settings) (Operator, error) {
	return buildHashJoin(hashJoinConfig{pb, left.Output(), right.Output(), read, s}, left, right, 0)
}

func buildHashJoin(c hashJoinConfig, left, right Operator, depth int) (*hashJoin, error) {
	o := &hashJoin{hashJoinConfig: c, depth: depth}
	// NOT IN needs to know of every null on the right before it emits a row.
	buildLeft := c.pb.BuildLeft && c.pb.Type != planpb.JoinType_NULL_AWARE_ANTI
	o.joinKind = kindOf(c.pb.Type, buildLeft)
	o.left, o.right = c.leftTypes, c.rightTypes
	switch {
	case !o.joinKind.pairs: // they serve the residual condition only
		o.wanted = columnSet{}.add(c.pb.Residual)
	case c.read != nil:
		o.wanted = maps.Clone(c.read).add(c.pb.Residual)
	}
	lk, err := evaluators(c.pb.LeftKeys, c.leftTypes, c.settings)
	if err != nil {
		return nil, err
	}
	rk, err := evaluators(c.pb.RightKeys, c.rightTypes, c.settings)
	if err != nil {
		return nil, err
	}
	o.buildIn, o.probeIn, o.buildKeys, o.probeKeys = right, left, rk, lk
	if buildLeft {
		o.buildIn, o.probeIn, o.buildKeys, o.probeKeys = left, right, lk, rk
	}
	o.keyColumns = plainColumns(c.pb.RightKeys)
	if buildLeft {
		o.keyColumns = plainColumns(c.pb.LeftKeys)
	}
	if c.pb.Residual != nil {
		both := append(append([]*types.Type(nil), c.leftTypes...), c.rightTypes...)
		if o.residual, err = expr.CompilePredicate(c.pb.Residual, both, c.settings); err != nil {
			return nil, err
		}
	}
	o.table.init(typesOf(o.buildKeys), c.pb.NullSafe)
	return o, nil
}

func (o *hashJoin) Output() []*types.Type         { return o.output(o.leftTypes, o.rightTypes) }
func (o *hashJoin) setMetrics(m *OperatorMetrics) { o.m = m }

func (o *hashJoin) Open(ctx *Ctx) error {
	o.ctx, o.mem = ctx, reservation{pool: ctx.Memory}
	o.joiner.ctx, o.match, o.next = ctx, o, o.probeIn.Next
	return openAll(ctx, o.buildIn, o.probeIn)
}

func (o *hashJoin) Next() (*vector.Batch, error) {
	if !o.built {
		o.built = true
		if err := o.buildTable(); err != nil {
			return nil, err
		}
	}
	if o.spilled {
		return o.nextPart()
	}
	if o.none {
		return nil, nil
	}
	return o.joiner.Next()
}

// nullAware reports whether the join is NOT IN, for which nulls among the keys matter.
func (o *hashJoin) nullAware() bool { return o.typ == planpb.JoinType_NULL_AWARE_ANTI }

// buildTable reads the build side.
func (o *hashJoin) buildTable() error {
	rows := vector.NewBuilder(o.buildIn.Output())
	keys := vector.NewBuilder(o.table.types) // empty where the keys are columns of rows
	for {
		b, err := o.buildIn.Next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if o.keyColumns == nil {
			k, err := o.evalKeys(o.buildKeys, b)
			if err != nil {
				return err
			}
			keys.AppendColumns(k, b.Sel, b.N)
		}
		appendRows(rows, o.buildIn, b)
		size := rows.MemSize() + keys.MemSize() + 40*int64(rows.Len())
		if (!o.mem.fits(size) || tooLarge(rows) || tooLarge(keys)) && o.depth < maxDepth {
			all := rows.Take()
			return o.spillSides(all, o.keysOf(all, keys))
		}
	}
	all := rows.Take()
	return o.fillTable(all, o.keysOf(all, keys))
}

// keysOf is the keys of the build rows.
func (o *hashJoin) keysOf(rows *vector.Batch, keys *vector.Builder) *vector.Batch {
	if o.keyColumns == nil || rows == nil {
		return keys.Take()
	}
	k := &vector.Batch{N: rows.N}
	for _, c := range o.keyColumns {
		k.Cols = append(k.Cols, rows.Cols[c])
	}
	return k
}

func (o *hashJoin) evalKeys(es []expr.Evaluator, b *vector.Batch) ([]*vector.Vector, error) {
	list := o.table.keys[:0]
	for _, e := range es {
		v, err := e.Eval(&o.ctx.Ctx, b, b.Sel)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	o.table.keys = list
	return list, nil
}

func (o *hashJoin) fillTable(rows, keys *vector.Batch) error {
	if rows == nil {
		rows = &vector.Batch{}
		for _, t := range o.buildIn.Output() {
			rows.Cols = append(rows.Cols, vector.NewEmpty(t))
		}
		keys = &vector.Batch{}
	}
	o.begin(rows)
	if o.nullAware() && hasNull(keys) {
		o.none = true
		return nil
	}
	o.narrowProbe(keys)
	return o.table.fill(o.ctx, keys)
}

func hasNull(b *vector.Batch) bool {
	for _, c := range b.Cols {
		for i := 0; c.HasNulls() && i < b.N; i++ {
			if c.IsNull(i) {
				return true
			}
		}
	}
	return false
}

// start looks the keys of a probe batch up.
func (o *hashJoin) start(b *vector.Batch) error {
	keys, err := o.evalKeys(o.probeKeys, b)
	if err != nil {
		return err
	}
	o.table.lookup(keys, b)
	if o.nullAware() {
		o.excludeNulls(keys, b)
	}
	return nil
}

// excludeNulls keeps rows with a null key out of NOT IN's result, unless its right side is empty.
func (o *hashJoin) excludeNulls(keys []*vector.Vector, b *vector.Batch) {
	if o.joiner.build.N == 0 {
		return
	}
	for k := range b.Rows() {
		if r := rowOf(b, k); anyNull(keys, r) {
			o.probeMatched[r] = true
		}
	}
}

func rowOf(b *vector.Batch, k int) int {
	if b.Sel != nil {
		return int(b.Sel[k])
	}
	return k
}

func anyNull(cols []*vector.Vector, i int) bool {
	for _, c := range cols {
		if c.IsNull(i) {
			return true
		}
	}
	return false
}

func (o *hashJoin) pairs(probe, build []uint32) (p, b []uint32, more bool) {
	once := !o.joinKind.pairs && o.residual == nil && o.buildRows == noRows
	return o.table.pairs(probe, build, once)
}

func (o *hashJoin) Close() error {
	o.mem.release()
	err := closeAll(o.buildIn, o.probeIn)
	if o.sub != nil {
		o.sub.Close()
	}
	for _, p := range o.parts {
		p[0].Close()
		p[1].Close()
	}
	o.table, o.joiner.build, o.sub, o.parts = joinTable{}, nil, nil, nil
	return err
}

// spillSides divides the build side read so far, its rest and the probe side into files by the hash of their keys.
func (o *hashJoin) spillSides(b, k *vector.Batch) error {
	o.spilled = true
	build := newPartitioner(o.ctx, o.buildIn.Output(), o.depth)
	defer build.close()
	probe := newPartitioner(o.ctx, o.probeIn.Output(), o.depth)
	defer probe.close()
	o.none = o.nullAware() && hasNull(k)
	for from := 0; from < b.N; from += vector.BatchRows {
		n := min(vector.BatchRows, b.N-from)
		if err := build.add(vector.SliceBatch(k, from, n).Cols, vector.SliceBatch(b, from, n).Cols, nil, n); err != nil {
			return err
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
	}
	o.mem.release()
	if err := o.scatter(o.buildIn, o.buildKeys, build, false); err != nil {
		return err
	}
	if err := o.scatter(o.probeIn, o.probeKeys, probe, o.nullAware()); err != nil {
		return err
	}
	bs, err := build.finish(o.m)
	if err != nil {
		return err
	}
	ps, err := probe.finish(o.m)
	if err != nil {
		for _, r := range bs {
			r.Close()
		}
		return err
	}
	for i := range bs {
		o.parts = append(o.parts, [2]*spillReader{bs[i], ps[i]})
	}
	return nil
}

// scatter reads an input to its end; dropNulls leaves out rows with a null key.
func (o *hashJoin) scatter(in Operator, es []expr.Evaluator, p *partitioner, dropNulls bool) error {
	for {
		b, err := in.Next()
		if b == nil || err != nil {
			return err
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
		keys, err := o.evalKeys(es, b)
		if err != nil {
			return err
		}
		sel := b.Sel
		if o.nullAware() {
			kept := make([]uint32, 0, b.Rows())
			for k := range b.Rows() {
				if r := rowOf(b, k); !anyNull(keys, r) {
					kept = append(kept, uint32(r))
				} else if !dropNulls {
					o.none = true
				}
			}
			sel = kept
		}
		n := b.N
		if sel != nil {
			n = len(sel)
		}
		if n == 0 {
			continue
		}
		if err := p.add(keys, b.Cols, sel, n); err != nil {
			return err
		}
	}
}

// nextPart joins the spilled files pair by pair.
func (o *hashJoin) nextPart() (*vector.Batch, error) {
	for {
		if o.sub != nil {
			if b, err := o.sub.Next(); b != nil || err != nil {
				return b, err
			}
			err := o.sub.Close()
			o.sub = nil
			if err != nil {
				return nil, err
			}
		}
		if len(o.parts) == 0 || o.none {
			return nil, nil
		}
		part := o.parts[0]
		o.parts = o.parts[1:]
		if err := o.joinPart(part); err != nil {
			return nil, err
		}
	}
}

func (o *hashJoin) joinPart(part [2]*spillReader) error {
	left, right := part[1], part[0]
	if o.buildLeft {
		left, right = right, left
	}
	c := o.hashJoinConfig
	if o.nullAware() { // nulls were dealt with before
		c.pb = &planpb.HashJoin{Type: planpb.JoinType_LEFT_ANTI, LeftKeys: c.pb.LeftKeys, RightKeys: c.pb.RightKeys,
			Residual: c.pb.Residual, BuildLeft: c.pb.BuildLeft, NullSafe: c.pb.NullSafe}
	}
	sub, err := buildHashJoin(c, left, right, o.depth+1)
	if err != nil {
		left.Close()
		right.Close()
		return err
	}
	sub.m = o.m
	o.sub = sub
	return sub.Open(o.ctx)
}
