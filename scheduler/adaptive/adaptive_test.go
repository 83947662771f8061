package adaptive

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// outputs makes the outputs of a stage: a line of partitions' sizes for each task.
func outputs(text string) (out []Output) {
	for line := range strings.SplitSeq(text, ";") {
		var o Output
		for _, word := range strings.Fields(line) {
			var n int64
			fmt.Sscan(word, &n)
			o.Partitions = append(o.Partitions, n)
			o.Memory += 10 * n
		}
		out = append(out, o)
	}
	return out
}

func show(d *Decision) string {
	if d == nil {
		return "as planned"
	}
	var list []string
	for _, s := range d.Slices {
		text := fmt.Sprintf("[%d %d)", s.From, s.To)
		if s.Last > 0 {
			text += fmt.Sprintf(" of %d[%d %d)", s.Stage, s.First, s.Last)
		}
		list = append(list, text)
	}
	return fmt.Sprintf("%s: %s", d, strings.Join(list, ", "))
}

func TestCut(t *testing.T) {
	coalesce := Rule{Inputs: []uint32{1}, Target: 100, Coalesce: true}
	both := []Side{{Stage: 1, Divides: true}, {Stage: 2, Divides: true}}
	left, none := []Side{{Stage: 1, Divides: true}, {Stage: 2}}, []Side(nil)
	join := func(sides []Side) Rule {
		return Rule{Inputs: []uint32{1, 2}, Target: 100, Coalesce: true, Sides: sides, Factor: 5, Skewed: 200}
	}
	broadcast := func(sides []Side, most int64) Rule {
		r := join(sides)
		r.Broadcast = most
		return r
	}
	few := coalesce
	few.Few = true
	apart := join(both)
	apart.Coalesce = false
	skewed := "10 10 400 10 10 10; 10 10 300 10 10 10; 10 10 300 10 10 10"
	for _, c := range []struct {
		name  string
		rule  Rule
		slots int
		one   string // outputs of stage 1
		two   string
		want  string
	}{
		{"small neighbours up to the target", coalesce, 2, "30 30 30 30 90 90", "", "4 tasks instead of 6, largest task: 90 bytes instead of 90: [0 3), [3 4), [4 5), [5 6)"},
		{"no fewer than slots", coalesce, 3, "10 10 10 10 10 10; 0 0 0 0 0 0", "", "3 tasks instead of 6, largest task: 20 bytes instead of 10: [0 2), [2 4), [4 6)"},
		{"fewer if that is wanted", few, 3, "10 10 10 10 10 10", "", "1 tasks instead of 6, largest task: 60 bytes instead of 10: [0 6)"},
		{"no more than are not empty", coalesce, 3, "0 10 0 0 10 0", "", "2 tasks instead of 6, largest task: 10 bytes instead of 10: [0 4), [4 6)"},
		{"one that is large keeps the slots busy", coalesce, 4, "50 10 10 10 10 10", "", "4 tasks instead of 6, largest task: 50 bytes instead of 50: [0 1), [1 3), [3 5), [5 6)"},
		{"nothing at all", coalesce, 4, "0 0 0; 0 0 0", "", "1 tasks instead of 3, largest task: 0 bytes instead of 0: [0 3)"},
		{"nothing to gain", coalesce, 4, "100 100 100", "", "as planned"},
		{"as many slots as tasks", coalesce, 3, "10 10 10", "", "as planned"},
		{"both sides count", join(none), 1, "30 30 30 30", "30 30 30 30", "4 of 4"},
		{"a skewed partition by outputs", join(left), 2, skewed, "5 5 5 5 5 5",
			"6 tasks instead of 6, skewed partitions divided: 1, largest task: 405 bytes instead of 1005: [0 2), [2 3) of 1[0 1), [2 3) of 1[1 2), [2 3) of 1[2 3), [3 5), [5 6)"},
		{"with the others apart", apart, 2, skewed, "5 5 5 5 5 5",
			"8 tasks instead of 6, skewed partitions divided: 1, largest task: 405 bytes instead of 1005: [0 1), [1 2), [2 3) of 1[0 1), [2 3) of 1[1 2), [2 3) of 1[2 3), [3 4), [4 5), [5 6)"},
		{"not where rows must stay together", join(none), 2, skewed, "5 5 5 5 5 5", "4 tasks instead of 6, largest task: 1005 bytes instead of 1005: [0 2), [2 3), [3 5), [5 6)"},
		{"not the side that may not", join(left), 2, "5 5 5 5 5 5", skewed, "4 tasks instead of 6, largest task: 1005 bytes instead of 1005: [0 2), [2 3), [3 5), [5 6)"},
		{"but the one that may", join(both), 2, "5 5 5 5 5 5", "10 10 400 10 10 10; 10 10 600 10 10 10",
			"4 tasks instead of 6, skewed partitions divided: 1, largest task: 605 bytes instead of 1005: [0 2), [2 3) of 2[0 1), [2 3) of 2[1 2), [3 6)"},
		{"one output cannot be divided", join(both), 2, "10 10 900 10 10 10", "5 5 5 5 5 5", "3 tasks instead of 6, largest task: 905 bytes instead of 905: [0 2), [2 3), [3 6)"},
		{"below the threshold", join(both), 2, "10 90 10 10 10; 10 90 10 10 10", "0 0 0 0 0", "3 tasks instead of 5, largest task: 180 bytes instead of 180: [0 1), [1 2), [2 5)"},
		{"a side that is small", broadcast(both, 100), 2, "50 50 50; 50 50 50; 100 0 0", "1 1 1", "3 tasks instead of 3, stage 2 broadcast, largest task: 153 bytes instead of 201: " +
			"[0 3) of 1[0 1), [0 3) of 1[1 2), [0 3) of 1[2 3)"},
		{"the outputs in as many tasks as the target asks for", broadcast(both, 100), 1, "10 10 10; 10 10 10; 10 10 10", "1 1 1",
			"1 tasks instead of 3, stage 2 broadcast, largest task: 93 bytes instead of 31: [0 3) of 1[0 3)"},
		{"not if it is large in memory", broadcast(both, 20), 3, "50 50 50; 50 50 50; 50 50 50", "1 1 1", "as planned"},
		{"not if the other side may not be divided", broadcast(left, 100), 3, "1 1 1; 0 0 0; 0 0 0", "50 50 50; 50 50 50; 50 50 50", "as planned"},
		{"not if slots would be idle", broadcast(both, 100), 3, "100 100 100; 100 100 100", "1 1 1", "as planned"},
		{"not if it is more work", broadcast(both, 100), 3, "3 3 3; 0 0 0; 0 0 0", "3 3 3", "as planned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := map[uint32][]Output{1: outputs(c.one)}
			if c.two != "" {
				out[2] = outputs(c.two)
			}
			n := len(out[1][0].Partitions)
			d := Cut(&c.rule, n, c.slots, func(s uint32) []Output { return out[s] })
			if got := show(d); got != c.want && c.want != "4 of 4" || c.want == "4 of 4" && d != nil {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			covers(t, &c.rule, n, out, d)
		})
	}
}

// covers checks that tasks by the decision give each pair of rows that meet in a partition once, and each row of a side that divides once with all of the
// other side's; and that inputs that are no join's are read once.
func covers(t *testing.T, r *Rule, partitions int, out map[uint32][]Output, d *Decision) {
	t.Helper()
	if d == nil {
		return
	}
	type cell struct {
		stage      uint32
		task, part int
	}
	reads := make([]map[cell]bool, len(d.Slices))
	times := map[cell]int{}
	for i, s := range d.Slices {
		reads[i] = map[cell]bool{}
		for stage, tasks := range out {
			for task := range tasks {
				if s.Last > 0 && stage == s.Stage && (task < s.First || task >= s.Last) {
					continue
				}
				for p := s.From; p < s.To; p++ {
					reads[i][cell{stage, task, p}] = true
					times[cell{stage, task, p}]++
				}
			}
		}
	}
	for _, stage := range r.Inputs {
		for task := range out[stage] {
			for p := range partitions {
				c := cell{stage, task, p}
				if n := times[c]; n == 0 || n > 1 && len(r.Sides) == 0 {
					t.Fatalf("%v is read %d times by %s", c, n, show(d))
				}
			}
		}
	}
	if len(r.Sides) == 0 {
		return
	}
	one, two := r.Sides[0].Stage, r.Sides[1].Stage
	for a := range out[one] {
		for b := range out[two] {
			for p := range partitions {
				met := 0
				for i := range reads {
					if reads[i][cell{one, a, p}] && reads[i][cell{two, b, p}] {
						met++
					}
				}
				if met != 1 {
					t.Fatalf("partition %d of tasks %d and %d meets %d times in %s", p, a, b, met, show(d))
				}
			}
		}
	}
	for _, s := range r.Sides { // a row that comes out by itself, such as an unmatched one, is read once
		for c, n := range times {
			if c.stage == s.Stage && n > 1 && dividedHere(d, c.part, s.Stage) {
				t.Fatalf("%v is read %d times, and divided", c, n)
			}
		}
		if !s.Divides && slices.ContainsFunc(d.Slices, func(x Slice) bool { return x.Last > 0 && x.Stage == s.Stage }) {
			t.Fatalf("stage %d is divided by %s", s.Stage, show(d))
		}
	}
}

func dividedHere(d *Decision, part int, stage uint32) bool {
	return slices.ContainsFunc(d.Slices, func(x Slice) bool { return x.Last > 0 && x.Stage == stage && x.From <= part && part < x.To })
}

// TestCutIsWhole checks, over random sizes, that whatever is decided every row is read as often as is right, that small stages keep all slots
// busy, and that no task is larger than the target without need.
func TestCutIsWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	kinds := map[string]int{}
	for range 20_000 {
		n, slots := 1+rng.IntN(12), 1+rng.IntN(6)
		r := Rule{Inputs: []uint32{1, 2}, Target: int64(1 + rng.IntN(200)), Coalesce: rng.IntN(4) > 0, Few: rng.IntN(4) == 0}
		out := map[uint32][]Output{}
		for stage := uint32(1); stage <= 2; stage++ {
			for range 1 + rng.IntN(5) {
				var o Output
				for range n {
					size := int64(rng.IntN(30)) * int64(rng.IntN(2))
					if rng.IntN(10) == 0 {
						size *= 20
					}
					o.Partitions = append(o.Partitions, size)
					o.Memory += 3 * size
				}
				out[stage] = append(out[stage], o)
			}
		}
		if rng.IntN(3) > 0 {
			r.Sides = []Side{{1, rng.IntN(2) == 0}, {2, rng.IntN(2) == 0}}
			r.Factor, r.Skewed, r.Broadcast = float64(rng.IntN(4)), int64(rng.IntN(100)), int64(rng.IntN(2)*rng.IntN(1000))
		}
		d := Cut(&r, n, slots, func(s uint32) []Output { return out[s] })
		covers(t, &r, n, out, d)
		if d == nil {
			continue
		}
		some := 0
		for p := range n {
			if slices.ContainsFunc(append(slices.Clone(out[1]), out[2]...), func(o Output) bool { return o.Partitions[p] > 0 }) {
				some++
			}
		}
		if !r.Few && !d.Broadcast && len(d.Slices) < min(slots, some) {
			t.Fatalf("%d slots and %d partitions that are not empty: %s", slots, some, show(d))
		}
		kinds[fmt.Sprint(d.Broadcast, d.Divided > 0, len(d.Slices) < n)]++
	}
	if len(kinds) < 5 {
		t.Errorf("the decisions are of few kinds: %v", kinds)
	}
}
