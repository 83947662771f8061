package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// oneLine fails the test unless text is one line that has all the words.
func oneLine(t *testing.T, what, text string, words ...string) {
	t.Helper()
	if strings.Count(text, "\n") != 1 || !matches(text, words) {
		t.Errorf("%s: stderr is %q, not one line with %q", what, text, words)
	}
}

func TestSQLCommand(t *testing.T) {
	c := up(t)
	file := filepath.Join(t.TempDir(), "two.sql")
	if err := os.WriteFile(file, []byte("-- two statements\nSELECT 1 AS a;\nSELECT 'x;y' AS b;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args  []string
		stdin string
		want  string
	}{
		{args: []string{"-c", "SELECT 1 AS a, 'x,y' AS b, CAST(NULL AS INT) AS c", "--output", "csv"}, want: "a,b,c\n1,\"x,y\",\n"},
		{args: []string{"-c", "SELECT 1 AS a, 'x' AS b, CAST(NULL AS INT) AS c", "--output", "json"}, want: `{"a":1,"b":"x","c":null}` + "\n"},
		{args: []string{"-c", "SELECT 1 AS a, 'x' AS b"}, want: "a  b\n─  ─\n1  x\n"},
		{args: []string{"-f", file, "--output", "csv"}, want: "a\n1\nb\nx;y\n"},
		{args: []string{"--output", "csv"}, stdin: "SELECT 5 AS five", want: "five\n5\n"},
		{args: []string{"-c", "CREATE TABLE made (a INT) USING delta; INSERT INTO made VALUES (7); SELECT * FROM made", "--output", "csv"}, want: "a\n7\n"},
	} {
		cmd := program("millrace", append([]string{"sql", "--remote", c.Remote}, test.args...)...)
		cmd.Stdin = strings.NewReader(test.stdin)
		stdout, stderr, code := output(cmd)
		if code != 0 || stderr != "" || !strings.HasSuffix(stdout, test.want) || strings.TrimSpace(strings.TrimSuffix(stdout, test.want)) != "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q; want %q", test.args, code, stdout, stderr, test.want)
		}
	}
	t.Run("arrow", func(t *testing.T) {
		stdout, stderr, code := c.sql("SELECT id FROM range(3) ORDER BY id", "--output", "arrow")
		if code != 0 {
			t.Fatal(code, stderr)
		}
		r, err := ipc.NewReader(bytes.NewReader([]byte(stdout)))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		var ids []int64
		for r.Next() {
			ids = append(ids, r.RecordBatch().Column(0).(*array.Int64).Int64Values()...)
		}
		if r.Err() != nil || len(ids) != 3 || ids[2] != 2 {
			t.Error(ids, r.Err())
		}
	})
	t.Run("environment", func(t *testing.T) {
		t.Setenv("MILLRACE_REMOTE", c.Remote)
		if stdout, stderr, code := millrace("sql", "-c", "SELECT 1 AS a", "--output", "csv"); code != 0 || stdout != "a\n1\n" {
			t.Error(code, stdout, stderr)
		}
	})
	t.Run("errors", func(t *testing.T) {
		for statement, condition := range map[string]string{"SELEC 1": "[PARSE_SYNTAX_ERROR]", "SELECT 1 / 0": "[DIVIDE_BY_ZERO]",
			"SELECT nope": "[UNRESOLVED_COLUMN", "SELECT 1; SELECT * FROM nope": "[TABLE_OR_VIEW_NOT_FOUND]"} {
			if stdout, stderr, code := c.sql(statement); code != 1 || !strings.HasPrefix(stderr, condition) || !strings.Contains(stderr, "SQLSTATE") {
				t.Errorf("%s: exit code %d, stdout %q, stderr %q; want 1 and %s", statement, code, stdout, stderr, condition)
			}
		}
	})
	t.Run("interrupt", func(t *testing.T) { interrupt(t, c) })
}

// interrupt presses Ctrl-C while a long statement runs.
func interrupt(t *testing.T, c *cluster) {
	idle := func() bool {
		return c.metric("millrace_queries_running") == 0 && c.metric("millrace_tasks_running") == 0
	}
	await(t, "the cluster is done with what came before", idle)
	cmd := program("millrace", "sql", "--remote", c.Remote, "-c", "SELECT sum(a.id % 7 + b.id % 5) FROM range(10000000) a CROSS JOIN range(10000000) b")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the statement runs", func() bool { return c.metric("millrace_tasks_running") > 0 })
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d after an interrupt, not 130", code)
	}
	oneLine(t, "an interrupt", stderr.String(), "interrupted")
	await(t, "the statement is cancelled on the cluster", idle)
}

func TestUnreachable(t *testing.T) {
	for _, args := range [][]string{{"sql", "-c", "SELECT 1"}, {"table", "history", "t"}} {
		_, stderr, code := millrace(append(args, "--remote", "sc://127.0.0.1:1")...)
		if code != 3 {
			t.Errorf("%q: exit code %d, not 3", args, code)
		}
		oneLine(t, args[0], stderr, "sc://127.0.0.1:1")
	}
}

func TestWrongUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	busy := up(t)
	port := busy.Remote[strings.LastIndexByte(busy.Remote, ':')+1:]
	for _, test := range []struct {
		program string
		args    []string
		word    string
	}{
		{"millrace", nil, "sql"},
		{"millrace", []string{"nonsense"}, "nonsense"},
		{"millrace", []string{"sql", "--nonsense"}, "--nonsense"},
		{"millrace", []string{"sql", "--output", "xml", "-c", "SELECT 1"}, "--output"},
		{"millrace", []string{"sql", "-c", "SELECT 1", "-f", file}, "-f"},
		{"millrace", []string{"sql", "-f", file + ".sql"}, file + ".sql"},
		{"millrace", []string{"table", "restore", "t"}, "--version"},
		{"millrace", []string{"up", "--dir", file}, file},
		{"millrace", []string{"up", "--dir", "/proc/none"}, "/proc/none"},
		{"millrace", []string{"up", "--workers", "0"}, "--workers"},
		{"millrace", []string{"up", "--workers", "two"}, "--workers"},
		{"millrace", []string{"up", "--worker-memory", "much"}, "--worker-memory"},
		{"millrace", []string{"up", "--dir", t.TempDir(), "--port", "99999"}, "99999"},
		{"millrace", []string{"up", "--dir", t.TempDir(), "--ui-port", "0", "--port", port}, port},
		{"coordinator", nil, "--dir"},
		{"coordinator", []string{"--dir", t.TempDir(), "--listen", "nowhere"}, "nowhere"},
		{"coordinator", []string{"--dir", file}, file},
		{"worker", []string{"--dir", t.TempDir()}, "--join"},
		{"worker", []string{"--dir", file, "--join", "127.0.0.1:1"}, file},
		{"worker", []string{"--dir", t.TempDir(), "--join", "127.0.0.1:1", "--memory", "much"}, "--memory"},
	} {
		stdout, stderr, code := output(program(test.program, test.args...))
		if code != 2 || stdout != "" {
			t.Errorf("%s %q: exit code %d, not 2; stdout %q", test.program, test.args, code, stdout)
		}
		oneLine(t, strings.Join(append([]string{test.program}, test.args...), " "), stderr, test.word)
	}
}

// TestHelp asks that each flag names its default, unless it must be given.
func TestHelp(t *testing.T) {
	flag := regexp.MustCompile(`(?m)^ {2,6}(?:-\w, +)?--([\w-]+)`)
	for _, command := range [][]string{{"millrace", "up"}, {"millrace", "sql"}, {"millrace", "table", "history"}, {"coordinator"}, {"worker"}} {
		stdout, stderr, code := output(program(command[0], append(command[1:], "--help")...))
		if code != 0 || stderr != "" {
			t.Errorf("%q --help: exit code %d, stderr %q", command, code, stderr)
		}
		usage, _, _ := strings.Cut(stdout, "\n")
		at := flag.FindAllStringSubmatchIndex(stdout, -1)
		if len(at) < 3 {
			t.Errorf("%q --help shows no flags:\n%s", command, stdout)
		}
		for i, m := range at {
			name, text := stdout[m[2]:m[3]], stdout[m[0]:]
			if i+1 < len(at) {
				text = stdout[m[0]:at[i+1][0]]
			}
			if required := strings.Contains(usage, "--"+name+"="); name != "help" && name != "file" && !required && !strings.Contains(text, "Default:") {
				t.Errorf("%q: --%s does not say its default:\n%s", command, name, text)
			}
		}
	}
	if stdout, _, code := millrace("version"); code != 0 || !regexp.MustCompile(`^millrace \S+\n$`).MatchString(stdout) {
		t.Errorf("version: exit code %d, %q", code, stdout)
	}
}

func TestTableCommand(t *testing.T) {
	c := up(t)
	path := filepath.Join(t.TempDir(), "a table")
	if _, stderr, code := c.sql("CREATE TABLE named USING delta LOCATION '" + path + "' AS SELECT id FROM range(4); INSERT INTO named VALUES (9)"); code != 0 {
		t.Fatal(stderr)
	}
	t.Setenv("MILLRACE_REMOTE", c.Remote)
	for _, table := range []string{"named", path} {
		if stdout, stderr, code := millrace("table", "history", table, "--output", "json"); code != 0 || strings.Count(stdout, "\n") != 2 ||
			!strings.HasPrefix(stdout, `{"version":1,`) {
			t.Errorf("history of %s: exit code %d, %s %s", table, code, stdout, stderr)
		}
		if stdout, stderr, code := millrace("table", "describe", table, "--output", "json"); code != 0 || !strings.Contains(stdout, `"format":"delta"`) ||
			!strings.Contains(stdout, path) {
			t.Errorf("describe %s: exit code %d, %s %s", table, code, stdout, stderr)
		}
	}
	if stdout, _, _ := millrace("table", "history", "named", "--limit", "1", "--output", "json"); strings.Count(stdout, "\n") != 1 {
		t.Errorf("history --limit 1: %s", stdout)
	}
	if _, stderr, code := millrace("table", "restore", path, "--version", "0"); code != 0 {
		t.Errorf("restore: exit code %d, %s", code, stderr)
	}
	if stdout, _, _ := c.sql("SELECT count(*) AS n FROM named", "--output", "csv"); stdout != "n\n4\n" {
		t.Errorf("after restore: %s", stdout)
	}
	if _, stderr, code := millrace("table", "restore", path, "--version", "77"); code != 1 || !strings.HasPrefix(stderr, "[DELTA_CANNOT_RESTORE_TABLE_VERSION]") {
		t.Errorf("restore of an unknown version: exit code %d, %s", code, stderr)
	}
	if _, stderr, code := millrace("table", "history", path+"/none"); code != 1 || !strings.HasPrefix(stderr, "[DELTA_") {
		t.Errorf("history of nothing: exit code %d, %s", code, stderr)
	}
}

func TestPagesOfTheUIPort(t *testing.T) {
	c := up(t)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": "\nmillrace_workers 2\n", "/": "<title>Cluster · millrace</title>"} {
		if body, status := c.get(path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: status %d, %s", path, status, body)
		}
	}
	if _, status := c.get("/nowhere"); status != 404 {
		t.Errorf("/nowhere: status %d", status)
	}
}
