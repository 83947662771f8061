// Package plan holds the logical plan: relations and expressions as a front door makes them (unresolved), as the
// analyser leaves them (resolved: every column an Attribute, every function a Call, every implicit cast written out) and
// as the optimiser rewrites them. It is pure: values in, values out; catalogs and file listings come in through
// interfaces.
//
//	p := &plan.Filter{Input: &plan.UnresolvedRelation{Parts: []string{"loans"}}, Condition: plan.Fn("=", plan.Col("addr_state"), plan.Str("IA"))}
//
// Nodes are immutable once made: a rule that changes one makes a new one.
package plan
