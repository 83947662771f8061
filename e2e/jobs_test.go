package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// job is what `millrace job ID --output json` says.
type job struct {
	ID, Name, State, Error string
	Steps, Done, Attempt   int
}

var jobID = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}\n$`)

// submit leaves a job in the cluster and gives its id.
func (c *cluster) submit(args ...string) string {
	c.t.Helper()
	stdout, stderr, code := millrace(append([]string{"submit", "--remote", c.Remote}, args...)...)
	if code != 0 || !jobID.MatchString(stdout) || stderr != "" {
		c.t.Fatalf("submit: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	return strings.TrimSpace(stdout)
}

// job asks for a job; ok is false while the cluster does not answer.
func (c *cluster) job(id string) (j job, ok bool) {
	c.t.Helper()
	stdout, stderr, code := millrace("job", "--remote", c.Remote, "--output", "json", id)
	if code == 3 {
		return j, false
	}
	if code != 0 {
		c.t.Fatalf("job: exit code %d, stderr %q", code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &j); err != nil {
		c.t.Fatalf("job: %v in %q", err, stdout)
	}
	return j, true
}

// ended waits for a job's end.
func (c *cluster) ended(id string) (j job) {
	c.t.Helper()
	await(c.t, "the job "+id+" ends", func() bool {
		var ok bool
		j, ok = c.job(id)
		return ok && j.State != "QUEUED" && j.State != "RUNNING"
	})
	return j
}

func (c *cluster) log(id string) string {
	c.t.Helper()
	stdout, stderr, code := millrace("job", "--remote", c.Remote, "--logs", id)
	if code != 0 {
		c.t.Fatalf("job --logs: exit code %d, stderr %q", code, stderr)
	}
	return stdout
}

// write makes a file for the test.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDailyReport(t *testing.T) {
	c := up(t)
	data := filepath.Join(root(), "data", "lending_club.csv")
	text, err := os.ReadFile(filepath.Join(root(), "examples", "daily_report.sql"))
	if err != nil {
		t.Fatal(err)
	}
	// The example's path is relative to where the cluster was started, which for tests is another place.
	id := c.submit("--name", "report", write(t, "daily_report.sql", strings.ReplaceAll(string(text), "data/lending_club.csv", data)))
	if j := c.ended(id); j.State != "SUCCEEDED" || j.Name != "report" || j.Done != j.Steps || j.Steps != 10 {
		t.Fatalf("the report: %+v\n%s", j, c.log(id))
	}
	out, _, _ := c.sql("SELECT addr_state, loans FROM report.by_state WHERE addr_state = 'CA'", "--output", "csv")
	if !strings.Contains(out, "CA,1324\n") || !strings.Contains(c.log(id), "|CA        |1324 |") {
		t.Errorf("the report says %q and its log\n%s", out, c.log(id))
	}
	list, _, _ := millrace("jobs", "--remote", c.Remote)
	if !strings.Contains(list, id) || !strings.Contains(list, "SUCCEEDED") {
		t.Errorf("the list of jobs is\n%s", list)
	}
}

// TestJobSurvivesTheCoordinator kills the coordinator several times while a job inserts: every statement counts once.
func TestJobSurvivesTheCoordinator(t *testing.T) {
	c := up(t)
	const inserts, rows = 12, 400_000
	script := "CREATE TABLE t (id BIGINT, v DOUBLE) USING delta;\nCREATE TEMPORARY VIEW numbers AS SELECT id, sqrt(id) AS v FROM range(400000);\n"
	for range inserts {
		script += "INSERT INTO t SELECT id, v FROM numbers;\n"
	}
	id := c.submit(write(t, "inserts.sql", script+"SELECT count(*) AS n FROM t;\n"))
	kills := 0
	for ; kills < 3; kills++ {
		at := kills * inserts / 3
		await(t, "the job comes on", func() bool {
			j, ok := c.job(id)
			return ok && (j.Done > at || j.State == "SUCCEEDED")
		})
		for _, pid := range children(c.cmd.Process.Pid, "millrace coordinator ") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	j := c.ended(id)
	if j.State != "SUCCEEDED" || j.Attempt < 2 {
		t.Fatalf("after %d kills the job is %+v\n%s", kills, j, c.log(id))
	}
	out, stderr, code := c.sql("SELECT count(*) AS n, count(DISTINCT id) AS d FROM t", "--output", "csv")
	if want := fmt.Sprintf("%d,%d\n", inserts*rows, rows); code != 0 || !strings.HasSuffix(out, want) {
		t.Errorf("the table has n,d = %s (%s); want %s", out, stderr, want)
	}
}

func TestJobsOfManyKinds(t *testing.T) {
	c := up(t)
	t.Run("fails half-way", func(t *testing.T) {
		id := c.submit(write(t, "half.sql", "CREATE TABLE half (a INT) USING delta; INSERT INTO half VALUES (1); SELECT * FROM missing; INSERT INTO half VALUES (2)"))
		if j := c.ended(id); j.State != "FAILED" || j.Done != 2 || !strings.Contains(j.Error, "TABLE_OR_VIEW_NOT_FOUND") {
			t.Errorf("%+v", j)
		}
		if out, _, _ := c.sql("SELECT * FROM half", "--output", "csv"); out != "a\n1\n" {
			t.Errorf("the table has %q", out)
		}
	})
	t.Run("yaml and python", func(t *testing.T) {
		exe := filepath.Join(root(), ".cache", "venv-"+client, "bin", "python")
		dir := t.TempDir()
		for name, text := range map[string]string{
			"first.sql": "CREATE TABLE steps (n BIGINT) USING delta;\nINSERT INTO steps VALUES (1);",
			"second.py": "from pyspark.sql import SparkSession\ns = SparkSession.builder.getOrCreate()\n" +
				"s.range(2, 4).withColumnRenamed('id', 'n').write.mode('append').saveAsTable('steps')\nprint('rows', s.table('steps').count())\n",
			"job.yaml": "name: three steps\nconf: {spark.pyspark.python: " + exe + "}\nsteps:\n- file: first.sql\n- python: second.py\n- sql: SELECT sum(n) AS total FROM steps\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		id := c.submit(filepath.Join(dir, "job.yaml"))
		j := c.ended(id)
		if log := c.log(id); j.State != "SUCCEEDED" || j.Name != "three steps" || !strings.Contains(log, "rows 3\n") || !strings.Contains(log, "|6    |") {
			t.Errorf("%+v\n%s", j, log)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		id := c.submit(write(t, "long.sql", "SELECT sum(a.id * b.id) FROM range(1000000) AS a CROSS JOIN range(1000000) AS b"))
		await(t, "it runs", func() bool { j, _ := c.job(id); return j.State == "RUNNING" })
		if _, stderr, code := millrace("cancel", "--remote", c.Remote, id); code != 0 {
			t.Fatal(code, stderr)
		}
		if j := c.ended(id); j.State != "CANCELLED" {
			t.Errorf("%+v", j)
		}
	})
	t.Run("watch", func(t *testing.T) {
		stdout, stderr, code := millrace("submit", "--remote", c.Remote, "--watch", write(t, "fails.sql", "SELECT 1 AS one; SELECT raise_error('no')"))
		if code != 1 || !jobID.MatchString(stdout) || !strings.Contains(stderr, "|one|") || !strings.Contains(stderr, "FAILED") {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
	})
	for name, test := range map[string]struct {
		args []string
		code int
		text []string
	}{
		"missing file":  {[]string{"submit", "/nowhere/job.sql"}, 2, []string{"/nowhere/job.sql"}},
		"unknown kind":  {[]string{"submit", write(t, "job.txt", "SELECT 1")}, 2, []string{".sql, .py or .yaml"}},
		"empty":         {[]string{"submit", write(t, "job.sql", "-- nothing\n")}, 2, []string{"has no statement"}},
		"syntax":        {[]string{"submit", write(t, "job.sql", "SELECT 1; SELEC 2")}, 1, []string{"PARSE_SYNTAX_ERROR"}},
		"unknown key":   {[]string{"submit", write(t, "job.yaml", "step: 1")}, 2, []string{"step"}},
		"unknown job":   {[]string{"job", "20200101-000000-abcdef"}, 1, []string{"There is no job"}},
		"unknown logs":  {[]string{"job", "--logs", "x"}, 1, []string{"There is no job"}},
		"cancel no job": {[]string{"cancel", "x"}, 1, []string{"There is no job"}},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := millrace(append(test.args, "--remote", c.Remote)...)
			if code != test.code || stdout != "" || !matches(stderr, test.text) {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %d and %q", code, stdout, stderr, test.code, test.text)
			}
		})
	}
}
