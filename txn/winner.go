package txn

import (
	"encoding/json"

	"millrace/delta"
)

// Winner is a commit that landed after the version that a transaction read.
type Winner struct {
	Version int64
	Actions []delta.Action
	Info    *delta.CommitInfo // may be nil

	members   map[string]bool // the transactions of a group
	onlyFiles bool            // nothing but files is added and removed
}

// NewWinner is the winner of a version's actions.
func NewWinner(version int64, actions []delta.Action) *Winner {
	w := &Winner{Version: version, Actions: actions, onlyFiles: true}
	for i := range actions {
		a := &actions[i]
		if a.CommitInfo != nil && w.Info == nil {
			w.Info = a.CommitInfo
		}
		w.onlyFiles = w.onlyFiles && a.Metadata == nil && a.Protocol == nil && a.Txn == nil && a.Domain == nil
	}
	if w.Info != nil && len(w.Info.Group) > 0 {
		w.members = make(map[string]bool, len(w.Info.Group))
		for i := range w.Info.Group {
			w.members[w.Info.Group[i].TxnID] = true
		}
	}
	return w
}

// has reports whether the commit is, or contains, a transaction.
func (w *Winner) has(txnID string) bool {
	return w.Info != nil && txnID != "" && (w.Info.TxnID == txnID || w.members[txnID])
}

func (w *Winner) timestamp() int64 {
	if w.Info == nil {
		return 0
	}
	if w.Info.InCommitTimestamp != nil {
		return *w.Info.InCommitTimestamp
	}
	return w.Info.Timestamp
}

func (w *Winner) blindAppend() bool {
	return w.Info != nil && w.Info.IsBlindAppend != nil && *w.Info.IsBlindAppend
}

func (w *Winner) operation() string {
	if w.Info == nil || w.Info.Operation == "" {
		return "TRANSACTION"
	}
	return w.Info.Operation
}

func (w *Winner) table(r *Request) string { return "delta.`" + r.Table + "`" }

// commit shows the winner's commitInfo as Delta's messages do.
func (w *Winner) commit() string {
	if w.Info == nil {
		return ""
	}
	text, err := json.Marshal(w.Info)
	if err != nil {
		return ""
	}
	return "\nConflicting commit: " + string(text)
}

// What a table's queue remembers of recent commits.
const (
	winnersKept = 512
	actionsKept = 20_000
)

// winners are a table's recent commits; the oldest are forgotten.
type winners struct {
	byVersion map[int64]*Winner
	actions   int
	oldest    int64
}

func (ws *winners) at(version int64) *Winner { return ws.byVersion[version] }

func (ws *winners) keep(w *Winner) {
	if ws.byVersion == nil {
		ws.byVersion = map[int64]*Winner{}
	}
	if len(ws.byVersion) == 0 || w.Version < ws.oldest {
		ws.oldest = w.Version
	}
	if old := ws.byVersion[w.Version]; old != nil {
		ws.actions -= len(old.Actions)
	}
	ws.byVersion[w.Version] = w
	ws.actions += len(w.Actions)
	for ; ws.oldest < w.Version && (len(ws.byVersion) > winnersKept || ws.actions > actionsKept); ws.oldest++ {
		if old := ws.byVersion[ws.oldest]; old != nil {
			ws.actions -= len(old.Actions)
			delete(ws.byVersion, ws.oldest)
		}
	}
}
