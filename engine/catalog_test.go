package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestAltersAtOnce has sessions change one record of the catalog at the same time: no change is lost.
func TestAltersAtOnce(t *testing.T) {
	c := newCluster(t, setups[0])
	first := c.session()
	for _, text := range []string{"CREATE SCHEMA altered", "CREATE TABLE altered.f (a INT) USING parquet", "CREATE VIEW altered.v AS SELECT 1 AS a",
		"CREATE TABLE altered.p (a INT, k INT) USING parquet PARTITIONED BY (k)"} {
		mustRun(t, first, text)
	}
	const sessions, each = 4, 10
	var all sync.WaitGroup
	for n := range sessions {
		s := c.session()
		all.Go(func() {
			for i := range each {
				property := fmt.Sprintf("('p%d_%d' = 'x')", n, i)
				for _, text := range []string{"ALTER TABLE altered.f SET TBLPROPERTIES " + property, "ALTER VIEW altered.v SET TBLPROPERTIES " + property,
					"ALTER SCHEMA altered SET DBPROPERTIES " + property, fmt.Sprintf("ALTER TABLE altered.p ADD PARTITION (k = %d)", n*each+i)} {
					if _, _, err := query(s, text); err != nil {
						t.Errorf("%s: %v", text, err)
					}
				}
			}
		})
	}
	all.Wait()
	for text, line := range map[string]string{"SHOW TBLPROPERTIES altered.f": "p", "SHOW TBLPROPERTIES altered.v": "p", "SHOW PARTITIONS altered.p": "k="} {
		_, got, err := query(first, text)
		count := 0
		for _, row := range got {
			if strings.HasPrefix(row, line) {
				count++
			}
		}
		if err != nil || count != sessions*each {
			t.Errorf("%s: %d of %d (%v): %v", text, count, sessions*each, err, got)
		}
	}
	_, got, err := query(first, "DESCRIBE SCHEMA EXTENDED altered")
	if count := strings.Count(strings.Join(got, "\n"), ",x)"); err != nil || count != sessions*each {
		t.Errorf("the schema has %d of %d properties (%v): %v", count, sessions*each, err, got)
	}
}
