package sql

import (
	"slices"
	"strings"

	"millrace/plan"
)

// grouping gathers the expressions of GROUP BY and finds one that was written before, by its text.
type grouping struct {
	exprs []plan.Expr
	texts []string
}

func (g *grouping) add(p *parser, start int, e plan.Expr) int {
	var b strings.Builder
	for _, t := range p.toks[start:p.pos] {
		if t.kind == tWord {
			b.WriteString(strings.ToLower(t.text) + " ")
		} else {
			b.WriteString(t.text + " ")
		}
	}
	if i := slices.Index(g.texts, b.String()); i >= 0 {
		return i
	}
	g.exprs, g.texts = append(g.exprs, e), append(g.texts, b.String())
	return len(g.exprs) - 1
}

// groupBy reads what follows GROUP BY. The sets of several grouping analytics are multiplied.
func (p *parser) groupBy(input plan.Node, exprs []plan.Expr) plan.Node {
	a := &plan.Aggregate{Input: input, Exprs: exprs}
	if p.is("ALL") && !p.opAt(1, "(") && !p.opAt(1, ".") && !p.opAt(1, ",") {
		p.pos++
		a.AllGroups = true
		return a
	}
	g := &grouping{}
	sets, plain := [][]int{{}}, true
	if p.is("GROUPING", "SETS") && p.opAt(2, "(") {
		sets, plain = p.groupingSets(g), false
	} else {
		list(p, func() bool {
			s, one := p.groupingElement(g)
			sets, plain = product(sets, s), plain && one
			return true
		})
	}
	whole := make([]int, len(g.exprs))
	for i := range whole {
		whole[i] = i
	}
	switch {
	case p.accept("WITH", "ROLLUP"):
		sets, plain = prefixes(singles(whole)), false
	case p.accept("WITH", "CUBE"):
		sets, plain = p.cube(singles(whole)), false
	case p.is("GROUPING", "SETS"):
		sets, plain = p.groupingSets(g), false
	}
	a.Groups = g.exprs
	if !plain {
		a.Sets = sets
	}
	return a
}

// groupingElement reads an expression, ROLLUP(…), CUBE(…) or GROUPING SETS(…) as grouping sets; plain says that it is the first.
func (p *parser) groupingElement(g *grouping) (sets [][]int, plain bool) {
	switch {
	case p.isOne("ROLLUP", "CUBE") && p.opAt(1, "("):
		cube, start, word := p.is("CUBE"), p.pos, p.cur().upper
		p.pos++
		parts := parens(p, func() []int { return p.groupingSet(g) })
		for _, part := range parts {
			if len(part) == 0 {
				p.raise(start, "_LEGACY_ERROR_TEMP_0051", "element", word)
			}
		}
		if cube {
			return p.cube(parts), false
		}
		return prefixes(parts), false
	case p.is("GROUPING", "SETS") && p.opAt(2, "("):
		return p.groupingSets(g), false
	}
	start := p.pos
	return [][]int{{g.add(p, start, p.expression())}}, true
}

func (p *parser) groupingSets(g *grouping) [][]int {
	p.pos += 2
	var sets [][]int
	parens(p, func() bool {
		if p.isOne("ROLLUP", "CUBE") && p.opAt(1, "(") || p.is("GROUPING", "SETS") {
			s, _ := p.groupingElement(g)
			sets = append(sets, s...)
		} else {
			sets = append(sets, p.groupingSet(g))
		}
		return true
	})
	return sets
}

// groupingSet reads (a, b), () or a.
func (p *parser) groupingSet(g *grouping) []int {
	one := func() int { start := p.pos; return g.add(p, start, p.expression()) }
	if !p.isOp("(") {
		return []int{one()}
	}
	if p.opAt(1, ")") {
		p.pos += 2
		return []int{}
	}
	texts := len(g.texts)
	set, ok := try(p, func() []int {
		s := parens(p, one)
		if !p.isOp(",") && !p.isOp(")") {
			p.fail() // (a) + 1
		}
		return s
	})
	if ok {
		return set
	}
	g.exprs, g.texts = g.exprs[:texts], g.texts[:texts]
	return []int{one()}
}

func product(a, b [][]int) [][]int {
	var out [][]int
	for _, x := range a {
		for _, y := range b {
			out = append(out, union(x, y))
		}
	}
	return out
}

func union(a, b []int) []int {
	u := append([]int{}, a...)
	for _, i := range b {
		if !slices.Contains(u, i) {
			u = append(u, i)
		}
	}
	return u
}

func singles(items []int) [][]int {
	parts := make([][]int, len(items))
	for i, n := range items {
		parts[i] = []int{n}
	}
	return parts
}

// prefixes are ROLLUP's sets: all parts, then one less each time, down to none.
func prefixes(parts [][]int) [][]int {
	var sets [][]int
	for n := len(parts); n >= 0; n-- {
		set := []int{}
		for _, part := range parts[:n] {
			set = union(set, part)
		}
		sets = append(sets, set)
	}
	return sets
}

// maxCube is the most parts of a CUBE: each more doubles the groupings.
const maxCube = 16

func (p *parser) cube(parts [][]int) [][]int {
	if len(parts) > maxCube {
		p.unsupported("CUBE of more than %d columns is not supported: there are %d.", maxCube, len(parts))
	}
	return subsets(parts)
}

// subsets are CUBE's sets, larger before smaller where they begin alike.
func subsets(parts [][]int) [][]int {
	if len(parts) == 0 {
		return [][]int{{}}
	}
	rest := subsets(parts[1:])
	var sets [][]int
	for _, s := range rest {
		sets = append(sets, union(parts[0], s))
	}
	return append(sets, rest...)
}
