package delta

import (
	"encoding/json"
)

// Reverse are the actions that take a commit back from a later version: s is the table before the commit, now the table as it is. It
// is not complete, and gives nothing, when others have changed since what the commit added or removed.
func (s *Snapshot) Reverse(commit []Action, now *Snapshot, at int64) (actions []Action, complete bool) {
	for i := range commit {
		switch a := &commit[i]; {
		case a.Add != nil:
			live := now.File(a.Add.Path, a.Add.DeletionVector)
			if live == nil {
				return nil, false
			}
			actions = append(actions, Action{Remove: live.Remove(at, a.Add.DataChange)})
		case a.Remove != nil:
			old := s.File(a.Remove.Path, a.Remove.DeletionVector)
			if old == nil || now.File(a.Remove.Path, a.Remove.DeletionVector) != nil {
				return nil, false
			}
			add := *old
			add.DataChange = a.Remove.DataChange
			actions = append(actions, Action{Add: &add})
		case a.Metadata != nil:
			if !sameJSON(a.Metadata, now.Metadata) {
				return nil, false
			}
			actions = append(actions, Action{Metadata: s.Metadata.Clone()})
		case a.Txn != nil:
			version, ok := s.Txn(a.Txn.AppID)
			if !ok {
				version = -1
			}
			if v, _ := now.Txn(a.Txn.AppID); v == a.Txn.Version {
				actions = append(actions, Action{Txn: &SetTransaction{AppID: a.Txn.AppID, Version: version, LastUpdated: &at}})
			}
		case a.Domain != nil && a.Domain.Domain != "delta.rowTracking":
			old := s.domains[a.Domain.Domain]
			if old == nil {
				old = &DomainMetadata{Domain: a.Domain.Domain, Removed: true}
			}
			actions = append(actions, Action{Domain: old})
		}
	}
	return actions, true
}

func sameJSON(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
