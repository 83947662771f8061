package operators

import planpb "millrace/proto/millrace/plan/v1"

// columnSet is a set of columns; nil: all.
type columnSet map[uint32]bool

func (s columnSet) has(i int) bool { return s == nil || s[uint32(i)] }

// add takes the columns of expressions in.
func (s columnSet) add(es ...*planpb.Expr) columnSet {
	for _, e := range es {
		if e == nil {
			continue
		}
		switch k := e.Kind.(type) {
		case *planpb.Expr_Column:
			s[k.Column] = true
		case *planpb.Expr_Call:
			s.add(k.Call.Args...).add(k.Call.Filter)
		}
	}
	return s
}

// reads is the columns of its input's batches that an operator, of whose output the columns in out are read, looks at.
func reads(p *planpb.Operator, out columnSet) columnSet {
	switch k := p.Kind.(type) {
	case *planpb.Operator_Project:
		return columnSet{}.add(k.Project.Exprs...)
	case *planpb.Operator_HashAggregate:
		if m := k.HashAggregate.Mode; m == modeComplete || m == modePartial {
			return columnSet{}.add(k.HashAggregate.Groups...).add(k.HashAggregate.Aggregates...)
		}
	case *planpb.Operator_Generate:
		if out != nil {
			s := columnSet{}.add(k.Generate.Args...)
			for c := range out {
				if int(c) < len(p.Children[0].Output) {
					s[c] = true
				}
			}
			return s
		}
	case *planpb.Operator_BloomFilter:
		return columnSet{}.add(k.BloomFilter.Keys...)
	case *planpb.Operator_Filter:
		if out != nil {
			s := columnSet{}.add(k.Filter.Predicate)
			for c := range out {
				s[c] = true
			}
			return s
		}
	case *planpb.Operator_Limit, *planpb.Operator_Sample:
		return out
	}
	return nil
}
