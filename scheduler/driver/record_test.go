package driver_test

import (
	"context"
	"errors"
	"testing"

	"millrace/errs"
	"millrace/scheduler"
	"millrace/worker"
)

func TestRecords(t *testing.T) {
	d := newDriver(t, newWorker(t, "w1", worker.Tables{}))
	def := rangeQuery("counted", 1000, 3, scheduler.Staged)
	def.Note = "the note"
	r, err := d.Run(context.Background(), def)
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
	}
	await(t, func() bool { _, ended := d.Records(); return len(ended) == 1 })
	got, ok := d.Record("counted")
	if !ok || got.Note != "the note" || got.Pipelined || got.Err != nil || got.Ended.Before(got.Started) {
		t.Fatalf("the record is %+v, %v", got, ok)
	}
	for i, tasks := range []int{3, 3, 1} {
		if s := got.Stages[i]; s.Tasks != tasks || s.Done != tasks || s.Running != 0 || s.Retries != 0 || s.Rows != 1000 {
			t.Errorf("stage %d is %+v", i, s)
		}
	}
	if m := got.Operators[1]; m == nil || m.RowsOut != 1000 {
		t.Errorf("the counters of operator 1 are %+v", m)
	}
	if _, ok := d.Record("another"); ok {
		t.Error("a query that never was has a record")
	}
}

func TestCancelByID(t *testing.T) {
	d := newDriver(t, newWorker(t, "w1", worker.Tables{}))
	r, err := d.Run(context.Background(), rangeQuery("long", 1<<40, 2, scheduler.Pipelined))
	if err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		running, _ := d.Records()
		return len(running) == 1 && running[0].Pipelined && running[0].Stages[0].Running == 2
	})
	if !d.Cancel("long") {
		t.Fatal("a running query is not found")
	}
	for err == nil {
		_, err = r.Next()
	}
	var e *errs.Error
	if !errors.As(err, &e) || e.Condition != "OPERATION_CANCELED" {
		t.Errorf("the cancelled query ends with %v", err)
	}
	if d.Cancel("long") {
		t.Error("it is cancelled twice")
	}
	if _, ended := d.Records(); len(ended) != 1 || ended[0].Err == nil || ended[0].Stages[0].Running != 0 {
		t.Errorf("the record is %+v", ended)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
