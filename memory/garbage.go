package memory

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// garbageRatio is how much garbage a process gathers at most for each byte that is in use, in percent.
	garbageRatio = 400
	// garbageLeast is the least ratio: a large heap is not collected all the time.
	garbageLeast = 20
)

// BoundGarbage has the collector run so often that a process holds at most about room bytes of garbage, and no more than four times what is
// in use. Large batches hold no pointers, so that a collection costs little however many there are.
func BoundGarbage(room int64) {
	debug.SetGCPercent(garbageRatio)
	watchGarbage(room)
}

// watchGarbage sets the ratio anew after each collection: what nobody refers to is finalised by it.
func watchGarbage(room int64) {
	type sentinel struct{ _ [16]byte }
	runtime.SetFinalizer(&sentinel{}, func(*sentinel) {
		debug.SetGCPercent(garbagePercent(liveHeap(), room))
		watchGarbage(room)
	})
}

// liveHeap is what the last collection left.
func liveHeap() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(s[0].Value.Uint64())
}

// garbagePercent is the ratio of garbage to what is in use at which the next collection begins.
func garbagePercent(live, room int64) int {
	if live <= 0 {
		return garbageRatio
	}
	return int(min(max(100*room/live, garbageLeast), garbageRatio))
}
