package scheduler

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"millrace/errs"
	"millrace/scheduler/adaptive"
)

// sim is a cluster in virtual time: workers that die, come and drain, a network that delays, doubles and reorders reports, tasks
// that fail, and a reader of results. It checks every decision against what is true.
type sim struct {
	rng     *rand.Rand
	s       *Scheduler
	now     time.Duration
	seq     int
	pending agenda
	hash    uint64
	steps   int
	calm    time.Duration // from here on nothing dies

	workers map[string]*simWorker
	names   []string
	jobs    map[string]*simJob
	live    int // jobs that have not ended
	err     error
}

type simWorker struct {
	name           string
	slots          int
	joined         bool
	alive          bool // true of the process
	lost, draining bool // what the scheduler was told
	running        map[Ref]bool
	outputs        map[Ref]*simOutput
	cutOff         bool // alive, but others cannot reach it
}

// simOutput remembers which attempts of indeterminate tasks went into it.
type simOutput struct {
	lineage map[Ref]int
	rows    [][]uint64 // by partition
}

type simJob struct {
	def      Job
	ended    bool
	attempts map[Ref]int // by task, with Attempt 0: the latest launch
	accepted map[Ref]int // finished attempts that the scheduler was told of, the first report
	failures map[Ref]int
	ready    map[int]ResultReady
	started  map[int]int
	read     map[int]*simOutput
	succeed  bool
	parts    map[uint32]int // by stage: partitions of its outputs
	adapted  map[uint32]*adaptive.Decision
}

type entry struct {
	at  time.Duration
	seq int
	do  func()
}
type agenda []entry

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, k int) bool {
	return a[i].at < a[k].at || a[i].at == a[k].at && a[i].seq < a[k].seq
}
func (a agenda) Swap(i, k int) { a[i], a[k] = a[k], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(entry)) }
func (a *agenda) Pop() any {
	old := *a
	e := old[len(old)-1]
	*a = old[:len(old)-1]
	return e
}

func newSim(seed uint64) *sim {
	m := &sim{rng: rand.New(rand.NewPCG(seed, 7)), workers: map[string]*simWorker{}, jobs: map[string]*simJob{}, calm: 3 * time.Second}
	m.s = New(Config{MaxAttempts: 4, MaxLosses: 30, WorkerWait: 20 * time.Second})
	for range 1 + m.rng.IntN(4) {
		m.join()
	}
	for i := range 1 + m.rng.IntN(4) {
		j := m.randomJob(i)
		m.after(m.delay(500), func() { m.step(JobSubmitted{j.def}) })
		if m.chance(0.1) {
			m.after(m.delay(2000), func() { m.step(Cancel{j.def.ID, errs.Newf(errs.Cancelled, "by the user")}) })
		}
	}
	for range m.rng.IntN(8) {
		m.after(time.Duration(m.rng.Int64N(int64(m.calm))), m.disturb)
	}
	m.after(m.calm, m.settleDown)
	m.tick()
	return m
}

func (m *sim) chance(p float64) bool      { return m.rng.Float64() < p }
func (m *sim) delay(ms int) time.Duration { return time.Duration(m.rng.IntN(ms)+1) * time.Millisecond }
func (m *sim) after(d time.Duration, f func()) {
	m.seq++
	heap.Push(&m.pending, entry{m.now + d, m.seq, f})
}

func (m *sim) randomJob(i int) *simJob {
	def := Job{ID: fmt.Sprint("j", i), Mode: Mode(m.rng.IntN(2))}
	n := 1 + m.rng.IntN(5)
	for k := range n {
		st := Stage{ID: uint32(k), Tasks: 1 + m.rng.IntN(5), Indeterminate: m.chance(0.2)}
		for in := range k {
			if m.chance(0.4) {
				st.Inputs = append(st.Inputs, uint32(in))
			}
		}
		if m.chance(0.2) {
			for range st.Tasks {
				st.Bound = append(st.Bound, append(m.names, "")[m.rng.IntN(len(m.names)+1)])
			}
		}
		def.Stages = append(def.Stages, st)
	}
	read := map[uint32]bool{}
	for _, st := range def.Stages {
		for _, in := range st.Inputs {
			read[in] = true
		}
	}
	last := &def.Stages[n-1]
	for k := range n - 1 {
		if !read[uint32(k)] {
			last.Inputs = append(last.Inputs, uint32(k))
		}
	}
	parts := m.adaptable(&def)
	j := &simJob{parts: parts, adapted: map[uint32]*adaptive.Decision{}, def: def, attempts: map[Ref]int{}, accepted: map[Ref]int{}, failures: map[Ref]int{}, ready: map[int]ResultReady{},
		started: map[int]int{}, read: map[int]*simOutput{}}
	m.jobs[def.ID] = j
	m.live++
	return j
}

func (m *sim) join() {
	w := &simWorker{name: fmt.Sprint("w", len(m.names)), slots: 1 + m.rng.IntN(3), alive: true, running: map[Ref]bool{}, outputs: map[Ref]*simOutput{}}
	m.workers[w.name] = w
	m.names = append(m.names, w.name)
	m.after(m.delay(20), func() { w.joined = true; m.step(WorkerJoined{w.name, w.slots}) })
}

// disturb kills, cuts off, drains or adds a worker.
func (m *sim) disturb() {
	w := m.workers[m.names[m.rng.IntN(len(m.names))]]
	if !w.joined {
		return
	}
	switch m.rng.IntN(5) {
	case 0, 1:
		w.alive = false
		m.after(m.delay(200), func() { m.lose(w) })
	case 2:
		w.cutOff = true
		m.after(m.delay(200), func() { m.lose(w) })
	case 3:
		if !w.lost {
			w.draining = true
			m.step(WorkerDraining{w.name})
		}
	case 4:
		m.join()
	}
}

func (m *sim) lose(w *simWorker) {
	w.lost = true
	m.step(WorkerLost{w.name})
}

// settleDown brings a worker that stays.
func (m *sim) settleDown() {
	if m.chance(0.95) {
		m.join()
	}
}

func (m *sim) tick() {
	m.step(Tick{m.now})
	if m.live > 0 && m.now < 300*time.Second {
		m.after(100*time.Millisecond, m.tick)
	}
}

func (m *sim) run() error {
	for len(m.pending) > 0 && m.err == nil {
		e := heap.Pop(&m.pending).(entry)
		m.now = e.at
		e.do()
	}
	for id, j := range m.jobs {
		if !j.ended && m.err == nil {
			m.fault("job %s never ended", id)
		}
	}
	return m.err
}

func (m *sim) fault(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("at %v: "+format, append([]any{m.now}, args...)...)
	}
}

func (m *sim) step(ev Event) {
	m.steps++
	if f, ok := ev.(TaskFinished); ok {
		m.jobs[f.Ref.Job].accept(f.Ref)
	}
	if f, ok := ev.(WorkerLost); ok {
		m.workers[f.Worker].lost = true
	}
	out := m.s.Step(ev, nil)
	h := fnv.New64a()
	fmt.Fprint(h, m.hash, m.now, traced(ev), traced(out...))
	m.hash = h.Sum64()
	for _, d := range out {
		m.obey(d)
	}
}

// traced is what happened without the addresses of what is pointed at.
func traced[T any](list ...T) (out []any) {
	for _, x := range list {
		switch x := any(x).(type) {
		case TaskFinished:
			out = append(out, x.Ref, *x.Output)
		case Launch:
			s := adaptive.Slice{}
			if x.Slice != nil {
				s = *x.Slice
			}
			x.Slice = nil
			out = append(out, x, s)
		case JobSubmitted:
			out = append(out, x.Job.ID)
		default:
			out = append(out, x)
		}
	}
	return out
}

func (j *simJob) accept(r Ref) {
	t := r
	t.Attempt = 0
	if !j.ended && j.attempts[t] == r.Attempt {
		j.accepted[t] = r.Attempt
	}
}
