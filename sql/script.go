package sql

import (
	"regexp"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// script reads BEGIN … END, a script.
func (p *parser) script() plan.Node {
	p.pos++
	p.inScript = true
	s := &plan.Script{Body: p.block()}
	p.expect("END")
	return s
}

// block reads the steps of BEGIN … END, which begin with what is declared: variables and conditions, then handlers.
func (p *parser) block() []*plan.ScriptStep {
	b := declarations{}
	list := []*plan.ScriptStep{}
	for !p.isOne("END", "ELSE", "ELSEIF", "WHEN", "UNTIL") {
		start := p.pos
		s := p.step()
		b.add(p, start, s)
		list = append(list, s)
		p.expectOp(";")
	}
	return list
}

// declarations are what a block has declared so far.
type declarations struct {
	handlers, statements bool
	conditions           map[string]bool
}

// add checks that a step may stand where it does.
func (d *declarations) add(p *parser, start int, s *plan.ScriptStep) {
	v, variable := s.Node.(*plan.DeclareVariables)
	switch {
	case s.Kind == "CONDITION":
		if d.handlers || d.statements {
			p.raise(start, "INVALID_ERROR_CONDITION_DECLARATION.NOT_AT_START_OF_COMPOUND_STATEMENT", "conditionName", types.Quote(s.Name))
		}
		if d.conditions[s.Name] {
			p.raise(start, "DUPLICATE_CONDITION_IN_SCOPE", "condition", types.Quote(s.Name))
		}
		if d.conditions == nil {
			d.conditions = map[string]bool{}
		}
		d.conditions[s.Name] = true
	case s.Kind == "HANDLER":
		if d.statements {
			p.raise(start, "INVALID_HANDLER_DECLARATION.WRONG_PLACE_OF_DECLARATION")
		}
		d.handlers = true
	case variable:
		name := v.Names[0]
		switch {
		case v.Replace:
			p.raise(start, "INVALID_VARIABLE_DECLARATION.REPLACE_LOCAL_VARIABLE", "varName", types.QuoteParts(name...))
		case len(name) > 1:
			p.raise(start, "INVALID_VARIABLE_DECLARATION.QUALIFIED_LOCAL_VARIABLE", "varName", types.QuoteParts(name...))
		case d.handlers || d.statements:
			p.raise(start, "INVALID_VARIABLE_DECLARATION.ONLY_AT_BEGINNING", "varName", types.QuoteParts(name...))
		}
	default:
		d.statements = true
	}
}

// steps reads statements, each with its semicolon, up to a word that ends them.
func (p *parser) steps() []*plan.ScriptStep {
	list := []*plan.ScriptStep{}
	for !p.isOne("END", "ELSE", "ELSEIF", "WHEN", "UNTIL") {
		start := p.pos
		s := p.step()
		if v, ok := s.Node.(*plan.DeclareVariables); ok {
			p.raise(start, "INVALID_VARIABLE_DECLARATION.NOT_ALLOWED_IN_SCOPE", "varName", types.QuoteParts(v.Names[0]...))
		}
		list = append(list, s)
		p.expectOp(";")
	}
	return list
}

// around is a label that is in force, innermost first.
type around struct {
	name  string
	block bool // of BEGIN … END, not of a loop
	next  *around
}

func (l *around) find(name string) *around {
	for ; l != nil; l = l.next {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}

var forbiddenLabels = words("BUILTIN SESSION SYS SYSTEM")

// enterLabel puts a label in force; what it returns takes it out again.
func (p *parser) enterLabel(start int, name string, block bool) func() {
	before := p.labels
	if name != "" {
		switch {
		case forbiddenLabels[strings.ToUpper(name)]:
			p.raise(start, "LABEL_OR_FOR_VARIABLE_NAME_FORBIDDEN", "label", types.Quote(name))
		case before.find(name) != nil:
			p.raise(start, "LABEL_OR_FOR_VARIABLE_ALREADY_EXISTS", "label", types.Quote(name))
		}
		p.labels = &around{name, block, before}
	}
	return func() { p.labels = before }
}

func (p *parser) step() *plan.ScriptStep {
	p.enter()
	defer p.leave()
	start := p.pos
	label := ""
	if p.isIdentifier() && p.opAt(1, ":") {
		label = p.identifier()
		p.pos++
		if !p.isOne("BEGIN", "WHILE", "LOOP", "REPEAT", "FOR") {
			p.fail()
		}
		defer p.enterLabel(start, label, p.is("BEGIN"))()
	}
	s := &plan.ScriptStep{Label: label}
	switch word := p.cur().upper; word {
	case "BEGIN":
		p.pos++
		s.Kind = word
		s.Bodies = [][]*plan.ScriptStep{p.block()}
		p.expect("END")
		p.endLabel(label)
	case "LOOP":
		p.pos++
		s.Kind = word
		s.Bodies = [][]*plan.ScriptStep{p.steps()}
		p.expect("END", "LOOP")
		p.endLabel(label)
	case "WHILE":
		p.pos++
		s.Kind, s.Conds = word, []plan.Expr{p.expression()}
		p.loopBody(s, "DO")
	case "REPEAT":
		p.pos++
		s.Kind = word
		s.Bodies = [][]*plan.ScriptStep{p.steps()}
		p.expect("UNTIL")
		s.Conds = []plan.Expr{p.expression()}
		p.expect("END", "REPEAT")
		p.endLabel(label)
	case "FOR":
		p.pos++
		s.Kind = word
		if p.isIdentifier() && p.peek(1).upper == "AS" {
			s.Name = p.identifier()
			p.pos++
			defer p.enterLabel(start, s.Name, false)()
		}
		s.Node = p.query()
		p.loopBody(s, "DO")
	case "IF":
		p.pos++
		s.Kind = word
		p.branch(s, "THEN")
		for p.accept("ELSEIF") {
			p.branch(s, "THEN")
		}
		if p.accept("ELSE") {
			s.Bodies = append(s.Bodies, p.steps())
		}
		p.expect("END", "IF")
	case "CASE":
		p.caseStep(s)
	case "LEAVE", "ITERATE":
		p.pos++
		s.Kind, s.Label = word, p.identifier()
		switch l := p.labels.find(s.Label); {
		case l == nil:
			p.raise(start, "INVALID_LABEL_USAGE.DOES_NOT_EXIST", "labelName", strings.ToUpper(s.Label), "statementType", word)
		case l.block && word == "ITERATE":
			p.raise(start, "INVALID_LABEL_USAGE.ITERATE_IN_COMPOUND", "labelName", strings.ToUpper(s.Label))
		}
	case "OPEN", "FETCH", "CLOSE":
		p.raise(start, "UNSUPPORTED_FEATURE.SQL_CURSOR")
	default:
		p.plainStep(s)
	}
	return s
}

// loopBody reads DO steps END word [label] of the loop whose word is the step's kind.
func (p *parser) loopBody(s *plan.ScriptStep, do string) {
	p.expect(do)
	s.Bodies = [][]*plan.ScriptStep{p.steps()}
	p.expect("END", s.Kind)
	p.endLabel(s.Label)
}

func (p *parser) endLabel(label string) {
	if !p.isIdentifier() {
		return
	}
	start := p.pos
	switch end := p.identifier(); {
	case label == "":
		p.raise(start, "END_LABEL_WITHOUT_BEGIN_LABEL", "endLabel", types.Quote(end))
	case !strings.EqualFold(label, end):
		p.raise(start, "LABELS_MISMATCH", "beginLabel", types.Quote(label), "endLabel", types.Quote(end))
	}
}

func (p *parser) branch(s *plan.ScriptStep, then string) {
	s.Conds = append(s.Conds, p.expression())
	p.expect(then)
	s.Bodies = append(s.Bodies, p.steps())
}

// caseStep reads CASE [value] WHEN … THEN steps … [ELSE steps] END CASE, which is an IF.
func (p *parser) caseStep(s *plan.ScriptStep) {
	start := p.pos
	p.pos++
	s.Kind = "IF"
	var operand plan.Expr
	if !p.is("WHEN") {
		operand = p.expression()
	}
	if !p.is("WHEN") {
		p.fail()
	}
	for p.accept("WHEN") {
		p.branch(s, "THEN")
		if n := len(s.Conds) - 1; operand != nil {
			s.Conds[n] = p.call(start, "=", operand, s.Conds[n])
		}
	}
	if p.accept("ELSE") {
		s.Bodies = append(s.Bodies, p.steps())
	}
	p.expect("END", "CASE")
}

// plainStep reads a statement. One that holds a computed name or text is parsed when it runs, since variables may decide.
func (p *parser) plainStep(s *plan.ScriptStep) {
	s.Kind = "STATEMENT"
	start := p.pos
	if p.is("DECLARE") && p.declaration(s) {
		return
	}
	late := p.is("EXECUTE")
	for n := 0; p.peek(n).kind != tEOF && !p.opAt(n, ";"); n++ {
		late = late || p.peek(n).upper == "IDENTIFIER" && p.opAt(n+1, "(")
	}
	if late {
		for p.cur().kind != tEOF && !p.isOp(";") {
			p.pos++
		}
		s.Text = p.between(start)
		return
	}
	if p.is("SET") && !p.is("SET", "TIME", "ZONE") {
		p.pos++
		if !p.accept("VARIABLE") {
			p.accept("VAR")
		}
		s.Node = p.setVariables(start)
		return
	}
	s.Node = p.statement()
}

// declaration reads DECLARE of a condition or a handler; false for anything else.
func (p *parser) declaration(s *plan.ScriptStep) bool {
	start := p.pos
	switch kind := p.peek(1).upper; {
	case (kind == "EXIT" || kind == "CONTINUE") && p.peek(2).upper == "HANDLER":
		p.pos += 3
		s.Kind, s.Name = "HANDLER", kind
		p.expect("FOR")
		p.triggers(start, s)
		s.Bodies = [][]*plan.ScriptStep{{p.step()}}
		if kind == "CONTINUE" {
			p.raise(start, "UNSUPPORTED_FEATURE.CONTINUE_EXCEPTION_HANDLER")
		}
		return true
	case p.peek(2).upper == "CURSOR", p.peek(3).upper == "CURSOR" && (p.peek(2).upper == "ASENSITIVE" || p.peek(2).upper == "INSENSITIVE"):
		p.raise(start, "UNSUPPORTED_FEATURE.SQL_CURSOR")
	}
	p.pos++
	name, ok := try(p, p.qualifiedName)
	if !ok || !p.accept("CONDITION") {
		p.pos = start
		return false
	}
	s.Kind, s.Name, s.Text = "CONDITION", strings.ToUpper(name[len(name)-1]), "45000"
	if len(name) > 1 {
		p.raise(start, "INVALID_ERROR_CONDITION_DECLARATION.QUALIFIED_CONDITION_NAME", "conditionName", types.QuoteParts(name...))
	}
	if !plainName.MatchString(name[0]) {
		p.raise(start, "INVALID_ERROR_CONDITION_DECLARATION.SPECIAL_CHARACTER_FOUND", "conditionName", types.Quote(name[0]))
	}
	if p.accept("FOR") {
		p.expect("SQLSTATE")
		p.accept("VALUE")
		s.Text = p.sqlState()
	}
	p.conditions = append(p.conditions, s.Name)
	return true
}

var (
	plainName = regexp.MustCompile("^[A-Za-z0-9_]+$")
	stateForm = regexp.MustCompile("^[A-Z0-9]{5}$")
)

// sqlState reads a state that an error may have.
func (p *parser) sqlState() string {
	start := p.pos
	text := strings.ToUpper(p.stringLiteral())
	if !stateForm.MatchString(text) || strings.HasPrefix(text, "00") || strings.HasPrefix(text, "01") || strings.HasPrefix(text, "XX") {
		p.raise(start, "INVALID_SQLSTATE", "sqlState", text)
	}
	return text
}

// triggers reads what a handler is for: SQLSTATE 'state', a condition's name, SQLEXCEPTION or NOT FOUND.
func (p *parser) triggers(start int, s *plan.ScriptStep) {
	general := false
	seen := map[plan.Trigger]bool{}
	for _, t := range list(p, p.trigger) {
		if seen[t] {
			if t.Kind == "SQLSTATE" {
				p.raise(start, "INVALID_HANDLER_DECLARATION.DUPLICATE_SQLSTATE_IN_HANDLER_DECLARATION", "sqlState", t.Name)
			}
			p.raise(start, "INVALID_HANDLER_DECLARATION.DUPLICATE_CONDITION_IN_HANDLER_DECLARATION", "condition", t.Shown())
		}
		seen[t] = true
		general = general || t.Kind == "SQLEXCEPTION" || t.Kind == "NOT FOUND"
		s.Triggers = append(s.Triggers, t)
	}
	if general && len(s.Triggers) > 1 {
		p.raise(start, "INVALID_HANDLER_DECLARATION.INVALID_CONDITION_COMBINATION")
	}
}

func (p *parser) trigger() plan.Trigger {
	start := p.pos
	switch {
	case p.accept("SQLEXCEPTION"):
		return plan.Trigger{Kind: "SQLEXCEPTION"}
	case p.accept("NOT", "FOUND"):
		return plan.Trigger{Kind: "NOT FOUND"}
	case p.is("SQLSTATE") && (p.peek(1).kind == tString || p.peek(1).upper == "VALUE"):
		p.pos++
		p.accept("VALUE")
		return plan.Trigger{Kind: "SQLSTATE", Name: p.sqlState()}
	}
	name := strings.ToUpper(strings.Join(p.qualifiedName(), "."))
	if !slices.Contains(p.conditions, name) && !errs.Known(name) {
		p.raise(start, "INVALID_HANDLER_DECLARATION.CONDITION_NOT_FOUND", "condition", name)
	}
	return plan.Trigger{Kind: "CONDITION", Name: name}
}
