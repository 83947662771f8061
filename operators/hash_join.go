package operators

import (
	"maps"

	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// hashJoin builds a table of one side and probes it with the other. When the build side outgrows memory, rows are dealt out to parts by hash, of which as many stay in
// memory as fit; the others go to files, with the probe rows that belong to them, and are joined part by part afterwards.
type hashJoin struct {
	hashJoinConfig
	joiner
	buildIn, probeIn     Operator
	buildKeys, probeKeys []expr.Evaluator
	keyColumns           []int // of the build side, where all of its keys are columns
	m                    *OperatorMetrics
	mem                  reservation
	rows, keys           *vector.Builder // of the build side, in memory; keys are empty where they are columns of rows
	table                joinTable
	built, probed        bool
	depth                int
	none                 bool // a null among the keys of NOT IN's right side: nothing matches

	deal   *joinDeal         // nil: all of the build side is in memory
	blocks *blocks           // of a part that no hash divides; nil: all of the build side is met at once
	parts  [][2]*spillReader // build, probe
	sub    *hashJoin
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
	for !o.probed && !o.none {
		if b, err := o.joiner.Next(); b != nil || err != nil {
			return b, err
		}
		if o.blocks != nil && !o.blocks.last {
			if err := o.nextBlock(); err != nil {
				return nil, err
			}
			continue
		}
		if err := o.endProbe(); err != nil {
			return nil, err
		}
	}
	return o.nextPart()
}

// nullAware reports whether the join is NOT IN, for which nulls among the keys matter.
func (o *hashJoin) nullAware() bool { return o.typ == planpb.JoinType_NULL_AWARE_ANTI }

// tableRow is about what a build row takes in the table, before it is made.
const tableRow = 40

// buildTable reads the build side, of a part that no hash divides its first block.
func (o *hashJoin) buildTable() error {
	o.rows, o.keys = vector.NewBuilder(o.buildIn.Output()), vector.NewBuilder(o.table.types)
	if r, ok := o.buildIn.(*spillReader); ok && o.mem.grow(o.rows.ExpectSize(int(r.rows))+tableRow*r.rows) {
		o.rows.Expect(int(r.rows))
	}
	for o.blocks == nil {
		b, err := o.buildIn.Next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if err := o.addBuild(b); err != nil {
			return err
		}
	}
	return o.fillTable()
}

// addBuild adds a batch to the rows in memory, and makes room when they do not fit any more.
func (o *hashJoin) addBuild(b *vector.Batch) error {
	keys, err := o.evalKeys(o.buildKeys, b)
	if err != nil {
		return err
	}
	sel := b.Sel
	if o.buildRows == noRows && !o.nullAware() {
		if sel = o.table.withKeys(keys, sel, b.Rows()); len(sel) == b.N {
			sel = nil
		}
	}
	if o.deal != nil {
		if sel, err = o.dealBuild(keys, b, sel); err != nil {
			return err
		}
	}
	if sel != nil && len(sel) == 0 {
		return nil
	}
	if o.keyColumns == nil {
		o.keys.AppendColumns(keys, sel, b.N)
	}
	if sel == nil {
		appendRows(o.rows, o.buildIn, b)
	} else {
		o.rows.AppendColumns(b.Cols, sel, b.N)
	}
	for o.rows.Len() > 0 && o.blocks == nil && (!o.mem.fits(o.growing()) || tooLarge(o.rows) || tooLarge(o.keys)) {
		if err := o.makeRoom(); err != nil {
			return err
		}
	}
	return nil
}

// size is the bytes of the build side in memory, its table included.
func (o *hashJoin) size(table int64) int64 {
	n := o.rows.MemSize() + o.keys.MemSize() + table
	if o.buildRows != noRows {
		n += int64(o.rows.Len())
	}
	if o.deal != nil {
		n += int64(cap(o.deal.parts))
	}
	return n
}

// growing is what is asked for while the build side is read: its rows with a table that is not there yet, or the rows' buffers, which have grown beforehand, without. Once
// parts are on disk it is an eighth more, room for the operators that run while the join is probed.
func (o *hashJoin) growing() int64 {
	n := o.rows.Size() + o.keys.Size() + tableRow*int64(o.rows.Len())
	if o.deal != nil {
		n += n / 8
	}
	return max(n, o.size(0))
}

// inMemory is the build rows in memory and their keys.
func (o *hashJoin) inMemory() (rows, keys *vector.Batch) {
	if rows = o.rows.Batch(); rows == nil {
		rows = &vector.Batch{}
		for _, t := range o.buildIn.Output() {
			rows.Cols = append(rows.Cols, vector.NewEmpty(t))
		}
		return rows, &vector.Batch{}
	}
	if o.keyColumns == nil {
		return rows, o.keys.Batch()
	}
	keys = &vector.Batch{N: rows.N}
	for _, c := range o.keyColumns {
		keys.Cols = append(keys.Cols, rows.Cols[c])
	}
	return rows, keys
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

// fillTable makes the table when the build side has ended, of fewer rows if it becomes larger than was foreseen.
func (o *hashJoin) fillTable() error {
	for first := true; ; first = false {
		rows, keys := o.inMemory()
		if first && o.nullAware() && (o.deal != nil && o.deal.none || hasNull(keys)) {
			o.none = true
			o.release()
			return nil
		}
		if first {
			o.narrowProbe(keys)
		}
		if o.mem.held < o.size(tableRow*int64(rows.N)) {
			o.fit()
		}
		o.begin(rows)
		if err := o.table.fill(o.ctx, keys); err != nil {
			return err
		}
		if o.mem.fits(o.size(o.table.memSize())) || o.blocks != nil || o.depth == maxDepth || rows.N == 0 {
			break
		}
		if err := o.spillParts(); err != nil {
			return err
		}
		o.table.init(o.table.types, o.pb.NullSafe)
	}
	o.mem.shrink(o.size(o.table.memSize()))
	if o.deal == nil {
		return nil
	}
	o.next = o.nextProbe
	return o.deal.endBuild(o.m)
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
	keys := o.table.keys
	if o.deal == nil { // or they were evaluated when the batch was dealt out
		var err error
		if keys, err = o.evalKeys(o.probeKeys, b); err != nil {
			return err
		}
	}
	o.table.lookup(keys, b)
	if o.blocks != nil && o.probeRows != noRows {
		o.blocks.recall(o.probeMatched)
	}
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

// endProbe gives back what was in memory, and ends the files of the other parts.
func (o *hashJoin) endProbe() error {
	o.probed = true
	o.release()
	if o.deal == nil {
		return nil
	}
	parts, err := o.deal.endProbe(o.m)
	o.parts = parts
	return err
}

// release gives back what is in memory.
func (o *hashJoin) release() {
	o.rows, o.keys, o.joiner.build, o.buildMatched = nil, nil, nil, nil
	o.table.init(o.table.types, o.pb.NullSafe)
	o.mem.release()
}

func (o *hashJoin) Close() error {
	o.release()
	err := closeAll(o.buildIn, o.probeIn)
	if o.sub != nil {
		o.sub.Close()
	}
	o.deal.close()
	for _, p := range o.parts {
		p[0].Close()
		p[1].Close()
	}
	o.sub, o.parts = nil, nil
	return err
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
		if len(o.parts) == 0 {
			return nil, nil
		}
		part := o.parts[0]
		o.parts = o.parts[1:]
		if part[1].rows == 0 && o.buildRows == noRows {
			part[0].Close()
			part[1].Close()
			continue
		}
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
