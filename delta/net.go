package delta

// Net is what actions, applied in order to the table, come to: a file that is added and removed again is left out, and of metadata,
// protocol, applications and domains the last counts.
func (s *Snapshot) Net(actions []Action) []Action {
	var files []fileKey
	last := map[fileKey]Action{}
	change := map[fileKey]bool{}
	note := func(k fileKey, a Action, dataChange bool) {
		if _, there := last[k]; !there {
			files = append(files, k)
		}
		last[k] = a
		change[k] = change[k] || dataChange
	}
	var metadata *Metadata
	var protocol *Protocol
	var rest []Action
	newest := map[string]int{} // by kind and name
	keep := func(name string, a Action) {
		if i, ok := newest[name]; ok {
			rest[i] = a
			return
		}
		newest[name] = len(rest)
		rest = append(rest, a)
	}
	for _, a := range actions {
		switch {
		case a.Add != nil:
			note(keyOf(a.Add.Path, a.Add.DeletionVector), a, a.Add.DataChange)
		case a.Remove != nil:
			note(keyOf(a.Remove.Path, a.Remove.DeletionVector), a, a.Remove.DataChange)
		case a.Metadata != nil:
			metadata = a.Metadata
		case a.Protocol != nil:
			protocol = a.Protocol
		case a.Txn != nil:
			keep("txn "+a.Txn.AppID, a)
		case a.Domain != nil:
			keep("domain "+a.Domain.Domain, a)
		case a.CDC != nil:
			rest = append(rest, a)
		}
	}
	var out []Action
	if protocol != nil {
		out = append(out, Action{Protocol: protocol})
	}
	if metadata != nil {
		out = append(out, Action{Metadata: metadata})
	}
	for _, k := range files {
		a := last[k]
		before, _ := s.files.find(k)
		if (a.Add != nil) == (before != nil) && (a.Add == nil || sameJSON(a.Add, before)) {
			continue // as it was
		}
		if a.Add != nil {
			add := *a.Add
			add.DataChange = change[k]
			a.Add = &add
		} else {
			remove := *a.Remove
			remove.DataChange = change[k]
			a.Remove = &remove
		}
		out = append(out, a)
	}
	return append(out, rest...)
}
