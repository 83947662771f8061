package memory

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestGarbagePercent(t *testing.T) {
	for _, c := range []struct {
		live, room int64
		want       int
	}{{0, 256, 400}, {10, 256, 400}, {256, 256, 100}, {512, 256, 50}, {100_000, 256, 20}} {
		if got := garbagePercent(c.live<<20, c.room<<20); got != c.want {
			t.Errorf("%d MiB in use, room for %d: %d %%, want %d", c.live, c.room, got, c.want)
		}
	}
}

// The ratio follows what is in use from collection to collection.
func TestBoundGarbage(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	const room = 1 << 20
	BoundGarbage(room)
	data := make([]byte, 64<<20)
	follows(t, garbageLeast)
	runtime.KeepAlive(data)
	if live := liveHeap(); live < 64<<20 {
		t.Errorf("%d bytes are said to be in use", live)
	}
}

// follows waits until a collection has set the ratio.
func follows(t *testing.T, want int) {
	t.Helper()
	for range 100 {
		runtime.GC()
		time.Sleep(time.Millisecond)
		got := debug.SetGCPercent(garbageRatio)
		if debug.SetGCPercent(got); got == want {
			return
		}
	}
	t.Errorf("the ratio is never %d", want)
}
