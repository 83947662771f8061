package operators

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector/vectortest"
)

var joinTypes = []planpb.JoinType{planpb.JoinType_INNER, planpb.JoinType_LEFT, planpb.JoinType_RIGHT, planpb.JoinType_FULL,
	planpb.JoinType_LEFT_SEMI, planpb.JoinType_LEFT_ANTI, planpb.JoinType_EXISTENCE, planpb.JoinType_NULL_AWARE_ANTI}

// referenceJoin joins row by row; matches says true, false or nil (unknown).
func referenceJoin(typ planpb.JoinType, left, right [][]any, nl, nr int, matches func(l, r []any) any) [][]any {
	var out [][]any
	used := make([]bool, len(right))
	for _, l := range left {
		found, unknown := false, false
		for i, r := range right {
			switch m := matches(l, r); m {
			case nil:
				unknown = true
			case true:
				found, used[i] = true, true
				switch typ {
				case planpb.JoinType_INNER, planpb.JoinType_LEFT, planpb.JoinType_RIGHT, planpb.JoinType_FULL, planpb.JoinType_CROSS:
					out = append(out, append(slices.Clone(l), r...))
				}
			}
		}
		switch typ {
		case planpb.JoinType_LEFT, planpb.JoinType_FULL:
			if !found {
				out = append(out, append(slices.Clone(l), make([]any, nr)...))
			}
		case planpb.JoinType_LEFT_SEMI:
			if found {
				out = append(out, l)
			}
		case planpb.JoinType_LEFT_ANTI:
			if !found {
				out = append(out, l)
			}
		case planpb.JoinType_NULL_AWARE_ANTI:
			if !found && !unknown {
				out = append(out, l)
			}
		case planpb.JoinType_EXISTENCE:
			out = append(out, append(slices.Clone(l), found))
		}
	}
	if typ == planpb.JoinType_RIGHT || typ == planpb.JoinType_FULL {
		for i, r := range right {
			if !used[i] {
				out = append(out, append(make([]any, nl), r...))
			}
		}
	}
	return out
}

func TestHashJoinAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(joinTypes).Draw(t, "join")
		nk := rapid.IntRange(1, 2).Draw(t, "keys")
		if typ == planpb.JoinType_NULL_AWARE_ANTI {
			nk = 1
		}
		keyTypes := rapid.SliceOfN(rapid.SampledFrom(vectortest.Atomic), nk, nk).Draw(t, "key types")
		lt := append(slices.Clone(keyTypes), types.Long)
		rt := append(slices.Clone(keyTypes), types.Long, types.String)
		left, right := drawSource(t, lt, small).flat(nk), drawSource(t, rt, small).flat(nk)
		pb := &planpb.HashJoin{Type: typ, BuildLeft: rapid.Bool().Draw(t, "build left")}
		for i, k := range keyTypes {
			pb.LeftKeys, pb.RightKeys = append(pb.LeftKeys, col(i, k)), append(pb.RightKeys, col(i, k))
			pb.NullSafe = append(pb.NullSafe, typ != planpb.JoinType_NULL_AWARE_ANTI && rapid.Bool().Draw(t, "null safe"))
		}
		residual := typ != planpb.JoinType_NULL_AWARE_ANTI && rapid.Bool().Draw(t, "residual")
		if residual {
			pb.Residual = call("<", types.Boolean, col(nk, types.Long), col(len(lt)+nk, types.Long))
		}
		var read columnSet
		if rapid.Bool().Draw(t, "some columns") {
			read = columnSet{uint32(rapid.IntRange(0, len(lt)-1).Draw(t, "column")): true}
		}
		op, err := newHashJoin(pb, left, right, read, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, op, drawLimit(t))
		want := referenceJoin(typ, left.rows(), right.rows(), len(lt), len(rt), func(l, r []any) any {
			for i := range nk {
				a, b := l[i], r[i]
				if a == nil || b == nil {
					if pb.NullSafe[i] && a == nil && b == nil {
						continue
					}
					if typ == planpb.JoinType_NULL_AWARE_ANTI {
						return nil
					}
					return false
				}
				if compareAny(a, b) != 0 {
					return false
				}
			}
			if residual {
				return l[nk] != nil && r[nk] != nil && l[nk].(int64) < r[nk].(int64)
			}
			return true
		})
		mustEqual(t, only(read, got), only(read, want))
	})
}

// only makes all columns null that nobody reads.
func only(read columnSet, rows [][]any) [][]any {
	for r, row := range rows {
		rows[r] = slices.Clone(row)
		for c := range row {
			if !read.has(c) {
				rows[r][c] = nil
			}
		}
	}
	return rows
}

func TestLoopJoinAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(append(slices.Clone(joinTypes), planpb.JoinType_CROSS)).Draw(t, "join")
		lt, rt := []*types.Type{types.Long}, []*types.Type{types.Long, types.String}
		left, right := drawSource(t, lt, small).flat(0), drawSource(t, rt, small).flat(0)
		pb := &planpb.LoopJoin{Type: typ}
		if typ != planpb.JoinType_CROSS && rapid.Bool().Draw(t, "condition") {
			pb.Condition = call("<", types.Boolean, col(0, types.Long), col(1, types.Long))
		}
		op, err := newLoopJoin(pb, left, right, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, op, drawLimit(t))
		want := referenceJoin(typ, left.rows(), right.rows(), 1, 2, func(l, r []any) any {
			switch {
			case pb.Condition == nil:
				return true
			case l[0] == nil || r[0] == nil:
				return nil
			}
			return l[0].(int64) < r[0].(int64)
		})
		mustEqual(t, got, want)
	})
}
