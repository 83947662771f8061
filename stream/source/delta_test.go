package source

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/table/deltatable"
	"millrace/txn"
)

const twoColumns = `{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}},{"name":"k","type":"long","nullable":true,"metadata":{}}]}`

// lake is a table that tests commit to.
type lake struct {
	t    *testing.T
	env  Env
	path string
	n    int
}

func newLake(t *testing.T) *lake {
	logs := log.NewCache()
	c := txn.New(logs, txn.NewMemoryHeads())
	t.Cleanup(c.Close)
	l := &lake{t: t, env: Env{Logs: logs, Committer: c}, path: filepath.Join(t.TempDir(), "t")}
	l.commit("CREATE TABLE", delta.Action{Metadata: &delta.Metadata{ID: "table-1", SchemaString: twoColumns, PartitionColumns: []string{}, Configuration: map[string]string{}}},
		delta.Action{Protocol: &delta.Protocol{MinReaderVersion: 1, MinWriterVersion: 2}})
	return l
}

// commit writes the next version.
func (l *lake) commit(operation string, actions ...delta.Action) {
	l.t.Helper()
	tab, err := l.env.Logs.Table(l.path)
	if err != nil {
		l.t.Fatal(err)
	}
	info := delta.Info(operation, delta.Param{Name: "predicate", Value: `["(id = 3)"]`})
	data, err := delta.EncodeCommit(append([]delta.Action{{CommitInfo: &info}}, actions...))
	if err != nil {
		l.t.Fatal(err)
	}
	if err := tab.Store().PutIfAbsent(context.Background(), delta.CommitPath(int64(l.n)), data); err != nil {
		l.t.Fatal(err)
	}
	l.n++
}

func add(name string, size int64) delta.Action {
	return delta.Action{Add: &delta.Add{Path: name, PartitionValues: delta.PartitionValues{}, Size: size, ModificationTime: 1, DataChange: true, Stats: `{"numRecords":1}`}}
}

func remove(name string, dataChange bool) delta.Action {
	return delta.Action{Remove: &delta.Remove{Path: name, DataChange: dataChange}}
}

func (l *lake) open(options ...string) *Delta {
	l.t.Helper()
	o := map[string]string{}
	for i := 0; i+1 < len(options); i += 2 {
		o[options[i]] = options[i+1]
	}
	s := session.NewManager(session.Options{}).Detached("test", map[string]string{"spark.sql.session.timeZone": "UTC"}, nil)
	d, err := OpenDelta(context.Background(), l.env, s, &plan.UnresolvedSource{Format: "delta", Paths: []string{l.path}, Options: o, Streaming: true})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(d.Close)
	return d
}

// files names the files between two offsets.
func files(t *testing.T, d *Delta, start, end string) string {
	t.Helper()
	n, _, err := d.Span(context.Background(), start, end)
	if err != nil {
		t.Fatalf("%s to %s: %v", start, end, err)
	}
	var names []string
	for a := range n.(*plan.Scan).Table.(*deltatable.Table).Snapshot.All() {
		names = append(names, a.Path)
	}
	return strings.Join(names, " ")
}

// batches reads all there is, batch by batch, as "version,index,initial: files".
func batches(t *testing.T, d *Delta) (list []string, last error) {
	t.Helper()
	start := ""
	for {
		end, err := d.Latest(context.Background(), start, false)
		if err != nil || end == start {
			return list, err
		}
		o, err := parseDelta(end)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%d,%d,%t: %s", o.Version, o.Index, o.Initial, files(t, d, start, end)))
		start = end
	}
}

// TestOffsets holds the batches against what Delta's source gave for a table of the same commits.
func TestOffsets(t *testing.T) {
	l := newLake(t)
	l.commit("WRITE", add("a", 10), add("b", 10), add("c", 10))
	l.commit("WRITE", add("d", 10))
	first := l.open("maxFilesPerTrigger", "1")
	l.commit("WRITE", add("e", 10), add("f", 10))
	l.commit("OPTIMIZE", delta.Action{Add: &delta.Add{Path: "g", PartitionValues: delta.PartitionValues{}, Size: 1, DataChange: false}}, remove("e", false))
	for _, c := range []struct{ got, want string }{
		{got(t, first), "2,0,true: a; 2,1,true: b; 2,2,true: c; 3,-1,false: d; 3,0,false: e; 5,-1,false: f"},
		{got(t, l.open("startingVersion", "2")), "5,-1,false: d e f"},
		{got(t, l.open("startingVersion", "1", "maxBytesPerTrigger", "15b")), "1,1,false: a b; 3,-1,false: c d; 5,-1,false: e f"},
		{got(t, l.open("startingVersion", "latest")), ""},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

func got(t *testing.T, d *Delta) string {
	t.Helper()
	list, err := batches(t, d)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, "; ")
}

// TestFirstBatchAgain reads the first batch again when only its end is known, as a restart after a death does.
func TestFirstBatchAgain(t *testing.T) {
	for _, options := range [][]string{nil, {"maxFilesPerTrigger", "1"}, {"startingVersion", "1"}, {"startingVersion", "latest"}} {
		l := newLake(t)
		l.commit("WRITE", add("a", 10), add("b", 10))
		d := l.open(options...)
		l.commit("WRITE", add("c", 10), add("d", 10))
		if _, err := d.Latest(context.Background(), "", false); err != nil {
			t.Fatal(err)
		}
		l.commit("WRITE", add("e", 10))
		end, err := d.Latest(context.Background(), "", false)
		if err != nil {
			t.Fatal(err)
		}
		want := files(t, d, "", end)
		l.commit("WRITE", add("f", 10))
		if again := files(t, l.open(options...), "", end); again != want || want == "" {
			t.Errorf("%v: up to %s: %q, then %q", options, end, want, again)
		}
	}
}

// TestChanges checks what a stream does when its table does more than to grow.
func TestChanges(t *testing.T) {
	meta := func(id, schema string) delta.Action {
		return delta.Action{Metadata: &delta.Metadata{ID: id, SchemaString: schema, PartitionColumns: []string{}, Configuration: map[string]string{}}}
	}
	wider := strings.Replace(twoColumns, `]}`, `,{"name":"z","type":"integer","nullable":true,"metadata":{}}]}`, 1)
	for _, c := range []struct {
		name    string
		options []string
		commit  []delta.Action
		want    string // a condition, or the files read
	}{
		{"delete", nil, []delta.Action{remove("a", true)}, "DELTA_SOURCE_IGNORE_DELETE"},
		{"delete ignored", []string{"ignoreDeletes", "true"}, []delta.Action{remove("a", true)}, "a x"},
		{"update", nil, []delta.Action{remove("a", true), add("b", 1)}, "DELTA_SOURCE_TABLE_IGNORE_CHANGES"},
		{"update with deletes ignored", []string{"ignoreDeletes", "true"}, []delta.Action{remove("a", true), add("b", 1)}, "DELTA_SOURCE_TABLE_IGNORE_CHANGES"},
		{"update taken", []string{"ignoreChanges", "true"}, []delta.Action{remove("a", true), add("b", 1)}, "a b x"},
		{"update skipped", []string{"skipChangeCommits", "true"}, []delta.Action{remove("a", true), add("b", 1)}, "a x"},
		{"new column", nil, []delta.Action{meta("table-1", wider)}, "DELTA_SCHEMA_CHANGED_WITH_VERSION"},
		{"same columns", nil, []delta.Action{meta("table-1", twoColumns)}, "a x"},
		{"another table", nil, []delta.Action{meta("table-2", twoColumns)}, "DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE"},
	} {
		l := newLake(t)
		l.commit("WRITE", add("a", 1))
		d := l.open(c.options...)
		l.commit("DELETE", c.commit...)
		l.commit("WRITE", add("x", 1))
		list, err := batches(t, d)
		var got []string
		for _, b := range list {
			_, names, _ := strings.Cut(b, ": ")
			got = append(got, names)
		}
		text := strings.Join(got, " ")
		if err != nil {
			text = errs.ConditionOf(err)
		}
		if text != c.want {
			t.Errorf("%s: %s (%v), want %s", c.name, text, err, c.want)
		}
		if c.name == "update" && !strings.Contains(err.Error(), `(for example DELETE (Map(predicate -> "[\"(id = 3)\"]"))) in the source table at version 2.`) {
			t.Errorf("the message is not Delta's: %v", err)
		}
	}
}

// TestWrongOffsets gives a source what is not its own.
func TestWrongOffsets(t *testing.T) {
	l := newLake(t)
	l.commit("WRITE", add("a", 1))
	d := l.open()
	for _, text := range []string{"garbage", "{}", `{"sourceVersion":7,"reservoirId":"table-1","reservoirVersion":1,"index":-1,"isStartingVersion":false}`, "5",
		`{"sourceVersion":1,"reservoirId":"table-1","reservoirVersion":9,"index":-1,"isStartingVersion":false}`} {
		if _, _, err := d.Span(context.Background(), "", text); !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", text, err)
		}
	}
	other := `{"sourceVersion":1,"reservoirId":"other","reservoirVersion":1,"index":-1,"isStartingVersion":false}`
	if _, err := d.Latest(context.Background(), other, false); errs.ConditionOf(err) != "DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE" {
		t.Error(err)
	}
}

func TestRateCounts(t *testing.T) {
	s := &Rate{rows: 10, ramp: 4}
	var got []int64
	for i := range int64(7) {
		got = append(got, s.until(i))
	}
	if fmt.Sprint(got) != "[0 2 6 12 20 30 40]" {
		t.Error(got)
	}
}
