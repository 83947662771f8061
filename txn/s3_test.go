package txn

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"millrace/delta/log"
	"millrace/storage/s3test"
)

// TestS3 has two committers that share nothing but the bucket.
func TestS3(t *testing.T) {
	url := s3test.Start(t) + "/t"
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	var cs [2]*Committer
	for i := range cs {
		cs[i] = New(log.NewCache(), NewMemoryHeads(), Options{Group: 4})
		defer cs[i].Close()
	}
	create(t, cs[0], url)
	want := map[string]bool{}
	start := time.Now()
	var wg sync.WaitGroup
	for g := range 8 {
		for i := range 5 {
			want[fmt.Sprintf("s%d-%d", g, i)] = true
		}
		wg.Go(func() {
			for i := range 5 {
				if _, err := appendOne(cs[g%2], url, fmt.Sprintf("s%d-%d", g, i), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("40 appends in %v", time.Since(start))
	s := audit(t, url, want)
	table, _ := cs[1].logs.Table(url)
	if other, err := table.Snapshot(context.Background()); err != nil || other.Version != s.Version {
		t.Error(other, err)
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			url := b.TempDir()
			c := New(log.NewCache(), NewMemoryHeads())
			defer c.Close()
			create(b, c, url)
			b.ResetTimer()
			var wg sync.WaitGroup
			for g := range writers {
				wg.Go(func() {
					for i := g; i < b.N; i += writers {
						if _, err := appendOne(c, url, fmt.Sprint("b", i), 0); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
