package engine_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a join's table holds, and what the first rows of an order already are, keeps the scan of the other rows from reading them. The answers are
// those of queries in which nothing can be left out.
func TestNarrowedScans(t *testing.T) {
	s := newCluster(t, setup{1, false, plenty, true}).session()
	mustAll(t, s, "CREATE TABLE fact (id BIGINT, k INT, v STRING, d DATE, p INT) USING delta PARTITIONED BY (p)")
	for _, from := range []string{"0", "1000", "2000", "3000"} {
		mustAll(t, s, "INSERT INTO fact SELECT id, if(id % 50 = 0, null, id), concat('v', id), date_add('2020-01-01', cast(id AS INT)), cast(id / 1000 AS INT) FROM range("+from+", "+from+" + 1000)")
	}
	mustAll(t, s, "CREATE TABLE few USING delta AS SELECT cast(id AS INT) AS k, id % 2 AS flag FROM range(2100, 2120)",
		"CREATE TABLE many USING delta AS SELECT cast(id AS INT) AS k FROM range(1500, 1900)",
		"CREATE TABLE parts USING delta AS SELECT 3 AS p, 'x' AS name",
		"CREATE TABLE wide USING delta AS SELECT cast(id AS BIGINT) AS k, cast(id AS DECIMAL(14, 2)) AS d, cast(id AS DECIMAL(14, 2)) + 0.5 AS half FROM range(2100, 2120)",
		"CREATE TABLE huge USING delta AS SELECT id * 3000000000 AS k FROM range(-5, 5)",
		"CREATE TABLE nobody (k INT) USING delta")
	skipped := func(text string) bool {
		did := strings.Join(mustAll(t, s, "EXPLAIN ANALYZE "+text), "\n")
		return regexp.MustCompile(`number of (row groups|files|rows) skipped: [1-9]`).MatchString(did)
	}
	for text, skips := range map[string]bool{
		"SELECT f.id, f.v FROM fact f JOIN few ON f.k = few.k":                                               true,
		"SELECT f.id, f.v FROM fact f JOIN many ON f.k = many.k":                                             true,
		"SELECT f.id, f.v FROM fact f JOIN parts ON f.p = parts.p":                                           true,
		"SELECT f.id FROM (SELECT id, k AS kk, v FROM fact WHERE id <> 7) f JOIN few ON f.kk = few.k":        true,
		"SELECT f.id FROM fact f LEFT SEMI JOIN few ON f.k = few.k":                                          true,
		"SELECT f.id, few.k FROM fact f LEFT JOIN few ON f.k = few.k":                                        false,
		"SELECT f.id FROM fact f LEFT ANTI JOIN few ON f.k = few.k":                                          false,
		"SELECT f.id, few.k FROM fact f FULL JOIN few ON f.k = few.k":                                        false,
		"SELECT f.id, EXISTS (SELECT 1 FROM few WHERE few.k = f.k) AS e FROM fact f":                         false,
		"SELECT f.id FROM fact f JOIN few ON f.k <=> few.k":                                                  false,
		"SELECT f.id FROM fact f JOIN nobody ON f.k = nobody.k":                                              false,
		"SELECT f.id FROM fact f JOIN wide ON f.k = wide.k":                                                  true,
		"SELECT f.id FROM fact f JOIN wide ON f.k = wide.d":                                                  true,
		"SELECT f.id FROM (SELECT id, cast(k AS BIGINT) AS kk FROM fact) f JOIN wide ON f.kk = wide.k":       true,
		"SELECT f.id FROM (SELECT id, cast(k AS SMALLINT) AS kk FROM fact) f JOIN wide ON f.kk = wide.k":     false,
		"SELECT f.id FROM fact f JOIN wide ON f.k = wide.half":                                               false,
		"SELECT f.id FROM fact f JOIN huge ON f.k = huge.k":                                                  true,
		"SELECT f.m FROM (SELECT monotonically_increasing_id() AS m, k FROM fact) f JOIN few ON f.k = few.k": false,
		"SELECT a.id FROM fact a JOIN fact b ON a.k = b.id JOIN few ON a.k = few.k":                          true,
	} {
		got := mustAll(t, s, text)
		if skipped(text) != skips {
			t.Errorf("%s: skips %t", text, !skips)
		}
		want := mustAll(t, s, regexp.MustCompile(`ON [fa]\.\w+ = (few|many|parts|nobody|wide|huge)`).ReplaceAllStringFunc(text, func(on string) string {
			return strings.Replace(on, " =", " + 0 =", 1) // of a computed column nothing is known beforehand
		}))
		if !strings.Contains(text, "monotonically") && !slices.Equal(got, want) {
			t.Errorf("%s: %d rows, %d without leaving out", text, len(got), len(want))
		}
	}
}

func TestNarrowedTopN(t *testing.T) {
	s := newCluster(t, setup{1, false, plenty, true}).session()
	mustAll(t, s, "CREATE TABLE ordered (id BIGINT, k INT) USING delta")
	for _, from := range []string{"0", "50000", "100000"} {
		mustAll(t, s, "INSERT INTO ordered SELECT id, if(id % 7 = 0, null, id) FROM range("+from+", "+from+" + 50000)")
	}
	for _, order := range []string{"id", "id DESC", "k, id", "k DESC, id", "k NULLS LAST, id DESC", "k DESC NULLS FIRST, id", "-id"} {
		top := "SELECT id, k FROM ordered WHERE id <> 3 ORDER BY " + order + " LIMIT 5 OFFSET 2"
		_, got, err := query(s, top)
		if err != nil {
			t.Fatal(err)
		}
		_, all, err := query(s, "SELECT id, k FROM ordered WHERE id <> 3 ORDER BY "+order)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, all[2:7]) {
			t.Errorf("ORDER BY %s: %q, want %q", order, got, all[2:7])
		}
	}
	did := strings.Join(mustAll(t, s, "EXPLAIN ANALYZE SELECT id, k FROM ordered ORDER BY id LIMIT 5"), "\n")
	if !regexp.MustCompile(`number of row groups skipped: [1-9]`).MatchString(did) {
		t.Error(did)
	}
}
