// Package memory hands out a worker's memory. A Pool is a budget with a parent; operators reserve from their task's
// pool before they keep data, and spill when Reserve says no. It knows nothing of operators.
package memory

import (
	"sync"

	"millrace/errs"
)

// Pool is a budget in bytes; safe for concurrent use.
type Pool struct {
	name   string
	limit  int64
	parent *Pool

	mu   sync.Mutex
	used int64
	peak int64
}

// NewPool makes a root budget of limit bytes.
func NewPool(name string, limit int64) *Pool { return &Pool{name: name, limit: limit} }

// Child makes a budget inside p; limit 0 means p's own.
func (p *Pool) Child(name string, limit int64) *Pool {
	if limit == 0 {
		limit = p.limit
	}
	return &Pool{name: name, limit: limit, parent: p}
}

// TryReserve takes n bytes, or returns false and takes none: then the caller spills, or calls MustReserve.
func (p *Pool) TryReserve(n int64) bool {
	p.mu.Lock()
	if p.used+n > p.limit {
		p.mu.Unlock()
		return false
	}
	p.used += n
	p.peak = max(p.peak, p.used)
	p.mu.Unlock()
	if p.parent != nil && !p.parent.TryReserve(n) {
		p.give(n)
		return false
	}
	return true
}

// Reserve takes n bytes or fails with Exhausted: for what cannot be spilled.
func (p *Pool) Reserve(n int64) error {
	if p.TryReserve(n) {
		return nil
	}
	return errs.Newf(errs.Exhausted, "%s: %d bytes are wanted and %d of %d are in use; start the workers with a larger --memory", p.name, n, p.Used(), p.limit)
}

// Release gives n bytes back.
func (p *Pool) Release(n int64) {
	p.give(n)
	if p.parent != nil {
		p.parent.Release(n)
	}
}

func (p *Pool) give(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used -= n
	if p.used < 0 {
		panic("memory: " + p.name + " was given back more than was taken")
	}
}

// Close gives back what is still reserved and returns how much that was.
func (p *Pool) Close() int64 {
	n := p.Used()
	if n > 0 {
		p.Release(n)
	}
	return n
}

// Used is the bytes reserved now.
func (p *Pool) Used() int64 { p.mu.Lock(); defer p.mu.Unlock(); return p.used }

// Peak is the most bytes that were ever reserved.
func (p *Pool) Peak() int64 { p.mu.Lock(); defer p.mu.Unlock(); return p.peak }

// Limit is the budget in bytes.
func (p *Pool) Limit() int64 { return p.limit }
