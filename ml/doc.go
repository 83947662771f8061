// Package ml is Spark ML: estimators, models, transformers and evaluators by the names of Spark's classes. All of them drive plans:
// a fit is a few queries whose small results become a model, a transformation is a projection over its input.
//
//	objects := ml.NewObjects()
//	c := &ml.Context{Context: ctx, Runner: runner}
//	model, err := objects.Fit(c, "org.apache.spark.ml.feature.StringIndexer", "indexer_1", map[string]any{"inputCol": "state"}, loans)
//	indexed, err := objects.Transform(model.ID, nil, loans) // a plan.Node
//
// A class registers itself by Register from an init function: its parameters with types, defaults and checks, and what it does. Files are
// named after what they hold: string_indexer.go has the estimator, its model, and how that is saved.
//
// What a projection computes by row is a kernel in operators/expr (or an aggregate in operators/agg) whose name begins with ml_ and whose
// parameters are literals, so that the workers know nothing of models. The package knows no protocol: gateway/connect is its door.
package ml
