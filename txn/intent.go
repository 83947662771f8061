package txn

import (
	"context"
	"encoding/json"

	"millrace/delta"
	"millrace/errs"
	"millrace/storage"
)

// State is how far a transaction of several tables has come.
type State string

// The states. Committed and Aborted are final; an aborted one may still have to be undone where it was published.
const (
	Pending   State = "pending"
	Committed State = "committed"
	Aborted   State = "aborted"
)

// Intent is what is known to all about a transaction of several tables.
type Intent struct {
	ID    string `json:"id"`
	State State  `json:"state"`
	Why   string `json:"why,omitempty"` // the condition of the conflict that aborted it
	Parts []Part `json:"parts"`
}

// Part is the intent's share of one table.
type Part struct {
	Table   string `json:"table"`
	Base    int64  `json:"base"`             // the newest version when the intent was recorded: the transaction is published after it
	Managed bool   `json:"managed"`          // the table's commits are ratified by the registry
	Version int64  `json:"version"`          // where it was committed, once that is decided
	Staged  string `json:"staged,omitempty"` // of a managed table: the staged commit's name
}

// Doubt is a mark on a table: a transaction may have been published in it that is not decided yet.
type Doubt struct {
	ID   string `json:"id"`
	Base int64  `json:"base"`
}

// Intents are kept where all processes see them. Each method is one atomic step.
type Intents interface {
	// Begin records a pending intent and marks its tables. It is errs.Conflict when a table is marked already or the identifier is known.
	Begin(ctx context.Context, in Intent) error
	// Intent is what is recorded, or nil.
	Intent(ctx context.Context, id string) (*Intent, error)
	// Decide moves a pending intent to in's state and versions. Committing sets all heads, ratifies the staged commits of managed
	// tables, and takes the marks away. It is errs.Conflict when the intent is not pending or a managed table's head is not the
	// version before.
	Decide(ctx context.Context, in Intent) error
	// Undone takes the marks of an aborted intent away.
	Undone(ctx context.Context, in Intent) error
	// Doubt is the mark on a table, or nil.
	Doubt(ctx context.Context, table string) (*Doubt, error)
	// Marked are the identifiers of intents that have marks.
	Marked(ctx context.Context) ([]string, error)
	// Shared gives for each table the version of the last transaction of several tables, -1 without one, all as of one moment.
	Shared(ctx context.Context, tables []string) ([]int64, error)
}

// plan is a part's request as it lies beside the table, for whoever has to finish it.
type plan struct {
	ReadVersion int64            `json:"readVersion"`
	TableID     string           `json:"tableId,omitempty"`
	TxnID       string           `json:"txnId"`
	Isolation   Isolation        `json:"isolation,omitempty"`
	ReadTable   bool             `json:"readTable,omitempty"`
	ReadFiles   []string         `json:"readFiles,omitempty"`
	RowLevel    bool             `json:"rowLevel,omitempty"`
	AppID       string           `json:"appId,omitempty"`
	AppVersion  int64            `json:"appVersion,omitempty"`
	Info        delta.CommitInfo `json:"info"`
	Actions     []delta.Action   `json:"actions"`
	Checked     int64            `json:"checked,omitempty"`
}

func planPath(id string) string { return delta.LogDir + "/_intents/" + id + ".json" }

// stash writes a part's request beside its table. Conflicts with versions before checked have been looked for.
func stash(ctx context.Context, store storage.Store, r *Request, checked int64) error {
	p := plan{ReadVersion: r.ReadVersion, TableID: r.TableID, TxnID: r.TxnID, Isolation: r.Isolation, ReadTable: r.ReadTable || len(r.Reads) > 0, ReadFiles: r.ReadFiles,
		RowLevel: r.RowLevel, AppID: r.AppID, AppVersion: r.AppVersion, Info: r.Info, Actions: r.Actions, Checked: checked}
	data, err := json.Marshal(p)
	if err != nil {
		return errs.Wrap(err, "encode transaction %s", r.TxnID)
	}
	return errs.Wrap(store.Put(ctx, planPath(r.TxnID), data), "record transaction %s", r.TxnID)
}

// unstash reads what stash wrote. For versions that have not been checked predicates have become a read of the whole table, which can only lead
// to more conflicts.
func unstash(ctx context.Context, store storage.Store, table, id string) (*Request, error) {
	data, err := store.Get(ctx, planPath(id))
	if err != nil {
		return nil, errs.Wrap(err, "read transaction %s", id)
	}
	var p plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, errs.Newf(errs.Invalid, "transaction %s of %s: %v", id, table, err)
	}
	return &Request{Table: table, ReadVersion: p.ReadVersion, TableID: p.TableID, TxnID: p.TxnID, Isolation: p.Isolation, ReadTable: p.ReadTable, ReadFiles: p.ReadFiles,
		RowLevel: p.RowLevel, AppID: p.AppID, AppVersion: p.AppVersion, Info: p.Info, Actions: p.Actions, checked: p.Checked}, nil
}
