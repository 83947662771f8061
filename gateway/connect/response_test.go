package connect

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
)

const testOperation = "00112233-4455-6677-8899-aabbccddeeff"

func response(n int) *pb.ExecutePlanResponse {
	return &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ArrowBatch_{
		ArrowBatch: &pb.ExecutePlanResponse_ArrowBatch{Data: []byte(strings.Repeat("x", n))}}}
}

// TestResponseLog: a writer waits for the reader, what was read is spilled until it is released, and a reader may go back.
func TestResponseLog(t *testing.T) {
	ctx := context.Background()
	l := newResponseLog(testOperation, true, 10_000, filepath.Join(t.TempDir(), "made when needed"))
	written := make(chan int, 100)
	go func() {
		for i := range 50 {
			if l.append(ctx, response(1000)) != nil {
				return
			}
			written <- i
		}
		l.finish(nil)
	}()
	time.Sleep(50 * time.Millisecond)
	if n := len(written); n < 5 || n > 10 {
		t.Errorf("%d responses were written before any was read", n)
	}
	reader := l.attach()
	var ids []string
	for i := range 50 {
		r, err := l.get(ctx, reader, i)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ResponseId)
	}
	if _, err := l.get(ctx, reader, 50); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if l.memory > 10_000 || l.spilled == nil {
		t.Errorf("%d bytes in memory", l.memory)
	}
	again := l.attach()
	if _, err := l.get(ctx, reader, 7); errs.ConditionOf(err) != "INVALID_CURSOR.DISCONNECTED" {
		t.Error(err)
	}
	from, err := l.after(ids[6])
	if err != nil || from != 7 {
		t.Fatal(from, err)
	}
	if r, err := l.get(ctx, again, from); err != nil || r.ResponseId != ids[7] || len(r.GetArrowBatch().Data) != 1000 {
		t.Error(r.GetResponseId(), err)
	}
	if err := l.release(ids[20]); err != nil {
		t.Fatal(err)
	}
	if _, err := l.get(ctx, again, 20); errs.ConditionOf(err) != "INVALID_CURSOR.POSITION_NOT_AVAILABLE" {
		t.Error(err)
	}
	if from, err := l.after(ids[20]); err != nil || from != 21 {
		t.Error(from, err)
	}
	for _, bad := range []string{"x", ids[0][:24] + "00000000ffff", "10112233-4455-6677-8899-000000000001"} {
		if _, err := l.after(bad); errs.ConditionOf(err) != "INVALID_CURSOR.POSITION_NOT_FOUND" {
			t.Error(bad, err)
		}
	}
	l.close()
}

func TestResponseLogCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	l := newResponseLog(testOperation, true, 100, t.TempDir())
	done := make(chan error)
	go func() {
		l.append(ctx, response(90))         // it fits
		done <- l.append(ctx, response(90)) // it waits
	}()
	time.Sleep(20 * time.Millisecond)
	cancel(errs.New("OPERATION_CANCELED"))
	if err := <-done; errs.ConditionOf(err) != "OPERATION_CANCELED" {
		t.Error(err)
	}
}

func TestSummary(t *testing.T) {
	sql := "select\n  a,\n  1/0 from t"
	c := errs.QueryContext{SQL: sql, Start: 14, Stop: 16, Fragment: "1/0"}
	if got := Summary(c); got != "== SQL (line 3, position 3) ==\n  1/0 from t\n  ^^^\n" {
		t.Error(got)
	}
	if got := Summary(errs.QueryContext{SQL: "x", Start: 3, Stop: 9}); got != "" {
		t.Error(got)
	}
}
