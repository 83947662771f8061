package delta

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestFileSetAgainstMap compares the layered set with a plain map, and old versions with themselves later on.
func TestFileSetAgainstMap(t *testing.T) {
	defer func(n int) { indexedFrom = n }(indexedFrom)
	rapid.Check(t, func(t *rapid.T) {
		indexedFrom = rapid.SampledFrom([]int{2, 5, 1024}).Draw(t, "indexed from")
		live, dead := map[string]int64{}, map[string]int64{}
		set := newLayer(nil).seal()
		type old struct {
			set  *fileSet
			live map[string]int64
		}
		var past []old
		for c := range rapid.IntRange(1, 40).Draw(t, "commits") {
			layer := newLayer(set)
			for range rapid.IntRange(0, 6).Draw(t, "actions") {
				path := fmt.Sprint("f", rapid.IntRange(0, 12).Draw(t, "path"))
				if rapid.Bool().Draw(t, "add") {
					size := int64(rapid.IntRange(1, 9).Draw(t, "size"))
					layer.add(&Add{Path: path, Size: size})
					live[path] = size
					delete(dead, path)
				} else {
					layer.remove(&Remove{Path: path, DeletionTimestamp: int64(c)})
					delete(live, path)
					dead[path] = int64(c)
				}
			}
			set = layer.seal()
			compare(t, set, live)
			tombs := map[string]int64{}
			set.tombstones(func(r *Remove) bool { tombs[r.Path] = r.DeletionTimestamp; return true })
			if fmt.Sprint(tombs) != fmt.Sprint(dead) {
				t.Fatalf("tombstones %v, want %v", tombs, dead)
			}
			past = append(past, old{set, cloneMap(live)})
		}
		for _, o := range past {
			compare(t, o.set, o.live)
		}
	})
}

func compare(t *rapid.T, set *fileSet, live map[string]int64) {
	got, bytes := map[string]int64{}, int64(0)
	set.each(func(a *Add) bool {
		if _, twice := got[a.Path]; twice {
			t.Fatalf("%s comes twice", a.Path)
		}
		got[a.Path] = a.Size
		bytes += a.Size
		return true
	})
	if fmt.Sprint(got) != fmt.Sprint(live) || set.live != len(live) || set.bytes != bytes {
		t.Fatalf("files %v (%d, %d bytes), want %v", got, set.live, set.bytes, live)
	}
}

func BenchmarkCommitToLargeTable(b *testing.B) {
	actions := []Action{{Protocol: &Protocol{MinReaderVersion: 1, MinWriterVersion: 2}}, {Metadata: &Metadata{}}}
	for i := range 1_000_000 {
		actions = append(actions, Action{Add: &Add{Path: fmt.Sprint("part-", i), Size: 1}})
	}
	s, err := Empty("t").Apply(0, 0, actions)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range b.N {
		if s, err = s.Apply(int64(i)+1, 0, []Action{{Add: &Add{Path: fmt.Sprint("new-", i)}}}); err != nil {
			b.Fatal(err)
		}
	}
}
