package txn

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
)

// commit writes a batch as one version and answers all of its transactions.
func (c *Committer) commit(q *queue, batch []*job) {
	start := time.Now()
	var failed error // of the last put, when it is not known whether it happened
	first := int64(-1)
	for try := 0; ; try++ {
		snap, err := current(c.ctx, q.table)
		if err == nil {
			batch, err = c.settle(q, snap, batch)
		}
		if len(batch) == 0 {
			return
		}
		if err == nil && failed != nil && !retryable(failed) {
			err = failed
		}
		if try == 0 && snap != nil {
			first = snap.Version
		}
		if err == nil && try >= c.opt.Attempts {
			err = exceeded(batch, try, first, snap.Version, time.Since(start))
		}
		if err == nil {
			failed = nil
			if err = c.write(q, snap, batch); err == nil {
				return
			}
			if errs.Is(err, errs.Conflict) {
				err = nil
			} else if stop, died := err.(*stopped); died {
				err = stop.err
			} else {
				failed, err = err, nil
			}
		}
		if err != nil {
			if failed != nil && retryable(failed) {
				err = unknown(batch[0], err)
			}
			for _, j := range batch {
				j.finish(Result{}, err)
			}
			return
		}
		if err := c.pause(try, failed != nil); err != nil {
			for _, j := range batch {
				j.finish(Result{}, unknown(j, err))
			}
			return
		}
	}
}

// stopped is an error of Options.Step.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }

func unknown(j *job, err error) error {
	return errs.New("MILLRACE_DELTA_COMMIT_UNKNOWN", "txnId", j.TxnID, "tableName", j.Table, "reason", err.Error())
}

func retryable(err error) bool { return errs.Is(err, errs.Transient) }

func exceeded(batch []*job, tries int, from, to int64, spent time.Duration) error {
	n := 0
	for _, j := range batch {
		n += len(j.Actions)
	}
	return errs.New("DELTA_MAX_COMMIT_RETRIES_EXCEEDED", "numAttempts", strconv.Itoa(tries), "startVersion", strconv.FormatInt(from+1, 10),
		"failVersion", strconv.FormatInt(to+1, 10), "numActions", strconv.Itoa(n), "timeSpent", strconv.FormatInt(spent.Milliseconds(), 10))
}

// pause waits before the next try: not at all at first, then up to a fifth of a second, at random so that writers part.
func (c *Committer) pause(try int, after bool) error {
	if try < 2 && !after {
		return c.ctx.Err()
	}
	limit := min(time.Millisecond<<min(try, 10), 200*time.Millisecond)
	select {
	case <-time.After(rand.N(limit) + 1):
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// settle answers the transactions that are decided already, by what landed since they read the table, and returns the
// others.
func (c *Committer) settle(q *queue, snap *delta.Snapshot, batch []*job) ([]*job, error) {
	var left []*job
	for i, j := range batch {
		res, done, err := c.judge(q, snap, j)
		switch {
		case err != nil && !final(err):
			return append(left, batch[i:]...), err
		case err != nil || done:
			j.finish(res, err)
		default:
			left = append(left, j)
		}
	}
	return left, nil
}

// final reports whether an error is about the transaction and not about reaching the log.
func final(err error) bool {
	return errs.Is(err, errs.Conflict) || errs.Is(err, errs.Invalid) || errs.Is(err, errs.Unsupported)
}

// judge looks at a transaction in the light of a snapshot. Done says that there is nothing to write.
func (c *Committer) judge(q *queue, snap *delta.Snapshot, j *job) (res Result, done bool, err error) {
	if j.ReadVersion > snap.Version {
		return res, false, anotherTable(j)
	}
	winners, err := c.between(q, j.ReadVersion+1, snap.Version)
	if err != nil {
		return res, false, err
	}
	for _, w := range winners {
		if w.has(j.TxnID) {
			return Result{Version: w.Version, Timestamp: w.timestamp(), Known: true, Grouped: max(1, len(w.Info.Group))}, true, nil
		}
	}
	if j.TableID != "" && snap.Exists() && snap.Metadata.ID != j.TableID {
		return res, false, anotherTable(j)
	}
	read, err := c.readBy(q, j, snap, winners)
	if err != nil {
		return res, false, err
	}
	if v, ok := read.Txn(j.AppID); j.AppID != "" && ok && v >= j.AppVersion {
		return Result{Version: snap.Version, Timestamp: snap.Timestamp, Skipped: true}, true, nil
	}
	rows := q.vectors.of(c.ctx, q.table.URL())
	for _, w := range winners {
		if w.Version < j.checked || w.onlyFiles && j.AppID == "" && j.groupable() {
			continue // or the common case of Check
		}
		if err := Check(&j.Request, read, w, rows); err != nil {
			return res, false, err
		}
	}
	j.rebased, err = Rebase(&j.Request, winners, rows, func(gone *roaring64.Bitmap) (*delta.DeletionVector, error) {
		return log.WriteDeletionVector(c.ctx, q.table.Store(), gone)
	})
	return res, false, err
}

// anotherTable is the error of a transaction whose table has been replaced since it read it.
func anotherTable(j *job) error {
	return errs.New("DELTA_METADATA_CHANGED", "tableName", "delta.`"+j.Table+"`", "conflictingCommit", "", "docLink", docLink)
}

// readBy is the snapshot that the transaction read, or one that is the same in what conflicts are judged by.
func (c *Committer) readBy(q *queue, j *job, snap *delta.Snapshot, winners []*Winner) (*delta.Snapshot, error) {
	if j.ReadVersion < 0 {
		return delta.Empty(q.table.URL()), nil
	}
	same := j.AppID == "" || len(winners) == 0
	for _, w := range winners {
		for i := range w.Actions {
			if w.Actions[i].Metadata != nil || w.Actions[i].Protocol != nil {
				same = false
			}
		}
	}
	if same {
		return snap, nil
	}
	return q.table.At(c.ctx, j.ReadVersion)
}

// between are the commits of versions from first to last.
func (c *Committer) between(q *queue, first, last int64) ([]*Winner, error) {
	var out []*Winner
	for v := first; v <= last; v++ {
		w := q.winners.at(v)
		if w == nil {
			actions, err := q.table.Commit(c.ctx, v)
			if err != nil {
				return nil, errs.Wrap(err, "check for conflicts")
			}
			w = NewWinner(v, actions)
			q.winners.keep(w)
		}
		out = append(out, w)
	}
	return out, nil
}

// write puts the next version and, when that worked, answers the batch. errs.Conflict says that another has the version.
func (c *Committer) write(q *queue, snap *delta.Snapshot, batch []*job) error {
	version := snap.Version + 1
	actions, err := c.prepare(snap, batch)
	if err != nil {
		return &stopped{err}
	}
	if err := c.opt.Step(BeforePut); err != nil {
		return &stopped{err}
	}
	if err := c.put(c.ctx, q, snap, actions); err != nil {
		return err
	}
	if err := c.opt.Step(AfterPut); err != nil {
		return &stopped{err}
	}
	next := c.landed(q, snap, actions)
	var ids []string // of a crowd only the log keeps them: Heads would fill up
	if len(batch) <= crowd {
		for _, j := range batch {
			ids = append(ids, j.TxnID)
		}
	}
	if err := c.heads.Publish(c.ctx, q.table.URL(), version, ids); err != nil {
		c.opt.Logger.Warn("publish a commit", "table", q.table.URL(), "version", version, "error", err)
	}
	if err := c.opt.Step(AfterPublish); err != nil {
		return &stopped{err}
	}
	res := Result{Version: version, Snapshot: next, Grouped: len(batch), Timestamp: actions[0].CommitInfo.Timestamp}
	if next != nil {
		res.Timestamp = next.Timestamp
		c.checkpoint(q, next, batch[0].TxnID)
	}
	if err := c.opt.Step(BeforeReplies); err != nil {
		return &stopped{err}
	}
	for _, j := range batch {
		j.finish(res, nil)
	}
	return nil
}

// advance makes the committed version the table's newest snapshot. It is an improvement, not a part of the commit.
func (c *Committer) advance(q *queue, snap *delta.Snapshot, version int64, actions []delta.Action) *delta.Snapshot {
	at := actions[0].CommitInfo.Timestamp
	if ict := actions[0].CommitInfo.InCommitTimestamp; ict != nil {
		at = *ict
	} else if info, err := q.table.Store().Stat(c.ctx, delta.CommitPath(version)); err == nil {
		at = info.Modified.UnixMilli()
	}
	next, err := snap.Apply(version, at, actions)
	if err != nil {
		c.opt.Logger.Warn("apply a commit", "table", q.table.URL(), "version", version, "error", err)
		return nil
	}
	q.table.Advance(next)
	return next
}
