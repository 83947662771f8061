package engine

import (
	"fmt"
	"strconv"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/sql"
	"millrace/types"
)

const constraintKey = "delta.constraints."

// addConstraint is ADD CONSTRAINT … CHECK: the rows that are there must meet it.
func (a *alteration) addConstraint(c plan.AlterAction) error {
	name := strings.ToLower(c.To)
	if old, there := a.m.Configuration[constraintKey+name]; there {
		return errs.New("DELTA_CONSTRAINT_ALREADY_EXISTS", "constraintName", c.To, "oldConstraint", old)
	}
	violations, err := a.violations(c)
	if err != nil {
		return err
	}
	if violations > 0 {
		return errs.New("DELTA_NEW_CHECK_CONSTRAINT_VIOLATION", "numRows", strconv.FormatInt(violations, 10), "tableName", a.tableName(), "checkConstraint", c.Check)
	}
	a.reads = true
	a.m.Configuration[constraintKey+name] = c.Check
	a.info = delta.Info("ADD CONSTRAINT", delta.Param{Name: "name", Value: c.To}, delta.Param{Name: "expr", Value: c.Check})
	return nil
}

// violations counts the rows for which a condition is not true.
func (a *alteration) violations(c plan.AlterAction) (int64, error) {
	from := types.QuoteParts("delta", a.log.URL())
	check, err := a.parsed("SELECT (%s) FROM %s", c.Check, from)
	if err != nil {
		return 0, err
	}
	if t := plan.Schema(check).Fields[0].Type; t.Kind != types.KindBoolean {
		return 0, errs.New("DELTA_NON_BOOLEAN_CHECK_CONSTRAINT", "name", c.To, "expr", c.Check)
	}
	count, err := a.parsed("SELECT count(*) FROM %[2]s WHERE NOT coalesce((%[1]s), false)", c.Check, from)
	if err != nil {
		return 0, err
	}
	rows, err := a.st.collect(count, 1)
	if err != nil {
		return 0, err
	}
	return rows[0][0].(int64), nil
}

func (a *alteration) parsed(format, check, from string) (plan.Node, error) {
	n, err := sql.ParseStatement(fmt.Sprintf(format, check, from))
	if err != nil {
		return nil, err
	}
	return a.st.analyze(n)
}

func (a *alteration) dropConstraint(c plan.AlterAction) error {
	key := constraintKey + strings.ToLower(c.To)
	old, there := a.m.Configuration[key]
	if !there && !c.IfExists {
		return errs.New("DELTA_CONSTRAINT_DOES_NOT_EXIST", "constraintName", c.To, "tableName", a.tableName(),
			"config", "spark.databricks.delta.constraints.assumesDropIfExists.enabled", "confValue", "true")
	}
	delete(a.m.Configuration, key)
	params := []delta.Param{{Name: "name", Value: c.To}}
	if there {
		params = append(params, delta.Param{Name: "expr", Value: old})
	}
	a.info = delta.Info("DROP CONSTRAINT", append(params, delta.Param{Name: "existed", Value: strconv.FormatBool(there)})...)
	return nil
}

// clusterBy is CLUSTER BY; no columns stand for NONE.
func (a *alteration) clusterBy(columns []string) error {
	if len(a.m.PartitionColumns) > 0 {
		return errs.New("DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED")
	}
	d, err := delta.Clustering(a.schema, a.m, splitPaths(columns))
	if err != nil {
		return err
	}
	if !a.before.Protocol.Supports("clustering") {
		if len(columns) == 0 {
			return nil
		}
		a.base = a.before.Protocol.WithFeatures("clustering", "domainMetadata")
	}
	a.actions = append(a.actions, delta.Action{Domain: d})
	a.info = delta.Info("CLUSTER BY", delta.Param{Name: "oldClusteringColumns", Value: strings.Join(a.before.ClusteringColumns(), ",")},
		delta.Param{Name: "newClusteringColumns", Value: strings.Join(columns, ",")})
	return nil
}

func splitPaths(names []string) [][]string {
	out := make([][]string, len(names))
	for i, n := range names {
		out[i] = strings.Split(n, ".")
	}
	return out
}
