package e2e

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// gateway starts an S3 server with one bucket, lake, and has everything that is started after it use it. The bucket is a directory.
func gateway(t *testing.T) (bucket string) {
	t.Helper()
	exe := os.Getenv("MILLRACE_S3_GATEWAY")
	if exe == "" {
		exe = filepath.Join(root(), ".cache", "bin", "versitygw")
	}
	if _, err := os.Stat(exe); err != nil {
		t.Skipf("there is no S3 server: %v; make e2e builds one, and MILLRACE_S3_GATEWAY names one", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "lake"), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	cmd := exec.Command(exe, "--port", address, "--quiet", "posix", dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=millrace", "ROOT_SECRET_KEY=millrace-secret")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	await(t, "the S3 server answers", func() bool {
		r, err := http.Get("http://" + address)
		if err == nil {
			r.Body.Close()
		}
		return err == nil
	})
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": "http://" + address, "AWS_ACCESS_KEY_ID": "millrace", "AWS_SECRET_ACCESS_KEY": "millrace-secret",
		"AWS_REGION": "us-east-1", "AWS_S3_PATH_STYLE": "true"} {
		t.Setenv(name, value)
	}
	return filepath.Join(dir, "lake")
}

// TestS3 works on a table in a bucket from one cluster, then appends from two clusters and delta-rs at once.
func TestS3(t *testing.T) {
	gateway(t)
	a, b := up(t), up(t)
	t.Log(python(t, client, "s3.py", "s3://lake/loans", a.Remote, b.Remote))
}

// TestFullDisk fills the disk below a table: the error names the place, and the table is as before.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	c := up(t)
	path := filepath.Join(disk, "t")
	run := func(statement string) string {
		t.Helper()
		stdout, stderr, code := c.sql(statement, "--output", "csv")
		if code != 0 {
			t.Fatalf("%s: exit code %d, %s", statement, code, stderr)
		}
		return stdout
	}
	run("CREATE TABLE small USING delta LOCATION '" + path + "' AS SELECT id, CAST(id AS STRING) AS s FROM range(1000)")
	_, stderr, code := c.sql("INSERT INTO small SELECT id, sha2(CAST(id AS STRING), 256) AS s FROM range(1000000)")
	if code != 1 || !strings.Contains(stderr, path) || !strings.Contains(stderr, "no space left") {
		t.Errorf("a full disk: exit code %d, %s", code, stderr)
	}
	if got := run("SELECT count(*) AS n FROM small"); got != "n\n1000\n" {
		t.Errorf("after the disk was full: %s", got)
	}
	run("INSERT INTO small VALUES (1000, 'there is room again')")
	if got := run("SELECT count(*) AS n, max(id) AS last FROM small"); got != "n,last\n1001,1000\n" {
		t.Errorf("after another insert: %s", got)
	}
}
