package session

import (
	"context"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// locals are the variables of a script's block or loop; around is the block that it stands in.
type locals struct {
	label  string
	vars   map[string]*Variable
	around *locals
}

type localsKey struct{}

// Local finds a script's variable by x or label.x, and says how many parts of the name it took.
func Local(ctx context.Context, parts []string) (*Variable, int) {
	l, _ := ctx.Value(localsKey{}).(*locals)
	for ; l != nil; l = l.around {
		if len(parts) > 1 && l.label != "" && strings.EqualFold(parts[0], l.label) {
			if v := l.vars[strings.ToLower(parts[1])]; v != nil {
				return v, 2
			}
		}
		if v := l.vars[strings.ToLower(parts[0])]; v != nil {
			return v, 1
		}
	}
	return nil, 0
}

// script is one run of a script. Its result is that of the last query that ran.
type script struct {
	s      *Session
	e      Evaluator
	result *plan.LocalRelation
}

// jump is what LEAVE and ITERATE ask of the loops around them; empty: go on.
type jump struct{ word, label string }

func (s *Session) runScript(ctx context.Context, c *plan.Script) (Result, error) {
	e, ok := s.engine.(Evaluator)
	if !ok {
		return nil, errs.Unsupportedf("scripts are not supported here")
	}
	r := &script{s: s, e: e}
	j, err := r.block(ctx, "", c.Body)
	switch {
	case err != nil:
		return nil, err
	case j.word != "":
		return nil, errs.New("INVALID_LABEL_USAGE.DOES_NOT_EXIST", "labelName", types.Quote(j.label), "statementType", j.word)
	case r.result == nil:
		return none()
	}
	return s.engine.Execute(ctx, s, r.result)
}

func (r *script) block(ctx context.Context, label string, steps []*plan.ScriptStep) (jump, error) {
	around, _ := ctx.Value(localsKey{}).(*locals)
	l := &locals{label: label, vars: map[string]*Variable{}, around: around}
	ctx = context.WithValue(ctx, localsKey{}, l)
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return jump{}, err
		}
		if d, ok := step.Node.(*plan.DeclareVariables); ok {
			if err := r.declare(ctx, l, d); err != nil {
				return jump{}, err
			}
			continue
		}
		if j, err := r.step(ctx, step); err != nil || j.word != "" {
			return j, err
		}
	}
	return jump{}, nil
}

func (r *script) step(ctx context.Context, s *plan.ScriptStep) (jump, error) {
	switch s.Kind {
	case "BEGIN":
		j, err := r.block(ctx, s.Label, s.Bodies[0])
		if j.word == "LEAVE" && s.Label != "" && strings.EqualFold(j.label, s.Label) {
			j = jump{}
		}
		return j, err
	case "LEAVE", "ITERATE":
		return jump{s.Kind, s.Label}, nil
	case "IF":
		for i, c := range s.Conds {
			yes, err := r.holds(ctx, c)
			if err != nil {
				return jump{}, err
			}
			if yes {
				return r.block(ctx, "", s.Bodies[i])
			}
		}
		if len(s.Bodies) > len(s.Conds) {
			return r.block(ctx, "", s.Bodies[len(s.Conds)])
		}
		return jump{}, nil
	case "FOR":
		return r.loopRows(ctx, s)
	case "WHILE", "LOOP", "REPEAT":
		return r.loop(ctx, s)
	}
	return jump{}, r.statement(ctx, s)
}

// loop runs a body again and again: before it WHILE asks, after it REPEAT.
func (r *script) loop(ctx context.Context, s *plan.ScriptStep) (jump, error) {
	for {
		if s.Kind == "WHILE" {
			if yes, err := r.holds(ctx, s.Conds[0]); err != nil || !yes {
				return jump{}, err
			}
		}
		if err := ctx.Err(); err != nil {
			return jump{}, err
		}
		j, err := r.block(ctx, s.Label, s.Bodies[0])
		if end, out := leaves(s, j); err != nil || end {
			return out, err
		}
		if s.Kind == "REPEAT" {
			if yes, err := r.holds(ctx, s.Conds[0]); err != nil || yes {
				return jump{}, err
			}
		}
	}
}

// leaves says whether a jump ends a loop, and what is left of the jump for those around it.
func leaves(s *plan.ScriptStep, j jump) (bool, jump) {
	own := s.Label != "" && strings.EqualFold(j.label, s.Label)
	switch {
	case j.word == "" || j.word == "ITERATE" && own:
		return false, jump{}
	case own:
		return true, jump{}
	}
	return true, j
}

// loopRows runs a body for each row of a query, whose columns are variables of the body.
func (r *script) loopRows(ctx context.Context, s *plan.ScriptStep) (jump, error) {
	fields, rows, err := r.e.Rows(ctx, r.s, s.Node)
	if err != nil {
		return jump{}, err
	}
	around, _ := ctx.Value(localsKey{}).(*locals)
	for _, row := range rows {
		l := &locals{vars: map[string]*Variable{}, around: around}
		for i, f := range fields {
			l.vars[strings.ToLower(f.Name)] = &Variable{Name: f.Name, Value: &plan.Literal{Value: row[i], T: f.Type}}
		}
		if s.Name != "" {
			l.vars[strings.ToLower(s.Name)] = &Variable{Name: s.Name, Value: &plan.Literal{Value: row, T: types.Struct(fields...)}}
		}
		j, err := r.block(context.WithValue(ctx, localsKey{}, l), s.Label, s.Bodies[0])
		if end, out := leaves(s, j); err != nil || end {
			return out, err
		}
	}
	return jump{}, nil
}

func (r *script) holds(ctx context.Context, e plan.Expr) (bool, error) {
	l, err := r.e.Evaluate(ctx, r.s, e)
	if err != nil {
		return false, err
	}
	if l.T.Kind != types.KindBoolean && l.Value != nil {
		return false, errs.New("INVALID_BOOLEAN_STATEMENT", "invalidStatement", "condition of type "+l.T.SQL())
	}
	yes, _ := l.Value.(bool)
	return yes, nil
}

func (r *script) declare(ctx context.Context, l *locals, d *plan.DeclareVariables) error {
	value := &plan.Literal{T: d.Type}
	if d.Default != nil {
		e := d.Default
		if d.Type != nil {
			e = &plan.Cast{Child: e, To: d.Type, Mode: plan.ModeANSI}
		}
		var err error
		if value, err = r.e.Evaluate(ctx, r.s, e); err != nil {
			return err
		}
	}
	for _, name := range d.Names {
		key := strings.ToLower(name[len(name)-1])
		if l.vars[key] != nil {
			return errs.New("VARIABLE_ALREADY_EXISTS", "variableName", types.QuoteParts(name...))
		}
		l.vars[key] = &Variable{Name: name[len(name)-1], Value: value, Default: d.Default}
	}
	return nil
}

// statement runs one statement to its end.
func (r *script) statement(ctx context.Context, s *plan.ScriptStep) error {
	n := s.Node
	if n == nil {
		p := r.s.Parser()
		p.Eval = func(e plan.Expr) (*plan.Literal, error) { return r.e.Evaluate(ctx, r.s, e) }
		var err error
		if n, err = p.ParseStatement(s.Text); err != nil {
			return err
		}
	}
	result, err := r.s.Run(ctx, n)
	if err != nil {
		return err
	}
	rows, err := r.s.Collect(ctx, result)
	if _, command := n.(plan.Command); !command {
		r.result = rows
	}
	return err
}
