package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"millrace/errs"
	"millrace/session"
	"millrace/sql"
)

func try(s *session.Session, statement string) error {
	n, err := sql.ParseStatement(statement)
	if err != nil {
		return err
	}
	r, err := s.Run(context.Background(), n)
	if err != nil {
		return err
	}
	return r.Close()
}

// TestTransaction is what a session sees of its own transaction and what others see of it.
func TestTransaction(t *testing.T) {
	c := newCluster(t, setups[0])
	mine, other := c.session(), c.session()
	run := func(s *session.Session, statement, condition string) {
		t.Helper()
		if err := try(s, statement); errs.ConditionOf(err) != condition || err != nil && condition == "" {
			t.Fatalf("%s: %v, want %q", statement, err, condition)
		}
	}
	sums := func(s *session.Session, want string) {
		t.Helper()
		got := first(t, s, "SELECT (SELECT coalesce(sum(a), 0) FROM x) || ' ' || (SELECT coalesce(sum(a), 0) FROM y) AS sums", "sums")
		if got != want {
			t.Fatalf("the tables' sums are %s, want %s", got, want)
		}
	}
	run(mine, "CREATE TABLE x USING delta AS SELECT 1L AS a", "")
	run(mine, "CREATE TABLE y USING delta AS SELECT 10L AS a", "")

	run(mine, "COMMIT", "MILLRACE_NO_TRANSACTION")
	run(mine, "BEGIN TRANSACTION", "")
	run(mine, "START TRANSACTION", "MILLRACE_TRANSACTION_OPEN")
	run(mine, "INSERT INTO x VALUES (2L)", "")
	run(mine, "INSERT INTO y SELECT a * 10 FROM x", "")
	sums(mine, "3 40")
	sums(other, "1 10")
	run(mine, "CREATE TABLE z (a INT) USING delta", "UNSUPPORTED_FEATURE")
	run(mine, "ROLLBACK", "")
	sums(mine, "1 10")

	run(mine, "BEGIN TRANSACTION", "")
	sums(mine, "1 10")
	run(other, "INSERT INTO x VALUES (5L)", "")
	sums(mine, "1 10") // as it was at first sight
	run(mine, "INSERT OVERWRITE y SELECT 100L", "")
	run(mine, "INSERT INTO y VALUES (11L)", "")
	sums(mine, "1 111")
	sums(other, "6 10")
	run(mine, "COMMIT", "")
	sums(mine, "6 111")
	sums(other, "6 111")
	if got := first(t, mine, "DESCRIBE HISTORY y LIMIT 1", "operation"); got != "TRANSACTION" {
		t.Error(got)
	}

	run(mine, "BEGIN TRANSACTION", "")
	run(mine, "INSERT OVERWRITE x SELECT 0L", "")
	run(mine, "INSERT INTO y VALUES (1L)", "")
	run(other, "INSERT INTO x VALUES (7L)", "")
	run(mine, "COMMIT TRANSACTION", "DELTA_CONCURRENT_APPEND.WITHOUT_HINT")
	sums(mine, "13 111")
}

// TestRerun has writers race that each add one to what they read: no statement fails, none works on a version that another has replaced, and the
// table is what some order of them gives.
func TestRerun(t *testing.T) {
	const writers, each = 4, 5
	for name, statement := range map[string]string{
		"overwrite":     "INSERT OVERWRITE raced SELECT max(a) + 1 FROM raced",
		"append":        "INSERT INTO raced SELECT max(a) + 1 FROM raced",
		"replace table": "CREATE OR REPLACE TABLE raced USING delta AS SELECT max(a) + 1 AS a FROM raced",
		"replace where": "INSERT INTO raced REPLACE WHERE a >= 0 SELECT max(a) + 1 FROM raced",
		"replace using": "INSERT INTO raced REPLACE USING (k) SELECT max(a) + 1 AS a, 7 AS k FROM raced",
		"update":        "UPDATE raced SET a = a + 1",
		"subquery":      "UPDATE raced SET a = (SELECT max(a) + 1 FROM raced)",
		"merge":         "MERGE INTO raced USING (SELECT max(a) AS m FROM raced) ON true WHEN MATCHED THEN UPDATE SET a = m + 1",
		"insert where":  "MERGE INTO raced USING (SELECT max(a) + 1 AS m FROM raced) ON a = m WHEN NOT MATCHED THEN INSERT (a) VALUES (m)",
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, setups[0])
			s := c.session()
			columns := "0L AS a"
			if name == "replace using" {
				columns = "0L AS a, 7 AS k"
			}
			if err := try(s, "CREATE TABLE raced USING delta AS SELECT "+columns); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for range writers {
				mine := c.session()
				mine.Conf.Set("millrace.commit.maxReruns", "1000")
				wg.Go(func() {
					for range each {
						if err := try(mine, statement); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if got := first(t, s, "SELECT max(a) AS m FROM raced", "m"); got != fmt.Sprint(writers*each) {
				t.Errorf("%d increments give %s", writers*each, got)
			}
		})
	}
}

// TestTransfersAreSeenWhole moves an amount to and fro between two tables in transactions while queries over both add it up.
func TestTransfersAreSeenWhole(t *testing.T) {
	c := newCluster(t, setups[0])
	s := c.session()
	for _, q := range []string{"CREATE TABLE from_ USING delta AS SELECT 100L AS a", "CREATE TABLE to_ USING delta AS SELECT 0L AS a"} {
		if err := try(s, q); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	mover := c.session()
	wg.Go(func() {
		defer close(done)
		for i := range 12 {
			for _, q := range []string{"BEGIN TRANSACTION", fmt.Sprintf("INSERT INTO from_ VALUES (-%dL)", i), fmt.Sprintf("INSERT INTO to_ VALUES (%dL)", i), "COMMIT"} {
				if err := try(mover, q); err != nil {
					t.Error(q, err)
				}
			}
		}
	})
	reader := c.session()
	for n := 0; ; n++ {
		if got := first(t, reader, "SELECT sum(a) AS s FROM (SELECT a FROM from_ UNION ALL SELECT a FROM to_)", "s"); got != "100" {
			t.Fatalf("a query sees half of a transfer: %s", got)
		}
		select {
		case <-done:
			wg.Wait()
			t.Logf("%d queries", n)
			return
		default:
		}
	}
}

func TestTransactionStatementsInScripts(t *testing.T) {
	parts := sql.ParseStatements("BEGIN TRANSACTION; INSERT INTO a VALUES (1); COMMIT; BEGIN SELECT 1; SELECT 2; END; SELECT 3")
	if len(parts) != 5 || !strings.HasSuffix(parts[3], "END") {
		t.Errorf("%q", parts)
	}
}
