package connect

import (
	"context"
	"strings"
	"testing"
	"time"

	"millrace/errs"
	"millrace/gateway/connect/client"
)

func dial(t *testing.T) *client.Client {
	t.Helper()
	_, address := serve(t, Options{})
	c, err := client.Dial(context.Background(), "sc://"+address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestGoClient(t *testing.T) {
	c, ctx := dial(t), context.Background()
	rows, err := c.SQL(ctx, "SELECT 7 AS n, 'x' AS s")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for rows.Next() {
		for _, col := range rows.Batch().Columns() {
			got = append(got, col.ValueStr(0))
		}
	}
	if err := rows.Close(); err != nil || strings.Join(got, " ") != "7 x" || !rows.Query {
		t.Error(got, err, rows.Query)
	}
	if v, err := c.Version(ctx); v != "4.2.0" || err != nil {
		t.Error(v, err)
	}
	rows, err = c.SQL(ctx, "SET a.b=c")
	if err != nil || rows.Query {
		t.Fatal(err)
	}
	if !rows.Next() || rows.Batch().Column(1).ValueStr(0) != "c" {
		t.Error(rows.Err())
	}
	rows.Close()
	if err := c.SetConf(ctx, "spark.sql.ansi.enabled", "7"); errs.ConditionOf(err) != "INVALID_CONF_VALUE.TYPE_MISMATCH" {
		t.Error(err)
	}
}

func TestGoClientErrors(t *testing.T) {
	c := dial(t)
	_, err := c.SQL(context.Background(), "SELECT * FROM nope")
	if errs.ConditionOf(err) != "TABLE_OR_VIEW_NOT_FOUND" || !errs.Is(err, errs.NotFound) || strings.Count(err.Error(), "SQLSTATE") != 1 {
		t.Error(err)
	}
	if _, err := c.SQL(context.Background(), "SELEC 1"); errs.ConditionOf(err) != "PARSE_SYNTAX_ERROR" {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	rows, err := c.SQL(ctx, "SELECT * FROM slow")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	if !errs.Is(rows.Err(), errs.Cancelled) {
		t.Error(rows.Err())
	}
	go func() {
		time.Sleep(200 * time.Millisecond)
		c.Interrupt(context.Background())
	}()
	rows, err = c.SQL(context.Background(), "SELECT * FROM slow")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	if errs.ConditionOf(rows.Err()) != "OPERATION_CANCELED" {
		t.Error(rows.Err())
	}
}
