// Package estimate guesses how many rows relations have and how many different values their columns hold, from what tables know of themselves.
//
//	e := estimate.New()
//	rows := e.Of(node).Rows
//
// Guesses choose between plans that all give the same answer: nothing may be right only because a guess is. The package is pure.
package estimate
