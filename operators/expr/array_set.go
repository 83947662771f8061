package expr

import (
	"millrace/vector"
)

func init() {
	strict := func(name string, build func(*Call) (Kernel, error)) {
		Register(name, Func{Strict: true, Pure: true, Build: build})
	}
	strict("array_distinct", distinctElements)
	strict("array_union", distinctElements)
	strict("array_intersect", memberKernel(true))
	strict("array_except", memberKernel(false))
	strict("arrays_overlap", arraysOverlap)
}

// lists are array arguments whose elements a set pools.
type lists struct {
	of  []*vector.Vector
	set *elementSet
}

func newLists(c *Call, args []*vector.Vector) (*lists, error) {
	l := &lists{of: make([]*vector.Vector, len(args))}
	children := make([]*vector.Vector, len(args))
	for k, a := range args {
		l.of[k] = plainNested(a)
		children[k] = l.of[k].Children[0]
	}
	var err error
	l.set, err = newElementSet(c.Args[0].Elem, children...)
	return l, err
}

// each calls f for every element of argument k in row i, with its place in the pool.
func (l *lists) each(k, i int, f func(place int)) {
	r := l.of[k].Row(i)
	for j := l.of[k].Offsets[r]; j < l.of[k].Offsets[r+1]; j++ {
		f(l.set.place(k, int(j)))
	}
}

func (l *lists) size(i int) (n int) {
	for _, v := range l.of {
		r := v.Row(i)
		n += int(v.Offsets[r+1] - v.Offsets[r])
	}
	return n
}

// distinctElements lists the distinct elements of all arguments in their order.
func distinctElements(c *Call) (Kernel, error) {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		l, err := newLists(c, args)
		if err != nil {
			return err
		}
		return gatherLists(out, sel, n, l.set.all, func(i int, add func(int)) {
			l.set.clear(l.size(i))
			for k := range l.of {
				l.each(k, i, func(p int) {
					if _, fresh := l.set.add(p, 0); fresh {
						add(p)
					}
				})
			}
		})
	}, nil
}

// memberKernel lists the distinct elements of the first argument that are (or are not) in the second.
func memberKernel(in bool) func(*Call) (Kernel, error) {
	const second, taken = 1, 2
	kernel := func(c *Call, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		l, err := newLists(c, args)
		if err != nil {
			return err
		}
		return gatherLists(out, sel, n, l.set.all, func(i int, add func(int)) {
			l.set.clear(l.size(i))
			l.each(1, i, func(p int) { l.set.add(p, second) })
			l.each(0, i, func(p int) {
				was, fresh := l.set.add(p, taken)
				if !in && fresh {
					add(p)
				} else if in && !fresh && was == second {
					l.set.set(p, taken)
					add(p)
				}
			})
		})
	}
	return func(c *Call) (Kernel, error) {
		return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			return kernel(c, args, sel, n, out)
		}, nil
	}
}

// arraysOverlap is null where no element is shared, neither list is empty and one has a null.
func arraysOverlap(c *Call) (Kernel, error) {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		l, err := newLists(c, args)
		if err != nil {
			return err
		}
		r := vector.Values[bool](out)
		Rows(sel, n, func(i int) {
			l.set.clear(l.size(i))
			var found, null bool
			var counts [2]int
			l.each(0, i, func(p int) {
				counts[0]++
				if l.set.all.IsNull(p) {
					null = true
				} else {
					l.set.add(p, 0)
				}
			})
			l.each(1, i, func(p int) {
				counts[1]++
				if l.set.all.IsNull(p) {
					null = true
				} else {
					found = found || l.set.has(p)
				}
			})
			if r[i] = found; !found && null && counts[0] > 0 && counts[1] > 0 {
				out.SetNull(i)
			}
		})
		return nil
	}, nil
}
