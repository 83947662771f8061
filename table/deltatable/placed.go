package deltatable

import (
	"context"
	"sync"

	"millrace/delta"
	"millrace/physical"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

// Placed is a table whose rows also say where they are: two columns more, the number of the file (see Files) and the row's number there.
type Placed struct {
	*Table
	schema *types.Type

	mu    sync.Mutex
	files []*delta.Add
	known map[*delta.Add]int32
	read  map[*delta.Add]bool // files that a scan was planned over
}

var _ physical.Source = (*Placed)(nil)

// The columns after the table's own; no column of a table is called so.
const (
	FileColumn = "\x00file"
	RowColumn  = "\x00row"
)

// NewPlaced gives a table's rows their places.
func NewPlaced(t *Table) *Placed {
	own := t.Schema().Fields
	s := types.Struct(append(own[:len(own):len(own)], types.Field{Name: FileColumn, Type: types.Integer}, types.Field{Name: RowColumn, Type: types.Long})...)
	if id, version := t.RowColumns(); id != "" {
		s.Fields = append(s.Fields, types.Field{Name: id, Type: types.Long, Nullable: true}, types.Field{Name: version, Type: types.Long, Nullable: true})
	}
	return &Placed{Table: t, schema: s, known: map[*delta.Add]int32{}, read: map[*delta.Add]bool{}}
}

// Name implements plan.Table: what is cached of the table is no substitute.
func (p *Placed) Name() string { return "delta rows of " + p.Log.URL() }

// Schema implements plan.Table.
func (p *Placed) Schema() *types.Type { return p.schema }

// File is the file of a number.
func (p *Placed) File(n int32) *delta.Add {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n < 0 || int(n) >= len(p.files) {
		return nil
	}
	return p.files[n]
}

// Read are the files that scans were planned over.
func (p *Placed) Read() []*delta.Add {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*delta.Add
	for _, a := range p.files {
		if p.read[a] {
			out = append(out, a)
		}
	}
	return out
}

func (p *Placed) number(a *delta.Add) int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read[a] = true
	if n, ok := p.known[a]; ok {
		return n
	}
	n := int32(len(p.files))
	p.files, p.known[a] = append(p.files, a), n
	return n
}

// Members implements plan.Located: there are none.
func (p *Placed) Members() []types.Field { return nil }

// PlanScan implements physical.Source.
func (p *Placed) PlanScan(ctx context.Context, r physical.ScanRequest) (*planpb.FileScan, []*planpb.FileSplit, error) {
	scan, err := p.scan(r, p.placeColumn)
	if err != nil {
		return nil, nil, err
	}
	var splits []*planpb.FileSplit
	for _, a := range p.candidates(r) {
		s, err := p.split(ctx, a)
		if err != nil {
			return nil, nil, err
		}
		s.PartitionValues = append(s.PartitionValues, planconv.Literal(int64(p.number(a))))
		splits = append(splits, s)
	}
	return scan, splits, nil
}

// placeColumn is one of the columns after the table's own: the file's number is one more partition value.
func (p *Placed) placeColumn(which, partitions int) *planpb.FileColumn {
	id, version := p.RowColumns()
	switch which {
	case 0:
		return &planpb.FileColumn{Name: FileColumn, Partition: int32(partitions + 1)}
	case 1:
		return &planpb.FileColumn{Name: RowColumn, Generated: "row_index"}
	case 2:
		return &planpb.FileColumn{Name: id, Generated: "row_id", OrFile: true}
	}
	return &planpb.FileColumn{Name: version, Generated: "row_version", OrFile: true}
}

// RowColumns are the names of the columns in data files that keep rows' identifiers and the versions that wrote them last; empty where the table does
// not track rows.
func (t *Table) RowColumns() (id, version string) {
	s := t.Snapshot
	if !s.BoolProperty("delta.enableRowTracking") || !s.Protocol.Supports("rowTracking") {
		return "", ""
	}
	return s.Property(delta.RowIDColumn, ""), s.Property(delta.RowCommitColumn, "")
}
