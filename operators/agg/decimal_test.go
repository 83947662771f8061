package agg

import (
	"math/big"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"millrace/types"
	"millrace/vector"
)

func TestDividedDecimalsAreRoundedAwayFromZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.OneOf(rapid.Int64Range(-1000, 1000), rapid.Int64()).Draw(t, "x")
		n := rapid.OneOf(rapid.Int64Range(1, 40), rapid.Int64Range(1, 1<<62)).Draw(t, "n")
		shift := rapid.IntRange(0, 6).Draw(t, "shift")
		got, ok := divideDecimal(decimal128.FromI64(x), n, shift)
		a := new(big.Int).Mul(big.NewInt(x), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(shift)), nil))
		twice := new(big.Int).Add(new(big.Int).Mul(new(big.Int).Abs(a), big.NewInt(2)), big.NewInt(n))
		want := twice.Quo(twice, new(big.Int).Mul(big.NewInt(n), big.NewInt(2)))
		if x < 0 {
			want.Neg(want)
		}
		if !ok || got.BigInt().Cmp(want) != 0 {
			t.Fatalf("%d·10^%d/%d is %v, not %v", x, shift, n, got.BigInt(), want)
		}
	})
}

// Sums of decimals are the same whether groups are few or many, and digits too.
func TestSumsOfDecimals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.SampledFrom([]int{9, 15, 16, 18}).Draw(t, "digits")
		groups := rapid.SampledFrom([]int{1, fewGroups, fewGroups + 1}).Draw(t, "groups")
		in, out := types.Decimal(digits, 2), types.Decimal(min(digits+10, types.MaxPrecision), 2)
		f, err := newDecimalSum(&Call{Name: "sum", Args: []*types.Type{in}, Out: out})
		if err != nil {
			t.Fatal(err)
		}
		f.Resize(groups)
		want := make([]*big.Int, groups)
		for g := range want {
			want[g] = new(big.Int)
		}
		most := int64(1)
		for range digits {
			most *= 10
		}
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			n := rapid.IntRange(1, 300).Draw(t, "rows")
			x := rapid.Int64Range(1-most, most-1).Draw(t, "x")
			values, at := make([]int64, n), make([]uint32, n)
			for k := range n {
				values[k], at[k] = x, uint32(k%groups)
				want[at[k]].Add(want[at[k]], big.NewInt(x))
			}
			if err := f.Update(&Input{N: n, Groups: at, Args: []*vector.Vector{vector.FromSlice(in, values)}}); err != nil {
				t.Fatal(err)
			}
		}
		for g, s := range f.(*decimalSum).s {
			if got := decimal128.New(s.hi, s.lo).BigInt(); got.Cmp(want[g]) != 0 {
				t.Fatalf("group %d of %d has the sum %v, not %v", g, groups, got, want[g])
			}
		}
	})
}
