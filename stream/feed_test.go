package stream_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"millrace/errs"
)

// TestChangeFeed streams a table's change data feed into another: what came and went adds up to the table, with the versions that did it, also across a restart.
func TestChangeFeed(t *testing.T) {
	for _, vectors := range []bool{false, true} {
		dir := t.TempDir()
		c := newCluster(t, dir, nil)
		s := c.session()
		src, sink := filepath.Join(dir, "src"), filepath.Join(dir, "sink")
		table := "delta.`" + src + "`"
		c.run(s, fmt.Sprintf("CREATE TABLE t (id BIGINT, k BIGINT) USING delta LOCATION '%s' TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = '%t')", src, vectors))
		c.append(s, src, 0, 10)
		c.run(s, "DELETE FROM "+table+" WHERE id = 9")
		feed := read(src, "readChangeFeed", "true", "maxFilesPerTrigger", "1")
		agrees := func(want string) {
			t.Helper()
			sum := "SELECT count(*) AS n FROM (SELECT id, k, sum(c) AS c FROM (SELECT id, k, -1 AS c FROM " + table + " UNION ALL SELECT id, k, CASE WHEN _change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END FROM delta.`" + sink +
				"`) GROUP BY id, k HAVING sum(c) <> 0)"
			if got := c.text(s, sum); got != "0" {
				t.Errorf("%s kinds of rows are not explained", got)
			}
			kinds := "SELECT string_agg(x, ' ') FROM (SELECT _commit_version || ':' || _change_type || ':' || count(*) AS x FROM delta.`" + sink + "` GROUP BY _commit_version, _change_type ORDER BY _commit_version, _change_type)"
			if got := c.text(s, kinds); got != want {
				t.Errorf("the changes are\n%s\nnot\n%s", got, want)
			}
		}
		q := c.start(s, toDelta(feed, sink))
		c.processAll(q)
		agrees("2:insert:9") // the table as it was
		c.append(s, src, 20, 25)
		c.run(s, "UPDATE "+table+" SET k = k + 1 WHERE id < 3")
		c.run(s, "OPTIMIZE "+table)
		c.processAll(q)
		agrees("2:insert:9 3:insert:5 4:update_postimage:3 4:update_preimage:3")
		if err := q.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.run(s, "MERGE INTO "+table+" t USING (SELECT id FROM range(22, 27)) s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, k) VALUES (s.id, 0)")
		c.run(s, "INSERT OVERWRITE "+table+" SELECT 1L, 1L")
		if err := c.finish(c.start(s, availableNow(toDelta(feed, sink)))); err != nil {
			t.Fatal(err)
		}
		agrees("2:insert:9 3:insert:5 4:update_postimage:3 4:update_preimage:3 6:delete:3 6:insert:2 7:delete:13 7:insert:1")

		whole := filepath.Join(dir, "whole")
		if err := c.finish(c.start(s, availableNow(toDelta(read(src, "readChangeFeed", "true", "startingVersion", "0"), whole)))); err != nil {
			t.Fatal(err)
		}
		if got := c.text(s, "SELECT count(*) || ' ' || min(_commit_version) FROM delta.`"+whole+"`"); !strings.HasPrefix(got, "41 1") {
			t.Errorf("all changes: %s", got)
		}
		c.run(s, "CREATE TABLE silent (id BIGINT) USING delta LOCATION '"+dir+"/silent'")
		c.run(s, "INSERT INTO silent VALUES (1)")
		err := c.finish(c.start(s, availableNow(toDelta(read(dir+"/silent", "readChangeFeed", "true"), dir+"/none"))))
		if errs.ConditionOf(err) != "DELTA_MISSING_CHANGE_DATA" && (err == nil || !strings.Contains(err.Error(), "DELTA_MISSING_CHANGE_DATA")) {
			t.Error(err)
		}
	}
}
