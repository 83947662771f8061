package txn

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/delta"
	"millrace/errs"
)

var rewriteMatrix = flag.Bool("txn.matrix", false, "write testdata/conflicts.txt anew, to be read before it is believed")

// marks are how testdata/conflicts.txt shows what comes of a transaction.
var marks = map[string]string{"": ".", "DELTA_CONCURRENT_APPEND": "A", "DELTA_CONCURRENT_DELETE_READ": "R", "DELTA_CONCURRENT_DELETE_DELETE": "D",
	"DELTA_METADATA_CHANGED": "M", "DELTA_PROTOCOL_CHANGED": "P", "DELTA_CONCURRENT_TRANSACTION": "T"}

type side struct {
	name    string
	request Request // of a loser; a winner's actions
}

const matrixHead = `# What comes of a transaction (a line) when another (a column) has been committed since it read the table, by Delta's rules: under Serializable, under WriteSerializable.
#   . it commits   A DELTA_CONCURRENT_APPEND   R DELTA_CONCURRENT_DELETE_READ   D DELTA_CONCURRENT_DELETE_DELETE
#   M DELTA_METADATA_CHANGED   P DELTA_PROTOCOL_CHANGED   T DELTA_CONCURRENT_TRANSACTION
# The table is partitioned by p, with files a (p=1), b (p=2) and v (p=1, with deletion vectors). Where Delta says R and rows are told apart, two that delete other rows of v both commit:
# the lines and columns that begin with "rows".
`

// TestConflictMatrix holds every kind of transaction against every kind of winner.
func TestConflictMatrix(t *testing.T) {
	vectors := map[string]*roaring64.Bitmap{}
	vector := func(rows ...uint64) *delta.DeletionVector {
		b := roaring64.BitmapOf(rows...)
		dv, err := delta.EncodeInline(b)
		if err != nil {
			t.Fatal(err)
		}
		vectors[dv.ID()] = b
		return dv
	}
	rows := func(dv *delta.DeletionVector) (*roaring64.Bitmap, error) {
		if dv == nil {
			return roaring64.New(), nil
		}
		return vectors[dv.ID()], nil
	}
	metadata := func(configuration map[string]string) delta.Action {
		return delta.Action{Metadata: &delta.Metadata{ID: "id", SchemaString: oneColumn, PartitionColumns: []string{"p"}, Configuration: configuration}}
	}
	protocol := func(features ...string) delta.Action {
		return delta.Action{Protocol: &delta.Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"deletionVectors"},
			WriterFeatures: append([]string{"deletionVectors", "appendOnly", "invariants"}, features...)}}
	}
	v := inPartition("v", "1")
	v.Add.DeletionVector = vector(0)
	read, err := delta.Empty("t").Apply(0, 0, []delta.Action{protocol(), metadata(map[string]string{}), inPartition("a", "1"), inPartition("b", "2"), v})
	if err != nil {
		t.Fatal(err)
	}
	grown := func(gone ...uint64) []delta.Action {
		x := removeFile("v", "1")
		x.Remove.DeletionVector = vector(0)
		y := inPartition("v", "1")
		y.Add.DeletionVector = vector(append(gone, 0)...)
		return []delta.Action{x, y}
	}
	quiet := func(actions ...delta.Action) []delta.Action {
		for i := range actions {
			if actions[i].Add != nil {
				actions[i].Add.DataChange = false
			} else {
				actions[i].Remove.DataChange = false
			}
		}
		return actions
	}
	part := func(p string) []delta.Filter {
		return []delta.Filter{{{Column: []string{"p"}, Op: delta.Eq, Value: p}}}
	}
	all := func(extra ...delta.Action) []delta.Action {
		x := removeFile("v", "1")
		x.Remove.DeletionVector = vector(0)
		return append([]delta.Action{removeFile("a", "1"), removeFile("b", "2"), x}, extra...)
	}
	files := []string{"a", "b", "v"}
	domain := func(name string) delta.Action {
		return delta.Action{Domain: &delta.DomainMetadata{Domain: name, Configuration: "{}"}}
	}
	losers := []side{
		{"append", Request{Actions: []delta.Action{inPartition("n", "1")}}},
		{"append what was read of p=1", Request{Actions: []delta.Action{inPartition("n", "1")}, Reads: part("1"), ReadFiles: []string{"a", "v"}}},
		{"append what was read of all", Request{Actions: []delta.Action{inPartition("n", "1")}, ReadTable: true}},
		{"delete the partition p=1", Request{Actions: []delta.Action{removeFile("a", "1")}, Reads: part("1"), ReadFiles: []string{"a"}}},
		{"update of p=1, files anew", Request{Actions: []delta.Action{removeFile("a", "1"), inPartition("n", "1")}, Reads: part("1"), ReadFiles: []string{"a"}}},
		{"rows 1 of v deleted", Request{Actions: grown(1), Reads: part("1"), ReadFiles: []string{"v"}, RowLevel: true}},
		{"rows 1 of v updated", Request{Actions: append(grown(1), inPartition("n", "1")), Reads: part("1"), ReadFiles: []string{"v"}, RowLevel: true}},
		{"rows 1 of v merged, all read", Request{Actions: append(grown(1), inPartition("n", "1")), Reads: part("1"), ReadFiles: []string{"v"}}},
		{"overwrite", Request{Actions: all(inPartition("n", "1")), ReadTable: true, ReadFiles: files}},
		{"overwrite of p=1", Request{Actions: []delta.Action{removeFile("a", "1"), inPartition("n", "1")}, Reads: part("1"), ReadFiles: []string{"a"}}},
		{"optimize of a", Request{Actions: quiet(removeFile("a", "1"), inPartition("n", "1")), ReadFiles: []string{"a"}}},
		{"set a property", Request{Actions: []delta.Action{metadata(map[string]string{"x": "1"})}}},
		{"add a feature", Request{Actions: []delta.Action{protocol("clustering")}}},
		{"set a domain", Request{Actions: []delta.Action{domain("d")}}},
		{"append of application x", Request{Actions: []delta.Action{inPartition("n", "1")}, AppID: "x", AppVersion: 1}},
	}
	winners := []side{
		{"append to p=1", Request{Actions: []delta.Action{inPartition("w", "1")}}},
		{"append to p=2", Request{Actions: []delta.Action{inPartition("w", "2")}}},
		{"delete a", Request{Actions: []delta.Action{removeFile("a", "1")}, ReadFiles: []string{"a"}}},
		{"delete b", Request{Actions: []delta.Action{removeFile("b", "2")}, ReadFiles: []string{"b"}}},
		{"update of a", Request{Actions: []delta.Action{removeFile("a", "1"), inPartition("w", "1")}, ReadFiles: []string{"a"}}},
		{"update of b", Request{Actions: []delta.Action{removeFile("b", "2"), inPartition("w", "2")}, ReadFiles: []string{"b"}}},
		{"rows 1 of v deleted", Request{Actions: grown(1), ReadFiles: []string{"v"}}},
		{"rows 2 of v deleted", Request{Actions: grown(2), ReadFiles: []string{"v"}}},
		{"overwrite", Request{Actions: all(inPartition("w", "2")), ReadTable: true}},
		{"optimize of a", Request{Actions: quiet(removeFile("a", "1"), inPartition("w", "1")), ReadFiles: []string{"a"}}},
		{"optimize of b", Request{Actions: quiet(removeFile("b", "2"), inPartition("w", "2")), ReadFiles: []string{"b"}}},
		{"set a property", Request{Actions: []delta.Action{metadata(map[string]string{"y": "1"})}}},
		{"allow deletion vectors", Request{Actions: []delta.Action{metadata(map[string]string{"delta.enableDeletionVectors": "true"})}}},
		{"add a feature that asks nothing of others", Request{Actions: []delta.Action{protocol("domainMetadata")}}},
		{"add another feature", Request{Actions: []delta.Action{protocol("clustering")}}},
		{"drop a feature", Request{Actions: []delta.Action{{Protocol: &delta.Protocol{MinReaderVersion: 1, MinWriterVersion: 2}}}}},
		{"set the domain", Request{Actions: []delta.Action{domain("d")}}},
		{"set another domain", Request{Actions: []delta.Action{domain("e")}}},
		{"append of application x", Request{Actions: []delta.Action{inPartition("w", "2")}, AppID: "x"}},
		{"append of application y", Request{Actions: []delta.Action{inPartition("w", "2")}, AppID: "y"}},
	}
	want := readMatrix(t)
	var out strings.Builder
	out.WriteString(matrixHead)
	for i, w := range winners {
		fmt.Fprintf(&out, "# %2d %s\n", i+1, w.name)
	}
	for _, l := range losers {
		line := [2]string{}
		for k, level := range []Isolation{Serializable, WriteSerializable} {
			for _, w := range winners {
				r := l.request
				r.Table, r.Isolation = "t", level
				if r.isolation(read) == SnapshotIsolation {
					r.Isolation = ""
				}
				blind := w.request.BlindAppend()
				actions := append([]delta.Action{{CommitInfo: &delta.CommitInfo{Operation: "W", IsBlindAppend: &blind}}}, w.request.Actions...)
				if w.request.AppID != "" {
					actions = append(actions, delta.Action{Txn: &delta.SetTransaction{AppID: w.request.AppID, Version: 1}})
				}
				err := Check(&r, read, NewWinner(1, actions), rows)
				condition, _, _ := strings.Cut(errs.ConditionOf(err), ".")
				m, known := marks[condition]
				if !known || err != nil && !errs.Is(err, errs.Conflict) {
					t.Errorf("%s after %s: %v", l.name, w.name, err)
				}
				line[k] += m
			}
		}
		text := fmt.Sprintf("%-32s %s  %s", l.name, line[0], line[1])
		out.WriteString(text + "\n")
		if !*rewriteMatrix && want[l.name] != text {
			t.Errorf("%s\n  have %s\n  want %s", l.name, text, want[l.name])
		}
		delete(want, l.name)
	}
	if *rewriteMatrix {
		if err := os.WriteFile("testdata/conflicts.txt", []byte(out.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	} else if len(want) > 0 {
		t.Errorf("nothing tries %v", want)
	}
}

// readMatrix gives the lines of testdata/conflicts.txt by what they are about.
func readMatrix(t *testing.T) map[string]string {
	lines := map[string]string{}
	f, err := os.Open("testdata/conflicts.txt")
	if err != nil {
		if !*rewriteMatrix {
			t.Fatal(err)
		}
		return lines
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); line != "" && line[0] != '#' {
			lines[strings.TrimSpace(line[:32])] = line
		}
	}
	return lines
}
