package operators

import "millrace/memory"

const (
	reserveStep  = 1 << 20
	freeOfCharge = 64 << 10 // what an operator that cannot spill holds without asking
)

// reservation is an operator's share of the task's memory, taken in coarse steps.
type reservation struct {
	pool *memory.Pool
	held int64
}

// grow makes the reservation at least n bytes, or leaves it and returns false.
func (r *reservation) grow(n int64) bool {
	if n <= r.held {
		return true
	}
	step := min(reserveStep, max(r.pool.Limit()/64, 1))
	want := (n+step-1)/step*step - r.held
	if !r.pool.TryReserve(want) {
		return false
	}
	r.held += want
	return true
}

// working is the bytes that an operator may hold without having been granted them: less would spill for every batch.
func (r *reservation) working() int64 { return min(reserveStep, r.pool.Limit()/8) }

// fits is grow for an operator that can spill: false asks it to.
func (r *reservation) fits(n int64) bool { return r.grow(n) || n <= r.working() }

// must is grow for what cannot be spilled.
func (r *reservation) must(n int64) error {
	if n <= freeOfCharge || r.fits(n) {
		return nil
	}
	if err := r.pool.Reserve(n - r.held); err != nil {
		return err
	}
	r.held = n
	return nil
}

// shrink gives back what is held beyond n bytes.
func (r *reservation) shrink(n int64) {
	if r.held > n {
		r.pool.Release(r.held - n)
		r.held = n
	}
}

func (r *reservation) release() { r.shrink(0) }
