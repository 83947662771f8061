package e2e

import (
	"strconv"
	"testing"
)

// TestCached caches frames from clients, with the files that they read out of the way, and kills every worker in between.
func TestCached(t *testing.T) {
	for _, version := range []string{client, "4.0.4"} {
		t.Run(version, func(t *testing.T) {
			c := up(t)
			args := []string{c.Remote, t.TempDir(), c.UI}
			for _, pid := range c.workers() {
				args = append(args, strconv.Itoa(pid))
			}
			t.Log(tail(python(t, version, "cached.py", args...)))
		})
	}
}
