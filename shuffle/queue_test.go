package shuffle

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"millrace/memory"
	"millrace/types"
	"millrace/vector"
)

// queueOf is an output whose producer has worked for a while, and a batch of which it holds so many as times says.
func queueOf(t *testing.T, readers, times int) (*queuedOutput, *vector.Batch) {
	o := newQueued(Spec{Partitions: 1, Readers: readers, Types: []*types.Type{types.Long}}, memory.NewPool("worker", 1<<30), t.TempDir())
	time.Sleep(time.Minute)
	return o, &vector.Batch{Cols: []*vector.Vector{vector.FromSlice(types.Long, make([]int64, queueBytes/times/8))}, N: queueBytes / times / 8}
}

func write(t *testing.T, o *queuedOutput, b *vector.Batch, times int) {
	for range times {
		if err := o.Write(0, b); err != nil {
			t.Error(err)
		}
	}
}

// countBatches counts an output's batches, with a pause after each.
func countBatches(t *testing.T, o *queuedOutput, pause time.Duration) (n int) {
	r, err := o.open(context.Background(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for {
		got, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got == nil {
			return n
		}
		n++
		time.Sleep(pause)
	}
}

// A reader that is busy for some time with what it has read is waited for.
func TestQueueWaitsForSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, b := queueOf(t, 1, 4)
		go func() {
			write(t, o, b, 20)
			o.Finish()
		}()
		if n := countBatches(t, o, queuePatienceMost/2); n != 20 || o.spillEnd > 0 {
			t.Errorf("%d of 20 batches, %d bytes spilled", n, o.spillEnd)
		}
		o.release()
	})
}

// Where operators have taken all memory, batches still pass to a reader that reads, without the disk.
func TestQueueWorksWithoutMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := memory.NewPool("worker", 1<<30)
		if err := pool.Reserve(1 << 30); err != nil {
			t.Fatal(err)
		}
		o := newQueued(Spec{Partitions: 1, Types: []*types.Type{types.Long}}, pool, t.TempDir())
		b := &vector.Batch{Cols: []*vector.Vector{vector.FromSlice(types.Long, make([]int64, queueWorking/32))}, N: queueWorking / 32}
		go func() {
			write(t, o, b, 20)
			o.Finish()
		}()
		if n := countBatches(t, o, queuePatience/2); n != 20 || o.spillEnd > 0 || o.bytes != 0 || pool.Used() != 1<<30 {
			t.Errorf("%d of 20 batches, %d bytes spilled, %d are held, %d in use", n, o.spillEnd, o.bytes, pool.Used())
		}
		pool.Release(1 << 29) // what is granted and what is not are told apart
		write(t, o, b, 1)
		o.release()
		if pool.Used() != 1<<29 {
			t.Errorf("%d bytes in use", pool.Used())
		}
	})
}

// Nobody is waited for twice in vain: not when there is no reader, and not when what one of two reads makes no room.
func TestQueueWaitsOnceInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, readers := range []int{1, 2} {
			o, b := queueOf(t, readers, 4)
			begin := time.Now()
			write(t, o, b, 8)
			if readers == 2 {
				r, err := o.open(context.Background(), 0, 0)
				if err != nil {
					t.Fatal(err)
				}
				for range 6 {
					if got, err := r.Next(); got == nil || err != nil {
						t.Fatal(got, err)
					}
					write(t, o, b, 1)
				}
			}
			if waited := time.Since(begin); waited != queuePatienceMost {
				t.Errorf("%d readers: the producer waited for %v", readers, waited)
			}
			o.release()
		}
	})
}

// A producer that has just begun waits but for a moment.
func TestQueueWaitsNoLongerThanItWorked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newQueued(Spec{Partitions: 1, Types: []*types.Type{types.Long}}, memory.NewPool("worker", 1<<20), t.TempDir())
		b := &vector.Batch{Cols: []*vector.Vector{vector.FromSlice(types.Long, make([]int64, 1<<18))}, N: 1 << 18}
		begin := time.Now()
		write(t, o, b, 3)
		if waited := time.Since(begin); waited != queuePatience {
			t.Errorf("the producer waited for %v", waited)
		}
		o.release()
	})
}
