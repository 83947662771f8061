package engine_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// One side of a join tells the other, across the exchange, which keys it has. The answers are those without such filters.
func TestRuntimeFilters(t *testing.T) {
	for _, setup := range []setup{{3, false, plenty, false}, {4, true, plenty, false}, {4, true, scarce, false}} {
		t.Run(setup.String(), func(t *testing.T) {
			s := newCluster(t, setup).session()
			mustAll(t, s, `CREATE TABLE many USING delta AS SELECT id, cast(if(id % 50 = 0, null, id % 4000) AS INT) AS k, concat('v', id % 500) AS v,
				CASE id % 4 WHEN 0 THEN double('NaN') WHEN 1 THEN -0.0D ELSE id END AS f, cast(id % 300 AS DECIMAL(10, 2)) AS d, date_add('2020-01-01', cast(id % 700 AS INT)) AS day
				FROM range(0, 20000, 1, 2)`,
				`CREATE TABLE few USING delta AS SELECT cast(if(id = 3, null, id * 3) AS INT) AS k, concat('v', id * 2) AS v,
				CASE id WHEN 0 THEN double('NaN') WHEN 1 THEN 0.0D ELSE id * 10 END AS f, cast(id AS DECIMAL(12, 4)) AS d, date_add('2020-01-01', cast(id AS INT)) AS day,
				cast(id * 3 AS BIGINT) AS wide, cast(id AS SMALLINT) AS narrow FROM range(0, 40, 1, 2)`,
				"CREATE TABLE some USING delta AS SELECT cast(id AS INT) AS k FROM range(0, 900, 1, 2)",
				"CREATE TABLE nobody (k INT, v STRING) USING delta")
			for text, filters := range map[string]bool{
				"SELECT m.id, few.v FROM many m JOIN few ON m.k = few.k":                                                              true,
				"SELECT m.id FROM many m JOIN some ON m.k = some.k":                                                                   true,
				"SELECT m.id FROM many m JOIN few ON m.v = few.v":                                                                     true,
				"SELECT m.id FROM many m JOIN few ON m.f = few.f":                                                                     true,
				"SELECT m.id FROM many m JOIN few ON m.d = few.d":                                                                     true,
				"SELECT m.id FROM many m JOIN few ON m.day = few.day AND m.k = few.k":                                                 true,
				"SELECT m.id FROM many m JOIN few ON m.k <=> few.k":                                                                   true,
				"SELECT m.id FROM many m JOIN few ON m.k = few.wide":                                                                  true,
				"SELECT m.id FROM many m JOIN few ON m.k = few.narrow":                                                                true,
				"SELECT m.id, few.v FROM few LEFT JOIN many m ON m.k = few.k":                                                         true,
				"SELECT m.id, few.v FROM many m RIGHT JOIN few ON m.k = few.k":                                                        true,
				"SELECT m.id FROM many m LEFT SEMI JOIN few ON m.k = few.k":                                                           true,
				"SELECT few.v FROM few LEFT ANTI JOIN many m ON m.k = few.k AND m.id > 900":                                           true,
				"SELECT m.k, m.n, few.v FROM (SELECT k, count(*) AS n FROM many GROUP BY k) m JOIN few ON m.k = few.k":                true,
				"SELECT m.id, few.v FROM (SELECT id, k AS kk FROM many WHERE id <> 7) m JOIN few ON m.kk = few.k":                     true,
				"SELECT m.id FROM (SELECT id, cast(k AS BIGINT) AS w FROM many WHERE id <> 7) m JOIN few ON m.w = few.wide":           true,
				"SELECT m.id FROM many m JOIN nobody ON m.k = nobody.k":                                                               true,
				"SELECT m.id, few.v FROM many m LEFT JOIN few ON m.k = few.k":                                                         false,
				"SELECT m.id, few.v FROM many m FULL JOIN few ON m.k = few.k":                                                         false,
				"SELECT m.id FROM many m LEFT ANTI JOIN few ON m.k = few.k":                                                           false,
				"SELECT m.id FROM many m WHERE m.k NOT IN (SELECT k FROM few)":                                                        false,
				"SELECT m.id, few.v FROM many m JOIN few ON m.k + 0 = few.k":                                                          false,
				"SELECT a.id, b.id FROM many a JOIN many b ON a.id = b.id":                                                            false,
				"SELECT m.id FROM (SELECT id, k, row_number() OVER (PARTITION BY v ORDER BY id) AS r FROM many) m JOIN few USING (k)": true,
			} {
				set := func(on string) { mustAll(t, s, "SET spark.sql.optimizer.runtime.bloomFilter.enabled="+on) }
				set("true")
				got := mustAll(t, s, text)
				did := strings.Join(mustAll(t, s, "EXPLAIN ANALYZE "+text), "\n")
				if strings.Contains(did, "RuntimeFilter by") != filters || filters && !regexp.MustCompile(`RuntimeFilter.*rows skipped: [1-9]`).MatchString(did) && !strings.Contains(text, "nobody") {
					t.Errorf("%s: not filtered %t\n%s", text, filters, did)
				}
				set("false")
				if want := mustAll(t, s, text); !slices.Equal(got, want) {
					t.Errorf("%s: %d rows, %d without filters", text, len(got), len(want))
				}
			}
		})
	}
}
