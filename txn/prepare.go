package txn

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"millrace/delta"
	"millrace/errs"
)

const rowTrackingDomain = "delta.rowTracking"

// prepare makes the actions of the version after snap: the commit's info, then the table's metadata and protocol, then the
// batch's own actions.
func (c *Committer) prepare(snap *delta.Snapshot, batch []*job) ([]delta.Action, error) {
	now := c.opt.Now().UnixMilli()
	var metadata *delta.Metadata
	var protocol *delta.Protocol
	var rest []delta.Action
	for _, j := range batch {
		for _, a := range j.rebased.Actions {
			switch {
			case a.Metadata != nil:
				metadata = a.Metadata.Clone()
			case a.Protocol != nil:
				protocol = a.Protocol
			case a.CDC != nil || a.Add != nil || a.Remove != nil || a.Txn != nil || a.Domain != nil:
				rest = append(rest, a)
			}
		}
		if j.AppID != "" && !slices.ContainsFunc(j.Actions, func(a delta.Action) bool { return a.Txn != nil && a.Txn.AppID == j.AppID }) {
			rest = append(rest, delta.Action{Txn: &delta.SetTransaction{AppID: j.AppID, Version: j.AppVersion, LastUpdated: &now}})
		}
	}
	metadata, protocol, err := c.shape(snap, metadata, protocol, now, writesRows(rest))
	if err != nil {
		return nil, err
	}
	after := *snap // as the table will be, for the checks
	if metadata != nil {
		after.Metadata = metadata
	}
	if protocol != nil {
		after.Protocol = protocol
	}
	if !batch[0].undo {
		if err := checkAppendOnly(&after, rest); err != nil {
			return nil, err
		}
	}
	info := c.info(snap, &after, batch, now)
	actions := []delta.Action{{CommitInfo: info}}
	if metadata != nil {
		if info.InCommitTimestamp != nil && snap.Exists() && !snap.InCommitTimestamps() {
			metadata.Configuration["delta.inCommitTimestampEnablementVersion"] = strconv.FormatInt(snap.Version+1, 10)
			metadata.Configuration["delta.inCommitTimestampEnablementTimestamp"] = strconv.FormatInt(*info.InCommitTimestamp, 10)
		}
		actions = append(actions, delta.Action{Metadata: metadata})
	}
	if protocol != nil {
		actions = append(actions, delta.Action{Protocol: protocol})
	}
	return append(actions, trackRows(&after, snap, rest)...), nil
}

// shape completes the metadata and the protocol: those of a new table, and the features that new properties ask for.
func (c *Committer) shape(snap *delta.Snapshot, m *delta.Metadata, p *delta.Protocol, now int64, rows bool) (*delta.Metadata, *delta.Protocol, error) {
	if m == nil && !snap.Exists() {
		return nil, nil, errs.New("DELTA_METADATA_ABSENT")
	}
	effective, schema := m, snap.Schema()
	if m == nil {
		effective = snap.Metadata
	} else {
		var err error
		if schema, err = delta.ParseSchema(m.SchemaString); err != nil {
			return nil, nil, err
		}
		if m.ID == "" {
			m.ID = uuid.NewString()
		}
		if m.CreatedTime == nil {
			m.CreatedTime = &now
		}
		if m.Format.Provider == "" {
			m.Format = delta.Format{Provider: "parquet", Options: map[string]string{}}
		}
		if v := m.Configuration["delta.feature.catalogManaged"]; !snap.Exists() && (v == "supported" || v == "enabled") {
			m.Configuration["delta.enableInCommitTimestamps"] = "true" // files' times say nothing of versions
		}
		for key := range m.Configuration {
			if strings.HasPrefix(key, "delta.feature.") { // an order to the protocol, not a property
				defer delete(m.Configuration, key)
			}
		}
	}
	base := snap.Protocol
	if p != nil {
		base = p
	}
	switch {
	case base == nil:
		p = delta.NewProtocol(m, schema)
	case m != nil:
		if next := base.WithFeatures(delta.RequiredFeatures(m, schema)...); next != base {
			p = next
		}
	}
	final := p
	if final == nil {
		final = snap.Protocol
	}
	if snap.Exists() && !snap.CatalogManaged() && final.Supports("catalogManaged") {
		return nil, nil, errs.Unsupportedf("The table %s cannot become one with the feature catalogManaged: that is decided when it is created.", snap.Table)
	}
	if !rows { // what writers of rows must act upon is no concern of this commit
		return m, p, final.CheckKnown(snap.Table)
	}
	return m, p, final.CheckWrite(snap.Table, effective, schema)
}

// writesRows reports whether one of the actions is a file of rows.
func writesRows(actions []delta.Action) bool {
	return slices.ContainsFunc(actions, func(a delta.Action) bool { return a.Add != nil && a.Add.DataChange || a.CDC != nil })
}

func checkAppendOnly(after *delta.Snapshot, actions []delta.Action) error {
	if !after.BoolProperty("delta.appendOnly") {
		return nil
	}
	for i := range actions {
		if r := actions[i].Remove; r != nil && r.DataChange {
			name := after.Metadata.Name
			if name == "" {
				name = "null"
			}
			return errs.New("DELTA_CANNOT_MODIFY_APPEND_ONLY", "table_name", name, "config", "delta.appendOnly")
		}
	}
	return nil
}

// info is the commitInfo of a batch. That of several transactions adds up their metrics and keeps each one's identifier.
func (c *Committer) info(snap, after *delta.Snapshot, batch []*job, now int64) *delta.CommitInfo {
	first := batch[0]
	info := first.Info
	info.Timestamp = now
	info.EngineInfo = c.opt.Engine
	info.TxnID = first.TxnID
	info.IsolationLevel = string(first.isolation(snap))
	blind := first.BlindAppend()
	info.IsBlindAppend = &blind
	info.ReadVersion = nil
	if first.ReadVersion >= 0 {
		info.ReadVersion = &first.ReadVersion
	}
	if info.OperationMetrics == nil {
		info.OperationMetrics = map[string]string{}
	}
	if after.InCommitTimestamps() {
		ict := now
		if snap.Exists() {
			ict = max(now, snap.Timestamp+1)
		}
		info.InCommitTimestamp = &ict
		info.Timestamp = ict
	}
	if len(batch) > 1 {
		group(&info, snap, batch)
	}
	return &info
}

func group(info *delta.CommitInfo, snap *delta.Snapshot, batch []*job) {
	info.Group = nil
	info.UserMetadata, info.UserName, info.UserID = "", "", ""
	read := snap.Version
	info.ReadVersion = &read
	sum := map[string]int64{}
	for _, j := range batch {
		info.Group = append(info.Group, delta.GroupMember{TxnID: j.TxnID, Operation: j.Info.Operation,
			OperationMetrics: j.Info.OperationMetrics, UserMetadata: j.Info.UserMetadata, UserName: j.Info.UserName})
		if j.Info.Operation != info.Operation {
			info.Operation = "WRITE"
		}
		for k, v := range j.Info.OperationMetrics {
			if n, err := strconv.ParseInt(v, 10, 64); err == nil {
				sum[k] += n
			}
		}
	}
	info.OperationMetrics = map[string]string{}
	for k, n := range sum {
		info.OperationMetrics[k] = strconv.FormatInt(n, 10)
	}
}

// trackRows gives fresh row identifiers to the files of a table that tracks rows.
func trackRows(after, snap *delta.Snapshot, actions []delta.Action) []delta.Action {
	if !after.Protocol.Supports("rowTracking") {
		return actions
	}
	high := int64(-1)
	for _, d := range snap.Domains() {
		var mark struct {
			High *int64 `json:"rowIdHighWaterMark"`
		}
		if d.Domain == rowTrackingDomain && json.Unmarshal([]byte(d.Configuration), &mark) == nil && mark.High != nil {
			high = *mark.High
		}
	}
	version := snap.Version + 1
	start := high
	out := make([]delta.Action, 0, len(actions)+1)
	for _, a := range actions {
		if a.Add != nil && a.Add.BaseRowID == nil {
			n, _ := delta.ReadStats(a.Add.Stats).Records()
			add, base := *a.Add, high+1
			add.BaseRowID, add.DefaultRowCommitVersion = &base, &version
			high += n
			a.Add = &add
		}
		out = append(out, a)
	}
	if high != start {
		out = append(out, delta.Action{Domain: &delta.DomainMetadata{Domain: rowTrackingDomain,
			Configuration: `{"rowIdHighWaterMark":` + strconv.FormatInt(high, 10) + `}`}})
	}
	return out
}

// checkpoint starts what follows a commit in the background: the version's checksum, and a log compaction, or a checkpoint after which the log is cleaned up,
// when the version asks for one. While it runs for one version others do without.
func (c *Committer) checkpoint(q *queue, s *delta.Snapshot, txnID string) {
	if c.opt.NoCheckpoints {
		return
	}
	interval := max(1, s.IntProperty("delta.checkpointInterval", 10))
	due := s.Version > 0 && s.Version%interval == 0
	first := c.compactionFrom(s, interval)
	c.mu.Lock()
	defer c.mu.Unlock()
	if q.checkpointing && !due && first < 0 || q.writing {
		return
	}
	q.checkpointing = true
	q.writing = q.writing || due
	q.behind.Add(1)
	c.busy.Go(func() {
		defer q.behind.Done()
		c.after(q, s, txnID, due, first)
		c.mu.Lock()
		defer c.mu.Unlock()
		q.checkpointing = false
		if due {
			q.writing = false
		}
	})
}

func (c *Committer) after(q *queue, s *delta.Snapshot, txnID string, due bool, compacted int64) {
	ctx, store := context.WithoutCancel(c.ctx), q.table.Store()
	warn := func(what string, err error) {
		if err != nil {
			c.opt.Logger.Warn(what, "table", q.table.URL(), "version", s.Version, "error", err)
		}
	}
	sum, err := s.Checksum(txnID).JSON()
	if err == nil {
		err = store.Put(ctx, delta.LogDir+"/"+delta.ChecksumName(s.Version), sum)
	}
	warn("write a checksum", err)
	if compacted >= 0 {
		warn("compact the log", WriteCompaction(ctx, q.table, compacted, s.Version))
	}
	if !due {
		return
	}
	if err := WriteCheckpoint(ctx, store, s, c.opt.Now()); err != nil {
		warn("write a checkpoint", err)
		return
	}
	_, err = CleanLog(ctx, store, s, c.opt.Now())
	warn("clean up the log", err)
}
