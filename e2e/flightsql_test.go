package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// flightClient is a connection of its own.
type flightClient struct {
	*flightsql.Client
	t   *testing.T
	ctx context.Context
}

func dialFlight(t *testing.T, c *cluster) flightClient {
	t.Helper()
	u, err := url.Parse(c.Remote)
	if err != nil {
		t.Fatal(err)
	}
	cl, err := flightsql.NewClient(u.Host, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return flightClient{cl, t, ctx}
}

// read follows a description to its rows: a line each, and the number of all.
func (c flightClient) read(i *flight.FlightInfo, err error) (lines string, count int64) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range i.Endpoint {
		r, err := c.DoGet(c.ctx, e.Ticket)
		if err != nil {
			c.t.Fatal(err)
		}
		for r.Next() {
			batch := r.RecordBatch()
			count += batch.NumRows()
			for row := range min(int(batch.NumRows()), 20) {
				var values []string
				for _, col := range batch.Columns() {
					values = append(values, col.ValueStr(row))
				}
				fmt.Fprintln(&b, strings.Join(values, "|"))
			}
		}
		if r.Err() != nil {
			c.t.Fatal(r.Err())
		}
		r.Release()
	}
	return b.String(), count
}

func (c flightClient) want(want string, i *flight.FlightInfo, err error) {
	c.t.Helper()
	if got, _ := c.read(i, err); got != want {
		c.t.Errorf("got\n%swant\n%s", got, want)
	}
}

func (c flightClient) query(text, want string) {
	c.t.Helper()
	i, err := c.Execute(c.ctx, text)
	c.want(want, i, err)
}

func (c flightClient) update(text string, want int64) {
	c.t.Helper()
	if n, err := c.ExecuteUpdate(c.ctx, text); err != nil || n != want {
		c.t.Errorf("%s: %d rows and %v, want %d", text, n, err, want)
	}
}

// TestFlightSQL speaks Arrow Flight SQL to the port of Spark Connect, as ADBC and JDBC clients do.
func TestFlightSQL(t *testing.T) {
	cluster := up(t)
	c := dialFlight(t, cluster)
	c.query("SELECT id, 'x' || id AS s, CAST(NULL AS INT) AS n FROM range(3)", "0|x0|(null)\n1|x1|(null)\n2|x2|(null)\n")
	if i, err := c.Execute(c.ctx, "SELECT id FROM range(1000000)"); err != nil {
		t.Fatal(err)
	} else if _, n := c.read(i, nil); n != 1000000 {
		t.Errorf("%d rows of 1000000", n)
	}

	c.update("CREATE TABLE flights (a INT, b STRING) USING delta", -1)
	c.update("INSERT INTO flights VALUES (1, 'x'), (2, 'y')", -1)
	c.update("UPDATE flights SET b = 'z' WHERE a = 1", 1)
	c.update("CREATE TEMPORARY VIEW mine AS SELECT max(a) AS m FROM flights", -1)
	c.query("SELECT m FROM mine", "2\n")
	i, err := c.GetTables(c.ctx, &flightsql.GetTablesOpts{IncludeSchema: true})
	if lines, n := c.read(i, err); n != 2 || !strings.HasPrefix(lines, "spark_catalog|default|flights|TABLE|") || !strings.Contains(lines, "(null)|(null)|mine|LOCAL TEMPORARY|") {
		t.Errorf("tables:\n%s", lines)
	}
	i, err = c.GetTables(c.ctx, &flightsql.GetTablesOpts{TableNameFilterPattern: new("fl_ghts%"), TableTypes: []string{"TABLE"}})
	c.want("spark_catalog|default|flights|TABLE\n", i, err)
	i, err = c.GetDBSchemas(c.ctx, &flightsql.GetDBSchemasOpts{})
	c.want("spark_catalog|default\n", i, err)
	i, err = c.GetCatalogs(c.ctx)
	c.want("spark_catalog\n", i, err)
	i, err = c.GetPrimaryKeys(c.ctx, flightsql.TableRef{Table: "flights"})
	c.want("", i, err)

	if _, err := c.Execute(c.ctx, "SELECT nope FROM flights"); status.Code(err) != codes.InvalidArgument && status.Code(err) != codes.NotFound ||
		!strings.Contains(err.Error(), "[UNRESOLVED_COLUMN.WITH_SUGGESTION]") {
		t.Errorf("a column that is not there: %v", err)
	}
	if _, err := c.BeginTransaction(c.ctx); status.Code(err) != codes.Unimplemented {
		t.Errorf("a transaction of Flight SQL: %v", err)
	}
	c.query("BEGIN DECLARE x INT = 3; SELECT x + 1 AS y; END", "4\n")
	script, err := c.Prepare(c.ctx, "BEGIN IF true THEN SELECT 1 AS a, 2 AS b; ELSE SELECT 'x'; END IF; END")
	if err != nil {
		t.Fatal(err)
	}
	i, err = script.Execute(c.ctx)
	c.want("1|2\n", i, err)
	bound(t, c)
	sessionsEnd(t, cluster, c)
}

// bound runs prepared statements with values.
func bound(t *testing.T, c flightClient) {
	insert, err := c.Prepare(c.ctx, "INSERT INTO flights VALUES (?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	values := func(a []int64, b []string) arrow.RecordBatch {
		build := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "1", Type: arrow.PrimitiveTypes.Int64},
			{Name: "2", Type: arrow.BinaryTypes.String, Nullable: true}}, nil))
		build.Field(0).(*array.Int64Builder).AppendValues(a, nil)
		build.Field(1).(*array.StringBuilder).AppendValues(b, nil)
		return build.NewRecordBatch()
	}
	insert.SetParameters(values([]int64{7, 8}, []string{"it's", "?"}))
	if _, err := insert.ExecuteUpdate(c.ctx); err != nil {
		t.Fatal(err)
	}
	if err := insert.Close(c.ctx); err != nil {
		t.Error(err)
	}
	if _, err := insert.ExecuteUpdate(c.ctx); err == nil {
		t.Error("a closed statement ran")
	}
	find, err := c.Prepare(c.ctx, "SELECT a FROM flights WHERE a >= ? AND b = ?")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := find.Execute(c.ctx); err == nil {
		t.Error("a query ran without its values")
	}
	for value, want := range map[string]string{"it's": "7\n", "?": "8\n", "x": ""} {
		find.SetParameters(values([]int64{2}, []string{value}))
		i, err := find.Execute(c.ctx)
		c.want(want, i, err)
	}
}

// sessionsEnd checks that a view is seen by its connection alone, and that a session goes with its connection.
func sessionsEnd(t *testing.T, cluster *cluster, c flightClient) {
	other := dialFlight(t, cluster)
	if _, err := other.Execute(other.ctx, "SELECT * FROM mine"); err == nil {
		t.Error("a connection sees another's temporary view")
	}
	other.query("SELECT count(*) FROM flights", "4\n")
	slow, err := other.Execute(other.ctx, "SELECT count(*) FROM range(100000000000) WHERE id % 7 = 8")
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with its connection
		if r, err := other.DoGet(other.ctx, slow.Endpoint[0].Ticket); err == nil {
			r.Next()
			r.Release()
		}
	}()
	await(t, "the query runs", func() bool { return running(t, cluster) == 1 })
	other.Close()
	await(t, "the query ends with its connection", func() bool { return running(t, cluster) == 0 })
	c.query("SELECT m FROM mine", "8\n")
}

// running counts the queries that run.
func running(t *testing.T, c *cluster) int {
	t.Helper()
	body, _ := c.get("/api/v1/queries")
	var q struct {
		Running []struct{} `json:"running"`
	}
	if err := json.Unmarshal([]byte(body), &q); err != nil {
		t.Fatal(err)
	}
	return len(q.Running)
}
