package delta

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// Snapshot is a table at one version. It is immutable and may be shared.
type Snapshot struct {
	Table     string // the table's URL, for messages
	Version   int64  // -1 before the first commit
	Timestamp int64  // of the commit, in milliseconds: the in-commit timestamp or the file's modification time
	Protocol  *Protocol
	Metadata  *Metadata

	schema  *types.Type
	files   *fileSet
	txns    map[string]*SetTransaction
	domains map[string]*DomainMetadata
}

// Empty is the table before its first commit.
func Empty(table string) *Snapshot { return &Snapshot{Table: table, Version: -1, files: newLayer(nil)} }

// Apply makes the snapshot after a commit. It leaves s as it is.
func (s *Snapshot) Apply(version, timestamp int64, actions []Action) (*Snapshot, error) {
	n := *s
	n.Version, n.Timestamp = version, timestamp
	b := builder{s: &n, files: newLayer(s.files)}
	for i := range actions {
		b.apply(&actions[i])
	}
	return b.finish()
}

// Replay builds a snapshot from a checkpoint's rows and the actions of commits, in that order.
type Replay struct {
	b    builder
	bulk []*Add
}

// NewReplay starts from nothing.
func NewReplay(table string) *Replay {
	s := Empty(table)
	return &Replay{b: builder{s: s, files: newLayer(nil)}}
}

// Apply takes one action.
func (r *Replay) Apply(a *Action) { r.b.apply(a) }

// Files takes live files of a checkpoint, which are different from each other. They come before any other file.
func (r *Replay) Files(files []*Add) { r.bulk = append(r.bulk, files...) }

// Settle ends the checkpoint: what is applied after it are commits.
func (r *Replay) Settle() {
	if r.bulk == nil {
		return
	}
	for _, a := range r.b.files.order {
		if a != nil {
			r.bulk = append(r.bulk, a)
		}
	}
	base := bulkLayer(r.bulk)
	base.removes = r.b.files.removes
	r.bulk, r.b.files = nil, newLayer(base)
}

// Finish gives the snapshot; the Replay is used up. A log without protocol or metadata is an error.
func (r *Replay) Finish(version, timestamp int64) (*Snapshot, error) {
	r.Settle()
	r.b.s.Version, r.b.s.Timestamp = version, timestamp
	return r.b.finish()
}

type builder struct {
	s       *Snapshot
	files   *fileSet
	ownTxns bool
	ownDoms bool
}

func (b *builder) apply(a *Action) {
	switch {
	case a.Add != nil:
		b.files.add(a.Add)
	case a.Remove != nil:
		b.files.remove(a.Remove)
	case a.Metadata != nil:
		b.s.Metadata, b.s.schema = a.Metadata, nil
	case a.Protocol != nil:
		b.s.Protocol = a.Protocol
	case a.Txn != nil:
		if !b.ownTxns {
			b.s.txns, b.ownTxns = cloneMap(b.s.txns), true
		}
		b.s.txns[a.Txn.AppID] = a.Txn
	case a.Domain != nil:
		if !b.ownDoms {
			b.s.domains, b.ownDoms = cloneMap(b.s.domains), true
		}
		b.s.domains[a.Domain.Domain] = a.Domain
	}
}

func cloneMap[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}

func (b *builder) finish() (*Snapshot, error) {
	s := b.s
	if s.Protocol == nil || s.Metadata == nil {
		what := "protocol"
		if s.Protocol != nil {
			what = "metadata"
		}
		return nil, errs.New("DELTA_STATE_RECOVER_ERROR", "operation", what, "version", itoa(s.Version))
	}
	if err := s.Protocol.CheckRead(s.Table); err != nil {
		return nil, err
	}
	if s.schema == nil {
		schema, err := ParseSchema(s.Metadata.SchemaString)
		if err != nil {
			return nil, errs.Wrap(err, "read the schema of version %d", s.Version)
		}
		s.schema = schema
	}
	s.files = b.files.seal()
	return s, nil
}

// ParseSchema reads a table's schema; an empty text is a table without columns.
func ParseSchema(text string) (*types.Type, error) {
	if text == "" {
		return types.Struct(), nil
	}
	t, err := types.ParseJSON([]byte(text))
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "%v", err)
	}
	if t.Kind != types.KindStruct {
		return nil, errs.Newf(errs.Invalid, "a table's schema is no struct but %s", t)
	}
	return t, nil
}

// WithFiles is the same table holding only the given files, in their order: what a reader of a span of commits sees.
func (s *Snapshot) WithFiles(files []*Add) *Snapshot {
	c := *s
	layer := newLayer(nil)
	for _, a := range files {
		layer.add(a)
	}
	c.files = layer
	return &c
}

// WithSchema is the same table with other columns, which its metadata need not spell.
func (s *Snapshot) WithSchema(schema *types.Type) *Snapshot {
	c := *s
	c.schema = schema
	return &c
}

// Schema is the table's columns by their logical names, partition columns included.
func (s *Snapshot) Schema() *types.Type {
	if s.schema == nil {
		return types.Struct()
	}
	return s.schema
}

// Exists reports whether the table has a version at all.
func (s *Snapshot) Exists() bool { return s.Version >= 0 }

// PartitionColumns are the logical names of the partition columns.
func (s *Snapshot) PartitionColumns() []string {
	if s.Metadata == nil {
		return nil
	}
	return s.Metadata.PartitionColumns
}

// All yields the live files, oldest first.
func (s *Snapshot) All() iter.Seq[*Add] { return s.files.each }

// NumFiles is the number of live files.
func (s *Snapshot) NumFiles() int { return s.files.live }

// SizeInBytes is the sum of the live files' sizes.
func (s *Snapshot) SizeInBytes() int64 { return s.files.bytes }

// Tombstones yields the removed files that are still remembered, in no order.
func (s *Snapshot) Tombstones() iter.Seq[*Remove] { return s.files.tombstones }

// File is the live file of that path and deletion vector, or nil.
func (s *Snapshot) File(path string, dv *DeletionVector) *Add {
	a, _ := s.files.find(keyOf(path, dv))
	return a
}

// Index makes ready what finds files by their names, which the first search would do otherwise.
func (s *Snapshot) Index() { s.files.find("") }

// Txn is how far an application got, and false when it has written nothing.
func (s *Snapshot) Txn(appID string) (int64, bool) {
	t := s.txns[appID]
	if t == nil {
		return 0, false
	}
	return t.Version, true
}

// Txns are all applications' records by name.
func (s *Snapshot) Txns() []*SetTransaction {
	out := make([]*SetTransaction, 0, len(s.txns))
	for _, id := range slices.Sorted(maps.Keys(s.txns)) {
		out = append(out, s.txns[id])
	}
	return out
}

// WithoutTxnsBefore is the same table without the records of applications that have written nothing since a time in milliseconds.
func (s *Snapshot) WithoutTxnsBefore(at int64) *Snapshot {
	c := *s
	c.txns = maps.Clone(s.txns)
	maps.DeleteFunc(c.txns, func(_ string, t *SetTransaction) bool { return t.LastUpdated != nil && *t.LastUpdated < at })
	return &c
}

// Domains are the metadata domains by name, without tombstones.
func (s *Snapshot) Domains() []*DomainMetadata {
	var out []*DomainMetadata
	for _, name := range slices.Sorted(maps.Keys(s.domains)) {
		if d := s.domains[name]; !d.Removed {
			out = append(out, d)
		}
	}
	return out
}

// Property is a table property, or the default where the table does not set it.
func (s *Snapshot) Property(key, fallback string) string {
	if s.Metadata != nil {
		if v, ok := s.Metadata.Configuration[key]; ok {
			return v
		}
	}
	return fallback
}

// IntProperty is a table property that is a number.
func (s *Snapshot) IntProperty(key string, fallback int64) int64 {
	if n, err := strconv.ParseInt(strings.TrimSpace(s.Property(key, "")), 10, 64); err == nil {
		return n
	}
	return fallback
}

// BoolProperty is a table property that is true or false.
func (s *Snapshot) BoolProperty(key string) bool {
	return strings.EqualFold(s.Property(key, "false"), "true")
}

// FieldMetadata is a member of a field's metadata: a JSON value, or nil.
func FieldMetadata(f types.Field, key string) json.RawMessage {
	if f.Metadata == "" {
		return nil
	}
	var m map[string]json.RawMessage
	if json.Unmarshal([]byte(f.Metadata), &m) != nil {
		return nil
	}
	return m[key]
}

// PhysicalName is a field's name in data files, statistics and partition values.
func PhysicalName(f types.Field) string {
	var name string
	if json.Unmarshal(FieldMetadata(f, "delta.columnMapping.physicalName"), &name) == nil && name != "" {
		return name
	}
	return f.Name
}

// FieldID is a field's identifier in data files under column mapping, or 0.
func FieldID(f types.Field) int32 {
	var id int32
	_ = json.Unmarshal(FieldMetadata(f, "delta.columnMapping.id"), &id)
	return id
}

// MappingMode is the table's column mapping: none, name or id.
func (s *Snapshot) MappingMode() string { return s.Property("delta.columnMapping.mode", "none") }

// InCommitTimestamps reports whether the commits of the table carry their own times.
func (s *Snapshot) InCommitTimestamps() bool { return s.BoolProperty("delta.enableInCommitTimestamps") }

// CatalogManaged reports whether a catalog decides which commits are versions of the table.
func (s *Snapshot) CatalogManaged() bool {
	return s.Protocol.Supports("catalogManaged") || s.Protocol.Supports("catalogOwned-preview")
}
