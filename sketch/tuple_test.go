package sketch

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"testing"
)

// numbered is a set of the numbers from one on up to another, each with itself and a half.
func numbered(t *testing.T, from, to int64, m Mode) *TupleSet[float64] {
	t.Helper()
	s, err := NewTuple[float64](12, m)
	if err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		s.UpdateLong(i, float64(i))
		s.UpdateLong(i, 0.5)
	}
	set, err := s.Set()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// The bytes are those of Apache DataSketches for Java; long ones are given by their digests.
func TestTupleBytesAreJavas(t *testing.T) {
	check := func(name, want string, s *TupleSet[float64], err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b, err := s.Bytes()
		got := hex.EncodeToString(b)
		if len(want) == 32 && len(got) > 32 {
			sum := md5.Sum(b)
			got = hex.EncodeToString(sum[:])
		}
		if err != nil || got != want {
			t.Errorf("%s: %s, %v\nshould be %s", name, got, err, want)
		}
		again, err := ReadTuple[float64](b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c, err := again.Bytes(); err != nil || string(c) != string(b) {
			t.Errorf("%s: read as %x, %v", name, c, err)
		}
	}
	set := func(from, to int64) *TupleSet[float64] { return numbered(t, from, to, Sum) }
	check("empty", "01030901000ecc93", set(0, 0), nil)
	check("one", "01030901000acc9315f97dcbbd86a105000000000000f83f00", set(1, 2), nil)
	check("three", "02030901000acc93030000000000000015f97dcbbd86a105000000000000f83f00c397fc1281709d1e000000000000044000e56b61eec8804420000000000000e03f00", set(0, 3), nil)
	check("least", "02030901000acc93030000000000000015f97dcbbd86a105000000000000e03f01c397fc1281709d1e000000000000e03f01e56b61eec8804420000000000000000001",
		numbered(t, 0, 3, Min), nil)
	check("300", "2a77849ceeae72b115b67517c7dce64d", set(0, 300), nil)
	if got := set(0, 9000).Estimate(); got != 8990.024462126146 {
		t.Errorf("the estimate is %v", got)
	}
	union, err := NewTupleUnion[float64](12, Sum)
	if err := errors.Join(err, union.Add(set(0, 4)), union.Add(set(2, 6))); err != nil {
		t.Fatal(err)
	}
	s, err := union.Set()
	check("union", "02030901000acc93060000000000000015f97dcbbd86a105000000000000f83f00ba40b3c1da06695d0000000000001c4000bd3273724691cc14000000000000164000"+
		"40de2ee1c9db3d08000000000000124000c397fc1281709d1e000000000000144000e56b61eec8804420000000000000e03f00", s, err)
	s, err = shared(t, set(0, 6), set(2, 9))
	check("intersection", "02030901000acc93040000000000000040de2ee1c9db3d08000000000000224000c397fc1281709d1e000000000000144000ba40b3c1da06695d0000000000001c4000"+
		"bd3273724691cc14000000000000264000", s, err)
	s, err = shared(t, set(0, 300), set(100, 500))
	check("intersection of 300", "80ab0b4b1005291145b9e384e6f6090f", s, err)
	s, err = shared(t, set(0, 3), set(5, 9))
	check("intersection of nothing", "02030901000acc930000000000000000", s, err)
	s, err = set(0, 6).Minus(set(2, 4))
	check("difference", "02030901000acc93040000000000000015f97dcbbd86a105000000000000f83f00bd3273724691cc1400000000000016400040de2ee1c9db3d08000000000000124000"+
		"e56b61eec8804420000000000000e03f00", s, err)
	s, err = set(0, 6).Minus(set(0, 9))
	check("nothing left", "01030901000ecc93", s, err)
	plain, err := NewTheta(12)
	if err != nil {
		t.Fatal(err)
	}
	for i := int64(1); i < 4; i++ {
		plain.UpdateLong(i)
	}
	numbers, err := TupleOf[float64](plain.Set(), Max)
	if err != nil {
		t.Fatal(err)
	}
	if union, err = NewTupleUnion[float64](12, Sum); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(union.Add(set(0, 3)), union.Add(numbers)); err != nil {
		t.Fatal(err)
	}
	s, err = union.Set()
	check("union with a set without numbers", "02030901000acc93040000000000000015f97dcbbd86a105000000000000f0ff00ba40b3c1da06695d000000000000f0ff02"+
		"c397fc1281709d1e000000000000f0ff00e56b61eec8804420000000000000e03f00", s, err)
}

func shared(t *testing.T, sets ...*TupleSet[float64]) (*TupleSet[float64], error) {
	t.Helper()
	i := NewTupleIntersection[float64](Sum)
	for _, s := range sets {
		if err := i.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	return i.Set()
}

func TestTupleOfWholeNumbers(t *testing.T) {
	s, err := NewTuple[int32](12, AlwaysOne)
	if err != nil {
		t.Fatal(err)
	}
	s.UpdateBytes([]byte("a"), 5)
	s.UpdateDouble(2.5, 7)
	s.UpdateBytes([]byte{1, 0, 0, 0, 2, 0, 0, 0}, 9)
	set, err := s.Set()
	if err != nil {
		t.Fatal(err)
	}
	b, err := set.Bytes()
	if got, want := hex.EncodeToString(b), "02030901000acc93030000000000000017c11d528507017b0100000003a5541412e7b6831c0100000003f9e7651c9be3d9260100000003"; err != nil || got != want {
		t.Errorf("%s, %v\nshould be %s", got, err, want)
	}
}
