// Package sql reads Spark SQL text and makes plan nodes of it: a lexer, a recursive-descent parser for queries and
// commands, and a precedence-climbing one for expressions.
//
//	n, err := sql.ParseStatement("SELECT a, count(*) FROM t WHERE b > 1 GROUP BY ALL")
//
// Nothing is reserved, as in Spark by default: a keyword is an identifier wherever the grammar leaves no other reading.
// Operators become calls of the functions that bear their names (see plan.UnresolvedFunction). The package is pure: it
// knows no catalog, no session and no clock; what a literal needs of them comes in through Parser.
package sql
