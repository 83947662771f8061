// Package tree holds decision trees in the flat form in which kernels evaluate them, and how that form is written as text.
//
//	forest, err := tree.FromText(option)
//	leaf := tree.Leaf(&forest[0], row) // row: a number for each feature, or the number of its bin
//	sum += leaf.Value
//
// A tree compares whatever numbers it was made for: feature values in a model, bins while it is trained. The package knows nothing of how
// trees are grown or saved.
package tree
