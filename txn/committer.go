package txn

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
)

// Options tune a Committer. The zero value is right for programs.
type Options struct {
	Engine string           // engineInfo of commits
	Now    func() time.Time // the clock
	// Attempts is how often a version that others took is tried anew before giving up.
	Attempts int
	// Group is the most transactions that share a version; 1 writes each as its own.
	Group int
	// Spacing is the least time between versions while many blind appends wait: they gather meanwhile. Negative: none.
	Spacing time.Duration
	// Patience is for how long CommitSurely asks for an outcome that is not known; 0: ten minutes.
	Patience time.Duration
	// NoCheckpoints leaves out the checkpoints and log compactions that commits cause.
	NoCheckpoints bool
	// CompactEvery is of how many versions a log compaction is written, where no checkpoint lies among them; 0: ten, negative: none.
	CompactEvery int
	Logger       *slog.Logger
	// Step is called at the points between which a process may die; an error makes the commit stop there as if it had.
	Step func(Step) error
}

// Step is a point in a commit.
type Step string

// The steps of a commit, in order.
const (
	BeforePut     Step = "before put"
	AfterRatify   Step = "after ratify" // of a managed table's commit, which is not published yet
	AfterPut      Step = "after put"
	AfterPublish  Step = "after publish"
	BeforeReplies Step = "before replies"
)

// The steps of a transaction of several tables.
const (
	AfterBegin     Step = "after begin"
	AfterPart      Step = "after part"
	BeforeDecision Step = "before decision"
	AfterDecision  Step = "after decision"
	AfterUndo      Step = "after undo"
)

// Committer commits transactions to tables. It may be used by many goroutines at once.
type Committer struct {
	logs  *log.Cache
	heads Heads
	opt   Options
	id    string // tells this committer from those of other processes

	ctx  context.Context // ends with Close
	stop context.CancelFunc

	mu     sync.Mutex // guards queues and what is in them
	queues map[string]*queue
	busy   sync.WaitGroup
}

// New is a committer that reads tables through a cache, which others may share.
func New(logs *log.Cache, heads Heads, options ...Options) *Committer {
	c := &Committer{logs: logs, heads: heads, queues: map[string]*queue{}, id: uuid.NewString()}
	logs.Use(heads)
	if len(options) > 0 {
		c.opt = options[0]
	}
	if c.opt.Engine == "" {
		c.opt.Engine = "millrace"
	}
	if c.opt.Now == nil {
		c.opt.Now = time.Now
	}
	if c.opt.Attempts == 0 {
		c.opt.Attempts = 10_000
	}
	if c.opt.Group == 0 {
		c.opt.Group = 4096
	}
	if c.opt.Spacing == 0 {
		c.opt.Spacing = 50 * time.Millisecond
	}
	if c.opt.Patience == 0 {
		c.opt.Patience = 10 * time.Minute
	}
	if c.opt.CompactEvery == 0 {
		c.opt.CompactEvery = compactEvery
	}
	if c.opt.Logger == nil {
		c.opt.Logger = slog.Default()
	}
	if c.opt.Step == nil {
		c.opt.Step = func(Step) error { return nil }
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// Close waits for checkpoints under way and ends all commits.
func (c *Committer) Close() {
	c.stop()
	c.busy.Wait()
}

// queue holds the transactions that wait for one table. One goroutine at a time takes them out.
type queue struct {
	table         *log.Table
	owner         chan struct{} // holds a token while a goroutine commits to the table
	waiting       []*job
	running       bool
	checkpointing bool           // something is written about a version in the background
	writing       bool           // and it is a checkpoint
	behind        sync.WaitGroup // what is written in the background
	winners       winners        // recent commits
	vectors       vectors
	grouped       int       // transactions in the last version
	next          time.Time // when the next version of many is due
}

// job is a transaction in the queue.
type job struct {
	Request
	rebased *Request // as it is to be written after the newest version
	ctx     context.Context
	answer  chan answer
}

type answer struct {
	Result
	err error
}

func (j *job) finish(r Result, err error) { j.answer <- answer{r, err} }

// Commit commits a transaction and returns when the decision is durable. An errs.Conflict is final for this transaction: it has to
// read the table again. After an error of kind Transient, or when the context ends, the outcome is not known here: ask again
// with the same request, or ask Outcome.
func (c *Committer) Commit(ctx context.Context, r Request) (Result, error) {
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	table, err := c.logs.Table(r.Table)
	if err != nil {
		return Result{}, err
	}
	r.Table = table.URL()
	j := &job{Request: r, ctx: ctx, answer: make(chan answer, 1)}
	c.enqueue(table, j)
	select {
	case a := <-j.answer:
		return a.Result, a.err
	case <-ctx.Done():
		if c.withdraw(table.URL(), j) {
			return Result{}, ctx.Err()
		}
		// It is being written: the answer is near and worth more than the deadline.
		select {
		case a := <-j.answer:
			return a.Result, a.err
		case <-time.After(5 * time.Second):
			return Result{}, errs.New("MILLRACE_DELTA_COMMIT_UNKNOWN", "txnId", r.TxnID, "tableName", r.Table, "reason", ctx.Err().Error())
		}
	}
}

func (c *Committer) enqueue(table *log.Table, j *job) {
	q := c.queue(table)
	c.mu.Lock()
	defer c.mu.Unlock()
	q.waiting = append(q.waiting, j)
	if !q.running {
		q.running = true
		c.busy.Go(func() { c.drain(q) })
	}
}

func (c *Committer) queue(table *log.Table) *queue {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queues[table.URL()]
	if q == nil {
		q = &queue{table: table, owner: make(chan struct{}, 1)}
		c.queues[table.URL()] = q
	}
	return q
}

// own waits until this goroutine alone, of all processes that share Heads, commits to a table.
func (c *Committer) own(ctx context.Context, q *queue) (release func(), err error) {
	select {
	case q.owner <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	unlock, err := c.heads.Lock(ctx, q.table.URL())
	if err != nil {
		<-q.owner
		return nil, err
	}
	return func() { unlock(); <-q.owner }, nil
}

// withdraw takes a transaction out of the queue, and is false when it is no longer there.
func (c *Committer) withdraw(url string, j *job) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queues[url]
	i := slices.Index(q.waiting, j)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

const (
	lockWait = 10 * time.Second       // then we go on without: the log decides
	turn     = 250 * time.Millisecond // then another process may have its turn
)

// drain commits what waits until nothing does.
func (c *Committer) drain(q *queue) {
	for try := 0; ; try++ {
		q.owner <- struct{}{} // held by goroutines of this process alone, none of which waits for ever
		ctx, cancel := context.WithTimeout(c.ctx, lockWait)
		unlock, err := c.heads.Lock(ctx, q.table.URL())
		if err != nil {
			unlock = func() {}
			c.opt.Logger.Warn("commit without the table's lock", "table", q.table.URL(), "error", err)
		}
		cancel()
		ctx, cancel = context.WithTimeout(c.ctx, lockWait)
		doubt, err := c.heads.Doubt(ctx, q.table.URL())
		cancel()
		done := false
		if err == nil && doubt == nil || c.ctx.Err() != nil {
			done = c.turn(q)
		}
		unlock()
		<-q.owner
		if done {
			return
		}
		if err != nil && c.pause(try, true) == nil { // what is not known to be decided must not be built upon
			c.opt.Logger.Warn("ask whether a transaction is undecided", "table", q.table.URL(), "error", err)
		}
		if err == nil && doubt != nil {
			if _, err := c.finish(c.ctx, doubt.ID); err != nil && c.pause(try, true) == nil {
				c.opt.Logger.Warn("finish a transaction", "transaction", doubt.ID, "error", err)
			}
		}
	}
}

// turn commits batches for a while and reports whether the queue is empty.
func (c *Committer) turn(q *queue) bool {
	for end := time.Now().Add(turn); time.Now().Before(end); {
		c.gather(q)
		batch := c.take(q)
		if len(batch) == 0 {
			return true
		}
		q.next, q.grouped = time.Now().Add(c.opt.Spacing), len(batch)
		c.commit(q, batch)
	}
	return false
}

// crowd is from how many transactions on a version was written for many writers, of whom more are to be expected.
const crowd = 8

// gather waits until a version of many is due, unless somebody waits who has to be alone.
func (c *Committer) gather(q *queue) {
	wait := time.Until(q.next)
	if q.grouped < crowd || wait <= 0 {
		return
	}
	c.mu.Lock()
	alone := len(q.waiting) > 0 && !q.waiting[0].groupable()
	c.mu.Unlock()
	if alone {
		return
	}
	select {
	case <-time.After(wait):
	case <-c.ctx.Done():
	}
}

// take takes out the next transactions that may become one version: one that has to be alone, or blind appends up to the
// next such. When there are none, the queue is marked idle.
func (c *Committer) take(q *queue) []*job {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(q.waiting) == 0 {
		q.running = false
		return nil
	}
	apps, ids := map[string]bool{}, map[string]bool{}
	n := 0
	for n < len(q.waiting) && n < c.opt.Group && q.waiting[n].groupable() && !ids[q.waiting[n].TxnID] && distinct(apps, q.waiting[n].appIDs()) {
		ids[q.waiting[n].TxnID] = true // one that was sent twice is judged after it was written once
		n++
	}
	n = max(n, 1)
	batch := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return batch
}

// distinct adds ids to all unless one is there already: two steps of one application cannot share a version.
func distinct(all, ids map[string]bool) bool {
	for id := range ids {
		if all[id] {
			return false
		}
	}
	for id := range ids {
		all[id] = true
	}
	return true
}

// Outcome tells what became of a transaction: the version that it was committed as, or not found. It looks into the log from the
// version after readVersion, so that its answer is the truth as of now; a transaction still in a queue may land later.
func (c *Committer) Outcome(ctx context.Context, location, txnID string, readVersion int64) (version int64, found bool, err error) {
	table, err := c.logs.Table(location)
	if err != nil {
		return 0, false, err
	}
	if in, err := c.heads.Intent(ctx, txnID); err == nil && in != nil {
		return c.outcomeOf(ctx, in, table.URL())
	}
	if v, ok, err := c.heads.Outcome(ctx, table.URL(), txnID); err == nil && ok {
		return v, true, nil
	}
	snap, err := table.Newest(ctx)
	if errs.Is(err, errs.NotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	if _, undone, err := table.FindTransaction(ctx, undoID(txnID), readVersion, snap.Version); err != nil || undone {
		return 0, false, err
	}
	return table.FindTransaction(ctx, txnID, readVersion, snap.Version)
}

// outcomeOf is the outcome of a transaction of several tables, which is finished first.
func (c *Committer) outcomeOf(ctx context.Context, in *Intent, table string) (int64, bool, error) {
	if in.State != Committed {
		var err error
		if in, err = c.finish(ctx, in.ID); err != nil || in == nil || in.State != Committed {
			return 0, false, err
		}
	}
	for _, p := range in.Parts {
		if p.Table == table {
			return p.Version, true, nil
		}
	}
	return 0, false, nil
}

// Newest is the table's newest version by its log, -1 where there is no table.
func (c *Committer) Newest(ctx context.Context, location string) (int64, error) {
	table, err := c.logs.Table(location)
	if err != nil {
		return -1, err
	}
	s, err := table.Snapshot(ctx)
	if errs.Is(err, errs.NotFound) {
		return -1, nil
	}
	if err != nil {
		return -1, err
	}
	return s.Version, nil
}

// Drop has a table deleted while nobody commits to it nor writes what follows commits, and forgets what is known of it. A commit that waits finds no table, or another one.
func (c *Committer) Drop(ctx context.Context, location string, drop func() error) error {
	table, err := c.logs.Table(location)
	if err != nil {
		return err
	}
	q := c.queue(table)
	release, err := c.own(ctx, q)
	if err != nil {
		return err
	}
	defer release()
	q.behind.Wait() // a checkpoint of the table that goes would be one of its successor's
	if err := drop(); err != nil {
		return err
	}
	q.winners = winners{}
	table.Forget()
	return c.heads.Unregister(ctx, table.URL())
}

// Head is a version that the table is known to have reached, by Heads; -1 when nothing is known.
func (c *Committer) Head(ctx context.Context, location string) (int64, error) {
	table, err := c.logs.Table(location)
	if err != nil {
		return -1, err
	}
	return c.heads.Head(ctx, table.URL())
}

// Watch yields the table's versions as they are committed by any process that shares Heads.
func (c *Committer) Watch(ctx context.Context, location string) (<-chan int64, error) {
	table, err := c.logs.Table(location)
	if err != nil {
		return nil, err
	}
	return c.heads.Watch(ctx, table.URL())
}

// current is the table's newest snapshot; an empty one where there is no table.
func current(ctx context.Context, table *log.Table) (*delta.Snapshot, error) {
	s, err := table.Newest(ctx)
	if errs.Is(err, errs.NotFound) && errs.ConditionOf(err) == "DELTA_TABLE_NOT_FOUND" {
		return delta.Empty(table.URL()), nil
	}
	return s, err
}
