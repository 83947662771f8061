// Package analyze turns an unresolved plan into a resolved one: names become columns with identities, functions become
// calls with types, every implicit cast is written out, and what cannot be is refused with Spark's own conditions.
//
//	resolved, err := analyze.Analyze(parsed, catalog, analyze.Conf{ANSI: true, TimeZone: "UTC"})
//
// It works in one pass from the leaves up. Every relation that is met is given fresh column ids, so two uses of one table
// never share a column. The package is pure: tables come in through Catalog, time and settings through Conf.
package analyze
