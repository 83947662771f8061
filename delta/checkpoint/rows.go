package checkpoint

import (
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"millrace/delta"
	"millrace/types"
)

// table assembles actions from the columns of one row group.
type table struct {
	columns map[string]*column
	all     []*column

	texts  arena
	slab   []delta.Add                      // for the next files
	shared map[string]delta.PartitionValues // partition values that many files have
	key    []byte

	add, remove         file
	metaID, metaName    *column
	metaDescription     *column
	provider, schema    *column
	options, properties pairs
	partitions, created *column
	minReader           *column
	minWriter           *column
	readers, writers    *column
	appID, appVersion   *column
	appUpdated          *column
	domain, domainText  *column
	domainRemoved       *column
	v2Version           *column
	sidecar, sidecarLen *column
	sidecarTime         *column
}

// file are the columns that add and remove share, and those of each.
type file struct {
	path, size, modified, change, stats *column
	deleted, extended, provider         *column
	baseRow, rowVersion                 *column
	values, tags                        pairs
	dvType, dvPath, dvOffset            *column
	dvSize, dvRows, dvMax               *column
	parsed                              *parsedStats
}

// pairs are the two columns of a map.
type pairs struct{ key, value *column }

func (t *table) close() {
	for _, c := range t.columns {
		c.close()
	}
}

func (t *table) next() error {
	for _, c := range t.all {
		if err := c.next(); err != nil {
			return err
		}
	}
	return nil
}

// list finds the only leaf below a list, whatever the writer called the levels between.
func (t *table) list(name string) *column {
	for n, c := range t.columns {
		if strings.HasPrefix(n, name+".") {
			return c
		}
	}
	return nil
}

func (t *table) pairs(name string) (p pairs) {
	for n, c := range t.columns {
		if strings.HasPrefix(n, name+".") {
			switch n[strings.LastIndexByte(n, '.')+1:] {
			case "key":
				p.key = c
			case "value":
				p.value = c
			}
		}
	}
	return p
}

func (t *table) file(name string) file {
	c := func(member string) *column { return t.columns[name+"."+member] }
	return file{path: c("path"), size: c("size"), modified: c("modificationTime"), change: c("dataChange"), stats: c("stats"),
		deleted: c("deletionTimestamp"), extended: c("extendedFileMetadata"), provider: c("clusteringProvider"),
		baseRow: c("baseRowId"), rowVersion: c("defaultRowCommitVersion"),
		values: t.pairs(name + ".partitionValues"), tags: t.pairs(name + ".tags"),
		dvType: c("deletionVector.storageType"), dvPath: c("deletionVector.pathOrInlineDv"), dvOffset: c("deletionVector.offset"),
		dvSize: c("deletionVector.sizeInBytes"), dvRows: c("deletionVector.cardinality"), dvMax: c("deletionVector.maxRowIndex"),
		parsed: newParsedStats(t.columns, name+".stats_parsed.")}
}

func (t *table) find() {
	c := t.columns
	t.add, t.remove = t.file("add"), t.file("remove")
	t.metaID, t.metaName, t.metaDescription = c["metaData.id"], c["metaData.name"], c["metaData.description"]
	t.provider, t.options = c["metaData.format.provider"], t.pairs("metaData.format.options")
	t.schema, t.properties = c["metaData.schemaString"], t.pairs("metaData.configuration")
	t.partitions, t.created = t.list("metaData.partitionColumns"), c["metaData.createdTime"]
	t.minReader, t.minWriter = c["protocol.minReaderVersion"], c["protocol.minWriterVersion"]
	t.readers, t.writers = t.list("protocol.readerFeatures"), t.list("protocol.writerFeatures")
	t.appID, t.appVersion, t.appUpdated = c["txn.appId"], c["txn.version"], c["txn.lastUpdated"]
	t.domain, t.domainText, t.domainRemoved = c["domainMetadata.domain"], c["domainMetadata.configuration"], c["domainMetadata.removed"]
	t.v2Version = c["checkpointMetadata.version"]
	t.sidecar, t.sidecarLen, t.sidecarTime = c["sidecar.path"], c["sidecar.sizeInBytes"], c["sidecar.modificationTime"]
	for _, col := range t.columns {
		t.all = append(t.all, col)
	}
}

func (t *table) action() (a delta.Action) {
	switch {
	case t.add.path.there():
		a.Add = t.toAdd()
	case t.remove.path.there():
		a.Remove = t.remove.toRemove()
	case t.metaID.there() || t.schema.there():
		a.Metadata = &delta.Metadata{ID: t.metaID.text(), Name: t.metaName.text(), Description: t.metaDescription.text(),
			Format:       delta.Format{Provider: t.provider.text(), Options: t.options.texts()},
			SchemaString: t.schema.text(), PartitionColumns: notNil(t.partitions.list()),
			Configuration: t.properties.texts(), CreatedTime: t.created.longPtr()}
	case t.minReader.there():
		a.Protocol = &delta.Protocol{MinReaderVersion: int(t.minReader.long()), MinWriterVersion: int(t.minWriter.long()),
			ReaderFeatures: t.readers.list(), WriterFeatures: t.writers.list()}
	case t.appID.there():
		a.Txn = &delta.SetTransaction{AppID: t.appID.text(), Version: t.appVersion.long(), LastUpdated: t.appUpdated.longPtr()}
	case t.domain.there():
		a.Domain = &delta.DomainMetadata{Domain: t.domain.text(), Configuration: t.domainText.text(), Removed: t.domainRemoved.flag()}
	case t.sidecar.there():
		a.Sidecar = &delta.Sidecar{Path: t.sidecar.text(), SizeInBytes: t.sidecarLen.long(), ModificationTime: t.sidecarTime.long()}
	case t.v2Version.there():
		a.CheckpointMetadata = &delta.CheckpointMetadata{Version: t.v2Version.long()}
	}
	return a
}

func notNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// texts is the row's map; never nil, for the maps of metadata are never null.
func (p pairs) texts() map[string]string {
	m := map[string]string{}
	for k, v := range p.nullable() {
		if v != nil {
			m[k] = *v
		}
	}
	return m
}

// nullable is the row's map with nulls; nil when the map is null.
func (p pairs) nullable() map[string]*string {
	if p.key == nil || len(p.key.row) == 0 || p.key.row[0].DefinitionLevel() < p.key.container() {
		return nil
	}
	m := make(map[string]*string, len(p.key.row))
	for i, k := range p.key.row {
		if k.DefinitionLevel() != p.key.depth {
			continue
		}
		var value *string
		if p.value != nil && i < len(p.value.row) && p.value.row[i].DefinitionLevel() == p.value.depth {
			s := string(p.value.row[i].ByteArray())
			value = &s
		}
		m[string(k.ByteArray())] = value
	}
	return m
}

// toAdd makes the action of a row that adds a file.
func (t *table) toAdd() *delta.Add {
	f := &t.add
	if len(t.slab) == 0 {
		t.slab = make([]delta.Add, 256)
	}
	a := &t.slab[0]
	t.slab = t.slab[1:]
	*a = delta.Add{Path: t.texts.text(f.path.bytes()), PartitionValues: t.partition(f.values), Size: f.size.long(),
		ModificationTime: f.modified.long(), DataChange: f.change.flag(), Stats: t.texts.text(f.stats.bytes()), Tags: optional(f.tags),
		DeletionVector: f.vector(), BaseRowID: f.baseRow.longPtr(), DefaultRowCommitVersion: f.rowVersion.longPtr(),
		ClusteringProvider: f.provider.text()}
	if a.Stats == "" && f.parsed != nil {
		a.Stats = f.parsed.json()
	}
	return a
}

// partition is the row's partition values; files of the same partition share them.
func (t *table) partition(p pairs) delta.PartitionValues {
	if p.key == nil {
		return noPartition
	}
	t.key = t.key[:0]
	for i, k := range p.key.row {
		if k.DefinitionLevel() != p.key.depth {
			continue
		}
		t.key = append(append(t.key, k.ByteArray()...), 0)
		if p.value != nil && i < len(p.value.row) && p.value.row[i].DefinitionLevel() == p.value.depth {
			t.key = append(append(t.key, 1), p.value.row[i].ByteArray()...)
		}
		t.key = append(t.key, 0)
	}
	if v, ok := t.shared[string(t.key)]; ok {
		return v
	}
	v := delta.PartitionValues(p.nullable())
	if v == nil {
		v = noPartition
	}
	if t.shared == nil || len(t.shared) > 1<<16 {
		t.shared = map[string]delta.PartitionValues{}
	}
	t.shared[string(t.key)] = v
	return v
}

var noPartition = delta.PartitionValues{}

func optional(p pairs) map[string]string {
	if m := p.texts(); len(m) > 0 {
		return m
	}
	return nil
}

func (f *file) toRemove() *delta.Remove {
	return &delta.Remove{Path: f.path.text(), DeletionTimestamp: f.deleted.long(), DataChange: f.change.flag(),
		ExtendedFileMetadata: f.extended.flag(), PartitionValues: f.values.nullable(), Size: f.size.long(),
		Tags: optional(f.tags), DeletionVector: f.vector(), BaseRowID: f.baseRow.longPtr(),
		DefaultRowCommitVersion: f.rowVersion.longPtr()}
}

func (f *file) vector() *delta.DeletionVector {
	if !f.dvType.there() {
		return nil
	}
	dv := &delta.DeletionVector{StorageType: f.dvType.text(), PathOrInlineDV: f.dvPath.text(),
		SizeInBytes: int32(f.dvSize.long()), Cardinality: f.dvRows.long(), MaxRowIndex: f.dvMax.longPtr()}
	if f.dvOffset.there() {
		offset := int32(f.dvOffset.long())
		dv.Offset = &offset
	}
	return dv
}

// parsedStats turns statistics that are kept as columns back into Delta's JSON.
type parsedStats struct {
	name   string
	leaf   *column
	member []*parsedStats
}

func newParsedStats(columns map[string]*column, prefix string) *parsedStats {
	root := &parsedStats{}
	var names []string
	for n := range columns {
		if strings.HasPrefix(n, prefix) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		root.insert(columns[n].path[2:], columns[n]) // names may have points
	}
	if len(root.member) == 0 {
		return nil
	}
	return root
}

func (p *parsedStats) insert(path []string, c *column) {
	for _, name := range path {
		i := slices.IndexFunc(p.member, func(m *parsedStats) bool { return m.name == name })
		if i < 0 {
			p.member = append(p.member, &parsedStats{name: name})
			i = len(p.member) - 1
		}
		p = p.member[i]
	}
	p.leaf = c
}

func (p *parsedStats) json() string {
	var b []byte
	if b = p.append(b); len(b) == 0 {
		return ""
	}
	return string(b)
}

// append writes the object, or nothing when no member is there.
func (p *parsedStats) append(b []byte) []byte {
	start := len(b)
	for _, m := range p.member {
		comma := len(b)
		b = append(b, ',')
		b = append(delta.AppendJSONString(b, m.name), ':')
		body := len(b)
		if m.leaf != nil {
			b = appendValue(b, m.leaf)
		} else {
			b = m.append(b)
		}
		if len(b) == body {
			b = b[:comma]
		}
	}
	if len(b) > start {
		b[start] = '{'
		b = append(b, '}')
	}
	return b
}

// appendValue writes a value as Delta's JSON statistics write it, or nothing for null.
func appendValue(b []byte, c *column) []byte {
	if !c.there() || c.leaf.MaxRepetitionLevel > 0 {
		return b
	}
	v := c.row[0]
	lt := c.leaf.Node.Type().LogicalType()
	switch v.Kind() {
	case parquet.Boolean:
		return delta.AppendStat(b, nil, v.Boolean())
	case parquet.Int32, parquet.Int64:
		n := v.Int64()
		if v.Kind() == parquet.Int32 {
			n = int64(v.Int32())
		}
		return delta.AppendStat(b, statType(lt), n)
	case parquet.Float:
		return delta.AppendStat(b, nil, float64(v.Float()))
	case parquet.Double:
		return delta.AppendStat(b, nil, v.Double())
	case parquet.ByteArray, parquet.FixedLenByteArray:
		if t := statType(lt); t != nil && t.Kind == types.KindDecimal {
			return delta.AppendStat(b, t, delta.DecimalFromBytes(v.ByteArray(), t.Scale))
		}
		return delta.AppendStat(b, nil, string(v.ByteArray()))
	}
	return b
}
