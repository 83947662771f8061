package parquet

import (
	"bytes"
	"testing"

	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

// TestRebase reads dates and times that a file says are written in the hybrid calendar, and some that it leaves open.
func TestRebase(t *testing.T) {
	schema := types.Struct(types.Field{Name: "d", Type: types.Date, Nullable: true}, types.Field{Name: "t", Type: types.Timestamp, Nullable: true})
	hybrid := int32(javatime.Days(1001, 1, 7)) // is written 1001-01-01
	days := vector.FromSlice(types.Date, []int32{hybrid, 0})
	times := vector.FromSlice(types.Timestamp, []int64{int64(hybrid)*javatime.MicrosPerDay + 1, 5})
	fresh := int32(javatime.Days(1001, 1, 1))
	for name, c := range map[string]struct {
		meta map[string]string
		mode RebaseMode
		want int32
		fail bool
	}{
		"says nothing":         {nil, RebaseCorrected, hybrid, false},
		"says nothing, legacy": {nil, RebaseLegacy, fresh, false},
		"says nothing, error":  {nil, RebaseException, 0, true},
		"of Spark 2.4.6":       {map[string]string{"org.apache.spark.version": "2.4.6"}, RebaseCorrected, fresh, false},
		"of Spark 3.2.0":       {map[string]string{"org.apache.spark.version": "3.2.0"}, RebaseLegacy, hybrid, false},
		"of Spark 3.2.0, legacy": {map[string]string{"org.apache.spark.version": "3.2.0", "org.apache.spark.legacyDateTime": ""}, RebaseException, fresh,
			false},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w, err := NewWriter(&out, schema, WriteOptions{Metadata: c.meta})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(&vector.Batch{Cols: []*vector.Vector{days, times}, N: 2}); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			f, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len()), "f")
			if err != nil {
				t.Fatal(err)
			}
			r, err := f.NewReader(bytes.NewReader(out.Bytes()), ReadOptions{Columns: []ReadColumn{{Name: "d", Type: types.Date}, {Name: "t", Type: types.Timestamp}},
				Rebase: Rebase{Datetime: c.mode}})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			b, err := r.Next()
			if c.fail {
				if err == nil {
					t.Error("the old values are no error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			b.Cols[0].Flatten()
			b.Cols[1].Flatten()
			d, ts := vector.Values[int32](b.Cols[0]), vector.Values[int64](b.Cols[1])
			if d[0] != c.want || d[1] != 0 || ts[0] != int64(c.want)*javatime.MicrosPerDay+1 || ts[1] != 5 {
				t.Errorf("%v %v, want the day %d", d[:2], ts[:2], c.want)
			}
		})
	}
}
