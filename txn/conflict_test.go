package txn

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
)

func inPartition(path, p string) delta.Action {
	a := addFile(path, 1)
	a.Add.PartitionValues = delta.PartitionValues{"p": &p}
	return a
}

func removeFile(path, p string) delta.Action {
	return delta.Action{Remove: &delta.Remove{Path: path, DeletionTimestamp: 1, DataChange: true, PartitionValues: delta.PartitionValues{"p": &p}}}
}

// TestConflicts is Delta's table: what one transaction does, what another did since it read, and what comes of it.
func TestConflicts(t *testing.T) {
	metadata := delta.Action{Metadata: &delta.Metadata{ID: "id", SchemaString: oneColumn, PartitionColumns: []string{"p"}, Configuration: map[string]string{}}}
	read, err := delta.Empty("t").Apply(0, 0, []delta.Action{{Protocol: &delta.Protocol{MinReaderVersion: 1, MinWriterVersion: 2}}, metadata,
		inPartition("a", "1"), inPartition("b", "2")})
	if err != nil {
		t.Fatal(err)
	}
	only1 := []delta.Filter{{{Column: []string{"p"}, Op: delta.Eq, Value: "1"}}}
	yes, no := true, false
	blind, other := &delta.CommitInfo{Operation: "WRITE", IsBlindAppend: &yes}, &delta.CommitInfo{Operation: "DELETE", IsBlindAppend: &no}
	add := func(p string) []delta.Action { return []delta.Action{inPartition("new"+p, p)} }
	for _, c := range []struct {
		name    string
		request Request
		info    *delta.CommitInfo
		winner  []delta.Action
		want    string
	}{
		{"blind append, append", Request{Actions: add("1")}, blind, add("1"), ""},
		{"blind append, delete", Request{Actions: add("1")}, other, []delta.Action{removeFile("a", "1")}, ""},
		{"blind append, metadata", Request{Actions: add("1")}, other, []delta.Action{metadata}, "DELTA_METADATA_CHANGED"},
		{"blind append, protocol", Request{Actions: add("1")}, other, []delta.Action{{Protocol: &delta.Protocol{MinReaderVersion: 1, MinWriterVersion: 3}}}, "DELTA_PROTOCOL_CHANGED"},
		{"read partition, append there", Request{Actions: add("1"), Reads: only1}, blind, add("1"), "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT"},
		{"read partition, append elsewhere", Request{Actions: add("1"), Reads: only1}, blind, add("2"), ""},
		{"read partition, append there, write serializable", Request{Actions: add("1"), Reads: only1, Isolation: WriteSerializable}, blind, add("1"), ""},
		{"read partition, rewrite there, write serializable", Request{Actions: add("1"), Reads: only1, Isolation: WriteSerializable}, other, add("1"), "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT"},
		{"read all, append", Request{Actions: add("1"), ReadTable: true}, blind, add("2"), "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT"},
		{"read all, delete", Request{Actions: add("1"), ReadTable: true}, other, []delta.Action{removeFile("b", "2")}, "DELTA_CONCURRENT_DELETE_READ.WITHOUT_HINT"},
		{"read file, delete of it", Request{Actions: add("1"), Reads: only1, ReadFiles: []string{"a"}}, other, []delta.Action{removeFile("a", "1")}, "DELTA_CONCURRENT_DELETE_READ.WITH_PARTITION_HINT"},
		{"read file, delete of another", Request{Actions: add("1"), Reads: only1, ReadFiles: []string{"a"}}, other, []delta.Action{removeFile("b", "2")}, ""},
		{"delete twice", Request{Actions: []delta.Action{removeFile("a", "1")}}, other, []delta.Action{removeFile("a", "1")}, "DELTA_CONCURRENT_DELETE_DELETE.WITH_PARTITION_HINT"},
		{"compaction, append", Request{Actions: []delta.Action{{Add: &delta.Add{Path: "c"}}, {Remove: &delta.Remove{Path: "a"}}}, ReadFiles: []string{"a"}}, blind, add("1"), ""},
		{"same application", Request{Actions: add("1"), AppID: "x"}, blind, []delta.Action{{Txn: &delta.SetTransaction{AppID: "x", Version: 1}}}, "DELTA_CONCURRENT_TRANSACTION"},
		{"other application", Request{Actions: add("1"), AppID: "x"}, blind, []delta.Action{{Txn: &delta.SetTransaction{AppID: "y", Version: 1}}}, ""},
		{"same domain", Request{Actions: []delta.Action{{Domain: &delta.DomainMetadata{Domain: "d"}}}}, other, []delta.Action{{Domain: &delta.DomainMetadata{Domain: "d"}}}, "DELTA_CONCURRENT_TRANSACTION"},
	} {
		c.request.Table = "t"
		err := Check(&c.request, read, NewWinner(1, append([]delta.Action{{CommitInfo: c.info}}, c.winner...)), nil)
		if got := errs.ConditionOf(err); got != c.want || err != nil && !errs.Is(err, errs.Conflict) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestCreateRace(t *testing.T) {
	url := t.TempDir()
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, lost := 0, 0
	for i := range 6 {
		c := New(log.NewCache(), NewMemoryHeads()) // no common lock: the log decides alone
		wg.Go(func() {
			defer c.Close()
			_, err := c.Commit(context.Background(), Request{Table: url, ReadVersion: -1, TxnID: fmt.Sprint("c", i), Actions: newTable(), Info: delta.CommitInfo{Operation: "CREATE TABLE"}})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if errs.ConditionOf(err) == "DELTA_PROTOCOL_CHANGED" && strings.Contains(err.Error(), "empty directory") {
				lost++
			} else {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || lost != 5 {
		t.Errorf("%d won, %d lost", won, lost)
	}
}

// TestLinearizable checks a history of overwrites and reads against a register: each overwrite replaces the table's one
// file if nobody did since it was read.
func TestLinearizable(t *testing.T) {
	url := t.TempDir()
	heads := NewMemoryHeads()
	var cs [3]*Committer
	for i := range cs {
		cs[i] = New(log.NewCache(), heads)
		defer cs[i].Close()
	}
	create(t, cs[0], url)
	type input struct{ from, to string } // to empty: a read
	type output struct {
		ok    bool
		value string
	}
	var mu sync.Mutex
	var history []porcupine.Operation
	start := time.Now()
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 8 {
				table, _ := cs[g%3].logs.Table(url)
				call := time.Since(start).Nanoseconds()
				s, err := table.Snapshot(context.Background())
				if err != nil {
					t.Error(err)
					return
				}
				value, actions := "", []delta.Action(nil)
				for a := range s.All() {
					value = a.Path
					actions = append(actions, delta.Action{Remove: a.Remove(1, true)})
				}
				mid := time.Since(start).Nanoseconds()
				to := fmt.Sprintf("v%d-%d", g, i)
				_, err = cs[g%3].Commit(context.Background(), Request{Table: url, ReadVersion: s.Version, TxnID: to, ReadTable: true,
					Actions: append(actions, addFile(to, 1)), Info: delta.CommitInfo{Operation: "WRITE"}})
				if err != nil && !errs.Is(err, errs.Conflict) {
					t.Error(err)
				}
				end := time.Since(start).Nanoseconds()
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: g, Input: input{}, Call: call, Output: output{true, value}, Return: mid},
					porcupine.Operation{ClientId: g, Input: input{value, to}, Call: mid + 1, Output: output{ok: err == nil}, Return: end})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	model := porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, in, out any) (bool, any) {
			i, o := in.(input), out.(output)
			switch {
			case i.to == "":
				return o.value == state, state
			case o.ok:
				return state == i.from, i.to
			}
			return true, state // a conflict changes nothing
		},
	}
	if !porcupine.CheckOperations(model, history) {
		t.Error("the history of the table is not that of a register")
	}
}
