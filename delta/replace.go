package delta

// keptProperties stay when a table is replaced, unless the new one sets them: how its files and checkpoints are made.
var keptProperties = []string{"delta.checkpointPolicy", "delta.enableDeletionVectors", "delta.enableRowTracking", RowIDColumn, RowCommitColumn}

// replaced is what a table's metadata begins with that takes the place of this version.
func (s *Snapshot) replaced() *Metadata {
	m := s.Metadata.Clone()
	m.Name, m.Description, m.Configuration = "", "", map[string]string{}
	kept := keptProperties
	if s.Protocol.Supports("catalogManaged") { // which asks for them
		kept = append(kept[:len(kept):len(kept)], "delta.enableInCommitTimestamps", "delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp")
	}
	for _, key := range kept {
		if v, ok := s.Metadata.Configuration[key]; ok {
			m.Configuration[key] = v
		}
	}
	return m
}

// CompleteReplaced is Complete of the metadata of a table that takes the place of another one. It keeps that one's protocol, and its columns get
// numbers that the other one has never given.
func (m *Metadata) CompleteReplaced(old *Metadata, base *Protocol) (*Protocol, error) {
	if err := m.mapForIceberg(true); err != nil {
		return nil, err
	}
	mode := m.Configuration[mappingMode]
	delete(m.Configuration, maxColumnID)
	if last := old.Configuration[maxColumnID]; last != "" && mode != "" && mode != "none" {
		m.Configuration[maxColumnID] = last
	}
	return m.Complete(&Metadata{Configuration: map[string]string{mappingMode: mode}, PartitionColumns: old.PartitionColumns}, base)
}
