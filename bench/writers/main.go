// Command writers appends to a Delta table by many simulated clients of a coordinator's commit service: each commits a transaction
// of one file, waits for the answer, and commits the next. It prints a line of JSON: logical commits and versions a second, latencies,
// failures, and whether the log holds every acknowledged transaction once, with its information.
//
//	go run ./bench/writers --address 127.0.0.1:15002 --table /tmp/t --writers 2048 --seconds 10
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/gateway/commits"
	"millrace/txn"
)

const schema = `{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}}]}`

type run struct {
	client *commits.Client
	table  string
	stop   time.Time

	mu        sync.Mutex
	latencies []time.Duration
	acked     map[string]int64
	failed    []error
}

func main() {
	address := flag.String("address", "127.0.0.1:15002", "host and port of a coordinator")
	table := flag.String("table", "", "where to make the table")
	writers := flag.Int("writers", 2048, "simulated clients")
	seconds := flag.Float64("seconds", 10, "how long")
	flag.Parse()
	client, err := commits.Dial(*address, *address, *address, *address) // four connections
	if err != nil {
		fail(err)
	}
	r := &run{client: client, table: *table, acked: map[string]int64{}}
	create := txn.Request{Table: *table, ReadVersion: -1, TxnID: uuid.NewString(), Info: delta.Info("CREATE TABLE"),
		Actions: []delta.Action{{Metadata: &delta.Metadata{SchemaString: schema, PartitionColumns: []string{}, Configuration: map[string]string{}}}}}
	if _, err := client.Commit(context.Background(), create); err != nil {
		fail(err)
	}
	start := time.Now()
	r.stop = start.Add(time.Duration(*seconds * float64(time.Second)))
	var wg sync.WaitGroup
	for w := range *writers {
		wg.Go(func() { r.write(w) })
	}
	wg.Wait()
	r.report(time.Since(start))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "writers:", err)
	os.Exit(1)
}

func (r *run) write(w int) {
	read := int64(0)
	for i := 0; time.Now().Before(r.stop); i++ {
		id := fmt.Sprintf("w%d-%d", w, i)
		info := delta.Info("WRITE", delta.Param{Name: "mode", Value: "Append"})
		info.UserMetadata = id
		add := &delta.Add{Path: id + ".parquet", PartitionValues: delta.PartitionValues{}, Size: 1000, ModificationTime: 1, DataChange: true,
			Stats: `{"numRecords":100,"minValues":{"id":0},"maxValues":{"id":99},"nullCount":{"id":0}}`}
		began := time.Now()
		res, err := r.client.Commit(context.Background(), txn.Request{Table: r.table, ReadVersion: read, TxnID: id, Info: info, Actions: []delta.Action{{Add: add}}})
		r.mu.Lock()
		if err != nil {
			r.failed = append(r.failed, err)
		} else {
			r.acked[id], read = res.Version, res.Version
			r.latencies = append(r.latencies, time.Since(began))
		}
		r.mu.Unlock()
	}
}

func (r *run) report(took time.Duration) {
	slices.Sort(r.latencies)
	at := func(p float64) float64 {
		if len(r.latencies) == 0 {
			return 0
		}
		return float64(r.latencies[min(len(r.latencies)-1, int(p*float64(len(r.latencies))))].Milliseconds())
	}
	versions, whole := r.audit()
	out := map[string]any{"commits": len(r.acked), "seconds": took.Seconds(), "commits_per_s": float64(len(r.acked)) / took.Seconds(),
		"versions_per_s": float64(versions) / took.Seconds(), "p50_ms": at(.5), "p99_ms": at(.99), "failed": len(r.failed), "whole": whole}
	if len(r.failed) > 0 {
		out["first_failure"] = r.failed[0].Error()
	}
	text, err := json.Marshal(out)
	if err != nil {
		fail(err)
	}
	fmt.Println(string(text))
}

// audit reads the log: every acknowledged transaction stands in its version once, with what its writer said.
func (r *run) audit() (versions int64, whole bool) {
	table, err := log.Open(r.table)
	if err != nil {
		fail(err)
	}
	s, err := table.Snapshot(context.Background())
	if err != nil {
		fail(err)
	}
	seen := map[string]int64{}
	whole = s.NumFiles() == len(r.acked)
	for v := int64(1); v <= s.Version; v++ {
		actions, err := table.Commit(context.Background(), v)
		if err != nil {
			fail(err)
		}
		members := map[string]string{}
		for _, a := range actions {
			if c := a.CommitInfo; c != nil {
				members[c.TxnID] = c.UserMetadata
				for _, m := range c.Group {
					members[m.TxnID] = m.UserMetadata
				}
			}
		}
		for _, a := range actions {
			if a.Add == nil {
				continue
			}
			id := a.Add.Path[:len(a.Add.Path)-len(".parquet")]
			_, twice := seen[id]
			whole = whole && !twice && members[id] == id && r.acked[id] == v
			seen[id] = v
		}
	}
	return s.Version, whole && len(seen) == len(r.acked)
}
