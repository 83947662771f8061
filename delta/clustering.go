package delta

import (
	"encoding/json"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// ClusteringDomain is the metadata domain that holds the columns by which a table is clustered.
const ClusteringDomain = "delta.clustering"

// maxClusteringColumns is how many columns a table may be clustered by.
const maxClusteringColumns = 4

// Domain is the state of a metadata domain, or nil where the table has none or it was removed.
func (s *Snapshot) Domain(name string) *DomainMetadata {
	if d := s.domains[name]; d != nil && !d.Removed {
		return d
	}
	return nil
}

// ClusteringColumns are the columns by which the table is clustered, by their logical names with points between parts.
func (s *Snapshot) ClusteringColumns() []string {
	var out []string
	for _, path := range s.ClusteringPaths() {
		out = append(out, strings.Join(s.logicalPath(path), "."))
	}
	return out
}

// ClusteringPaths are the physical paths of the columns by which the table is clustered.
func (s *Snapshot) ClusteringPaths() [][]string {
	d := s.Domain(ClusteringDomain)
	if d == nil {
		return nil
	}
	var state struct{ ClusteringColumns [][]string }
	_ = json.Unmarshal([]byte(d.Configuration), &state)
	return state.ClusteringColumns
}

func (s *Snapshot) logicalPath(physical []string) []string {
	t := s.Schema()
	out := make([]string, 0, len(physical))
	for _, name := range physical {
		found := name
		var inner *types.Type
		if t != nil {
			for _, f := range t.Fields {
				if PhysicalName(f) == name {
					found, inner = f.Name, f.Type
				}
			}
		}
		out, t = append(out, found), inner
	}
	return out
}

// Clustering is the domain's state for columns of a schema, named by their logical paths; none stands for no clustering.
func Clustering(schema *types.Type, m *Metadata, columns [][]string) (*DomainMetadata, error) {
	if len(columns) > maxClusteringColumns {
		return nil, errs.New("DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS", "numColumnsLimit", itoa(maxClusteringColumns), "actualNumColumns", itoa(int64(len(columns))))
	}
	paths := [][]string{}
	for _, path := range columns {
		f, _, ok := FindField(schema, path)
		if !ok {
			return nil, errs.New("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "columnName", strings.Join(path, "."), "tableSchema", TreeString(schema))
		}
		if !HasBounds(f.Type) {
			return nil, errs.New("DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED", "columnsWithDataTypes", strings.Join(path, ".")+" : "+f.Type.SQL())
		}
		physical, err := physicalPath(schema, path)
		if err != nil {
			return nil, err
		}
		if !m.hasStats(schema, physical) {
			return nil, errs.New("DELTA_CLUSTERING_COLUMN_MISSING_STATS", "columns", strings.Join(path, "."), "schema", TreeString(schema))
		}
		paths = append(paths, physical)
	}
	text, err := compact(struct {
		Columns [][]string `json:"clusteringColumns"`
		Domain  string     `json:"domainName"`
	}{paths, ClusteringDomain})
	return &DomainMetadata{Domain: ClusteringDomain, Configuration: string(text)}, err
}

// hasStats reports whether the table keeps statistics of a column.
func (m *Metadata) hasStats(schema *types.Type, physical []string) bool {
	name := strings.Join(physical, ".")
	if paths, _ := m.StatsColumns(schema); paths != nil {
		for _, p := range paths {
			if p == name || strings.HasPrefix(name, p+".") {
				return true
			}
		}
		return false
	}
	limit := (&Snapshot{Metadata: m}).IntProperty("delta.dataSkippingNumIndexedCols", 32)
	n := int64(0)
	for _, l := range Leaves(schema) {
		if len(l.Path) > 0 && containsFold(m.PartitionColumns, l.Path[0]) {
			continue
		}
		if strings.Join(l.Physical, ".") == name {
			return limit < 0 || n < limit
		}
		n++
	}
	return false
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}
