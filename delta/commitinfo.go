package delta

import (
	"encoding/json"
	"strings"
)

// Param is an operation's parameter. Delta keeps each as a JSON value; lists and maps are JSON texts inside a string.
type Param struct {
	Name  string
	Value any
}

// Info starts a commit's info: the operation by Delta's name, and its parameters in order.
func Info(operation string, params ...Param) CommitInfo {
	c := CommitInfo{Operation: operation, OperationParameters: map[string]json.RawMessage{}}
	for _, p := range params {
		text, err := compact(p.Value)
		if err != nil {
			text = []byte("null")
		}
		c.OperationParameters[p.Name] = text
		c.ParameterOrder = append(c.ParameterOrder, p.Name)
	}
	return c
}

// jsonText is a value's JSON, to be kept in a string.
func jsonText(v any) string {
	text, _ := compact(v)
	return string(text)
}

func list(names []string) string {
	if names == nil {
		names = []string{}
	}
	return jsonText(names)
}

// WriteParams are what WriteInfo shows of a write.
type WriteParams struct {
	Mode            string // Append, Overwrite, ErrorIfExists, Ignore
	PartitionBy     []string
	Predicate       string // replaceWhere
	Dynamic         bool   // dynamic partition overwrite
	OverwriteSchema bool
	MergeSchema     bool
	ReplaceOn       string // replaceOn
	ReplaceUsing    string // replaceUsing
}

// WriteInfo is the info of df.write and INSERT.
func WriteInfo(w WriteParams) CommitInfo {
	params := []Param{{"mode", w.Mode}, {"partitionBy", list(w.PartitionBy)}}
	if w.Predicate != "" {
		params = append(params, Param{"predicate", w.Predicate})
	}
	if w.Dynamic {
		params = append(params, Param{"isDynamicPartitionOverwrite", true})
	}
	if w.OverwriteSchema {
		params = append(params, Param{"canOverwriteSchema", true})
	}
	if w.MergeSchema {
		params = append(params, Param{"canMergeSchema", true})
	}
	if w.ReplaceOn != "" {
		params = append(params, Param{"replaceOnCond", w.ReplaceOn})
	}
	if w.ReplaceUsing != "" {
		params = append(params, Param{"replaceUsingCols", "(" + w.ReplaceUsing + ")"})
	}
	return Info("WRITE", params...)
}

// CreateInfo is the info of CREATE TABLE, REPLACE TABLE and CREATE OR REPLACE TABLE; with AS SELECT in the name where a
// query fills the table.
func CreateInfo(replace, orCreate, asSelect, managed bool, m *Metadata, clusterBy []string) CommitInfo {
	name := "CREATE TABLE"
	switch {
	case replace && orCreate:
		name = "CREATE OR REPLACE TABLE"
	case replace:
		name = "REPLACE TABLE"
	}
	if asSelect {
		name += " AS SELECT"
	}
	var description any
	if m.Description != "" {
		description = m.Description
	}
	properties := m.Configuration
	if properties == nil {
		properties = map[string]string{}
	}
	isManaged := "false"
	if managed {
		isManaged = "true"
	}
	return Info(name, Param{"partitionBy", list(m.PartitionColumns)}, Param{"clusterBy", list(clusterBy)}, Param{"description", description},
		Param{"isManaged", isManaged}, Param{"properties", jsonText(properties)})
}

// SetPropertiesInfo is the info of ALTER TABLE … SET TBLPROPERTIES.
func SetPropertiesInfo(properties map[string]string) CommitInfo {
	return Info("SET TBLPROPERTIES", Param{"properties", jsonText(properties)})
}

// StreamingInfo is the info of a micro-batch.
func StreamingInfo(outputMode, queryID string, epoch int64) CommitInfo {
	return Info("STREAMING UPDATE", Param{"outputMode", outputMode}, Param{"queryId", queryID}, Param{"epochId", itoa(epoch)})
}

// RestoreInfo is the info of RESTORE; one of version and timestamp is given.
func RestoreInfo(version *int64, timestamp string) CommitInfo {
	var v, t any
	if version != nil {
		v = *version
	} else {
		t = timestamp
	}
	return Info("RESTORE", Param{"version", v}, Param{"timestamp", t})
}

// Metrics are operation metrics from pairs of name and number.
func Metrics(pairs ...any) map[string]string {
	m := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		switch n := pairs[i+1].(type) {
		case int64:
			m[name] = itoa(n)
		case int:
			m[name] = itoa(int64(n))
		}
	}
	return m
}

// HistoryEntry is a row of DESCRIBE HISTORY, in the order of its columns. Members that are nil are null.
type HistoryEntry struct {
	Version             int64
	Timestamp           int64 // milliseconds
	UserID, UserName    *string
	Operation           *string
	OperationParameters map[string]*string // nil: null
	Job                 map[string]string  // members of the struct job by name, or nil
	NotebookID          *string
	ClusterID           *string
	ReadVersion         *int64
	IsolationLevel      *string
	IsBlindAppend       *bool
	OperationMetrics    map[string]string
	UserMetadata        *string
	EngineInfo          *string
}

// HistorySchema is the schema of DESCRIBE HISTORY as Spark's DDL writes it.
const HistorySchema = "version BIGINT, timestamp TIMESTAMP, userId STRING, userName STRING, operation STRING, operationParameters MAP<STRING, STRING>, " +
	"job STRUCT<jobId: STRING, jobName: STRING, jobRunId: STRING, runId: STRING, jobOwnerId: STRING, triggerType: STRING>, " +
	"notebook STRUCT<notebookId: STRING>, clusterId STRING, readVersion BIGINT, isolationLevel STRING, isBlindAppend BOOLEAN, " +
	"operationMetrics MAP<STRING, STRING>, userMetadata STRING, engineInfo STRING"

// History is the row of a commit; actions may hold no commitInfo.
func History(version, timestamp int64, actions []Action) HistoryEntry {
	h := HistoryEntry{Version: version, Timestamp: timestamp}
	var c *CommitInfo
	for i := range actions {
		if c = actions[i].CommitInfo; c != nil {
			break
		}
	}
	if c == nil {
		return h
	}
	if c.InCommitTimestamp != nil {
		h.Timestamp = *c.InCommitTimestamp
	}
	h.UserID, h.UserName, h.Operation = known(c.UserID), known(c.UserName), known(c.Operation)
	h.ReadVersion, h.IsolationLevel, h.IsBlindAppend = c.ReadVersion, known(c.IsolationLevel), c.IsBlindAppend
	h.OperationMetrics, h.UserMetadata, h.EngineInfo = c.OperationMetrics, known(c.UserMetadata), known(c.EngineInfo)
	if c.OperationParameters != nil {
		h.OperationParameters = make(map[string]*string, len(c.OperationParameters))
		for k, v := range c.OperationParameters {
			h.OperationParameters[k] = textOrNil(v)
		}
	}
	h.Job = textMap(c.Other["job"])
	if id, ok := textMap(c.Other["notebook"])["notebookId"]; ok {
		h.NotebookID = &id
	}
	if raw := c.Other["clusterId"]; raw != nil {
		h.ClusterID = known(Text(raw))
	}
	return h
}

func textOrNil(raw json.RawMessage) *string {
	if string(raw) == "null" {
		return nil
	}
	s := Text(raw)
	return &s
}

func known(s string) *string {
	if s == "" || strings.EqualFold(s, "null") {
		return nil
	}
	return &s
}
