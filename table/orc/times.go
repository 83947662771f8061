package orc

import (
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

const epoch = 1420070400 // 2015-01-01 00:00:00, from which times count, in seconds

// dates is how days of files of the hybrid calendar are read; nil: as they are.
func (b *builder) dates() func(int64) int64 {
	if b.file.footer.proleptic {
		return nil
	}
	return javatime.HybridDay
}

// timesReader reads timestamps. Those without a zone are the writer's local time, which is read as that of the reader.
type timesReader struct {
	base
	seconds, nanos *ints
	hybrid         bool
	own            *javatime.Zone // the reader's
	writer         *javatime.Cursor
	reader         *javatime.Cursor // nil: both are the same
	start          int64
	more           []int64
}

func (b *builder) times(c *Column, want *types.Type) (reader, error) {
	return &timesReader{base: base{col: c, typ: want}, hybrid: !b.file.footer.proleptic, own: b.options.Zone}, nil
}

func (r *timesReader) begin(s *stripe) error {
	if err := r.base.begin(s); err != nil {
		return err
	}
	v2, err := s.version2(r.col)
	if err != nil {
		return err
	}
	r.seconds, r.nanos = newInts(s.need(r.col, data), v2, true), newInts(s.need(r.col, secondary), v2, false)
	r.start, r.reader = epoch, nil
	if r.col.Kind == TimestampInstant {
		return nil
	}
	zone := r.own
	if s.footer.zone != "" {
		if zone, err = javatime.ZoneOf(s.footer.zone); err != nil {
			return corrupt("the zone %s is not known", s.footer.zone)
		}
	}
	r.start = zone.ToUTC(epoch*1e6) / 1e6
	if !sameZone(zone, r.own) {
		r.writer, r.reader = javatime.NewCursor(zone), javatime.NewCursor(r.own)
	}
	return nil
}

func sameZone(a, b *javatime.Zone) bool {
	x, fixed := a.Fixed()
	y, too := b.Fixed()
	return fixed && too && x == y || a.Location().String() == b.Location().String()
}

func (r *timesReader) seek(entry func(uint64) (*positions, error)) error {
	p, err := r.places(entry)
	if err != nil {
		return err
	}
	if err := r.seconds.seek(p); err != nil {
		return err
	}
	return r.nanos.seek(p)
}

var tens = [...]int64{1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

func (r *timesReader) read(v *vector.Vector, n int, outer vector.Bitmap) error {
	valid, m, err := r.rows(n, outer)
	if err != nil {
		return err
	}
	dense := r.dense(m)
	if err := r.seconds.read(dense); err != nil {
		return err
	}
	if cap(r.more) < m {
		r.more = make([]int64, max(m, vector.BatchRows))
	}
	nanos := r.more[:m]
	if err := r.nanos.read(nanos); err != nil {
		return err
	}
	for i, s := range dense {
		dense[i] = r.micros(s, nanos[i])
	}
	v.Reset(r.typ, n)
	v.Valid = valid
	spreadInts(vector.Values[int64](v), valid, dense)
	return nil
}

// micros is the moment of a number of seconds and one of nanoseconds, whose low three bits say how many zeros were cut off (less one).
func (r *timesReader) micros(seconds, nanos int64) int64 {
	zeros := nanos & 7
	nanos = int64(uint64(nanos) >> 3)
	if zeros != 0 {
		nanos *= tens[zeros+1]
	}
	seconds += r.start
	if seconds < 0 && nanos > 999999 { // writers cut the seconds towards zero
		seconds--
	}
	t := seconds*1e6 + nanos/1000
	if r.reader != nil {
		t = r.reader.ToUTC(r.writer.ToLocal(t))
	}
	if r.hybrid && javatime.OldMoment(t) {
		t = javatime.HybridMoment(t, r.own)
	}
	return t
}

// decimals reads numbers of any length, each with its own scale.
type decimals struct {
	base
	in     *stream
	scales *ints
}

func (r *decimals) begin(s *stripe) error {
	if err := r.base.begin(s); err != nil {
		return err
	}
	v2, err := s.version2(r.col)
	r.in, r.scales = s.need(r.col, data), newInts(s.need(r.col, secondary), v2, true)
	return err
}

func (r *decimals) seek(entry func(uint64) (*positions, error)) error {
	p, err := r.places(entry)
	if err != nil {
		return err
	}
	if err := r.in.seek(p); err != nil {
		return err
	}
	return r.scales.seek(p)
}

func (r *decimals) read(v *vector.Vector, n int, outer vector.Bitmap) error {
	valid, m, err := r.rows(n, outer)
	if err != nil {
		return err
	}
	scales := r.dense(m)
	if err := r.scales.read(scales); err != nil {
		return err
	}
	v.Reset(r.typ, n)
	v.Valid = valid
	short := r.typ.IsShortDecimal()
	var low []int64
	var wide []decimal128.Num
	if short {
		low = vector.Values[int64](v)
	} else {
		wide = vector.Values[decimal128.Num](v)
	}
	k := 0
	for i := range n {
		if valid != nil && !valid.Get(i) {
			continue
		}
		value, err := r.next()
		if err != nil {
			return err
		}
		value, ok := r.rescale(value, scales[k])
		k++
		switch {
		case !ok:
			drop(v, valid, i)
		case short:
			low[i] = int64(value.LowBits())
		default:
			wide[i] = value
		}
	}
	return nil
}

// next reads a number of seven bits a byte, the sign in its lowest bit.
func (r *decimals) next() (decimal128.Num, error) {
	var lo, hi uint64
	for shift := uint(0); ; shift += 7 {
		b, err := r.in.byte()
		if err != nil {
			return decimal128.Num{}, err
		}
		x := uint64(b & 0x7f)
		switch {
		case shift > 127 || shift == 126 && x > 3:
			return decimal128.Num{}, errs.Unsupportedf("Decimals of more than 38 digits in ORC files are not supported.")
		case shift >= 64:
			hi |= x << (shift - 64)
		default:
			lo |= x << shift
			if shift > 57 {
				hi |= x >> (64 - shift)
			}
		}
		if b < 0x80 {
			break
		}
	}
	negative := lo&1 != 0
	lo, hi = lo>>1|hi<<63, hi>>1
	if negative {
		lo, hi = ^lo, ^hi
	}
	return decimal128.New(int64(hi), lo), nil
}

// rescale brings a value to the wanted scale, rounding half away from zero; false if it has too many digits then.
func (r *decimals) rescale(v decimal128.Num, scale int64) (decimal128.Num, bool) {
	by := int64(r.typ.Scale) - scale
	if by != 0 {
		if by > 2*types.MaxPrecision || by < -2*types.MaxPrecision {
			return v, by < 0
		}
		b := v.BigInt()
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(by, -by)), nil)
		if by > 0 {
			b.Mul(b, power)
		} else {
			half := new(big.Int).Rsh(power, 1)
			if b.Sign() < 0 {
				half.Neg(half)
			}
			b.Quo(b.Add(b, half), power)
		}
		if b.BitLen() > 126 {
			return v, false
		}
		v = decimal128.FromBigInt(b)
	}
	return v, v.FitsInPrecision(int32(r.typ.Precision))
}
