package e2e

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// refusedStreams are the cases of streaming queries that may be refused by name.
var refusedStreams = strings.Fields("deduplicated files foreach_batch_complete memory running_sums windows")

// differentStreams are the cases in which streaming queries answer otherwise than Spark's, and why.
var differentStreams = map[string]string{
	"foreach_batch": "Spark counts a batch's rows again for each use that the function makes of them",
	"progress":      "offsets are objects in the reports, not text",
	"refused":       "a column of partitionBy that is missing does not show when the query is started",
	"views":         "Spark's server cannot read STREAM delta.`path`",
}

// TestStreamParity runs streaming queries with an unmodified client and holds what comes out against Spark's answers.
func TestStreamParity(t *testing.T) {
	c := up(t, "--workers", "2")
	out := filepath.Join(t.TempDir(), "out.json")
	python(t, client, "streams.py", c.Remote, filepath.Join(t.TempDir(), "lake"), out)
	ours, theirs := answers(t, out), answers(t, filepath.Join("testdata", "streams.json"))
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		_, different := differentStreams[name]
		mayRefuse := slices.Contains(refusedStreams, name) && strings.Contains(ours[name], `"UNSUPPORTED_FEATURE"`)
		if ours[name] != theirs[name] && !mayRefuse && (!different || ours[name] == "") {
			t.Errorf("%s:\nmillrace %.2000s\nSpark    %.2000s", name, ours[name], theirs[name])
		}
	}
}
