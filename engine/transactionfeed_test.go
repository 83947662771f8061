package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestTransactionFeed runs transactions of several statements on one table, in random order, and holds the change data feed of each against the rows:
// those before it with its inserts and without its deletions are those after it.
func TestTransactionFeed(t *testing.T) {
	for _, vectors := range []bool{false, true} {
		for _, partitioned := range []string{"", " PARTITIONED BY (p)"} {
			t.Run(fmt.Sprint(vectors, partitioned), func(t *testing.T) {
				c := newCluster(t, setups[1])
				s := c.session()
				rng := rand.New(rand.NewPCG(11, uint64(len(partitioned))))
				run := func(text string) {
					t.Helper()
					if err := try(s, text); err != nil {
						t.Fatalf("%s: %v", text, err)
					}
				}
				run(fmt.Sprintf("CREATE TABLE f (id BIGINT, v BIGINT, p INT) USING delta%s TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = '%t')", partitioned, vectors))
				run("INSERT INTO f SELECT id, 0, id % 3 FROM range(12)")
				statements := []string{
					"INSERT INTO f SELECT id, 1, id %% 3 FROM range(%[1]d, %[1]d + 3)", "UPDATE f SET v = v + 1 WHERE id < %d", "DELETE FROM f WHERE id = %d", "DELETE FROM f WHERE p = %d %% 3 AND v > 0",
					"MERGE INTO f USING (SELECT %d + id AS id FROM range(4)) s ON f.id = s.id WHEN MATCHED AND f.v > 2 THEN DELETE WHEN MATCHED THEN UPDATE SET v = f.v + 10 WHEN NOT MATCHED THEN INSERT (id, v, p) VALUES (s.id, 5, 1)",
					"INSERT INTO f REPLACE WHERE p = 1 SELECT id + %d, 7, 1 FROM range(2)", "INSERT OVERWRITE f SELECT id, 8, id %% 3 FROM range(%d)", "UPDATE f SET p = (p + 1) %% 3 WHERE id > %d", "DELETE FROM f WHERE p = 2 OR id < 0 -- %d",
				}
				version := 1
				for range 12 {
					var done []string
					run("BEGIN TRANSACTION")
					for range 2 + rng.IntN(3) {
						text := fmt.Sprintf(statements[rng.IntN(len(statements))], rng.IntN(16))
						run(text)
						done = append(done, text)
					}
					run("COMMIT")
					now := 0
					if _, err := fmt.Sscan(first(t, s, "DESCRIBE HISTORY f LIMIT 1", "version"), &now); err != nil {
						t.Fatal(err)
					}
					if now == version {
						continue
					}
					signed := fmt.Sprintf(`SELECT count(*) AS n FROM (SELECT id, v, p, sum(c) AS c FROM (
						SELECT id, v, p, 1 AS c FROM f VERSION AS OF %[1]d UNION ALL SELECT id, v, p, -1 FROM f VERSION AS OF %[2]d UNION ALL
						SELECT id, v, p, CASE WHEN _change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END FROM table_changes('f', %[2]d, %[2]d)) GROUP BY id, v, p HAVING sum(c) <> 0)`, version, now)
					if got := first(t, s, signed, "n"); got != "0" {
						t.Fatalf("version %d: its feed leaves %s kinds of rows unexplained after\n%v", now, got, done)
					}
					version = now
				}
			})
		}
	}
}
