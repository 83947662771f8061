package delta

import (
	"fmt"
	"maps"
	"slices"
)

// CompactedName is the name in _delta_log of a file that says what the commits from first to last come to.
func CompactedName(first, last int64) string {
	return fmt.Sprintf("%020d.%020d.compacted.json", first, last)
}

// Compact is what commits, in their order, come to: the newest action of every kind and key. Removes and tombstones of domains stay, for they may be of
// what was there before the first commit; what was committed by whom and the files of changes take no part.
func Compact(commits [][]Action) []Action {
	b := builder{s: &Snapshot{}, files: newLayer(nil)}
	for _, actions := range commits {
		for i := range actions {
			b.apply(&actions[i])
		}
	}
	var out []Action
	if b.s.Protocol != nil {
		out = append(out, Action{Protocol: b.s.Protocol})
	}
	if b.s.Metadata != nil {
		out = append(out, Action{Metadata: b.s.Metadata})
	}
	for _, id := range slices.Sorted(maps.Keys(b.s.txns)) {
		out = append(out, Action{Txn: b.s.txns[id]})
	}
	for _, name := range slices.Sorted(maps.Keys(b.s.domains)) {
		out = append(out, Action{Domain: b.s.domains[name]})
	}
	for _, k := range slices.Sorted(maps.Keys(b.files.removes)) {
		out = append(out, Action{Remove: b.files.removes[k]})
	}
	for _, a := range b.files.order {
		if a != nil {
			out = append(out, Action{Add: a})
		}
	}
	return out
}
