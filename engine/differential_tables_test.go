package engine_test

import (
	"fmt"
	"strings"
)

// sparkTypes and duckTypes are the kinds' types.
var sparkTypes = map[string]string{"bool": "BOOLEAN", "int": "INT", "big": "BIGINT", "dec": "DECIMAL(10,2)", "dbl": "DOUBLE", "str": "STRING", "date": "DATE", "ts": "TIMESTAMP"}
var duckTypes = map[string]string{"bool": "BOOLEAN", "int": "INT", "big": "BIGINT", "dec": "DECIMAL(10,2)", "dbl": "DOUBLE", "str": "VARCHAR", "date": "DATE", "ts": "TIMESTAMP"}

// tables makes u0 to u3 with the columns id, which is unique, and one of every kind, and the larger u4, which spills.
func (g *queryGenerator) tables() []sqlText {
	var out []sqlText
	for i, rows := range []int{30 + g.IntN(60), 10 + g.IntN(20), g.IntN(6), 0} {
		name := fmt.Sprint("u", i)
		out = append(out, g.create(name))
		nulls := choose(g, 3, 8, 1000)
		for id := 0; id < rows; {
			some := min(rows-id, 1+g.IntN(30))
			var values []string
			for range some {
				cells := []string{fmt.Sprint(id)}
				for _, k := range kinds {
					if g.one(nulls) {
						cells = append(cells, "NULL")
					} else {
						cells = append(cells, g.value(k))
					}
				}
				values = append(values, "("+strings.Join(cells, ", ")+")")
				id++
			}
			out = append(out, both("INSERT INTO %s VALUES %s", name, strings.Join(values, ", ")))
		}
		g.base = append(g.base, relation{text: both("%s", name)})
	}
	rows := 3000 + g.IntN(4000)
	out = append(out, g.create("u4"), dialects(bigRows+" FROM range(%[1]d)", bigRows+" FROM range(%[1]d) AS r(id)", rows, 1+g.IntN(900)))
	g.base = append(g.base, relation{text: both("u4")})
	return out
}

const bigRows = "INSERT INTO u4 SELECT id, id %% 3 = 0, CASE WHEN id %% 7 <> 2 THEN CAST(id %% %[2]d AS INT) END, id %% 100, CAST(id %% 1000 AS DECIMAL(10,2)), " +
	"CAST(id %% 64 AS DOUBLE) / 4, CASE WHEN id %% 5 <> 1 THEN concat('s', CAST(id %% %[2]d AS VARCHAR(10))) END, DATE '2020-01-01', TIMESTAMP '2020-01-01 10:00:00'"

func (g *queryGenerator) create(name string) sqlText {
	var s, d []string
	for _, k := range kinds {
		s, d = append(s, "c"+k+" "+sparkTypes[k]), append(d, "c"+k+" "+duckTypes[k])
	}
	return dialects("CREATE TABLE %[1]s (id BIGINT, %[2]s) USING delta", "CREATE OR REPLACE TABLE %[1]s (id BIGINT, %[3]s)", name, strings.Join(s, ", "), strings.Join(d, ", "))
}

// value is a literal for an INSERT. Few values meet often; few of them are at the edges.
func (g *queryGenerator) value(kind string) string {
	switch kind {
	case "bool":
		return choose(g, "true", "false")
	case "int":
		return fmt.Sprint(g.IntN(14) - 3)
	case "big":
		return fmt.Sprint(choose(g, g.IntN(10), g.IntN(40)-20))
	case "dec":
		return fmt.Sprintf("%s%d.%02d", choose(g, "", "", "-"), g.IntN(6), 25*g.IntN(4))
	case "dbl":
		return choose(g, fmt.Sprintf("CAST(%d.%02d AS DOUBLE)", g.IntN(5), 25*g.IntN(4)), fmt.Sprintf("CAST(-%d.5 AS DOUBLE)", g.IntN(3)))
	case "str":
		return choose(g, "'a'", "'b'", "'ab'", "''", "'c'", "'A'", "'abc'", "'a_b'", "'x%'", "' a '", "'é'", "'zz'", "'12'")
	case "date":
		return choose(g, fmt.Sprintf("DATE '2020-0%d-1%d'", 1+g.IntN(3), g.IntN(3)), "DATE '1969-12-31'", "DATE '2000-02-29'")
	}
	return choose(g, fmt.Sprintf("TIMESTAMP '2020-01-0%d 1%d:00:00'", 1+g.IntN(2), g.IntN(3)), "TIMESTAMP '1969-12-31 23:59:59.5'", "TIMESTAMP '2000-02-29 12:30:00'")
}

// table is one of the tables, under an alias.
func (g *queryGenerator) table() relation {
	r := choose(g, g.base[0], g.base[0], g.base[0], g.base[1], g.base[1], g.base[2], g.base[3])
	if g.one(12) {
		r = g.base[4]
	}
	alias := g.name("t")
	out := relation{text: both("%s AS %s", r.text, alias), columns: []column{{both("%s.id", alias), "big"}}}
	for _, k := range kinds {
		out.columns = append(out.columns, column{both("%s.c%s", alias, k), k})
	}
	return out
}
