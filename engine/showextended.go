package engine

import (
	"sort"
	"strings"

	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

var extendedSchema = mustSchema("namespace STRING NOT NULL, tableName STRING NOT NULL, isTemporary BOOLEAN NOT NULL, information STRING NOT NULL")

// showExtended is SHOW TABLE EXTENDED: tables, views and temporary views whose names match, or one partition of a table.
func (st *statement) showExtended(c *plan.Show) (session.Result, error) {
	if c.Partition != nil {
		return st.showExtendedPartition(c)
	}
	namespace := st.schemaNamed(c.Name)
	rows, err := st.extendedTables(namespace, c.Pattern)
	if err != nil {
		return nil, err
	}
	local, global := st.s.Views()
	sort.Strings(local)
	sort.Strings(global)
	if namespace == session.GlobalNamespace {
		for _, name := range global {
			if rows, err = st.extendedView(rows, c.Pattern, session.GlobalNamespace, name); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range local {
		if rows, err = st.extendedView(rows, c.Pattern, "", name); err != nil {
			return nil, err
		}
	}
	return st.rowsResult(extendedSchema, rows)
}

// extendedTables are the rows of a schema's tables and views.
func (st *statement) extendedTables(namespace, pattern string) ([][]any, error) {
	if namespace == session.GlobalNamespace {
		return nil, nil
	}
	all, err := st.entriesOf(namespace)
	if err != nil {
		return nil, err
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	var rows [][]any
	for i := range all {
		e := &all[i]
		if !session.Matches(pattern, e.Name) {
			continue
		}
		lines, err := st.tableDetails(e)
		if err != nil {
			return nil, err
		}
		if len(e.PartitionBy) > 0 {
			lines = append(lines, [2]string{"Partition Columns", "[" + strings.Join(quoted(e.PartitionBy), ", ") + "]"})
		}
		if e.Schema != "" {
			schema, err := e.fileSchema()
			if err != nil {
				return nil, err
			}
			lines = append(lines, [2]string{"Schema", session.TreeString(schema, 0)})
		}
		rows = append(rows, []any{strings.ToLower(e.Namespace), strings.ToLower(e.Name), false, information(lines)})
	}
	return rows, nil
}

// information writes lines as SHOW TABLE EXTENDED does.
func information(lines [][2]string) string {
	var b strings.Builder
	for _, kv := range lines {
		b.WriteString(kv[0] + ": " + kv[1] + "\n")
	}
	return b.String()
}

// extendedView adds the row of a temporary view, if its name matches.
func (st *statement) extendedView(rows [][]any, pattern, namespace, name string) ([][]any, error) {
	if !session.Matches(pattern, name) {
		return rows, nil
	}
	parts := []string{name}
	var lines [][2]string
	if namespace != "" {
		parts = []string{namespace, name}
		lines = append(lines, [2]string{"Database", namespace})
	}
	info, _ := st.s.ViewInfo(parts)
	resolved, err := st.analyze(&plan.UnresolvedRelation{Parts: parts})
	if err != nil {
		return nil, err
	}
	lines = append(append(lines, [2]string{"Table", name}), st.madeBy(info.Created.UnixMilli())...)
	lines = append(lines, [2]string{"Type", "VIEW"})
	add := func(key, value string) {
		if value != "" {
			lines = append(lines, [2]string{key, value})
		}
	}
	add("Comment", info.Comment)
	add("Collation", info.Collation)
	add("View Text", info.Text)
	add("View Schema Mode", st.shownMode(""))
	if info.Text != "" {
		add("View Catalog and Namespace", "spark_catalog."+types.QuoteIfNeeded(info.Within))
		add("View Query Output Columns", "["+strings.Join(quoted(info.Query), ", ")+"]")
	}
	add("Schema", session.TreeString(plan.Schema(resolved), 0))
	return append(rows, []any{namespace, name, true, information(lines)}), nil
}
