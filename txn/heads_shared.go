package txn

import (
	"context"
	"slices"

	"millrace/errs"
)

// memoryShared is what memoryHeads knows of transactions of several tables and of managed tables.
type memoryShared struct {
	intents map[string]*Intent
	doubts  map[string]Doubt
	shared  map[string]int64
	managed map[string]*memoryManaged
	owners  map[string]string
	claims  map[string][]Claim
}

type memoryManaged struct {
	head   int64
	staged map[int64]string
}

func newMemoryShared() memoryShared {
	return memoryShared{map[string]*Intent{}, map[string]Doubt{}, map[string]int64{}, map[string]*memoryManaged{}, map[string]string{}, map[string][]Claim{}}
}

func (m *memoryHeads) Claim(_ context.Context, operation, owner string, claims []Claim) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if by, taken := m.owners[operation]; taken && by != owner {
		return errs.Newf(errs.Conflict, "another committer has taken over the operation %s", operation)
	}
	m.claims[operation] = append(m.claims[operation], claims...)
	return nil
}

func (m *memoryHeads) TakeOver(_ context.Context, operation, owner string) ([]Claim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owners[operation] = owner
	return slices.Clone(m.claims[operation]), nil
}

func (in Intent) clone() *Intent {
	in.Parts = slices.Clone(in.Parts)
	return &in
}

func (m *memoryHeads) Begin(_ context.Context, in Intent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.intents[in.ID] != nil {
		return errs.Newf(errs.Conflict, "the transaction %s is known already", in.ID)
	}
	for _, p := range in.Parts {
		if d, marked := m.doubts[p.Table]; marked {
			return errs.Newf(errs.Conflict, "the transaction %s of %s is not decided yet", d.ID, p.Table)
		}
	}
	in.State = Pending
	m.intents[in.ID] = in.clone()
	for _, p := range in.Parts {
		m.doubts[p.Table] = Doubt{in.ID, p.Base}
	}
	return nil
}

func (m *memoryHeads) Intent(_ context.Context, id string) (*Intent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if in := m.intents[id]; in != nil {
		return in.clone(), nil
	}
	return nil, nil
}

func (m *memoryHeads) Decide(_ context.Context, in Intent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.intents[in.ID]; now == nil || now.State != Pending {
		return errs.Newf(errs.Conflict, "the transaction %s is decided", in.ID)
	}
	if in.State == Committed {
		for _, p := range in.Parts {
			if t := m.managed[p.Table]; p.Managed && (t == nil || t.head != p.Version-1) {
				return errs.Newf(errs.Conflict, "version %d of %s is taken", p.Version, p.Table)
			}
		}
	}
	m.intents[in.ID] = in.clone()
	if in.State != Committed {
		return nil
	}
	for _, p := range in.Parts {
		delete(m.doubts, p.Table)
		m.shared[p.Table] = p.Version
		if p.Managed {
			m.managed[p.Table].head, m.managed[p.Table].staged[p.Version] = p.Version, p.Staged
		}
		m.publish(p.Table, p.Version, []string{in.ID})
	}
	return nil
}

func (m *memoryHeads) Undone(_ context.Context, in Intent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range in.Parts {
		if m.doubts[p.Table].ID == in.ID {
			delete(m.doubts, p.Table)
		}
	}
	return nil
}

func (m *memoryHeads) Doubt(_ context.Context, table string) (*Doubt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d, ok := m.doubts[table]; ok {
		return &d, nil
	}
	return nil, nil
}

func (m *memoryHeads) Marked(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []string
	for _, d := range m.doubts {
		if !slices.Contains(ids, d.ID) {
			ids = append(ids, d.ID)
		}
	}
	return ids, nil
}

func (m *memoryHeads) Shared(_ context.Context, tables []string) ([]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]int64, len(tables))
	for i, t := range tables {
		out[i] = -1
		if v, ok := m.shared[t]; ok {
			out[i] = v
		}
	}
	return out, nil
}

func (m *memoryHeads) Ratify(_ context.Context, table string, version int64, staged string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.managed[table]
	if t == nil && version == 0 {
		t = &memoryManaged{-1, map[int64]string{}}
		m.managed[table] = t
	}
	if t == nil || t.head != version-1 {
		return errs.Newf(errs.Conflict, "version %d of %s is taken", version, table)
	}
	t.head, t.staged[version] = version, staged
	return nil
}

func (m *memoryHeads) Published(_ context.Context, table string, version int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.managed[table]; t != nil {
		for v := range t.staged {
			if v <= version {
				delete(t.staged, v)
			}
		}
	}
	return nil
}

func (m *memoryHeads) Backlog(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var tables []string
	for table, t := range m.managed {
		if len(t.staged) > 0 {
			tables = append(tables, table)
		}
	}
	return tables, nil
}

func (m *memoryHeads) Unregister(_ context.Context, table string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.managed, table)
	delete(m.shared, table)
	return nil
}

func (m *memoryHeads) Ratified(_ context.Context, table string, after int64) (int64, map[int64]string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.managed[table]
	if t == nil {
		return -1, nil, false, nil
	}
	staged := map[int64]string{}
	for v, name := range t.staged {
		if v > after {
			staged[v] = name
		}
	}
	return t.head, staged, true, nil
}

func (m *memoryHeads) Undecided(ctx context.Context, table string) (string, int64, error) {
	d, err := m.Doubt(ctx, table)
	if err != nil || d == nil {
		return "", 0, err
	}
	return d.ID, d.Base, nil
}
