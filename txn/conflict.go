package txn

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"millrace/delta"
	"millrace/errs"
)

const docLink = "https://docs.delta.io/latest/concurrency-control.html"

// check is one of Delta's rules.
type check func(*contest) error

// contest is a transaction against one commit that landed since it read the table.
type contest struct {
	*Request
	read *delta.Snapshot
	w    *Winner
	mine map[string]regrowth // what the transaction regrows, when rows are told apart
	rows Rows
}

// Check decides whether the transaction may still be committed after a winner, by Delta's rules. Read is the snapshot that the
// transaction read. It is pure but for rows, by which it looks into deletion vectors; without it no rows are told apart.
func Check(r *Request, read *delta.Snapshot, w *Winner, rows Rows) error {
	c := &contest{Request: r, read: read, w: w, rows: rows}
	if r.RowLevel && rows != nil {
		c.mine = r.regrown()
	}
	for _, rule := range []check{checkProtocol, checkMetadata, checkDomains, checkApps, checkAdded, checkRemovedRead, checkRemovedTwice} {
		if err := rule(c); err != nil {
			return err
		}
	}
	return nil
}

func checkProtocol(c *contest) error {
	r, read, w := c.Request, c.read, c.w
	for i := range w.Actions {
		p := w.Actions[i].Protocol
		if p == nil {
			continue
		}
		if err := p.CheckRead(r.Table); err != nil {
			return err
		}
		conflict := read.Protocol == nil || slices.ContainsFunc(r.Actions, func(a delta.Action) bool { return a.Protocol != nil })
		if !conflict {
			before, after := read.Protocol.Features(), p.Features()
			conflict = slices.ContainsFunc(before, func(f string) bool { return !slices.Contains(after, f) }) ||
				slices.ContainsFunc(after, func(f string) bool { return !slices.Contains(before, f) && !harmlessUpgrade[f] })
		}
		if conflict {
			extra := ""
			if w.Version == 0 {
				extra = "This happens when multiple writers are writing to an empty directory. Creating the table ahead of time will avoid this conflict. "
			}
			return errs.New("DELTA_PROTOCOL_CHANGED", "additionalInfo", extra, "conflictingCommit", w.commit(), "docLink", docLink)
		}
	}
	return nil
}

// harmlessUpgrade are the features that another may switch on while a transaction runs.
var harmlessUpgrade = map[string]bool{"columnMapping": true, "deletionVectors": true, "timestampNtz": true, "domainMetadata": true,
	"v2Checkpoint": true, "rowTracking": true, "inCommitTimestamp": true, "vacuumProtocolCheck": true, "typeWidening": true, "variantType": true}

func checkMetadata(c *contest) error {
	for i := range c.w.Actions {
		m := c.w.Actions[i].Metadata
		if m == nil || !c.changesMetadata() && (c.w.identityOnly() || allowsVectors(c.read.Metadata, m)) {
			continue
		}
		return errs.New("DELTA_METADATA_CHANGED", "tableName", c.w.table(c.Request), "conflictingCommit", c.w.commit(), "docLink", docLink)
	}
	return nil
}

// identityOnly reports whether the commit changed the metadata for nothing but the identity columns' counters.
func (w *Winner) identityOnly() bool {
	return w.Info != nil && strings.EqualFold(w.Info.Tags["delta.identity.schemaUpdate"], "true")
}

// allowsVectors reports whether the only change is that deletion vectors may be written now. One who writes none does no wrong.
func allowsVectors(before, after *delta.Metadata) bool {
	if before == nil {
		return false
	}
	const key = "delta.enableDeletionVectors"
	a, b := before.Clone(), after.Clone()
	on := strings.EqualFold(b.Configuration[key], "true")
	delete(a.Configuration, key)
	delete(b.Configuration, key)
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return on && errA == nil && errB == nil && bytes.Equal(x, y)
}

func checkDomains(c *contest) error {
	theirs := map[string]bool{}
	for i := range c.w.Actions {
		if d := c.w.Actions[i].Domain; d != nil && d.Domain != rowTrackingDomain {
			theirs[d.Domain] = true
		}
	}
	for i := range c.Actions {
		if d := c.Actions[i].Domain; d != nil && theirs[d.Domain] {
			return errs.New("DELTA_CONCURRENT_TRANSACTION", "conflictingCommit", c.w.commit()+"\nA conflicting metadata domain "+d.Domain+" is added.", "docLink", docLink)
		}
	}
	return nil
}

func checkApps(c *contest) error {
	mine := c.appIDs()
	for i := range c.w.Actions {
		if t := c.w.Actions[i].Txn; t != nil && mine[t.AppID] {
			return errs.New("DELTA_CONCURRENT_TRANSACTION", "conflictingCommit", c.w.commit(), "docLink", docLink)
		}
	}
	return nil
}

// checkAdded looks for files that the transaction should have read. Files that hold the same rows as others did before are none:
// whoever read those is told by their removal.
func checkAdded(c *contest) error {
	level := c.isolation(c.read)
	if c.BlindAppend() || level == SnapshotIsolation {
		return nil
	}
	if level == WriteSerializable && !c.changesMetadata() && c.w.blindAppend() {
		return nil
	}
	all := c.ReadTable || len(c.Reads) == 0 && len(c.read.PartitionColumns()) == 0
	var filters []*delta.Matcher
	for _, f := range c.Reads {
		filters = append(filters, c.read.Matcher(f))
	}
	theirs := map[string]regrowth(nil)
	for i := range c.w.Actions {
		a := c.w.Actions[i].Add
		if a == nil || !a.DataChange || !all && !slices.ContainsFunc(filters, func(m *delta.Matcher) bool { return m.Match(a) }) {
			continue
		}
		if theirs == nil {
			theirs = (&Request{Actions: c.w.Actions}).regrown()
		}
		if harmless, err := c.harmless(theirs, a.Path); err != nil || harmless {
			if err != nil {
				return err
			}
			continue
		}
		return c.fileConflict("DELTA_CONCURRENT_APPEND", a.PartitionValues)
	}
	return nil
}

func checkRemovedRead(c *contest) error {
	for i := range c.w.Actions {
		x := c.w.Actions[i].Remove
		if x == nil {
			continue
		}
		if c.ReadTable {
			return c.fileConflict("DELTA_CONCURRENT_DELETE_READ", nil)
		}
		if !slices.Contains(c.ReadFiles, x.Path) {
			continue
		}
		if apart, err := c.otherRows(x.Path); err != nil || !apart {
			return orConflict(err, c.fileConflict("DELTA_CONCURRENT_DELETE_READ", x.PartitionValues))
		}
	}
	return nil
}

func checkRemovedTwice(c *contest) error {
	mine := map[string]bool{}
	for i := range c.Actions {
		if x := c.Actions[i].Remove; x != nil {
			mine[x.Path] = true
		}
	}
	for i := range c.w.Actions {
		x := c.w.Actions[i].Remove
		if x == nil || !mine[x.Path] {
			continue
		}
		if apart, err := c.otherRows(x.Path); err != nil || !apart {
			return orConflict(err, c.fileConflict("DELTA_CONCURRENT_DELETE_DELETE", x.PartitionValues))
		}
	}
	return nil
}

func orConflict(err, conflict error) error {
	if err != nil {
		return err
	}
	return conflict
}

// fileConflict is a conflict about a file, with its partition as a hint where there is one.
func (c *contest) fileConflict(condition string, values delta.PartitionValues) error {
	r, read, w := c.Request, c.read, c.w
	params := []string{"operation", w.operation(), "tableName", w.table(r), "version", strconv.FormatInt(w.Version, 10), "docLink", docLink}
	if columns := read.PartitionColumns(); len(columns) > 0 && len(values) > 0 {
		parts := make([]string, len(columns))
		for i, name := range columns {
			f, _ := read.Schema().Field(name, false)
			text := "null"
			if v := values[delta.PhysicalName(f)]; v != nil {
				text = *v
			}
			parts[i] = name + "=" + text
		}
		return errs.New(condition+".WITH_PARTITION_HINT", append(params, "partitionValues", "["+strings.Join(parts, ", ")+"]")...)
	}
	return errs.New(condition+".WITHOUT_HINT", params...)
}
