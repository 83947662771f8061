package hashtable

import "millrace/vector"

// maxCodes bounds the array of numbers by combinations of dictionary codes.
const maxCodes = 1 << 16

// codeTable knows the numbers of combinations of dictionary codes: no hashing and no comparing while dictionaries last.
type codeTable struct {
	dicts  []*vector.Vector
	groups []uint32 // by combined code; Absent: not yet known
}

// fits reports whether all keys are dictionary codes with few enough combinations, and prepares for these dictionaries.
func (c *codeTable) fits(keys []*vector.Vector, n int) bool {
	size := 1
	for _, k := range keys {
		if k.Dict == nil || k.Const {
			return false
		}
		if size *= k.Dict.Len + 1; size > maxCodes {
			return false
		}
	}
	if len(keys) == 0 {
		return false
	}
	same := len(c.dicts) == len(keys)
	for i := range keys {
		same = same && c.dicts[i] == keys[i].Dict
	}
	if same {
		return true
	}
	if size > 8*n { // a large dictionary for few rows: clearing the array would cost more than hashing
		return false
	}
	c.dicts = c.dicts[:0]
	for _, k := range keys {
		c.dicts = append(c.dicts, k.Dict)
	}
	c.groups = resize(c.groups, size)
	for i := range c.groups {
		c.groups[i] = Absent
	}
	return true
}

func (t *Table) findCodes(keys []*vector.Vector, sel []uint32, n int, out []uint32, insert bool) {
	s := &t.scratch
	s.groups = resize(s.groups, n)
	codes := s.groups
	combineCodes(keys, sel, codes)
	s.missing, s.rows = s.missing[:0], s.rows[:0]
	for k, c := range codes {
		g := t.codes.groups[c]
		out[k] = g
		if g == Absent {
			s.missing = append(s.missing, uint32(k))
			s.rows = append(s.rows, uint32(at(sel, k)))
		}
	}
	if len(s.missing) == 0 {
		return
	}
	found := make([]uint32, len(s.rows))
	t.findValues(keys, s.rows, len(s.rows), found, insert)
	for i, k := range s.missing {
		out[k] = found[i]
		t.codes.groups[codes[k]] = found[i]
	}
}

// combineCodes writes each row's place in the array of combinations; a null counts as the code after the last.
func combineCodes(keys []*vector.Vector, sel []uint32, out []uint32) {
	for i, key := range keys {
		codes, size := vector.Codes(key), uint32(key.Dict.Len+1)
		if i == 0 {
			size = 0
			clear(out)
		}
		switch {
		case key.Valid == nil && sel == nil:
			for k, c := range codes[:len(out)] {
				out[k] = out[k]*size + uint32(c)
			}
		case key.Valid == nil:
			for k, r := range sel {
				out[k] = out[k]*size + uint32(codes[r])
			}
		default:
			for k := range out {
				c, r := uint32(key.Dict.Len), at(sel, k)
				if key.Valid.Get(r) {
					c = uint32(codes[r])
				}
				out[k] = out[k]*size + c
			}
		}
	}
}
