package parquet

import (
	"millrace/types"
	"millrace/vector"
)

// field reads one wanted column of the current row group. What read returns is overwritten by the next read.
type field interface {
	// leaves are the chunks to be started with each row group.
	leaves() []*chunk
	// read decodes the next n rows.
	read(n int) (*vector.Vector, error)
	// skip passes over n rows.
	skip(n int) error
}

// missing stands for a column that the file does not have: the default, or null.
type missing struct {
	typ   *types.Type
	value *vector.Vector // one row, or nil
}

func (m *missing) leaves() []*chunk { return nil }
func (m *missing) skip(int) error   { return nil }
func (m *missing) read(n int) (*vector.Vector, error) {
	if m.value == nil {
		return vector.NewNull(m.typ, n), nil
	}
	v := *m.value
	v.Len, v.Const = n, true
	return &v, nil
}

// flat reads a column without levels but its own optional one.
type flat struct {
	chunk *chunk
	out   vector.Vector
	valid vector.Bitmap
}

func (f *flat) leaves() []*chunk { return []*chunk{f.chunk} }

func (f *flat) read(n int) (*vector.Vector, error) {
	c := f.chunk
	if err := c.ensure(); err != nil {
		return nil, err
	}
	if c.coded && c.dict != nil && c.dict.Type.IsStringLike() {
		f.out.ResetDict(c.dict, n)
	} else {
		f.out.Reset(c.dec.typ, n)
	}
	for at := 0; at < n; {
		if err := c.ensure(); err != nil {
			return nil, err
		}
		k := min(c.left, n-at)
		if err := f.segment(at, k); err != nil {
			return nil, err
		}
		c.left -= k
		at += k
	}
	return &f.out, nil
}

// segment decodes n rows of the current page into the rows from at on.
func (f *flat) segment(at, n int) error {
	c := f.chunk
	dense, err := f.validity(at, n)
	if err != nil {
		return err
	}
	if err := c.values(&f.out, at, dense); err != nil {
		return err
	}
	if dense < n {
		spreadRows(&f.out, f.out.Valid, at, dense, n)
	}
	return nil
}

// validity reads n definition levels into the output's bitmap, which is made only when a null shows up, and returns how
// many rows are not null.
func (f *flat) validity(at, n int) (valid int, err error) {
	c := f.chunk
	if c.maxDef == 0 || c.noNulls || c.defs.allOnes(n) {
		if f.out.Valid != nil {
			setBits(f.out.Valid, at, n)
		}
		return n, nil
	}
	if f.out.Valid == nil {
		words := (f.out.Len + 63) / 64
		if cap(f.valid) < words {
			f.valid = make(vector.Bitmap, words+words/4)
		}
		f.valid = f.valid[:words]
		clear(f.valid)
		setBits(f.valid, 0, at)
		f.out.Valid = f.valid
	}
	return c.defs.readBits(f.out.Valid, at, n)
}

func (f *flat) skip(n int) error {
	c := f.chunk
	for n > 0 {
		if c.left == 0 {
			k, err := c.skipPages(n)
			if err != nil {
				return err
			}
			if n -= k; n == 0 {
				return nil
			}
		}
		k := min(n, c.left, vector.BatchRows)
		if _, err := f.read(k); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// skipPages passes over whole pages of at most n entries without decompressing them, then loads the next one. It
// returns how many entries it passed.
func (c *chunk) skipPages(n int) (skipped int, err error) {
	for c.entries > 0 && c.left == 0 {
		body, err := c.nextHeader()
		if err != nil {
			return skipped, err
		}
		entries := int32(-1)
		switch {
		case c.header.Data.Valid:
			entries = c.header.Data.V.NumValues
		case c.header.DataV2.Valid:
			entries = c.header.DataV2.V.NumValues
		}
		if entries > 0 && int(entries) <= n-skipped {
			skipped += int(entries)
			c.entries -= int64(entries)
			continue
		}
		if err := c.load(body); err != nil {
			return skipped, err
		}
	}
	return skipped, nil
}
