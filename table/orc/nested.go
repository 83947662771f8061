package orc

import (
	"millrace/types"
	"millrace/vector"
)

// structs reads structs; a field that the file lacks is null.
type structs struct {
	base
	fields []reader
}

func (b *builder) fields(c *Column, want *types.Type, plain bool) (reader, error) {
	r := &structs{base: base{col: c, typ: want}}
	for _, f := range want.Fields {
		var child reader
		k, err := b.find(c.Children, f.Name)
		if err == nil && k != nil {
			child, err = b.reader(k, f.Type, plain)
		}
		if err != nil {
			return nil, err
		}
		r.fields = append(r.fields, child)
	}
	return r, nil
}

func (r *structs) inner() []reader { return r.fields }

func (r *structs) begin(s *stripe) error {
	for _, f := range r.fields {
		if f != nil {
			if err := f.begin(s); err != nil {
				return err
			}
		}
	}
	return r.base.begin(s)
}

func (r *structs) seek(entry func(uint64) (*positions, error)) error {
	if _, err := r.places(entry); err != nil {
		return err
	}
	for _, f := range r.fields {
		if f != nil {
			if err := f.seek(entry); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *structs) read(v *vector.Vector, n int, outer vector.Bitmap) error {
	valid, _, err := r.rows(n, outer)
	if err != nil {
		return err
	}
	v.Reset(r.typ, n)
	v.Valid = valid
	grown(v, len(r.fields))
	for i, f := range r.fields {
		if f == nil {
			v.Children[i] = vector.NewNulls(r.typ.Fields[i].Type, n)
		} else if err := f.read(v.Children[i], n, valid); err != nil {
			return err
		}
	}
	return nil
}

// grown makes room for n children, keeping those that are there.
func grown(v *vector.Vector, n int) {
	for len(v.Children) < n {
		v.Children = append(v.Children, &vector.Vector{})
	}
}

// lists reads arrays and maps.
type lists struct {
	base
	lengths *ints
	parts   []reader
}

func (b *builder) lists(c *Column, want *types.Type) (reader, error) {
	r := &lists{base: base{col: c, typ: want}}
	for i, t := range vector.ChildTypes(want) {
		p, err := b.reader(c.Children[i], t, true)
		if err != nil {
			return nil, err
		}
		r.parts = append(r.parts, p)
	}
	return r, nil
}

func (r *lists) inner() []reader { return r.parts }

func (r *lists) begin(s *stripe) error {
	if err := r.base.begin(s); err != nil {
		return err
	}
	v2, err := s.version2(r.col)
	if err != nil {
		return err
	}
	r.lengths = newInts(s.need(r.col, length), v2, false)
	for _, p := range r.parts {
		if err := p.begin(s); err != nil {
			return err
		}
	}
	return nil
}

func (r *lists) seek(entry func(uint64) (*positions, error)) error {
	p, err := r.places(entry)
	if err != nil {
		return err
	}
	if err := r.lengths.seek(p); err != nil {
		return err
	}
	for _, part := range r.parts {
		if err := part.seek(entry); err != nil {
			return err
		}
	}
	return nil
}

// maxElements bounds what the arrays of a batch may claim to hold.
const maxElements = 1 << 26

func (r *lists) read(v *vector.Vector, n int, outer vector.Bitmap) error {
	valid, m, err := r.rows(n, outer)
	if err != nil {
		return err
	}
	dense := r.dense(m)
	if err := r.lengths.read(dense); err != nil {
		return err
	}
	v.Reset(r.typ, n)
	v.Valid = valid
	total, k := int64(0), 0
	for i := range n {
		if valid == nil || valid.Get(i) {
			if total += dense[k]; dense[k] < 0 || dense[k] > maxElements || total > maxElements {
				return corrupt("a batch has arrays of more than %d values", maxElements)
			}
			k++
		}
		v.Offsets[i+1] = int32(total)
	}
	grown(v, len(r.parts))
	for i, p := range r.parts {
		if err := p.read(v.Children[i], int(total), nil); err != nil {
			return err
		}
	}
	return nil
}
