package engine_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// peer is a DuckDB that answers the same queries.
type peer struct {
	in  io.Writer
	out *bufio.Reader
}

// newPeer starts DuckDB, or returns nil where it is not set up (make duckdb).
func newPeer(t testing.TB) *peer {
	python, err := filepath.Abs("../.cache/venv-duckdb/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(python), "..", "ready")); err != nil {
		return nil
	}
	cmd := exec.Command(python, "testdata/peer.py")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &peer{in, bufio.NewReaderSize(out, 1<<20)}
}

// query is a statement's rows as text.
func (p *peer) query(text string) ([][]string, error) {
	_, rows, err := p.typed(text)
	return rows, err
}

// typed is a statement's types, by their names in DuckDB, and its rows as text.
func (p *peer) typed(text string) (types []string, rows [][]string, err error) {
	line, err := json.Marshal(map[string]string{"sql": text})
	if err != nil {
		return nil, nil, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, nil, err
	}
	answer, err := p.out.ReadBytes('\n')
	if err != nil {
		return nil, nil, err
	}
	var a struct {
		Types []string
		Rows  [][]string
		Error string
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, nil, err
	}
	if a.Error != "" {
		return nil, nil, errors.New(a.Error)
	}
	return a.Types, a.Rows, nil
}
