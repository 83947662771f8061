// Package s3test runs tests against a real S3 server.
//
//	bucket := s3test.Start(t) // s3://lake, until the test ends
package s3test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Start starts a gateway that serves a directory as S3, and points the environment at it. The program's path is in
// MILLRACE_S3_GATEWAY; without it the test is skipped. Bucket is the URL of an empty bucket.
func Start(t testing.TB) (bucket string) {
	program := os.Getenv("MILLRACE_S3_GATEWAY")
	if program == "" {
		t.Skip("MILLRACE_S3_GATEWAY names no versitygw")
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "lake"), 0o777); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.Command(program, "--port", addr, "--quiet", "posix", root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=millrace", "ROOT_SECRET_KEY=millrace-secret")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Setenv("AWS_ACCESS_KEY_ID", "millrace")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "millrace-secret")
	t.Setenv("AWS_ENDPOINT_URL", "http://"+addr)
	t.Setenv("AWS_REGION", "us-east-1")
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return "s3://lake"
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the gateway does not answer")
	return ""
}
