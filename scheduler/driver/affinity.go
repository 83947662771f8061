package driver

import (
	"strconv"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/scheduler"
)

// maxAffinities bounds what is remembered; beyond, all is forgotten, which only costs reading states from their checkpoints.
const maxAffinities = 1 << 16

// affinities remembers where partitions of streaming states were last, so that the next batch goes there. The workers' copies are
// good anywhere else too, after reading.
type affinities struct{ at map[string]string }

// stateOf is the store of a stage's first stateful operator, or nil.
func stateOf(o *planpb.Operator) *planpb.StateStore {
	if k, ok := o.GetKind().(*planpb.Operator_StatefulAggregate); ok {
		return k.StatefulAggregate.Store
	}
	for _, c := range o.GetChildren() {
		if s := stateOf(c); s != nil {
			return s
		}
	}
	return nil
}

func affinityKey(s *planpb.StateStore, partition int) string {
	return s.Location + "\x00" + strconv.Itoa(int(s.Operator)) + "\x00" + strconv.Itoa(partition)
}

// prefer lists by task the workers that have the partitions of a stage's state; nil where there is no state.
func (a *affinities) prefer(s *planpb.Stage) [][]string {
	store := stateOf(s.Root)
	if store == nil || len(a.at) == 0 {
		return nil
	}
	list := make([][]string, max(s.Tasks, 1))
	for i := range list {
		if w := a.at[affinityKey(store, i)]; w != "" {
			list[i] = []string{w}
		}
	}
	return list
}

// learn notes where a task of a stage has run.
func (a *affinities) learn(s *planpb.Stage, ref scheduler.Ref, worker string) {
	store := stateOf(s.GetRoot())
	if store == nil {
		return
	}
	if a.at == nil || len(a.at) >= maxAffinities {
		a.at = map[string]string{}
	}
	a.at[affinityKey(store, ref.Task)] = worker
}
