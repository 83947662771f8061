// Package operators holds the vectorised operators of a task's pipeline and Build, which makes them from a physical plan.
// It does not know where data come from: scans, sinks and exchanges are given to Build as factories.
package operators
