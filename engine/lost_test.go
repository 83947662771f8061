package engine_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"millrace/errs"
	"millrace/txn"
)

// TestLostAnswers has the commit service lose its answers, before and after it wrote. No statement fails, and none is carried out twice.
func TestLostAnswers(t *testing.T) {
	var mu sync.Mutex
	rng, lost := rand.New(rand.NewPCG(7, 7)), 0
	c := newClusterWith(t, setups[0], txn.Options{Step: func(s txn.Step) error {
		mu.Lock()
		defer mu.Unlock()
		if rng.IntN(3) > 0 {
			return nil
		}
		lost++
		return errs.Newf(errs.Transient, "injected: the answer was lost %s", s)
	}})
	s := c.session()
	run := func(text string) {
		t.Helper()
		if err := try(s, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	run("CREATE TABLE l USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'true') AS SELECT 0L AS id, 0L AS v")
	run("CREATE TABLE m USING delta AS SELECT 0L AS id")
	for i := 1; i <= 8; i++ {
		run(fmt.Sprintf("INSERT INTO l VALUES (%d, 0)", i))
		run("UPDATE l SET v = v + 1")
		run(fmt.Sprintf("MERGE INTO l USING (SELECT %dL AS id) s ON l.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, 0)", 100+i))
		run("BEGIN TRANSACTION")
		run(fmt.Sprintf("INSERT INTO l VALUES (%d, 0)", 200+i))
		run(fmt.Sprintf("INSERT INTO m VALUES (%d)", 200+i))
		run("COMMIT")
	}
	if got := first(t, s, "SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || sum(v) AS s FROM l", "s"); got != "25 25 100" {
		t.Errorf("the rows, ids and changes are %s", got)
	}
	if got := first(t, s, "SELECT count(*) AS n FROM m", "n"); got != "9" {
		t.Errorf("the other table has %s rows", got)
	}
	if lost < 20 {
		t.Errorf("only %d answers were lost", lost)
	}
}
