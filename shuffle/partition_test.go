package shuffle

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"pgregory.net/rapid"

	"millrace/memory"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

var idColumn = &planpb.Expr{Type: &planpb.Type{Kind: uint32(types.KindLong)}, Kind: &planpb.Expr_Column{Column: 0}}

// split returns the partition of each row.
func split(t *testing.T, p *Partitioner, b *vector.Batch) map[int64]int {
	t.Helper()
	at := map[int64]int{}
	err := p.Split(&expr.Ctx{Context: context.Background()}, b, func(partition int, rows []uint32) error {
		for _, r := range rows {
			at[vector.Values[int64](b.Cols[0])[r]] = partition
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestHashPartitioning(t *testing.T) {
	p, err := NewPartitioner(&planpb.Partitioning{Kind: planpb.Partitioning_HASH, Partitions: 7, Exprs: []*planpb.Expr{idColumn}}, testTypes, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := &numbers{0, 1000, 1000, nil}
	b, _ := n.Next()
	all := split(t, p, b)
	b.Sel = []uint32{3, 500, 999}
	some := split(t, p, b)
	if len(all) != 1000 || len(some) != 3 {
		t.Fatalf("%d and %d rows", len(all), len(some))
	}
	for id, at := range some {
		if all[id] != at {
			t.Errorf("row %d is in partition %d of all and %d of a selection", id, all[id], at)
		}
	}
	// Spark: select id, pmod(hash(id), 7) from range(5)
	for id, want := range map[int64]int{0: int(mod(-1670924195, 7)), 1: int(mod(-1712319331, 7)), 2: int(mod(-797927272, 7))} {
		if all[id] != want {
			t.Errorf("id %d is in partition %d, Spark puts it in %d", id, all[id], want)
		}
	}
}

func mod(a, n int64) int64 { return (a%n + n) % n }

func TestRangePartitioning(t *testing.T) {
	for _, descending := range []bool{false, true} {
		bounds := []int64{9, 99}
		if descending {
			bounds = []int64{900, 90}
		}
		var buf bytes.Buffer
		schema := vector.ArrowSchema([]types.Field{{Name: "0", Type: types.Long, Nullable: true}}, "UTC")
		w := ipc.NewWriter(&buf, ipc.WithSchema(schema))
		w.Write(vector.ToArrow(&vector.Batch{N: 2, Cols: []*vector.Vector{vector.FromSlice(types.Long, bounds)}}, schema))
		w.Close()
		p, err := NewPartitioner(&planpb.Partitioning{Kind: planpb.Partitioning_RANGE, Partitions: 3, Bounds: buf.Bytes(),
			Keys: []*planpb.SortKey{{Expr: idColumn, Descending: descending}}}, testTypes, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		n := &numbers{0, 1000, 1000, nil}
		b, _ := n.Next()
		for id, at := range split(t, p, b) {
			want := 0
			for _, bound := range bounds {
				if !descending && id > bound || descending && id < bound {
					want++
				}
			}
			if at != want {
				t.Errorf("descending=%v: row %d is in partition %d, not %d", descending, id, at, want)
			}
		}
	}
}

func BenchmarkExchange(b *testing.B) {
	for _, filed := range []bool{false, true} {
		for _, remote := range []bool{false, true} {
			b.Run(fmt.Sprintf("filed=%v/remote=%v", filed, remote), func(b *testing.B) { benchExchange(b, filed, remote) })
		}
	}
}

// replay gives one batch again and again.
type replay struct {
	numbers
	b    *vector.Batch
	left int
}

func (r *replay) Next() (*vector.Batch, error) {
	if r.left--; r.left < 0 {
		return nil, nil
	}
	return r.b, nil
}

func benchExchange(b *testing.B, filed, remote bool) {
	const batches = 4000
	n := &numbers{0, vector.BatchRows, vector.BatchRows, nil}
	batch, _ := n.Next()
	bytesEach := batch.MemSize()
	b.SetBytes(bytesEach * batches)
	for i := range b.N {
		pool := memory.NewPool("bench", 1<<30)
		s, err := NewStore(b.TempDir(), pool)
		if err != nil {
			b.Fatal(err)
		}
		addr := serve(b, s)
		self := addr
		if remote {
			self = "elsewhere"
		}
		c := NewClient(s, self, insecureDial)
		ref := Ref{fmt.Sprint("q", i), 1, 0, 1}
		w, _ := s.Create(ref, Spec{Partitions: 8, Filed: filed, Types: testTypes})
		p, _ := NewPartitioner(&planpb.Partitioning{Kind: planpb.Partitioning_HASH, Partitions: 8, Exprs: []*planpb.Expr{idColumn}}, testTypes, nil, 0)
		var group sync.WaitGroup
		write := func() {
			if err := Sink(testCtx(b, context.Background(), pool), &replay{b: batch, left: batches}, p, w); err != nil {
				b.Error(err)
			}
			w.Finish()
		}
		if filed {
			write()
		} else {
			group.Go(write)
		}
		for part := range 8 {
			group.Go(func() { readAll(b, c, addr, ref, part) })
		}
		group.Wait()
		c.Close()
		s.Close()
	}
}

func readAll(b *testing.B, c *Client, addr string, ref Ref, part int) {
	r, err := c.Open(context.Background(), addr, ref, part, true, testTypes)
	if err != nil {
		b.Error(err)
		return
	}
	defer r.Close()
	for {
		x, err := r.Next()
		if err != nil {
			b.Error(err)
		}
		if x == nil || err != nil {
			return
		}
	}
}

// Batches of every type come out of a stream as they went in, dictionaries among them.
func TestCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := append(slices.Clone(vectortest.Atomic), vectortest.Nested...)
		columns := rapid.SliceOfN(rapid.SampledFrom(all), 1, 3).Draw(t, "types")
		enc, held := newEncoder(columns), []message(nil)
		dec := newDecoder(columns, func() (message, error) {
			if len(held) == 0 {
				return message{}, io.EOF
			}
			m := held[0]
			held = held[1:]
			return m, nil
		})
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			in := vectortest.Batch(t, columns, vectortest.Options{MaxRows: 20, NoSel: true, NoConst: true})
			if in.N == 0 {
				continue
			}
			msgs, err := enc.encode(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range msgs {
				held = append(held, message{bytes.Clone(m.meta), bytes.Clone(m.body)})
			}
			out, err := dec.decode()
			if err != nil {
				t.Fatal(err)
			}
			if got, want := vectortest.Show(vectortest.Rows(out)), vectortest.Show(vectortest.Rows(in)); !slices.Equal(got, want) {
				t.Fatalf("got %v, want %v", got, want)
			}
			for i, c := range out.Cols {
				if c.Type != columns[i] {
					t.Fatalf("column %d has the type %s, not %s", i, c.Type, columns[i])
				}
			}
		}
	})
}
