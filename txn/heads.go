package txn

import (
	"context"
	"sync"
)

// Heads is what the processes that commit to the same tables share besides the tables themselves. None of it decides
// whether a commit happened (the log does): it keeps our own writers from racing each other, answers quickly who
// committed what, and tells watchers of new versions. Tables are named by their URLs.
type Heads interface {
	// Lock waits until no other process commits to the table. The lock ends by unlock or with the process.
	Lock(ctx context.Context, table string) (unlock func(), err error)
	// Publish says that a version was committed, by these transactions.
	Publish(ctx context.Context, table string, version int64, txnIDs []string) error
	// Outcome is the version that a transaction was committed as, for some time after the commit.
	Outcome(ctx context.Context, table, txnID string) (version int64, found bool, err error)
	// Head is the newest version that was published, or -1.
	Head(ctx context.Context, table string) (int64, error)
	// Watch yields newer and newer published versions, the newest at first; some may be left out. The channel is closed
	// when the context ends.
	Watch(ctx context.Context, table string) (<-chan int64, error)

	Intents
	Registry
	Operations
}

// outcomesKept is how many transactions a table's outcomes hold in memory.
const outcomesKept = 10_000

type memoryHeads struct {
	mu     sync.Mutex
	tables map[string]*memoryHead
	memoryShared
}

type memoryHead struct {
	lock     chan struct{}
	head     int64
	outcomes map[string]int64
	order    []string
	changed  chan struct{} // closed at the next publication
}

// NewMemoryHeads is Heads for one process.
func NewMemoryHeads() Heads {
	return &memoryHeads{tables: map[string]*memoryHead{}, memoryShared: newMemoryShared()}
}

// table is called with mu held.
func (m *memoryHeads) table(name string) *memoryHead {
	t := m.tables[name]
	if t == nil {
		t = &memoryHead{lock: make(chan struct{}, 1), head: -1, outcomes: map[string]int64{}, changed: make(chan struct{})}
		m.tables[name] = t
	}
	return t
}

func (m *memoryHeads) Lock(ctx context.Context, table string) (func(), error) {
	m.mu.Lock()
	t := m.table(table)
	m.mu.Unlock()
	select {
	case t.lock <- struct{}{}:
		return func() { <-t.lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memoryHeads) Publish(_ context.Context, table string, version int64, txnIDs []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.publish(table, version, txnIDs)
	return nil
}

func (m *memoryHeads) publish(table string, version int64, txnIDs []string) {
	t := m.table(table)
	for _, id := range txnIDs {
		t.outcomes[id] = version
		t.order = append(t.order, id)
	}
	if n := len(t.order) - outcomesKept; n > 0 {
		for _, id := range t.order[:n] {
			delete(t.outcomes, id)
		}
		t.order = append([]string(nil), t.order[n:]...)
	}
	if version > t.head {
		t.head = version
		close(t.changed)
		t.changed = make(chan struct{})
	}
}

func (m *memoryHeads) Outcome(_ context.Context, table, txnID string) (int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.table(table).outcomes[txnID]
	return v, ok, nil
}

func (m *memoryHeads) Head(_ context.Context, table string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table(table).head, nil
}

func (m *memoryHeads) Watch(ctx context.Context, table string) (<-chan int64, error) {
	out := make(chan int64)
	go func() {
		defer close(out)
		last := int64(-1)
		for {
			m.mu.Lock()
			t := m.table(table)
			head, changed := t.head, t.changed
			m.mu.Unlock()
			if head > last {
				select {
				case out <- head:
					last = head
					continue
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}
