package engine

import (
	"context"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"millrace/physical"
	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/session"
	"millrace/types"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// frame is a relation that is to be kept. Its rows are those of its filling, which is made when a query first needs it, and again after
// a write to what it reads.
type frame struct {
	frames *frames
	id     string
	level  session.StorageLevel
	schema *types.Type
	places []string // that it reads
	spread int      // how many partitions it has at least

	mu      sync.Mutex
	filling *filling
	busy    chan struct{} // closed when whoever fills now has done
	drops   int           // counts drop
	ended   bool          // nobody finds the frame any more: what is filled now is for one query
}

// filling is the rows of a frame on the workers.
type filling struct {
	ids   []string // of blocks, the newest last
	parts []physical.Partition
	rows  int64
	bytes int64

	// How to make them again: the stages as they were run, with the settings of that statement.
	stages    []*planpb.Stage
	settings  *planpb.Settings
	pipelined bool
	piecemeal bool // a partition can be made again alone
	fixed     bool // the stages read no other frame

	uses    int
	dropped bool
}

func newFrame(c *frames, n plan.Node, l session.StorageLevel) *frame {
	return &frame{frames: c, id: uuid.NewString(), level: l, schema: plan.Schema(n), places: placesOf(n)}
}

func (f *frame) reads(place string) bool {
	for _, p := range f.places {
		if p == place || len(p) > len(place) && p[:len(place)] == place && p[len(place)] == '/' {
			return true
		}
	}
	return false
}

// scan is the frame's rows as a relation of the given one's columns; node is what to fill it with.
func (f *frame) scan(node plan.Resolved) *plan.Scan {
	out := node.Output()
	s := &plan.Scan{Table: &resident{frame: f, node: node}, Attrs: out, Fields: make([]int, len(out))}
	for i := range s.Fields {
		s.Fields[i] = i
	}
	return s
}

// drop forgets the rows: at once, or when the queries that read them have ended.
func (f *frame) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drops++
	f.dropFilling()
}

// end is drop for a frame that will not be asked for again.
func (f *frame) end() {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.drop()
}

func (f *frame) dropFilling() {
	if f.filling == nil {
		return
	}
	f.filling.dropped = true
	f.forget(f.filling)
	f.filling = nil
}

// forget has the workers drop a dropped filling that nobody reads.
func (f *frame) forget(l *filling) {
	if !l.dropped || l.uses > 0 {
		return
	}
	for _, id := range l.ids {
		f.frames.keeper.Forget(id)
	}
	l.ids = nil
}

// release ends a use of a filling.
func (f *frame) release(l *filling) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.uses--
	f.forget(l)
}

// distrust drops a filling after a query could not read it though all workers seem to be there.
func (f *frame) distrust(l *filling) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.filling == l {
		f.dropFilling()
	}
}

// known is the frame's partitions, if it was filled.
func (f *frame) known() []physical.Partition {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.filling == nil {
		return nil
	}
	return f.filling.parts
}

// lost lists the partitions whose workers are gone.
func (f *frame) lost(l *filling) []int {
	var list []int
	for i, p := range l.parts {
		if !f.frames.keeper.Usable(p.Worker) {
			list = append(list, i)
		}
	}
	return list
}

// acquire returns the frame's rows, whole, for reading until release. It makes them if need be; others wait meanwhile.
func (f *frame) acquire(st *statement, node plan.Node) (*filling, []physical.Partition, error) {
	for {
		f.mu.Lock()
		if f.busy == nil {
			break
		}
		busy := f.busy
		f.mu.Unlock()
		select {
		case <-busy:
		case <-st.ctx.Done():
			return nil, nil, context.Cause(st.ctx)
		}
	}
	defer f.mu.Unlock()
	old := f.filling
	var lost []int
	if old != nil {
		if lost = f.lost(old); len(lost) == 0 {
			old.uses++
			return old, old.parts, nil
		}
		old.uses++ // what is left of it is needed
	}
	f.busy = make(chan struct{})
	drops := f.drops
	f.mu.Unlock()
	fresh, err := st.fill(f, node, old, lost)
	f.mu.Lock()
	close(f.busy)
	f.busy = nil
	if old != nil {
		old.uses--
		if err == nil && fresh != old && f.filling == old {
			f.dropFilling()
		}
		f.forget(old)
	}
	if err != nil {
		return nil, nil, err
	}
	fresh.uses++
	switch {
	case drops == f.drops && !f.ended:
		f.filling = fresh
	case fresh != f.filling: // dropped meanwhile: these rows are for this query alone
		fresh.dropped = true
	}
	return fresh, fresh.parts, nil
}

// resident is a frame as a statement's plan reads it.
type resident struct {
	frame *frame
	node  plan.Node // resolved: what to fill it with

	filling *filling // acquired, or nil
	parts   []physical.Partition
}

var _ physical.Resident = (*resident)(nil)

// Name implements plan.Table.
func (r *resident) Name() string { return "cached frame" }

// Schema implements plan.Table.
func (r *resident) Schema() *types.Type { return r.frame.schema }

// Format implements plan.Table.
func (r *resident) Format() string { return "memory" }

// Rows implements plan.Table.
func (r *resident) Rows() int64 {
	if r.filling == nil {
		return -1
	}
	return r.filling.rows
}

// SizeBytes implements plan.Table.
func (r *resident) SizeBytes() int64 {
	if r.filling == nil {
		return -1
	}
	return r.filling.bytes
}

// Partitions implements physical.Resident.
func (r *resident) Partitions() []physical.Partition { return r.parts }

// Storage is what EXPLAIN says of the frame.
func (r *resident) Storage() string { return r.frame.level.String() }

// Relation implements physical.Resident.
func (r *resident) Relation() string { return "InMemoryRelation, " + r.frame.level.String() }
