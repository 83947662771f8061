package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"millrace/errs"
)

// The keys: a job's record, its claim (held by a lease of who runs it), the wish to cancel it, and the lines of its log.
const (
	root    = "/millrace/jobs/"
	records = root + "record/"
	claims  = root + "claim/"
	wishes  = root + "cancel/"
	lines   = root + "log/"
)

// kept is how many ended jobs are kept, with their logs.
const kept = 500

// store keeps jobs in etcd.
type store struct{ c *clientv3.Client }

func decode(value []byte) (Job, error) {
	var j Job
	if err := json.Unmarshal(value, &j); err != nil {
		return j, errs.Newf(errs.Internal, "a job's record cannot be read: %v", err)
	}
	return j, nil
}

func encode(j Job) string {
	b, err := json.Marshal(j)
	if err != nil {
		panic("jobs: a record is plain data: " + err.Error())
	}
	return string(b)
}

// create adds a job under a new id.
func (s store) create(ctx context.Context, j Job) error {
	r, err := s.c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(records+j.ID), "=", 0)).Then(clientv3.OpPut(records+j.ID, encode(j))).Commit()
	if err != nil {
		return errs.Wrap(err, "record the job %s", j.Name)
	}
	if !r.Succeeded {
		return errs.Newf(errs.Transient, "the job id %s is taken", j.ID)
	}
	return nil
}

func (s store) get(ctx context.Context, id string) (Job, error) {
	r, err := s.c.Get(ctx, records+id)
	if err != nil {
		return Job{}, errs.Wrap(err, "read the job %s", id)
	}
	if len(r.Kvs) == 0 {
		return Job{}, errs.Newf(errs.NotFound, "There is no job %s; millrace jobs lists them.", id)
	}
	return decode(r.Kvs[0].Value)
}

// list gives all jobs, newest first, and etcd's revision at which they were read.
func (s store) list(ctx context.Context) ([]Job, int64, error) {
	r, err := s.c.Get(ctx, records, clientv3.WithPrefix())
	if err != nil {
		return nil, 0, errs.Wrap(err, "list the jobs")
	}
	var all []Job
	for _, kv := range r.Kvs {
		j, err := decode(kv.Value)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, j)
	}
	sort.Slice(all, func(i, k int) bool {
		if !all[i].Submitted.Equal(all[k].Submitted) {
			return all[i].Submitted.After(all[k].Submitted)
		}
		return all[i].ID > all[k].ID
	})
	return all, r.Header.Revision, nil
}

// forget removes the oldest ended jobs beyond those that are kept.
func (s store) forget(ctx context.Context) error {
	all, _, err := s.list(ctx)
	if err != nil {
		return err
	}
	ended := 0
	for _, j := range all {
		if !j.State.Ended() {
			continue
		}
		if ended++; ended <= kept {
			continue
		}
		_, err := s.c.Txn(ctx).Then(clientv3.OpDelete(records+j.ID), clientv3.OpDelete(wishes+j.ID), clientv3.OpDelete(lines+j.ID+"/", clientv3.WithPrefix())).Commit()
		if err != nil {
			return errs.Wrap(err, "forget the job %s", j.ID)
		}
	}
	return nil
}

// claim is the right to run a job; it ends with its lease. What is written under it is written only while it is held.
type claim struct {
	s        store
	id       string
	revision int64
	line     int // the next line of the log
	size     int // bytes that the log holds
}

// take claims a job; nil when somebody else holds it.
func (s store) take(ctx context.Context, id string, lease clientv3.LeaseID, who string) (*claim, error) {
	key := claims + id
	r, err := s.c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(clientv3.OpPut(key, who, clientv3.WithLease(lease))).Commit()
	if err != nil || !r.Succeeded {
		return nil, err
	}
	c := &claim{s: s, id: id, revision: r.Header.Revision}
	log, err := s.c.Get(ctx, lines+id+"/", clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	c.line = len(log.Kvs)
	for _, kv := range log.Kvs {
		c.size += len(kv.Value)
	}
	return c, nil
}

var errLost = errs.Newf(errs.Lost, "the claim of the job has expired")

func (c *claim) write(ctx context.Context, ops ...clientv3.Op) error {
	r, err := c.s.c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(claims+c.id), "=", c.revision)).Then(ops...).Commit()
	if err != nil {
		return errs.Wrap(err, "record the job %s", c.id)
	}
	if !r.Succeeded {
		return errLost
	}
	return nil
}

func (c *claim) save(ctx context.Context, j Job) error {
	return c.write(ctx, clientv3.OpPut(records+c.id, encode(j)))
}

// maxLog is the most bytes of a job's log, maxLine those of one entry.
const (
	maxLog  = 8 << 20
	maxLine = 64 << 10
)

// log adds text to the job's log, a line's end at its end.
func (c *claim) log(ctx context.Context, text string) error {
	text = strings.TrimRight(text, "\n") + "\n"
	for len(text) > 0 && c.size < maxLog {
		part := text[:min(len(text), maxLine)]
		text = text[len(part):]
		if c.size += len(part); c.size >= maxLog {
			part += "\nthe log is full; what follows is not kept\n"
		}
		if err := c.write(ctx, clientv3.OpPut(fmt.Sprintf("%s%s/%08d", lines, c.id, c.line), part)); err != nil {
			return err
		}
		c.line++
	}
	return nil
}

// release gives the claim up.
func (c *claim) release(ctx context.Context) {
	_ = c.write(ctx, clientv3.OpDelete(claims+c.id)) // a claim that is lost is released
}
