package checkpoint

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"millrace/delta"
)

// watched notes how much is live while a checkpoint is written.
type watched struct {
	since, bytes int64
	most         uint64
}

func (w *watched) Write(p []byte) (int, error) {
	if w.bytes += int64(len(p)); w.bytes-w.since > 1<<20 || w.since == 0 {
		w.since = w.bytes
		w.most = max(w.most, live())
	}
	return len(p), nil
}

func live() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// lived is a table of many files after many versions, each of which has put a file in the place of another.
func lived(t testing.TB, files, versions int) *delta.Snapshot {
	s := sample(t, files)
	for v := range versions {
		var err error
		path := fmt.Sprintf("part-%d.parquet", v%files)
		if s, err = s.Apply(s.Version+1, 1000, []delta.Action{{Remove: &delta.Remove{Path: path, DeletionTimestamp: 20, DataChange: true}}, {Add: &delta.Add{Path: fmt.Sprint("new-", v), Size: 1,
			PartitionValues: delta.PartitionValues{"p": nil, "q": nil}, Stats: `{"numRecords":1}`}}}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestWriteTakesLittle writes checkpoints of tables with few versions and with many, and holds what is live meanwhile to a bound that depends on neither.
func TestWriteTakesLittle(t *testing.T) {
	files := 70_000
	if n, err := strconv.Atoi(os.Getenv("MILLRACE_FILES")); err == nil {
		files = n
	}
	for _, versions := range []int{1, 2000} {
		s := lived(t, files, versions)
		before := live()
		w := &watched{}
		start := time.Now()
		info, err := Write(w, s, 50)
		if err != nil || info.NumOfAddFiles != int64(files)+1 {
			t.Fatalf("%+v, %v", info, err)
		}
		grown := (int64(w.most) - int64(before)) >> 20
		t.Logf("%d files after %d versions: %v, %d MiB more were live", files, versions, time.Since(start).Round(time.Millisecond), grown)
		if grown > 64 {
			t.Errorf("%d MiB more were live", grown)
		}
	}
}
