package txn

import (
	"testing"
	"time"

	"millrace/delta/log"
	"millrace/errs"
)

// TestRecall has a committer die in an operation of a client, and asks another for it: it knows what was committed, and the dead one, should it be alive after
// all, commits nothing more for that operation.
func TestRecall(t *testing.T) {
	t.Run("memory", func(t *testing.T) { recallFrom(t, NewMemoryHeads()) })
	t.Run("etcd", func(t *testing.T) {
		if testing.Short() {
			t.Skip("starts an etcd")
		}
		client := dial(t, startEtcd(t))
		t.Cleanup(func() { client.Close() })
		recallFrom(t, NewEtcdHeads(client, "/recall", time.Second))
	})
}

func recallFrom(t *testing.T, heads Heads) {
	for _, c := range []struct {
		step    Step
		several bool
		commits int
	}{{BeforePut, false, 0}, {AfterPut, false, 1}, {AfterPublish, false, 1}, {AfterBegin, true, 2}, {AfterPart, true, 2}, {AfterDecision, true, 2}} {
		t.Run(string(c.step), func(t *testing.T) {
			a := New(log.NewCache(), heads, Options{Patience: 1, Step: func(s Step) error {
				if s == c.step {
					return errDied
				}
				return nil
			}})
			defer a.Close()
			b := New(log.NewCache(), heads)
			defer b.Close()
			urls := pair(t, b)
			defer b.busy.Wait() // it writes checksums in the background
			operation := t.Name()
			parts := both(urls, "x")
			for i := range parts {
				parts[i].Operation = operation
			}
			send := func(m *Committer, id string) error {
				if c.several {
					_, err := m.CommitAllSurely(t.Context(), id, parts)
					return err
				}
				r := parts[0]
				r.TxnID = id
				_, err := m.CommitSurely(t.Context(), r)
				return err
			}
			if err := send(a, operation+"1"); err == nil {
				t.Fatal("the committer survived")
			}
			got, err := b.Recall(t.Context(), operation)
			if err != nil || len(got) != c.commits {
				t.Fatalf("%d commits, %v", len(got), err)
			}
			for i, r := range got {
				if r.Version != 1 || r.Table != parts[i].Table && r.Table != b.queueURL(t, urls[i]) || r.Info.Operation == "" {
					t.Errorf("%+v", r)
				}
			}
			if err := send(a, operation+"2"); !errs.Is(err, errs.Conflict) {
				t.Errorf("one whose operation was taken over: %v", err)
			}
			if c.commits == 0 { // it is sent again
				if err := send(b, operation+"3"); err != nil {
					t.Fatal(err)
				}
				if got, err := b.Recall(t.Context(), operation); err != nil || len(got) != 1 {
					t.Errorf("%d commits, %v", len(got), err)
				}
			}
		})
	}
}
