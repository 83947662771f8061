package physical

import (
	"crypto/sha256"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	planpb "millrace/proto/millrace/plan/v1"
)

// sharedBytes is up to how large the rows of a stage are thought to be that does no more than scan, for another reader to be kept waiting for them in
// memory rather than to scan again.
const sharedBytes = 16 << 20

// share closes a stage, unless one is there already that makes the same rows: its output is then read by one more. So a sub-plan that stands in a query
// several times runs once up to its last exchange.
func (p *planner) share(t *part, to *planpb.Partitioning) uint32 {
	key := ""
	if worthSharing(t, to) {
		key = stageKey(t, to)
	}
	if id, ok := p.same[key]; ok && key != "" {
		return id
	}
	id := p.endStage(t, to)
	if key != "" {
		p.same[key] = id
	}
	return id
}

// worthSharing reports whether making a part's rows is more work than keeping them.
func worthSharing(t *part, to *planpb.Partitioning) bool {
	worth, lasting := to.Kind == planpb.Partitioning_BROADCAST || t.bytes <= sharedBytes, false
	eachOperator(t.op, func(o *planpb.Operator) {
		switch o.Kind.(type) {
		case *planpb.Operator_HashAggregate, *planpb.Operator_HashJoin, *planpb.Operator_LoopJoin, *planpb.Operator_Sort, *planpb.Operator_TopN,
			*planpb.Operator_Window, *planpb.Operator_GroupLimit:
			worth = true
		case *planpb.Operator_StatefulAggregate, *planpb.Operator_Watermark, *planpb.Operator_Observe, *planpb.Operator_FileSink, *planpb.Operator_CacheSink:
			lasting = true
		}
	})
	return worth && !lasting
}

func eachOperator(o *planpb.Operator, f func(*planpb.Operator)) {
	f(o)
	for _, c := range o.Children {
		eachOperator(c, f)
	}
}

// chancy are functions each of whose calls is a choice of its own, and how many arguments they have with their seed. What they give to a row
// depends on the rows before it.
var chancy = map[string]int{"rand": 1, "randn": 1, "uuid": 1, "uniform": 3, "randstr": 2, "shuffle": 2}

// SeedAt is which argument of a function of chance is its seed; -1 for other functions.
func SeedAt(name string) int { return chancy[name] - 1 }

// stageKey says what a stage does, whatever the numbers of its operators, the names of its columns and the place where the user wrote it; it is empty
// where each run does something else.
func stageKey(t *part, to *planpb.Partitioning) string {
	stage := &planpb.Stage{Root: proto.Clone(t.op).(*planpb.Operator), Partitioning: proto.Clone(to).(*planpb.Partitioning), Tasks: int32(t.tasks)}
	numbers := map[uint32]uint32{}
	eachOperator(stage.Root, func(o *planpb.Operator) {
		numbers[o.Id] = uint32(len(numbers) + 1)
		o.Id = numbers[o.Id]
		for _, c := range o.Output {
			c.Name, c.Metadata = "", ""
		}
	})
	for _, in := range t.taskInputs() {
		c := &planpb.TaskInput{Splits: map[uint32]*planpb.FileSplits{}, Blocks: map[uint32]*planpb.Blocks{}, Worker: in.Worker}
		for id, s := range in.Splits {
			c.Splits[numbers[id]] = s
		}
		for id, b := range in.Blocks {
			c.Blocks[numbers[id]] = b
		}
		stage.TaskInputs = append(stage.TaskInputs, c)
	}
	if !settle(stage.ProtoReflect()) {
		return ""
	}
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(stage)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(bytes)
	return string(sum[:])
}

// settle clears all origins of expressions in a message, and reports whether none of them is a choice.
func settle(m protoreflect.Message) bool {
	if c, ok := m.Interface().(*planpb.Call); ok && chancy[c.Name] > 0 {
		return false
	}
	settled := true
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.Message().Name() == "Origin":
			m.Clear(f)
		case f.IsList():
			for i := range v.List().Len() {
				settled = settled && settle(v.List().Get(i).Message())
			}
		default:
			settled = settled && settle(v.Message())
		}
		return settled
	})
	return settled
}
