package engine_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"millrace/errs"
	"millrace/session"
)

// ran runs statements, which have to end with a condition; empty: with none.
func ran(t *testing.T, s *session.Session, condition string, statements ...string) {
	t.Helper()
	for _, text := range statements {
		if err := try(s, text); errs.ConditionOf(err) != condition || err != nil && condition == "" {
			t.Fatalf("%s: %v, want %q", text, err, condition)
		}
	}
}

// TestWhatTransactionsRead has a table that a transaction writes change after the transaction has read it, by whatever statement: it may not commit.
// A table that it only reads may change.
func TestWhatTransactionsRead(t *testing.T) {
	for i, c := range []struct {
		read     string
		conflict bool
	}{
		{"SELECT count(*) FROM x", true},
		{"SET VAR seen = (SELECT count(*) FROM x)", true},
		{"INSERT INTO y SELECT count(*), 0 FROM x", true},
		{"BEGIN IF (SELECT count(*) FROM x) > 9 THEN SELECT 1; END IF; END", true},
		{"DELETE FROM x WHERE k = 9", true}, // there is none
		{"UPDATE x SET a = 0 WHERE k = 9", true},
		{"MERGE INTO x USING (SELECT 9 AS k) s ON x.k = s.k WHEN MATCHED THEN DELETE", true},
		{"DESCRIBE x", false},
		{"SELECT count(*) FROM x VERSION AS OF 1", false},
		{"SELECT count(*) FROM y", false},
		{"INSERT INTO y SELECT 1L, 1", false},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			cl := newCluster(t, setups[0])
			mine, other := cl.session(), cl.session()
			ran(t, mine, "", "CREATE TABLE x USING delta AS SELECT 1L AS a, 1 AS k", "INSERT INTO x SELECT 2L, 2", "CREATE TABLE y USING delta AS SELECT 1L AS a, 1 AS k",
				"DECLARE VARIABLE seen BIGINT", "BEGIN TRANSACTION", c.read, "INSERT INTO x SELECT 3L, 3")
			ran(t, other, "", "INSERT INTO x SELECT 9L, 9", "INSERT INTO y SELECT 9L, 9")
			want := ""
			if c.conflict {
				want = "DELTA_CONCURRENT_APPEND.WITHOUT_HINT"
			}
			ran(t, mine, want, "COMMIT")
		})
	}
}

// TestTransactionsAlter changes a table's columns twice in a transaction, and asks it for what it cannot take back.
func TestTransactionsAlter(t *testing.T) {
	s := newCluster(t, setups[0]).session()
	ran(t, s, "", "CREATE TABLE x USING delta AS SELECT 1L AS a", "BEGIN TRANSACTION", "ALTER TABLE x ADD COLUMNS (b INT)", "ALTER TABLE x ADD COLUMNS (c INT)",
		"INSERT INTO x VALUES (2, 3, 4)")
	ran(t, s, "UNSUPPORTED_FEATURE", "OPTIMIZE x", "ALTER TABLE x RENAME TO z", "ALTER TABLE x SET LOCATION '/tmp/z'", "ALTER TABLE x DROP FEATURE deletionVectors", "VACUUM x")
	ran(t, s, "", "COMMIT")
	if got := first(t, s, "SELECT a + b + c AS s FROM x WHERE a = 2", "s"); got != "9" {
		t.Errorf("the row has %s", got)
	}
}

// TestCachedWrites has a writer of another cluster change a table of which a session has cached rows. What the session then writes comes from the rows that
// are there; and in a transaction from those that it has written itself.
func TestCachedWrites(t *testing.T) {
	c := newCluster(t, setups[0])
	s, other := c.session(), newCluster(t, setups[0]).session()
	foreign := func(text string) {
		t.Helper()
		ran(t, other, "", fmt.Sprintf(text, filepath.Join(c.dir, "warehouse", "x")))
	}
	sum := func(want string) {
		t.Helper()
		if got := first(t, s, "SELECT count(*) || ' ' || sum(a) AS s FROM x WHERE a >= 0", "s"); got != want {
			t.Errorf("the table has %s, want %s", got, want)
		}
	}
	ran(t, s, "", "CREATE TABLE x USING delta AS SELECT 1L AS a", "CACHE TABLE x")
	foreign("INSERT INTO delta.`%s` VALUES (2L)")
	ran(t, s, "", "INSERT OVERWRITE x SELECT a + 10 FROM x")
	sum("2 23")
	ran(t, s, "", "SELECT count(*) FROM x") // cached again
	foreign("INSERT INTO delta.`%s` VALUES (3L)")
	ran(t, s, "", "MERGE INTO x USING (SELECT max(a) AS m, count(*) AS n FROM x) s ON x.a < s.n + 1 WHEN MATCHED THEN UPDATE SET a = s.m")
	sum("3 35")
	ran(t, s, "", "SELECT count(*) FROM x")
	foreign("INSERT INTO delta.`%s` VALUES (-1L)")
	ran(t, s, "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION", "ALTER TABLE x ADD CONSTRAINT positive CHECK (a > 0)")

	ran(t, s, "", "DELETE FROM x WHERE a < 0", "CREATE TABLE y USING delta AS SELECT 0L AS n", "SELECT count(*) FROM x", "BEGIN TRANSACTION", "INSERT INTO x VALUES (1L)",
		"MERGE INTO y USING (SELECT count(*) AS n FROM x) s ON false WHEN NOT MATCHED THEN INSERT (n) VALUES (s.n)", "COMMIT")
	if got := first(t, s, "SELECT max(n) AS n FROM y", "n"); got != "4" {
		t.Errorf("the transaction has seen %s rows", got)
	}
}

// TestOverwritesOfNothing has two sessions overwrite an empty table with partitions overwritten dynamically, of which it has none: the rows of one are left.
func TestOverwritesOfNothing(t *testing.T) {
	c := newCluster(t, setups[0])
	s := c.session()
	for range 5 {
		ran(t, s, "", "CREATE OR REPLACE TABLE x (a BIGINT) USING delta")
		done := make(chan error)
		for i := range 3 {
			mine := c.session()
			mine.Conf.Set("spark.sql.sources.partitionOverwriteMode", "dynamic")
			go func() { done <- try(mine, fmt.Sprintf("INSERT OVERWRITE x SELECT %dL", i)) }()
		}
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if got := first(t, s, "SELECT count(*) AS n FROM x", "n"); got != "1" {
			t.Fatalf("%s rows are left", got)
		}
	}
}

// TestDropWhileOthersWrite has tables dropped and made again while others append to them: every row of a table was appended to that table.
func TestDropWhileOthersWrite(t *testing.T) {
	c := newCluster(t, setups[0])
	s, done := c.session(), make(chan struct{})
	s.Conf.Set("millrace.commit.maxReruns", "1000")
	ended := make(chan struct{})
	defer func() {
		close(done)
		for range 3 {
			<-ended
		}
	}()
	for range 3 {
		mine := c.session()
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				select {
				case <-done:
					return
				default: // of the table that is there when it begins, or of none
					_ = try(mine, "INSERT INTO x SELECT max(a) FROM x")
				}
			}
		}()
	}
	for i := range 12 {
		ran(t, s, "", fmt.Sprintf("CREATE TABLE x USING delta AS SELECT %dL AS a", i), "SELECT 1", "INSERT INTO x SELECT max(a) FROM x")
		if got := first(t, s, "SELECT min(a) || ' ' || max(a) AS s FROM x", "s"); got != fmt.Sprintf("%d %d", i, i) {
			t.Errorf("table %d has rows %s", i, got)
		}
		ran(t, s, "", "DROP TABLE x")
	}
}
