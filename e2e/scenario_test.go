package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestScenario runs the article's data half with each client and has delta-rs and Spark read every table it wrote.
func TestScenario(t *testing.T) {
	for _, version := range []string{"4.0.4", "4.1.3", "4.2.0"} {
		t.Run(version, func(t *testing.T) {
			c := up(t, "--workers", "2")
			lake := filepath.Join(t.TempDir(), "lake")
			args := []string{"--remote", c.Remote, "--lake", lake}
			if version == client {
				args = append(args, "--generated", generated(t))
			}
			out := python(t, version, filepath.Join(root(), "examples", "lending_club.py"), args...)
			t.Log(tail(out))
			if version != client {
				return
			}
			ours := python(t, client, "digest.py", "--connect", c.Remote, lake)
			theirs := python(t, client, "digest.py", "--deltars", lake)
			if ours != theirs {
				t.Errorf("millrace and delta-rs read different tables:\n%s\n%s", ours, theirs)
			}
			if haveSpark() {
				if s := digests(spark(t, "digest.py", "--spark", lake)); s != ours {
					t.Errorf("millrace and Spark read different tables:\n%s\n%s", ours, s)
				}
			}
		})
	}
}

// digests cuts what Spark prints before the script's own lines.
func digests(s string) string {
	var own []string
	for _, l := range strings.SplitAfter(s, "\n") {
		if strings.HasPrefix(l, "digest ") {
			own = append(own, l)
		}
	}
	return strings.Join(own, "")
}

// generated is a folder of loans that all tests share.
func generated(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(root(), ".run", "e2e-loans")
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	exe := filepath.Join(root(), ".cache", "venv-"+client, "bin", "python")
	cmd := exec.Command(exe, filepath.Join(root(), "examples", "generate_loans.py"), dir+".tmp", "--rows", "200000")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("generate loans: %v\n%s", err, out)
	}
	if err := os.Rename(dir+".tmp", dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestInterop has tables made by delta-rs and by Spark read, appended to and read back by all three.
func TestInterop(t *testing.T) {
	c := up(t)
	dir := t.TempDir()
	python(t, client, "interop.py", "deltars-write", dir)
	if haveSpark() {
		spark(t, "interop.py", "spark-write", dir)
	}
	python(t, client, "interop.py", "connect-append", dir, c.Remote)
	python(t, client, "interop.py", "deltars-check", dir)
	if haveSpark() {
		spark(t, "interop.py", "spark-check", dir)
	}
}

// TestChanges has rows changed by DELETE, UPDATE, MERGE and REPLACE WHERE in tables of every kind, and delta-rs and Spark read them and their change data feeds.
func TestChanges(t *testing.T) {
	c := up(t)
	dir := t.TempDir()
	python(t, client, "changes.py", "change", dir, c.Remote)
	python(t, client, "changes.py", "deltars-check", dir)
	if haveSpark() {
		spark(t, "changes.py", "spark-check", dir)
	}
}

// TestKinds has a table of every kind that millrace writes read by delta-rs and by Spark, which changes rows of it, and read on by millrace.
func TestKinds(t *testing.T) {
	c := up(t)
	dir := t.TempDir()
	python(t, client, "kinds.py", "write", dir, c.Remote)
	python(t, client, "kinds.py", "deltars-check", dir)
	spark(t, "kinds.py", "spark-check", dir)
	python(t, client, "kinds.py", "read-on", dir, c.Remote)
}
