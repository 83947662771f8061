package delta

import (
	"encoding/json"
	"slices"
)

// WithMetadata is the same table under other metadata.
func (s *Snapshot) WithMetadata(m *Metadata) (*Snapshot, error) {
	if m == s.Metadata {
		return s, nil
	}
	schema, err := ParseSchema(m.SchemaString)
	if err != nil {
		return nil, err
	}
	c := *s
	c.Metadata, c.schema = m, schema
	return &c, nil
}

// WithRows is a file's action under a deletion vector that names more rows than before: its statistics still count all rows of the file, and its
// bounds may be too wide. records is the number of rows in the file, for files without statistics.
func (a *Add) WithRows(dv *DeletionVector, records int64) *Add {
	c := *a
	c.DeletionVector, c.DataChange = dv, true
	c.Stats = looseStats(a.Stats, records)
	return &c
}

// statsOrder is the order of members in which Delta writes statistics.
var statsOrder = []string{"numRecords", "minValues", "maxValues", "nullCount", "tightBounds"}

func looseStats(text string, records int64) string {
	all := map[string]json.RawMessage{}
	if text != "" && json.Unmarshal([]byte(text), &all) != nil {
		all = map[string]json.RawMessage{}
	}
	if _, ok := ReadStats(text).Records(); !ok {
		all["numRecords"] = json.RawMessage(itoa(records))
	}
	all["tightBounds"] = json.RawMessage("false")
	names := slices.Clone(statsOrder)
	var others []string
	for name := range all {
		if !slices.Contains(names, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	b := []byte{'{'}
	for _, name := range append(names, others...) {
		if v, ok := all[name]; ok {
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = append(append(AppendJSONString(b, name), ':'), v...)
		}
	}
	return string(append(b, '}'))
}
