package operators

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"

	"millrace/memory"
	"millrace/operators/expr"
)

// endless is a plan over a range that is never read to its end in a test's time.
func endless() *planpb.Operator {
	return &planpb.Operator{Id: 1, Kind: &planpb.Operator_Range{Range: &planpb.Range{End: 1 << 40, Step: 1, Partitions: 1}}}
}

// TestCancelEnds holds that operators over endless inputs end when they are cancelled, and leave nothing. How soon is a figure, not a test: two seconds
// of CPU are far more than any of them takes.
func TestCancelEnds(t *testing.T) {
	key := []*planpb.Expr{col(0, types.Long)}
	sort := []*planpb.SortKey{{Expr: key[0]}}
	plans := map[string]*planpb.Operator{
		"aggregate": {Kind: &planpb.Operator_HashAggregate{HashAggregate: &planpb.HashAggregate{Groups: key}}},
		"sort":      {Kind: &planpb.Operator_Sort{Sort: &planpb.Sort{Keys: sort}}},
		"top":       {Kind: &planpb.Operator_TopN{TopN: &planpb.TopN{Keys: sort, Limit: 10}}},
		"hash join": {Kind: &planpb.Operator_HashJoin{HashJoin: &planpb.HashJoin{LeftKeys: key, RightKeys: key}}},
		"loop join": {Kind: &planpb.Operator_LoopJoin{LoopJoin: &planpb.LoopJoin{Type: planpb.JoinType_LEFT_ANTI}}},
	}
	for name, p := range plans {
		t.Run(name, func(t *testing.T) {
			cancelOnce(t, name, p)
		})
	}
}

func cancelOnce(t *testing.T, name string, p *planpb.Operator) {
	p.Id, p.Children = 2, []*planpb.Operator{endless()}
	if name == "hash join" || name == "loop join" {
		p.Children = append(p.Children, endless())
	}
	op, err := Build(p, Env{})
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	dir := t.TempDir()
	ctx := &Ctx{Ctx: expr.Ctx{Context: cancelled, Settings: &planpb.Settings{}}, Memory: memory.NewPool("test", 64<<20), TempDir: dir}
	if err := op.Open(ctx); err != nil {
		t.Fatal(err)
	}
	var at time.Duration
	timer := time.AfterFunc(300*time.Millisecond, func() { at = cpuTime(); cancel() })
	defer timer.Stop()
	for err == nil {
		_, err = op.Next()
	}
	if late := cpuTime() - at; !errs.Is(err, errs.Cancelled) && !errs.Is(err, errs.Exhausted) || late > 2*time.Second && errs.Is(err, errs.Cancelled) {
		t.Errorf("%v after %s", err, late)
	}
	if err := op.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 || ctx.Memory.Used() != 0 {
		t.Errorf("%d files and %d bytes are left", len(left), ctx.Memory.Used())
	}
}

// cpuTime is the process's, so that a busy machine does not fail the test.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
