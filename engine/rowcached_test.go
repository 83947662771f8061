package engine_test

import "testing"

// TestCachedTableChanges changes a table that is cached: what is written anew are the files' rows, not the frame's.
func TestCachedTableChanges(t *testing.T) {
	c := newCluster(t, setups[1])
	ses := c.session()
	for _, text := range []string{"create table t (id bigint, v int) using delta", "insert into t select id, 1 from range(0, 10, 1, 1)", "insert into t select id, 1 from range(10, 20, 1, 1)",
		"cache table t", "update t set v = 2 where id = 3"} {
		if _, _, err := query(ses, text); err != nil {
			t.Fatal(text, err)
		}
	}
	_, rows, err := query(ses, "select count(*), sum(v), count(distinct id) from t")
	if err != nil || rows[0] != "20 | 21 | 20" {
		t.Error(rows, err)
	}
}
