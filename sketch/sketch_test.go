package sketch

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"math/big"
	"strconv"
	"testing"
)

// The bytes are Spark's for the same values.
func TestBytesAreSparks(t *testing.T) {
	h, err := NewHLL(12)
	if err != nil {
		t.Fatal(err)
	}
	theta, err := NewTheta(12)
	if err != nil {
		t.Fatal(err)
	}
	q, err := NewKLL[int64](200)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		if err := h.UpdateLong(i); err != nil {
			t.Fatal(err)
		}
		theta.UpdateLong(i)
		q.Update(2 - i)
	}
	check := func(want string, b []byte, err error) {
		t.Helper()
		if got := hex.EncodeToString(b); err != nil || got != want {
			t.Errorf("%s, %v\nshould be %s", got, err, want)
		}
	}
	b, err := h.Bytes()
	check("0201070c03000308cbd7c2042bf2fb06862ff90d0000000000000000000000000000000000000000", b, err)
	b, err = theta.Set().Bytes()
	check("0104033d011acc93032d0c35ee5befc8ae3efa70d1dfa7ab834e208fb6c9a844", b, err)
	b, err = q.Bytes()
	check("05010f00c80008000300000000000000c8000100c500000000000000000000000200000000000000000000000000000001000000000000000200000000000000", b, err)
	empty, err := NewTheta(12)
	if err != nil {
		t.Fatal(err)
	}
	b, err = empty.Set().Bytes()
	check("01030300001e0000", b, err)
	empty.UpdateLong(0)
	b, err = empty.Set().Bytes()
	check("01030300003acc93e56b61eec8804420", b, err)
	s, err := ReadTheta(b)
	if err != nil || s.Estimate() != 1 {
		t.Errorf("one value: %v", err)
	}
}

func TestForeignBytesAreRefused(t *testing.T) {
	for _, text := range []string{"", "00", "616263", "deadbeefcafebabe", "05010f00ffff0800ffffffffffffffffc8000100c5000000000000000000000002000000000000", "0a01070c00100a0a", "0302030000ff1acc93",
		"020103000000ffffffffffff", "05010f00c80008000300000000000000c8001e00"} {
		b, err := hex.DecodeString(text)
		if err != nil {
			b = []byte(text)
		}
		if _, err := ReadHLL(b); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s is no HLL sketch: %v", text, err)
		}
		if _, err := ReadTheta(b); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s is no Theta sketch: %v", text, err)
		}
		for kind := Bools; kind <= Decimals; kind++ {
			if _, err := ReadFrequent(Items{Kind: kind}, b); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s is no sketch of frequent items: %v", text, err)
			}
		}
		if _, err := ReadKLL[int64](b); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s is no KLL sketch: %v", text, err)
		}
	}
}

// The digest is Spark's for the same numbers, of which there are more than the sketch keeps.
func TestFrequentPurgesAsJava(t *testing.T) {
	for _, c := range []struct {
		items   Items
		tracked int
		of      func(f *Frequent, i int)
		want    string
	}{
		{Items{Kind: Longs}, 5, func(f *Frequent, i int) { f.Update(f.Items.AppendLong(nil, int64(i))) }, "451b23b87cf41fd28e5f45608351c030"},
		{Items{Kind: Longs}, 5, func(f *Frequent, i int) { f.Update(f.Items.AppendLong(nil, int64(i%13))) }, "90c24aff4896c5c0b411d501c8bde917"},
		{Items{Kind: Texts}, 50, func(f *Frequent, i int) { f.Update(f.Items.AppendText(nil, []byte(strconv.Itoa(i%113)))) }, "3a4749e4144cc82bb12fd420c5ce3a91"},
	} {
		part := NewFrequent(c.items, c.tracked)
		for i := range 1000 {
			c.of(part, i)
		}
		read, err := ReadFrequent(c.items, part.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		f := NewFrequent(c.items, c.tracked)
		f.Merge(read)
		if sum := md5.Sum(f.Append(nil)); hex.EncodeToString(sum[:]) != c.want {
			t.Errorf("%x should be %s", sum, c.want)
		}
	}
}

func TestDecimalsHashAsScala(t *testing.T) {
	for _, c := range []struct {
		digits int64
		scale  int
		want   int32
	}{{150, 2, 1069547520}, {-100, 2, -1}, {0, 5, 0}, {25, 2, 1048576000}, {1, 1, -1507852285},
		{1234567891225, 2, -1610285344}} {
		if got := decimalHash(big.NewInt(c.digits), c.scale); got != c.want {
			t.Errorf("%de-%d hashes to %d, should be %d", c.digits, c.scale, got, c.want)
		}
	}
	for text, want := range map[string]int32{"12345678912252525252525": 76342272, "1234567890123456789012345678905": -1231848605, "10000000000000000000000000": 360274957} {
		n, _ := new(big.Int).SetString(text, 10)
		scale := map[int]int{23: 12, 31: 1, 26: 0}[len(text)]
		if got := decimalHash(n, scale); got != want {
			t.Errorf("%se-%d hashes to %d, should be %d", text, scale, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{"0201070c03000308cbd7c2042bf2fb06862ff90d0000000000000000000000000000000000000000", "0104033d011acc93032d0c35ee5befc8ae3efa70d1dfa7ab834e208fb6c9a844",
		"05010f00c80008000300000000000000c8000100c500000000000000000000000200000000000000000000000000000001000000000000000200000000000000"} {
		b, _ := hex.DecodeString(text)
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		if s, err := ReadHLL(b); err == nil {
			_, _ = s.Estimate()
		}
		if s, err := ReadTheta(b); err == nil {
			_ = s.Estimate()
		}
		for kind := Bools; kind <= Decimals; kind++ {
			if s, err := ReadFrequent(Items{Kind: kind}, b); err == nil {
				_ = s.Top()
			}
		}
		if q, err := ReadKLL[float32](b); err == nil && q.N() > 0 {
			_, _ = q.Quantile(0.5)
		}
	})
}
