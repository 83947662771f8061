package engine

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/txn"
)

// The statements of transactions of several tables.
const (
	beginTransaction    = "BEGIN TRANSACTION"
	commitTransaction   = "COMMIT"
	rollbackTransaction = "ROLLBACK"
)

// sessionTransaction holds a session's open transaction, if there is one.
type sessionTransaction struct {
	mu   sync.Mutex
	open *transaction
}

// transaction is what the statements since BEGIN TRANSACTION have read and want to write. Nothing of it is visible to others.
type transaction struct {
	id string

	mu     sync.Mutex
	tables map[string]*txTable
	order  []string
	broken error // why it can only be rolled back
}

// txTable is a table as the transaction sees it: a version of it, and the transaction's own writes on top.
type txTable struct {
	base, now *delta.Snapshot
	requests  []txn.Request
	read      bool // rows of it have been looked at, by whatever statement
}

func (st *statement) sessionTransaction() *sessionTransaction {
	return st.s.Kept("engine transaction", func() any { return &sessionTransaction{} }).(*sessionTransaction)
}

// transaction is the session's open transaction, or nil.
func (st *statement) transaction() *transaction {
	k := st.sessionTransaction()
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.open
}

// transact carries out BEGIN TRANSACTION, COMMIT and ROLLBACK.
func (st *statement) transact(name string) (session.Result, error) {
	k := st.sessionTransaction()
	if name == beginTransaction {
		return emptyResult(), k.begin()
	}
	t := k.end()
	if t == nil {
		return nil, errs.New("MILLRACE_NO_TRANSACTION", "statement", name)
	}
	if name == rollbackTransaction {
		return emptyResult(), nil // files without a commit are VACUUM's
	}
	return emptyResult(), st.commitAll(t)
}

func (k *sessionTransaction) begin() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open != nil {
		return errs.New("MILLRACE_TRANSACTION_OPEN")
	}
	k.open = &transaction{id: uuid.NewString(), tables: map[string]*txTable{}}
	return nil
}

// end is the transaction that was open, or nil.
func (k *sessionTransaction) end() *transaction {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.open
	k.open = nil
	return t
}

func (st *statement) commitAll(t *transaction) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.broken != nil {
		return errs.New("MILLRACE_TRANSACTION_ABORTED", "txnId", t.id, "reason", t.broken.Error())
	}
	var parts []txn.Request
	for _, url := range t.order {
		if err := st.completeFeed(t.tables[url]); err != nil {
			return err
		}
		if r, changes := t.tables[url].request(); changes {
			r.Operation = st.operation()
			parts = append(parts, r)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	_, err := st.e.o.Committer.CommitAllSurely(st.ctx, t.id, parts)
	for _, p := range parts {
		st.e.frames.written(p.Table)
		if err == nil {
			err = st.keepManifests(p)
		}
	}
	return err
}

// inTransaction refuses what a transaction cannot take back.
func inTransaction(c plan.Command) error {
	switch c := c.(type) {
	case *plan.CreateTable, *plan.CreateNamespace, *plan.AlterNamespace, *plan.Drop, *plan.Restore, *plan.Truncate, *plan.Optimize, *plan.Vacuum:
		return errs.Unsupportedf("%s in a transaction is not supported: COMMIT or ROLLBACK first.", commandName(c))
	case *plan.CreateView:
		if !c.Temp {
			return errs.Unsupportedf("%s in a transaction is not supported: COMMIT or ROLLBACK first.", commandName(c))
		}
	case *plan.AlterTable:
		switch kind := c.Actions[0].Kind; kind {
		case "rename", "set location", "drop feature", "add partition", "drop partition":
			return errs.Unsupportedf("ALTER TABLE … %s in a transaction is not supported: COMMIT or ROLLBACK first.", strings.ToUpper(kind))
		}
	case *plan.Generic:
		if c.Name == "VACUUM" || strings.HasPrefix(c.Name, "CONVERT") {
			return errs.Unsupportedf("%s in a transaction is not supported: COMMIT or ROLLBACK first.", c.Name)
		}
	}
	return nil
}

// newestOf is a table's newest version when the statement first looks at it, or what the session's transaction sees of it. What another writer
// commits after that is for the commit to judge, which is made from this version.
func (st *statement) newestOf(l *log.Table) (*delta.Snapshot, error) {
	t := st.transaction()
	if t == nil {
		if s := st.seen[l.URL()]; s != nil {
			return s, nil
		}
		s, err := l.Snapshot(st.ctx)
		if err == nil {
			if st.seen == nil {
				st.seen = map[string]*delta.Snapshot{}
			}
			st.seen[l.URL()] = s
		}
		return s, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.tables[l.URL()]; known != nil {
		return known.now, nil
	}
	s, err := l.Snapshot(st.ctx)
	if err != nil {
		return nil, err
	}
	snaps := []*delta.Snapshot{s}
	for _, url := range t.order {
		snaps = append(snaps, t.tables[url].base)
	}
	stale, err := st.e.o.Committer.Consistent(st.ctx, snaps)
	if err != nil {
		return nil, err
	}
	if len(stale) > 0 {
		err := errs.New("MILLRACE_TRANSACTION_ABORTED", "txnId", t.id, "reason",
			"another transaction has changed "+snaps[stale[0]].Table+" since it was read, perhaps together with "+l.URL())
		t.broken = err
		return nil, err
	}
	t.tables[l.URL()] = &txTable{base: s, now: s}
	t.order = append(t.order, l.URL())
	return s, nil
}

// stage keeps a write for the transaction's commit.
func (t *transaction) stage(r txn.Request) (txn.Result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.tables[r.Table]
	if x == nil || r.ReadVersion < 0 {
		return txn.Result{}, errs.Unsupportedf("Creating the table %s in a transaction is not supported: COMMIT or ROLLBACK first.", r.Table)
	}
	if r.AppID != "" && !slices.ContainsFunc(r.Actions, func(a delta.Action) bool { return a.Txn != nil && a.Txn.AppID == r.AppID }) {
		r.Actions = append(slices.Clip(r.Actions), delta.Action{Txn: &delta.SetTransaction{AppID: r.AppID, Version: r.AppVersion}})
	}
	r.AppID = ""
	now, err := x.now.Apply(x.base.Version, x.base.Timestamp, r.Actions)
	if err != nil {
		return txn.Result{}, err
	}
	x.now, x.requests = now, append(x.requests, r)
	return txn.Result{Version: now.Version, Timestamp: now.Timestamp, Snapshot: now, Grouped: 1}, nil
}

// request is what all writes to the table come to.
func (x *txTable) request() (r txn.Request, changes bool) {
	if len(x.requests) == 0 {
		return r, false
	}
	r = x.requests[0]
	r.ReadTable = r.ReadTable || x.read
	if len(x.requests) == 1 {
		return r, true
	}
	r.Info = x.info()
	r.Actions, r.Reads, r.ReadFiles = nil, nil, nil
	var all []delta.Action
	for _, q := range x.requests {
		all = append(all, q.Actions...)
		r.ReadTable = r.ReadTable || q.ReadTable
		r.RowLevel = r.RowLevel && q.RowLevel || q.BlindAppend() && r.RowLevel
		r.Reads = append(r.Reads, q.Reads...)
		for _, path := range q.ReadFiles {
			if x.had(path) {
				r.ReadFiles = append(r.ReadFiles, path)
			}
		}
	}
	r.Actions = x.base.Net(all)
	return r, true
}

// had reports whether the table held a file before the transaction.
func (x *txTable) had(path string) bool {
	for a := range x.base.All() {
		if a.Path == path {
			return true
		}
	}
	return false
}

// info is the history's entry for several statements: their names, and their metrics added up.
func (x *txTable) info() delta.CommitInfo {
	var names []string
	sum := map[string]int64{}
	for _, q := range x.requests {
		names = append(names, q.Info.Operation)
		for k, v := range q.Info.OperationMetrics {
			if n, err := parseVersion(v); err == nil {
				sum[k] += n
			}
		}
	}
	info := delta.Info("TRANSACTION", delta.Param{Name: "statements", Value: strings.Join(names, ", ")})
	info.OperationMetrics = map[string]string{}
	for k, n := range sum {
		info.OperationMetrics[k] = itoa(n)
	}
	info.EngineInfo, info.UserMetadata = x.requests[0].Info.EngineInfo, x.requests[len(x.requests)-1].Info.UserMetadata
	return info
}

// haveRead notes in the session's transaction which tables the statement has read: one that the transaction writes, too, must not change until it commits.
// A statement that has changed no row has read that there is none to change.
func (st *statement) haveRead() {
	t := st.transaction()
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	read := st.read
	if st.unchanged != nil {
		read = append(slices.Clip(read), st.unchanged)
	}
	for _, r := range read {
		if x := t.tables[r.Log.URL()]; x != nil && !r.Pinned {
			x.read = true
		}
	}
}

// tablesMoved is the condition of a statement that has looked at one table before and at another after a transaction that changed both.
const tablesMoved = "MILLRACE_TABLES_CHANGED"

// agree checks that the tables that the statement looks at show the same of every transaction of several tables. A transaction's tables do so from the start.
func (st *statement) agree() error {
	if len(st.seen) < 2 || len(st.seen) == st.agreed || st.e.o.Committer == nil || st.transaction() != nil {
		return nil
	}
	snaps := slices.Collect(maps.Values(st.seen))
	stale, err := st.e.o.Committer.Consistent(st.ctx, snaps)
	if err != nil {
		return err
	}
	if len(stale) > 0 {
		return errs.New(tablesMoved, "tableName", snaps[stale[0]].Table)
	}
	st.agreed = len(st.seen)
	return nil
}
