package connect

import (
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/sql"
)

// name reads an identifier of one or more parts.
func (t *translator) name(text string) ([]string, error) { return sql.ParseIdentifier(text) }

// sql parses a statement with its arguments.
func (t *translator) sql(r *pb.SQL) (plan.Node, error) {
	p := t.parser()
	if err := t.arguments(p, r); err != nil {
		return nil, err
	}
	return p.ParseStatement(r.Query)
}

// arguments come as literals from old clients and as expressions from new ones.
func (t *translator) arguments(p *sql.Parser, r *pb.SQL) error {
	named := func(name string, e plan.Expr) {
		if p.Named == nil {
			p.Named = map[string]plan.Expr{}
		}
		p.Named[name] = e
	}
	for name, l := range r.Args {
		e, err := literal(l)
		if err != nil {
			return err
		}
		named(name, e)
	}
	for name, x := range r.NamedArguments {
		e, err := t.expr(x)
		if err != nil {
			return err
		}
		named(name, e)
	}
	for _, l := range r.PosArgs {
		e, err := literal(l)
		if err != nil {
			return err
		}
		p.Positional = append(p.Positional, e)
	}
	for _, x := range r.PosArguments {
		e, err := t.expr(x)
		if err != nil {
			return err
		}
		p.Positional = append(p.Positional, e)
	}
	return nil
}
