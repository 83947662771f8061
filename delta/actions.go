package delta

import (
	"encoding/json"
	"maps"
)

// Action is one line of a commit or one row of a checkpoint: exactly one field is set, or none when the line holds
// only actions that this program does not know.
type Action struct {
	Add                *Add                `json:"add,omitempty"`
	Remove             *Remove             `json:"remove,omitempty"`
	Metadata           *Metadata           `json:"metaData,omitempty"`
	Protocol           *Protocol           `json:"protocol,omitempty"`
	Txn                *SetTransaction     `json:"txn,omitempty"`
	CommitInfo         *CommitInfo         `json:"commitInfo,omitempty"`
	CDC                *AddCDC             `json:"cdc,omitempty"`
	Domain             *DomainMetadata     `json:"domainMetadata,omitempty"`
	CheckpointMetadata *CheckpointMetadata `json:"checkpointMetadata,omitempty"`
	Sidecar            *Sidecar            `json:"sidecar,omitempty"`
}

// PartitionValues maps each partition column's physical name to its value's text; nil is null.
type PartitionValues map[string]*string

// Add puts a data file into the table. Path is percent-encoded, relative to the table or absolute.
type Add struct {
	Path                    string            `json:"path"`
	PartitionValues         PartitionValues   `json:"partitionValues"`
	Size                    int64             `json:"size"`
	ModificationTime        int64             `json:"modificationTime"`
	DataChange              bool              `json:"dataChange"`
	Stats                   string            `json:"stats,omitempty"`
	Tags                    map[string]string `json:"tags,omitempty"`
	DeletionVector          *DeletionVector   `json:"deletionVector,omitempty"`
	BaseRowID               *int64            `json:"baseRowId,omitempty"`
	DefaultRowCommitVersion *int64            `json:"defaultRowCommitVersion,omitempty"`
	ClusteringProvider      string            `json:"clusteringProvider,omitempty"`
}

// Remove takes a data file out of the table; until its retention is over it is kept as a tombstone.
type Remove struct {
	Path                    string            `json:"path"`
	DeletionTimestamp       int64             `json:"deletionTimestamp,omitempty"`
	DataChange              bool              `json:"dataChange"`
	ExtendedFileMetadata    bool              `json:"extendedFileMetadata,omitempty"`
	PartitionValues         PartitionValues   `json:"partitionValues,omitempty"`
	Size                    int64             `json:"size,omitempty"`
	Stats                   string            `json:"stats,omitempty"`
	Tags                    map[string]string `json:"tags,omitempty"`
	DeletionVector          *DeletionVector   `json:"deletionVector,omitempty"`
	BaseRowID               *int64            `json:"baseRowId,omitempty"`
	DefaultRowCommitVersion *int64            `json:"defaultRowCommitVersion,omitempty"`
}

// Remove is the action that takes the file out again at a time in milliseconds.
func (a *Add) Remove(at int64, dataChange bool) *Remove {
	values := a.PartitionValues
	if values == nil {
		values = PartitionValues{}
	}
	return &Remove{Path: a.Path, DeletionTimestamp: at, DataChange: dataChange, ExtendedFileMetadata: true,
		PartitionValues: values, Size: a.Size, Tags: a.Tags, DeletionVector: a.DeletionVector, BaseRowID: a.BaseRowID,
		DefaultRowCommitVersion: a.DefaultRowCommitVersion}
}

// Metadata is the table's identity, schema and configuration.
type Metadata struct {
	ID               string            `json:"id"`
	Name             string            `json:"name,omitempty"`
	Description      string            `json:"description,omitempty"`
	Format           Format            `json:"format"`
	SchemaString     string            `json:"schemaString"`
	PartitionColumns []string          `json:"partitionColumns"`
	Configuration    map[string]string `json:"configuration"`
	CreatedTime      *int64            `json:"createdTime,omitempty"`
}

// Clone is a copy whose parts may be changed.
func (m *Metadata) Clone() *Metadata {
	c := *m
	c.PartitionColumns = append([]string{}, m.PartitionColumns...)
	c.Configuration = maps.Clone(m.Configuration)
	if c.Configuration == nil {
		c.Configuration = map[string]string{}
	}
	return &c
}

// Format is the data files' format; the provider is always parquet.
type Format struct {
	Provider string            `json:"provider"`
	Options  map[string]string `json:"options"`
}

// SetTransaction records how far an application got: a version it wrote before is not written again.
type SetTransaction struct {
	AppID       string `json:"appId"`
	Version     int64  `json:"version"`
	LastUpdated *int64 `json:"lastUpdated,omitempty"`
}

// AddCDC is a file of row-level changes under _change_data; it takes no part in the table's state.
type AddCDC struct {
	Path            string            `json:"path"`
	PartitionValues PartitionValues   `json:"partitionValues"`
	Size            int64             `json:"size"`
	DataChange      bool              `json:"dataChange"`
	Tags            map[string]string `json:"tags,omitempty"`
}

// DomainMetadata is the state of a named domain; a removed one is a tombstone.
type DomainMetadata struct {
	Domain        string `json:"domain"`
	Configuration string `json:"configuration"`
	Removed       bool   `json:"removed"`
}

// CheckpointMetadata opens a checkpoint of the V2 form.
type CheckpointMetadata struct {
	Version int64             `json:"version"`
	Tags    map[string]string `json:"tags,omitempty"`
}

// Sidecar is a file of _delta_log/_sidecars that holds adds and removes of a V2 checkpoint.
type Sidecar struct {
	Path             string            `json:"path"`
	SizeInBytes      int64             `json:"sizeInBytes"`
	ModificationTime int64             `json:"modificationTime"`
	Tags             map[string]string `json:"tags,omitempty"`
}

// CommitInfo says who did what in a commit. It is free-form; Other keeps the members that have no field here.
type CommitInfo struct {
	InCommitTimestamp   *int64                     `json:"inCommitTimestamp,omitempty"` // first, as Delta writes it
	Timestamp           int64                      `json:"timestamp"`
	UserID              string                     `json:"userId,omitempty"`
	UserName            string                     `json:"userName,omitempty"`
	Operation           string                     `json:"operation"`
	OperationParameters map[string]json.RawMessage `json:"-"`
	ParameterOrder      []string                   `json:"-"` // names in the order written; others follow by name
	ReadVersion         *int64                     `json:"readVersion,omitempty"`
	IsolationLevel      string                     `json:"isolationLevel,omitempty"`
	IsBlindAppend       *bool                      `json:"isBlindAppend,omitempty"`
	OperationMetrics    map[string]string          `json:"operationMetrics"`
	UserMetadata        string                     `json:"userMetadata,omitempty"`
	Tags                map[string]string          `json:"tags,omitempty"`
	EngineInfo          string                     `json:"engineInfo,omitempty"`
	TxnID               string                     `json:"txnId,omitempty"`
	Group               []GroupMember              `json:"groupCommit,omitempty"`
	Other               map[string]json.RawMessage `json:"-"`
}

// GroupMember is the part of one of several blind appends that were written as one version.
type GroupMember struct {
	TxnID            string            `json:"txnId"`
	Operation        string            `json:"operation"`
	OperationMetrics map[string]string `json:"operationMetrics,omitempty"`
	UserMetadata     string            `json:"userMetadata,omitempty"`
	UserName         string            `json:"userName,omitempty"`
}

// HasTxnID reports whether the commit is, or contains, the transaction of that identifier.
func (c *CommitInfo) HasTxnID(id string) bool {
	if c == nil || id == "" {
		return false
	}
	for _, m := range c.Group {
		if m.TxnID == id {
			return true
		}
	}
	return c.TxnID == id
}
