package etcdheads

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"millrace/errs"
	"millrace/txn"
)

// More keys in etcd:
//
//	<prefix>/intents/<id>                             a transaction of several tables
//	<prefix>/doubts/<hash of the URL>                 the undecided transaction of a table
//	<prefix>/tables/<hash of the URL>/shared          the version of the last transaction of several tables, 20 digits
//	<prefix>/tables/<hash of the URL>/managed         the newest ratified version of a managed table, 20 digits
//	<prefix>/tables/<hash of the URL>/staged/<digits> the name of a ratified commit that is not published yet
//	<prefix>/backlog/<hash of the URL>                the URL of a managed table with such commits
//	<prefix>/operations/<id>/owner                    the process that has taken over a client's operation
//	<prefix>/operations/<id>/claims/<transaction>/<n> a transaction that is about to be committed for it, for some time

func (e *heads) intentKey(id string) string     { return e.prefix + "/intents/" + id }
func (e *heads) doubtKey(table string) string   { return e.prefix + "/doubts/" + hash(table) }
func (e *heads) backlogKey(table string) string { return e.prefix + "/backlog/" + hash(table) }

func digits(v int64) string { return fmt.Sprintf("%020d", v) }

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("txn: " + err.Error()) // plain structs
	}
	return string(b)
}

func missing(key string) clientv3.Cmp { return clientv3.Compare(clientv3.CreateRevision(key), "=", 0) }

// step runs one atomic step, which is errs.Conflict when a condition does not hold.
func (e *heads) step(ctx context.Context, what string, when []clientv3.Cmp, do ...clientv3.Op) error {
	r, err := e.client.Txn(ctx).If(when...).Then(do...).Commit()
	if err != nil {
		return errs.Newf(errs.Transient, "%s in etcd: %v", what, err)
	}
	if !r.Succeeded {
		return errs.Newf(errs.Conflict, "%s in etcd: somebody was there before", what)
	}
	return nil
}

func (e *heads) Begin(ctx context.Context, in txn.Intent) error {
	in.State = txn.Pending
	when := []clientv3.Cmp{missing(e.intentKey(in.ID))}
	do := []clientv3.Op{clientv3.OpPut(e.intentKey(in.ID), jsonOf(in))}
	for _, p := range in.Parts {
		when = append(when, missing(e.doubtKey(p.Table)))
		do = append(do, clientv3.OpPut(e.doubtKey(p.Table), jsonOf(txn.Doubt{ID: in.ID, Base: p.Base})))
	}
	return e.step(ctx, "record transaction "+in.ID, when, do...)
}

func (e *heads) Intent(ctx context.Context, id string) (*txn.Intent, error) {
	var in txn.Intent
	found, err := e.object(ctx, e.intentKey(id), &in)
	if !found {
		return nil, err
	}
	return &in, err
}

// object reads a key's JSON.
func (e *heads) object(ctx context.Context, key string, v any) (bool, error) {
	r, err := e.client.Get(ctx, key)
	if err != nil {
		return false, errs.Newf(errs.Transient, "read %s in etcd: %v", key, err)
	}
	if len(r.Kvs) == 0 {
		return false, nil
	}
	return true, errs.Wrap(json.Unmarshal(r.Kvs[0].Value, v), "read %s in etcd", key)
}

func (e *heads) Decide(ctx context.Context, in txn.Intent) error {
	key := e.intentKey(in.ID)
	var now txn.Intent
	found, err := e.object(ctx, key, &now)
	if err != nil {
		return err
	}
	if !found || now.State != txn.Pending {
		return errs.Newf(errs.Conflict, "the transaction %s is decided", in.ID)
	}
	lease, err := e.outcomeLease(ctx)
	if err != nil {
		return errs.Newf(errs.Transient, "lease in etcd: %v", err)
	}
	when := []clientv3.Cmp{clientv3.Compare(clientv3.Value(key), "=", jsonOf(now))}
	if in.State != txn.Committed {
		return e.step(ctx, "abort transaction "+in.ID, when, clientv3.OpPut(key, jsonOf(in)))
	}
	do := []clientv3.Op{clientv3.OpPut(key, jsonOf(in), clientv3.WithLease(lease))}
	for _, p := range in.Parts {
		table, v := e.key(p.Table), digits(p.Version)
		do = append(do, clientv3.OpDelete(e.doubtKey(p.Table)), clientv3.OpPut(table+"/shared", v), clientv3.OpPut(table+"/txn/"+in.ID, v, clientv3.WithLease(lease)),
			e.headOp(table, v))
		if p.Managed {
			when = append(when, clientv3.Compare(clientv3.Value(table+"/managed"), "=", digits(p.Version-1)))
			do = append(do, clientv3.OpPut(table+"/managed", v), clientv3.OpPut(table+"/staged/"+v, p.Staged), clientv3.OpPut(e.backlogKey(p.Table), p.Table))
		}
	}
	return e.step(ctx, "commit transaction "+in.ID, when, do...)
}

// headOp raises a table's head.
func (e *heads) headOp(table, version string) clientv3.Op {
	put := []clientv3.Op{clientv3.OpPut(table+"/head", version)}
	newer := clientv3.OpTxn([]clientv3.Cmp{clientv3.Compare(clientv3.Value(table+"/head"), "<", version)}, put, nil)
	return clientv3.OpTxn([]clientv3.Cmp{missing(table + "/head")}, put, []clientv3.Op{newer})
}

func (e *heads) Undone(ctx context.Context, in txn.Intent) error {
	lease, err := e.outcomeLease(ctx)
	if err != nil {
		return errs.Newf(errs.Transient, "lease in etcd: %v", err)
	}
	in.State = txn.Aborted
	do := []clientv3.Op{clientv3.OpPut(e.intentKey(in.ID), jsonOf(in), clientv3.WithLease(lease))}
	for _, p := range in.Parts {
		key := e.doubtKey(p.Table)
		do = append(do, clientv3.OpTxn([]clientv3.Cmp{clientv3.Compare(clientv3.Value(key), "=", jsonOf(txn.Doubt{ID: in.ID, Base: p.Base}))}, []clientv3.Op{clientv3.OpDelete(key)}, nil))
	}
	return e.step(ctx, "undo transaction "+in.ID, nil, do...)
}

func (e *heads) Doubt(ctx context.Context, table string) (*txn.Doubt, error) {
	var d txn.Doubt
	found, err := e.object(ctx, e.doubtKey(table), &d)
	if !found {
		return nil, err
	}
	return &d, err
}

func (e *heads) Marked(ctx context.Context) ([]string, error) {
	r, err := e.client.Get(ctx, e.prefix+"/doubts/", clientv3.WithPrefix())
	if err != nil {
		return nil, errs.Newf(errs.Transient, "list undecided transactions in etcd: %v", err)
	}
	var ids []string
	for _, kv := range r.Kvs {
		var d txn.Doubt
		if json.Unmarshal(kv.Value, &d) == nil && !slices.Contains(ids, d.ID) {
			ids = append(ids, d.ID)
		}
	}
	return ids, nil
}

func (e *heads) Shared(ctx context.Context, tables []string) ([]int64, error) {
	ops := make([]clientv3.Op, len(tables))
	for i, t := range tables {
		ops[i] = clientv3.OpGet(e.key(t) + "/shared")
	}
	r, err := e.client.Txn(ctx).Then(ops...).Commit()
	if err != nil {
		return nil, errs.Newf(errs.Transient, "read heads in etcd: %v", err)
	}
	out := make([]int64, len(tables))
	for i := range tables {
		out[i] = -1
		if kvs := r.Responses[i].GetResponseRange().Kvs; len(kvs) > 0 {
			if out[i], err = strconv.ParseInt(string(kvs[0].Value), 10, 64); err != nil {
				return nil, errs.Newf(errs.Invalid, "head of %s in etcd: %v", tables[i], err)
			}
		}
	}
	return out, nil
}

func (e *heads) Ratify(ctx context.Context, table string, version int64, staged string) error {
	key := e.key(table)
	when := clientv3.Compare(clientv3.Value(key+"/managed"), "=", digits(version-1))
	if version == 0 {
		when = missing(key + "/managed")
	}
	return e.step(ctx, "ratify version "+strconv.FormatInt(version, 10)+" of "+table, []clientv3.Cmp{when},
		clientv3.OpPut(key+"/managed", digits(version)), clientv3.OpPut(key+"/staged/"+digits(version), staged), clientv3.OpPut(e.backlogKey(table), table))
}

func (e *heads) Published(ctx context.Context, table string, version int64) error {
	key := e.key(table)
	newest := []clientv3.Cmp{clientv3.Compare(clientv3.Value(key+"/managed"), "=", digits(version))}
	return e.step(ctx, "publish "+table, nil, clientv3.OpDelete(key+"/staged/", clientv3.WithRange(key+"/staged/"+digits(version+1))),
		clientv3.OpTxn(newest, []clientv3.Op{clientv3.OpDelete(e.backlogKey(table))}, nil))
}

func (e *heads) Backlog(ctx context.Context) ([]string, error) {
	r, err := e.client.Get(ctx, e.prefix+"/backlog/", clientv3.WithPrefix())
	if err != nil {
		return nil, errs.Newf(errs.Transient, "list the tables with commits to publish in etcd: %v", err)
	}
	tables := make([]string, len(r.Kvs))
	for i, kv := range r.Kvs {
		tables[i] = string(kv.Value)
	}
	return tables, nil
}

func (e *heads) Unregister(ctx context.Context, table string) error {
	key := e.key(table)
	return e.step(ctx, "forget "+table, nil, clientv3.OpDelete(key+"/managed"), clientv3.OpDelete(key+"/shared"), clientv3.OpDelete(key+"/staged/", clientv3.WithPrefix()),
		clientv3.OpDelete(e.backlogKey(table)))
}

func (e *heads) Ratified(ctx context.Context, table string, after int64) (int64, map[int64]string, bool, error) {
	key := e.key(table)
	r, err := e.client.Txn(ctx).Then(clientv3.OpGet(key+"/managed"),
		clientv3.OpGet(key+"/staged/"+digits(after+1), clientv3.WithRange(clientv3.GetPrefixRangeEnd(key+"/staged/")))).Commit()
	if err != nil {
		return -1, nil, false, errs.Newf(errs.Transient, "ask etcd for the commits of %s: %v", table, err)
	}
	head := r.Responses[0].GetResponseRange().Kvs
	if len(head) == 0 {
		return -1, nil, false, nil
	}
	v, err := strconv.ParseInt(string(head[0].Value), 10, 64)
	staged := map[int64]string{}
	for _, kv := range r.Responses[1].GetResponseRange().Kvs {
		if n, err := strconv.ParseInt(strings.TrimPrefix(string(kv.Key), key+"/staged/"), 10, 64); err == nil {
			staged[n] = string(kv.Value)
		}
	}
	return v, staged, true, errs.Wrap(err, "head of %s in etcd", table)
}

func (e *heads) operationKey(id string) string { return e.prefix + "/operations/" + id }

func (e *heads) Claim(ctx context.Context, operation, owner string, claims []txn.Claim) error {
	lease, err := e.outcomeLease(ctx)
	if err != nil {
		return errs.Newf(errs.Transient, "lease in etcd: %v", err)
	}
	key := e.operationKey(operation)
	var do []clientv3.Op
	for i, c := range claims {
		do = append(do, clientv3.OpPut(fmt.Sprintf("%s/claims/%s/%d", key, c.TxnID, i), jsonOf(c), clientv3.WithLease(lease)))
	}
	mine := clientv3.OpTxn([]clientv3.Cmp{clientv3.Compare(clientv3.Value(key+"/owner"), "=", owner)}, do, nil)
	r, err := e.client.Txn(ctx).If(missing(key + "/owner")).Then(do...).Else(mine).Commit()
	if err != nil {
		return errs.Newf(errs.Transient, "claim the operation %s in etcd: %v", operation, err)
	}
	if !r.Succeeded && !r.Responses[0].GetResponseTxn().Succeeded {
		return errs.Newf(errs.Conflict, "another coordinator has taken over the operation %s", operation)
	}
	return nil
}

func (e *heads) TakeOver(ctx context.Context, operation, owner string) ([]txn.Claim, error) {
	lease, err := e.outcomeLease(ctx)
	if err != nil {
		return nil, errs.Newf(errs.Transient, "lease in etcd: %v", err)
	}
	key := e.operationKey(operation)
	r, err := e.client.Txn(ctx).Then(clientv3.OpPut(key+"/owner", owner, clientv3.WithLease(lease)),
		clientv3.OpGet(key+"/claims/", clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))).Commit()
	if err != nil {
		return nil, errs.Newf(errs.Transient, "take over the operation %s in etcd: %v", operation, err)
	}
	var out []txn.Claim
	for _, kv := range r.Responses[1].GetResponseRange().Kvs {
		var c txn.Claim
		if err := json.Unmarshal(kv.Value, &c); err != nil {
			return nil, errs.Newf(errs.Invalid, "%s in etcd: %v", kv.Key, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func (e *heads) Undecided(ctx context.Context, table string) (string, int64, error) {
	d, err := e.Doubt(ctx, table)
	if err != nil || d == nil {
		return "", 0, err
	}
	return d.ID, d.Base, nil
}
