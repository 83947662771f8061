package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/sql"
)

// written runs a query's rows into a table with a writer's options.
func written(t *testing.T, s *session.Session, rows, alias, table string, insertInto bool, options map[string]string) error {
	t.Helper()
	n, err := sql.ParseStatement(rows)
	if err != nil {
		t.Fatal(err)
	}
	if alias != "" {
		n = &plan.SubqueryAlias{Input: n, Name: []string{alias}}
	}
	r, err := s.Run(t.Context(), &plan.Write{Input: n, Format: "delta", Table: []string{table}, Mode: plan.SaveOverwrite, InsertInto: insertInto, Options: options})
	if err == nil {
		r.Close()
	}
	return err
}

// TestReplaceMatching replaces the rows of a table that match new ones, by equal columns and by conditions, in tables of several kinds.
func TestReplaceMatching(t *testing.T) {
	s := newCluster(t, setups[1]).session()
	type o = map[string]string
	const fresh = "SELECT * FROM VALUES (1, 'x', 100), (1, 'y', 101), (9, 'z', 900), (CAST(NULL AS INT), 'n', 400) AS t(id, d, v)"
	for i, c := range []struct {
		rows, alias string
		into        bool
		options     o
		want        string // rows, or a condition
	}{
		{fresh, "", false, o{"replaceUsing": "id"}, "1 x 100|1 y 101|2 a 20|3 b 30|5 null 50|9 z 900|null c 40|null n 400"},
		{fresh, "", false, o{"replaceUsing": "ID , d"}, "1 a 10|1 x 100|1 y 101|2 a 20|3 b 30|5 null 50|9 z 900|null c 40|null n 400"},
		{fresh, "", true, o{"replaceUsing": "id"}, "1 x 100|1 y 101|2 a 20|3 b 30|5 null 50|9 z 900|null c 40|null n 400"},
		{fresh, "s", false, o{"replaceOn": "s.id <=> t.id", "targetAlias": "t"}, "1 x 100|1 y 101|2 a 20|3 b 30|5 null 50|9 z 900|null n 400"},
		{fresh, "s", true, o{"replaceOn": "s.id <=> t.id", "targetAlias": "t"}, "1 x 100|1 y 101|2 a 20|3 b 30|5 null 50|9 z 900|null n 400"},
		{"SELECT CAST(NULL AS INT) AS id, CAST(rand() * 0 AS STRING) AS d, 1 AS v", "s", false, o{"replaceOn": "t.v > 25 AND s.v = 1", "targetAlias": "t"}, "1 a 10|2 a 20|null 0.0 1"},
		{fresh + " WHERE false", "", false, o{"replaceUsing": "id"}, "1 a 10|2 a 20|3 b 30|5 null 50|null c 40"},
		{"SELECT v, id, d FROM (" + fresh + ") WHERE id = 9", "", false, o{"replaceUsing": "v"}, "1 a 10|2 a 20|3 b 30|5 null 50|9 z 900|null c 40"},
		{"SELECT d, id, v FROM (" + fresh + ")", "", true, o{"replaceUsing": "id"}, "INSERT_REPLACE_USING_DISALLOW_MISALIGNED_COLUMNS"},
		{fresh, "", false, o{"replaceUsing": "nope"}, "UNRESOLVED_INSERT_REPLACE_USING_COLUMN"},
		{fresh, "", false, o{"replaceUsing": "id,"}, "DELTA_ILLEGAL_OPTION"},
		{fresh, "", false, o{"replaceOn": "id = 1"}, "DELTA_INSERT_REPLACE_ON_AMBIGUOUS_COLUMNS_IN_CONDITION"},
		{fresh, "s", false, o{"replaceOn": "s.id = u.id", "targetAlias": "t"}, "DELTA_INSERT_REPLACE_ON_UNRESOLVED_COLUMNS_IN_CONDITION"},
		{fresh, "s", false, o{"replaceOn": "true", "replaceUsing": "id"}, "DELTA_INCOMPATIBLE_DATAFRAME_OPTIONS"},
		{fresh, "", false, o{"replaceUsing": "id", "overwriteSchema": "true"}, "DELTA_INCOMPATIBLE_DATAFRAME_OPTIONS"},
		{fresh, "", false, o{"replaceUsing": "id", "replaceWhere": "id = 1"}, "DELTA_OVERWRITE_BY_FILTER_INCOMPATIBLE_REPLACE_ON_OR_USING"},
		{fresh, "", false, o{"replaceUsing": "id", "partitionOverwriteMode": "dynamic"}, "DELTA_DYNAMIC_PARTITION_OVERWRITE_INCOMPATIBLE_REPLACE_ON_OR_USING"},
		{"SELECT 3 AS id, 'x' AS d, -1 AS v", "", false, o{"replaceUsing": "id"}, "DELTA_REPLACE_ON_OR_USING_TABLE_CONSTRAINT_VIOLATION"},
	} {
		for k, kind := range []string{"", "PARTITIONED BY (d)", "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true')"} {
			if k == 1 && c.into {
				continue // partition columns come last
			}
			name := fmt.Sprintf("matched_%d_%d", i, k)
			mustRun(t, s, "CREATE TABLE "+name+" (id INT, d STRING, v INT) USING delta "+kind)
			mustRun(t, s, "ALTER TABLE "+name+" ADD CONSTRAINT positive CHECK (v > 0)")
			mustRun(t, s, "INSERT INTO "+name+" (id, d, v) VALUES (1, 'a', 10), (2, 'a', 20), (3, 'b', 30), (NULL, 'c', 40), (5, NULL, 50)")
			err := written(t, s, c.rows, c.alias, name, c.into, c.options)
			if err != nil || !strings.Contains(c.want, " ") {
				if got := errs.ConditionOf(err); got != c.want {
					t.Errorf("%v %s: %v, not %s", c.options, kind, err, c.want)
				}
				continue
			}
			rows := "concat_ws(' ', coalesce(CAST(id AS STRING), 'null'), coalesce(d, 'null'), v)"
			if got := first(t, s, "SELECT array_join(array_sort(collect_list("+rows+")), '|') AS r FROM "+name, "r"); got != c.want {
				t.Errorf("%v %s: %s, not %s", c.options, kind, got, c.want)
			}
			if k == 2 {
				feed := "SELECT count(*) AS r FROM (SELECT " + rows + " FROM (SELECT id, d, v, sum(IF(_change_type = 'insert', 1, -1)) AS n FROM table_changes('" + name + "', 0) GROUP BY ALL) WHERE n > 0)"
				if got := first(t, s, feed, "r"); got != fmt.Sprint(strings.Count(c.want, "|")+1) {
					t.Errorf("%v: the feed comes to %s rows", c.options, got)
				}
			}
		}
	}
	if err := try(s, "SET spark.sql.insertIntoReplaceUsingByName.enabled=true"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{"REPLACE USING (id) VALUES (1, 'A', 10)", "UNRESOLVED_INSERT_REPLACE_USING_COLUMN"},
		{"REPLACE USING (id) SELECT * FROM VALUES (1, 'A', 10), (3, 'c', 30) AS s(id, d, v)", "1,A,10|2,b,2|3,c,30"},
		{"BY NAME REPLACE USING (d) SELECT 7 AS v, 'b' AS d, 9 AS id", "1,a,1|9,b,7"},
		{"AS t REPLACE ON t.id = s.id AND s.v > 5 (SELECT 1 AS id, 'n' AS d, 6 AS v) AS s", "1,n,6|2,b,2"},
		{"REPLACE USING (nope) SELECT 1, 'a', 1", "UNRESOLVED_INSERT_REPLACE_USING_COLUMN"},
		{"REPLACE USING (`id,v`) SELECT 1, 'a', 1", "UNSUPPORTED_FEATURE"}, // no option names such a column
		{"(id, d) REPLACE USING (id) SELECT 1, 'a'", "PARSE_SYNTAX_ERROR"},
	} {
		for _, text := range []string{"DROP TABLE IF EXISTS replaced", "CREATE TABLE replaced (id INT, d STRING, v INT) USING delta", "INSERT INTO replaced VALUES (1, 'a', 1), (2, 'b', 2)"} {
			if err := try(s, text); err != nil {
				t.Fatal(err)
			}
		}
		got := errs.ConditionOf(try(s, "INSERT INTO replaced "+c.text))
		if got == "" {
			got = first(t, s, "SELECT array_join(sort_array(collect_list(concat_ws(',', id, d, v))), '|') AS r FROM replaced", "r")
		}
		if got != c.want {
			t.Errorf("INSERT INTO replaced %s: %s, not %s", c.text, got, c.want)
		}
	}
	if err := try(s, "INSERT INTO matched_0_0 BY NAME REPLACE ON id = 1 SELECT 1 AS id, 'a' AS d, 1 AS v"); errs.ConditionOf(err) != "INSERT_REPLACE_ON_BY_NAME_NOT_ENABLED" {
		t.Error(err)
	}
}
