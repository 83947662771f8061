package table

import (
	"encoding/binary"
	"fmt"
	"strings"

	"millrace/delta"
	"millrace/javatime"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table/internal/cell"
	"millrace/types"
	"millrace/vector"
)

// nullPartition is the directory value of null and of the empty string.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

// partitioner sorts a batch's rows by the values of the partition columns.
type partitioner struct {
	columns  []int
	names    []string // as directories have them
	physical []string // as the log has them
	zone     *javatime.Zone

	buckets   uint32 // by hash of the columns bucketBy; 0: none
	bucketBy  []int
	hashes    []uint32
	bucketing []*vector.Vector

	groups map[string]*group
	order  []*group // those with rows in the current batch
	key    []byte
}

// group is a partition, or a bucket of one, with its rows in the current batch. Its place is the directory and, behind a zero byte, what the bucket puts
// into its files' names.
type group struct {
	dir, json string
	rows      []uint32
}

func newPartitioner(plan *planpb.FileSink, columns []*planpb.Column, settings *planpb.Settings) (*partitioner, error) {
	zone, err := zoneOf(settings)
	if err != nil {
		return nil, err
	}
	p := &partitioner{zone: zone, groups: map[string]*group{}, buckets: plan.Buckets}
	for _, c := range plan.BucketColumns {
		p.bucketBy = append(p.bucketBy, int(c))
	}
	for _, c := range plan.PartitionColumns {
		name := columns[c].Name
		physical := name
		if len(plan.Columns) == len(columns) && plan.Columns[c].Name != "" {
			physical = plan.Columns[c].Name
		}
		p.columns = append(p.columns, int(c))
		p.names = append(p.names, hiveEscape(physical))
		p.physical = append(p.physical, physical)
	}
	return p, nil
}

func zoneOf(settings *planpb.Settings) (*javatime.Zone, error) {
	if settings.GetTimeZone() == "" {
		return javatime.UTC, nil
	}
	return javatime.ZoneOf(settings.GetTimeZone())
}

// split lists the partitions that a batch has rows for.
func (p *partitioner) split(b *vector.Batch) []*group {
	for _, g := range p.order {
		g.rows = g.rows[:0]
	}
	p.order = p.order[:0]
	var last *group
	var lastKey []byte
	p.hash(b)
	for i := range b.Rows() {
		row := i
		if b.Sel != nil {
			row = int(b.Sel[i])
		}
		p.key = p.key[:0]
		for _, c := range p.columns {
			p.key = appendKey(p.key, b.Cols[c], row)
		}
		if p.buckets > 0 {
			p.key = binary.AppendUvarint(p.key, uint64(p.bucket(row)))
		}
		if last == nil || string(p.key) != string(lastKey) {
			last = p.group(b, row)
			lastKey = append(lastKey[:0], p.key...)
			if len(last.rows) == 0 {
				p.order = append(p.order, last)
			}
		}
		last.rows = append(last.rows, uint32(row))
	}
	return p.order
}

// hash finds the rows' hashes, where there are buckets.
func (p *partitioner) hash(b *vector.Batch) {
	if p.buckets == 0 {
		return
	}
	if cap(p.hashes) < b.N {
		p.hashes = make([]uint32, b.N)
	}
	p.hashes, p.bucketing = p.hashes[:b.N], p.bucketing[:0]
	for _, c := range p.bucketBy {
		p.bucketing = append(p.bucketing, b.Cols[c])
	}
	expr.HashRows(p.bucketing, b.Sel, b.N, hashSeed, p.hashes)
}

// hashSeed is what Spark's hash() begins with.
const hashSeed = 42

// bucket is the bucket of a row: its hash modulo their number, as a number from 0 up.
func (p *partitioner) bucket(row int) uint32 {
	n := int64(p.buckets)
	return uint32((int64(int32(p.hashes[row]))%n + n) % n)
}

// appendKey appends bytes that tell a value from all others of its type.
func appendKey(key []byte, v *vector.Vector, row int) []byte {
	if v.IsNull(row) {
		return append(key, 0)
	}
	row = v.Row(row)
	if v.Dict != nil {
		v, row = v.Dict, int(vector.Codes(v)[row])
	}
	key = append(key, 1)
	if w := vector.Width(v.Type); w > 0 {
		return append(key, v.Data[row*w:(row+1)*w]...)
	}
	s := v.Str(row)
	return append(binary.AppendUvarint(key, uint64(len(s))), s...)
}

func (p *partitioner) group(b *vector.Batch, row int) *group {
	if g := p.groups[string(p.key)]; g != nil {
		return g
	}
	g := &group{json: "{"}
	for i, c := range p.columns {
		v := b.Cols[c]
		if i > 0 {
			g.dir += "/"
			g.json += ","
		}
		text := ""
		if !v.IsNull(row) {
			text = string(cell.Append(nil, v, row, p.zone))
		}
		value := nullPartition
		if text != "" {
			value = hiveEscape(text)
		}
		g.dir += p.names[i] + "=" + value
		g.json += string(delta.AppendJSONString(nil, p.physical[i])) + ":" + partitionJSON(v, row, text)
	}
	g.json += "}"
	if p.buckets > 0 {
		g.dir += fmt.Sprintf("\x00_%05d", p.bucket(row))
	}
	p.groups[string(p.key)] = g
	return g
}

// partitionJSON is a value as the Delta log has it: timestamps in UTC, the rest as in the directory's name.
func partitionJSON(v *vector.Vector, row int, text string) string {
	if text == "" {
		return "null"
	}
	if v.Type.Kind == types.KindTimestamp {
		row = v.Row(row)
		if v.Dict != nil {
			v, row = v.Dict, int(vector.Codes(v)[row])
		}
		micros := vector.Values[int64](v)[row]
		b := cell.AppendTimestamp(nil, javatime.FloorDiv(micros, javatime.MicrosPerSecond)*javatime.MicrosPerSecond, 'T')
		b = cell.AppendPadded(append(b, '.'), int(javatime.FloorMod(micros, javatime.MicrosPerSecond)), 6)
		text = string(append(b, 'Z'))
	}
	return string(delta.AppendJSONString(nil, text))
}

// PartitionDirectory is the directory of the files in which a partition column has the one value of v.
func PartitionDirectory(name string, v *vector.Vector, timeZone string) string {
	zone, err := zoneOf(&planpb.Settings{TimeZone: timeZone})
	if err != nil {
		zone = javatime.UTC
	}
	text := ""
	if !v.IsNull(0) {
		text = string(cell.Append(nil, v, 0, zone))
	}
	if text == "" {
		return hiveEscape(name) + "=" + nullPartition
	}
	return hiveEscape(name) + "=" + hiveEscape(text)
}

// PartitionValues are the names and values that a directory such as a=1/b=x has, nil for null.
func PartitionValues(dir string) (names []string, values []*string) {
	for _, part := range strings.Split(dir, "/") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		text := hiveUnescape(value)
		names = append(names, hiveUnescape(name))
		if text == nullPartition {
			values = append(values, nil)
		} else {
			values = append(values, &text)
		}
	}
	return names, values
}
