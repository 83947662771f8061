package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// locals are the variables of a script's block or loop; around is the block that it stands in.
type locals struct {
	label    string
	vars     map[string]*Variable
	handlers []*plan.ScriptStep
	around   *locals
	outside  *locals // in whose handlers an error is looked for after these; for a handler's body those around its block
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
	places map[*plan.ScriptStep]int // in the text, from 1 on
	runs   map[*plan.ScriptStep]int
}

type placeKey struct{}

// Place names a statement's run within its script, in the same way when the script runs again: 3.2 is the second run of the third statement. Outside scripts
// it is empty.
func Place(ctx context.Context) string {
	place, _ := ctx.Value(placeKey{}).(string)
	return place
}

// number gives all statements their places.
func (r *script) number(steps []*plan.ScriptStep) {
	for _, s := range steps {
		r.places[s] = len(r.places) + 1
		for _, body := range s.Bodies {
			r.number(body)
		}
	}
}

// jump is what LEAVE and ITERATE ask of the loops around them, and what a handler that has run asks of the block that declared it (EXIT); empty: go on.
type jump struct {
	word, label string
	block       *locals
}

// unhandled is an error for which no handler was found.
type unhandled struct{ error }

func (u unhandled) Unwrap() error { return u.error }

func (s *Session) runScript(ctx context.Context, c *plan.Script) (Result, error) {
	e, ok := s.engine.(Evaluator)
	if !ok {
		return nil, errs.Unsupportedf("scripts are not supported here")
	}
	r := &script{s: s, e: e, places: map[*plan.ScriptStep]int{}, runs: map[*plan.ScriptStep]int{}}
	r.number(c.Body)
	j, err := r.block(ctx, "", c.Body)
	switch {
	case err != nil:
		if u := (unhandled{}); errors.As(err, &u) {
			err = u.error
		}
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
	l := &locals{label: label, vars: map[string]*Variable{}, around: around, outside: around}
	ctx = context.WithValue(ctx, localsKey{}, l)
	seen := map[plan.Trigger]bool{}
	for _, step := range steps {
		if step.Kind == "HANDLER" {
			if err := l.declareHandler(step, seen); err != nil {
				return jump{}, err
			}
		}
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return jump{}, err
		}
		j, err := r.one(ctx, l, step)
		if err != nil {
			j, err = r.handle(ctx, l, err)
		}
		if j.block == l {
			return jump{}, err
		}
		if err != nil || j.word != "" {
			return j, err
		}
	}
	return jump{}, nil
}

// one runs a step of a block.
func (r *script) one(ctx context.Context, l *locals, step *plan.ScriptStep) (jump, error) {
	if d, ok := step.Node.(*plan.DeclareVariables); ok {
		return jump{}, r.declare(ctx, l, d)
	}
	return r.step(ctx, step)
}

func (l *locals) declareHandler(step *plan.ScriptStep, seen map[plan.Trigger]bool) error {
	for _, t := range step.Triggers {
		switch {
		case !seen[t]:
			seen[t] = true
		case t.Kind == "SQLSTATE":
			return errs.New("DUPLICATE_EXCEPTION_HANDLER.SQLSTATE", "sqlState", t.Name)
		default:
			return errs.New("DUPLICATE_EXCEPTION_HANDLER.CONDITION", "condition", t.Shown())
		}
	}
	l.handlers = append(l.handlers, step)
	return nil
}

// handle runs the handler that an error has in the blocks around, and then leaves the block that declared it.
func (r *script) handle(ctx context.Context, l *locals, err error) (jump, error) {
	var e *errs.Error
	if u := (unhandled{}); errors.As(err, &u) || !errors.As(err, &e) || ctx.Err() != nil || e.Kind == errs.Cancelled {
		return jump{}, err
	}
	for ; l != nil; l = l.outside {
		h := l.handlerOf(e)
		if h == nil {
			continue
		}
		inside := &locals{vars: map[string]*Variable{}, around: l, outside: l.outside}
		j, err := r.block(context.WithValue(ctx, localsKey{}, inside), "", h.Bodies[0])
		if err != nil || j.word != "" {
			return j, err
		}
		return jump{word: "EXIT", block: l}, nil
	}
	return jump{}, unhandled{err}
}

// handlerOf finds the handler of an error in a block: by its condition, by its state, or by its class of states.
func (l *locals) handlerOf(e *errs.Error) *plan.ScriptStep {
	general := plan.Trigger{Kind: "SQLEXCEPTION"}
	if strings.HasPrefix(e.SQLState, "02") {
		general.Kind = "NOT FOUND"
	}
	parent, _, _ := strings.Cut(e.Condition, ".")
	for _, want := range []plan.Trigger{{Kind: "CONDITION", Name: e.Condition}, {Kind: "CONDITION", Name: parent}, {Kind: "SQLSTATE", Name: e.SQLState}, general} {
		for _, h := range l.handlers {
			if slices.Contains(h.Triggers, want) {
				return h
			}
		}
	}
	return nil
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
		return jump{word: s.Kind, label: s.Label}, nil
	case "CONDITION", "HANDLER":
		return jump{}, nil
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
	own := s.Label != "" && j.block == nil && strings.EqualFold(j.label, s.Label)
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
		l := &locals{vars: map[string]*Variable{}, around: around, outside: around}
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
	r.runs[s]++
	place := fmt.Sprintf("%d.%d", r.places[s], r.runs[s])
	if outer := Place(ctx); outer != "" { // a script that EXECUTE IMMEDIATE runs
		place = outer + "/" + place
	}
	ctx = context.WithValue(ctx, placeKey{}, place)
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
