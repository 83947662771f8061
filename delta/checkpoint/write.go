package checkpoint

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/snappy"

	"millrace/delta"
	"millrace/errs"
)

var (
	text    = parquet.Optional(parquet.String())
	long    = parquet.Optional(parquet.Int(64))
	integer = parquet.Optional(parquet.Int(32))
	boolean = parquet.Optional(parquet.Leaf(parquet.BooleanType))
	strMap  = parquet.Optional(parquet.Map(parquet.String(), text))
	strList = parquet.Optional(parquet.List(text))
)

func group(g parquet.Group) parquet.Node { return parquet.Optional(g) }

var vector = group(parquet.Group{"storageType": text, "pathOrInlineDv": text, "offset": integer, "sizeInBytes": integer,
	"cardinality": long, "maxRowIndex": long})

// The actions of a checkpoint's files, of one in the V2 form and of its sidecars. Spark's reader wants the columns of files in a V2 checkpoint's first file too.
var (
	classicActions = []string{"txn", "add", "remove", "metaData", "protocol", "domainMetadata"}
	topActions     = append([]string{"checkpointMetadata", "sidecar"}, classicActions...)
	sidecarActions = []string{"add", "remove"}
)

var addColumns = parquet.Group{"path": text, "partitionValues": strMap, "size": long, "modificationTime": long, "dataChange": boolean,
	"tags": strMap, "deletionVector": vector, "baseRowId": long, "defaultRowCommitVersion": long, "clusteringProvider": text, "stats": text}

var nodes = parquet.Group{
	"txn": group(parquet.Group{"appId": text, "version": long, "lastUpdated": long}),
	"add": group(addColumns),
	"remove": group(parquet.Group{"path": text, "deletionTimestamp": long, "dataChange": boolean, "extendedFileMetadata": boolean,
		"partitionValues": strMap, "size": long, "deletionVector": vector, "baseRowId": long, "defaultRowCommitVersion": long}),
	"metaData": group(parquet.Group{"id": text, "name": text, "description": text, "format": group(parquet.Group{"provider": text, "options": strMap}),
		"schemaString": text, "partitionColumns": strList, "configuration": strMap, "createdTime": long}),
	"protocol":       group(parquet.Group{"minReaderVersion": integer, "minWriterVersion": integer, "readerFeatures": strList, "writerFeatures": strList}),
	"domainMetadata": group(parquet.Group{"domain": text, "configuration": text, "removed": boolean}),

	"checkpointMetadata": group(parquet.Group{"version": long, "tags": strMap}),
	"sidecar":            group(parquet.Group{"path": text, "sizeInBytes": long, "modificationTime": long, "tags": strMap}),
}

// layout is a schema with its leaf columns.
type layout struct {
	schema  *parquet.Schema
	targets []target
}

// target is a leaf column of the layout: where it is and how deep.
type target struct {
	path   []string
	name   string // the path below the action, joined by points
	base   string // name without the levels of a list or a map
	form   form
	index  int
	depth  int // definition level of a value
	null   parquet.Value
	parsed *parsedColumn // or nil
}

// form is what a column is a part of.
type form uint8

const (
	plainColumn form = iota
	listElement
	mapKey
	mapValue
)

func newLayout(g parquet.Group) *layout {
	schema := parquet.NewSchema("spark_schema", g)
	out := make([]target, len(schema.Columns()))
	for _, path := range schema.Columns() {
		leaf, _ := schema.Lookup(path...)
		t := target{path: path, name: strings.Join(path[1:], "."), index: leaf.ColumnIndex, depth: leaf.MaxDefinitionLevel,
			null: parquet.NullValue().Level(0, 0, leaf.ColumnIndex)}
		for suffix, f := range map[string]form{".list.element": listElement, ".key_value.key": mapKey, ".key_value.value": mapValue} {
			if base, ok := strings.CutSuffix(t.name, suffix); ok {
				t.base, t.form = base, f
			}
		}
		out[t.index] = t
	}
	return &layout{schema, out}
}

// Info is what _last_checkpoint says about a checkpoint.
type Info struct {
	Version       int64 `json:"version"`
	Size          int64 `json:"size"` // actions
	SizeInBytes   int64 `json:"sizeInBytes,omitempty"`
	NumOfAddFiles int64 `json:"numOfAddFiles"`
}

const (
	rowsPerFlush = 1024
	rowsPerGroup = 64 << 10 // row groups are written out and read one by one
)

// Write writes a snapshot as one file. Tombstones older than oldest (milliseconds) are left out.
func Write(w io.Writer, s *delta.Snapshot, oldest int64) (Info, error) {
	b := newRows(w, layoutOf(s, formOf(s), classicActions...), s.Version)
	b.putState(s)
	b.endGroup() // so that those of files hold nothing else
	b.putFiles(s, oldest)
	return b.close()
}

// WriteSidecar writes the files and tombstones of a snapshot, as a part of a checkpoint in the V2 form.
func WriteSidecar(w io.Writer, s *delta.Snapshot, oldest int64) (Info, error) {
	b := newRows(w, layoutOf(s, formOf(s), sidecarActions...), s.Version)
	b.putFiles(s, oldest)
	return b.close()
}

// WriteV2 writes what of a snapshot is not in its sidecars.
func WriteV2(w io.Writer, s *delta.Snapshot, parts []delta.Sidecar) (Info, error) {
	b := newRows(w, layoutOf(s, formOf(s), topActions...), s.Version)
	b.put("checkpointMetadata", []field{{"version", s.Version}})
	b.putState(s)
	for _, p := range parts {
		b.put("sidecar", []field{{"path", p.Path}, {"sizeInBytes", p.SizeInBytes}, {"modificationTime", p.ModificationTime}})
	}
	return b.close()
}

func newRows(w io.Writer, l *layout, version int64) *rows {
	count := &counter{w: w}
	return &rows{layout: l, count: count, info: Info{Version: version},
		out: parquet.NewGenericWriter[any](count, l.schema, parquet.Compression(&snappy.Codec{}), parquet.CreatedBy("millrace", "1", "0"))}
}

// putState puts all but files.
func (b *rows) putState(s *delta.Snapshot) {
	b.put("protocol", protocolFields(s.Protocol))
	b.put("metaData", metadataFields(s.Metadata))
	for _, t := range s.Txns() {
		b.put("txn", []field{{"appId", t.AppID}, {"version", t.Version}, {"lastUpdated", t.LastUpdated}})
	}
	for _, d := range s.Domains() {
		b.put("domainMetadata", []field{{"domain", d.Domain}, {"configuration", d.Configuration}, {"removed", d.Removed}})
	}
}

func (b *rows) putFiles(s *delta.Snapshot, oldest int64) {
	for a := range s.All() {
		b.info.NumOfAddFiles++
		b.add = a
		b.put("add", addFields(a))
	}
	for r := range s.Tombstones() {
		if r.DeletionTimestamp > oldest {
			b.put("remove", removeFields(r))
		}
	}
}

func (b *rows) close() (Info, error) {
	if b.flush(); b.err == nil {
		b.err = b.out.Close()
	}
	b.info.SizeInBytes = b.count.n
	return b.info, errs.Wrap(b.err, "write checkpoint of version %d", b.info.Version)
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// field is a member of an action: a string, int64, int32, bool, pointer to one of these, []string or a map.
type field struct {
	name  string
	value any
}

func protocolFields(p *delta.Protocol) []field {
	return []field{{"minReaderVersion", int32(p.MinReaderVersion)}, {"minWriterVersion", int32(p.MinWriterVersion)},
		{"readerFeatures", p.ReaderFeatures}, {"writerFeatures", p.WriterFeatures}}
}

func metadataFields(m *delta.Metadata) []field {
	f := []field{{"id", m.ID}, {"format.provider", m.Format.Provider}, {"format.options", plain(m.Format.Options, true)},
		{"schemaString", m.SchemaString}, {"partitionColumns", append([]string{}, m.PartitionColumns...)},
		{"configuration", plain(m.Configuration, true)}, {"createdTime", m.CreatedTime}}
	if m.Name != "" {
		f = append(f, field{"name", m.Name})
	}
	if m.Description != "" {
		f = append(f, field{"description", m.Description})
	}
	return f
}

func addFields(a *delta.Add) []field {
	f := []field{{"path", a.Path}, {"partitionValues", values(a.PartitionValues)}, {"size", a.Size}, {"modificationTime", a.ModificationTime},
		{"dataChange", false}, {"tags", plain(a.Tags, false)}, {"baseRowId", a.BaseRowID}, {"defaultRowCommitVersion", a.DefaultRowCommitVersion}}
	if a.Stats != "" {
		f = append(f, field{"stats", a.Stats})
	}
	if a.ClusteringProvider != "" {
		f = append(f, field{"clusteringProvider", a.ClusteringProvider})
	}
	return append(f, vectorFields(a.DeletionVector)...)
}

func removeFields(r *delta.Remove) []field {
	f := []field{{"path", r.Path}, {"deletionTimestamp", r.DeletionTimestamp}, {"dataChange", false}, {"extendedFileMetadata", r.ExtendedFileMetadata},
		{"baseRowId", r.BaseRowID}, {"defaultRowCommitVersion", r.DefaultRowCommitVersion}}
	if r.ExtendedFileMetadata {
		f = append(f, field{"partitionValues", values(r.PartitionValues)}, field{"size", r.Size})
	}
	return append(f, vectorFields(r.DeletionVector)...)
}

func vectorFields(d *delta.DeletionVector) []field {
	if d == nil {
		return nil
	}
	return []field{{"deletionVector.storageType", d.StorageType}, {"deletionVector.pathOrInlineDv", d.PathOrInlineDV},
		{"deletionVector.offset", d.Offset}, {"deletionVector.sizeInBytes", d.SizeInBytes}, {"deletionVector.cardinality", d.Cardinality},
		{"deletionVector.maxRowIndex", d.MaxRowIndex}}
}

// plain is a map for a column; nil stays null unless the column may not be.
func plain(m map[string]string, always bool) map[string]*string {
	if m == nil && !always {
		return nil
	}
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = &v
	}
	return out
}

func values(m delta.PartitionValues) map[string]*string {
	if m == nil {
		return map[string]*string{}
	}
	return m
}

// rows builds Parquet rows: one for each action, with nulls for all other actions.
type rows struct {
	layout *layout
	count  *counter
	out    *parquet.GenericWriter[any]
	buf    []parquet.Row
	info   Info
	rows   int        // of the row group
	add    *delta.Add // of the row
	err    error
}

func (b *rows) put(action string, fields []field) {
	b.info.Size++
	row := make(parquet.Row, 0, len(b.layout.targets)+8)
	var stats *delta.FileStats
	for i := range b.layout.targets {
		switch t := &b.layout.targets[i]; {
		case t.path[0] != action:
			row = append(row, t.null)
		case t.parsed != nil:
			if stats == nil {
				stats = delta.ReadStats(b.add.Stats)
			}
			row = t.parsedLevel(row, b.add, stats)
		default:
			row = t.levels(row, fields)
		}
	}
	if b.buf = append(b.buf, row); len(b.buf) == rowsPerFlush {
		b.flush()
	}
	if b.rows++; b.rows == rowsPerGroup {
		b.endGroup()
	}
}

func (b *rows) endGroup() {
	if b.flush(); b.err == nil && b.rows > 0 {
		b.err = b.out.Flush()
	}
	b.rows = 0
}

func (b *rows) flush() {
	if b.err == nil && len(b.buf) > 0 {
		_, b.err = b.out.WriteRows(b.buf)
	}
	b.buf = b.buf[:0]
}

func find(fields []field, name string) any {
	for i := range fields {
		if fields[i].name == name {
			return fields[i].value
		}
	}
	return nil
}

// levels appends the values of a column in a row of its own action.
func (t *target) levels(row parquet.Row, fields []field) parquet.Row {
	switch t.form {
	case listElement:
		list, _ := find(fields, t.base).([]string)
		return t.repeat(row, len(list), list != nil, func(i int) *string { return &list[i] })
	case mapKey, mapValue:
		m, _ := find(fields, t.base).(map[string]*string)
		if len(m) == 0 {
			return t.repeat(row, 0, m != nil, nil)
		}
		keys := slices.Sorted(maps.Keys(m))
		return t.repeat(row, len(m), true, func(i int) *string {
			if t.form == mapKey {
				return &keys[i]
			}
			return m[keys[i]]
		})
	}
	if v, ok := scalar(find(fields, t.name)); ok {
		return append(row, v.Level(0, t.depth, t.index))
	}
	return append(row, parquet.NullValue().Level(0, t.parentDepth(fields), t.index))
}

// parentDepth is how much of the path to a missing value is there.
func (t *target) parentDepth(fields []field) int {
	if len(t.path) == 2 {
		return 1
	}
	for i := range fields {
		if strings.HasPrefix(fields[i].name, t.path[1]) && strings.HasPrefix(fields[i].name[len(t.path[1]):], ".") {
			return 2
		}
	}
	return 1
}

// repeat appends the values of a list or a map: a null one, an empty one, or n values of which nil is null.
func (t *target) repeat(row parquet.Row, n int, there bool, at func(int) *string) parquet.Row {
	container := t.depth - 1 // the repeated level's own
	if t.form != mapKey {
		container-- // values and elements may be null
	}
	switch {
	case !there:
		return append(row, parquet.NullValue().Level(0, container-1, t.index))
	case n == 0:
		return append(row, parquet.NullValue().Level(0, container, t.index))
	}
	for i := range n {
		repetition := min(i, 1)
		if s := at(i); s != nil {
			row = append(row, parquet.ByteArrayValue([]byte(*s)).Level(repetition, t.depth, t.index))
		} else {
			row = append(row, parquet.NullValue().Level(repetition, t.depth-1, t.index))
		}
	}
	return row
}

func scalar(v any) (parquet.Value, bool) {
	switch x := v.(type) {
	case string:
		return parquet.ByteArrayValue([]byte(x)), true
	case int64:
		return parquet.Int64Value(x), true
	case int32:
		return parquet.Int32Value(x), true
	case bool:
		return parquet.BooleanValue(x), true
	case *int64:
		if x != nil {
			return parquet.Int64Value(*x), true
		}
	case *int32:
		if x != nil {
			return parquet.Int32Value(*x), true
		}
	}
	return parquet.NullValue(), false
}
