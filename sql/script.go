package sql

import "millrace/plan"

// script reads BEGIN … END, a script.
func (p *parser) script() plan.Node {
	p.pos++
	s := &plan.Script{Body: p.steps()}
	p.expect("END")
	return s
}

// steps reads statements, each with its semicolon, up to a word that ends them.
func (p *parser) steps() []*plan.ScriptStep {
	list := []*plan.ScriptStep{}
	for !p.isOne("END", "ELSE", "ELSEIF", "WHEN", "UNTIL") {
		list = append(list, p.step())
		p.expectOp(";")
	}
	return list
}

func (p *parser) step() *plan.ScriptStep {
	p.enter()
	defer p.leave()
	label := ""
	if p.isIdentifier() && p.opAt(1, ":") {
		label = p.identifier()
		p.pos++
		if !p.isOne("BEGIN", "WHILE", "LOOP", "REPEAT", "FOR") {
			p.fail()
		}
	}
	s := &plan.ScriptStep{Label: label}
	switch word := p.cur().upper; word {
	case "BEGIN", "LOOP":
		p.pos++
		s.Kind = word
		s.Bodies = [][]*plan.ScriptStep{p.steps()}
		p.expect("END")
		if word == "LOOP" {
			p.expect("LOOP")
		}
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
	case "SIGNAL", "RESIGNAL", "OPEN", "FETCH", "CLOSE":
		p.unsupported("%s in a script is not supported", word)
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
	if label != "" && p.isIdentifier() {
		p.identifier()
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
	if p.is("DECLARE") && (p.isHandler() || p.peek(2).upper == "CONDITION") {
		p.unsupported("conditions and handlers in a script are not supported")
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

func (p *parser) isHandler() bool {
	w := p.peek(1).upper
	return (w == "EXIT" || w == "CONTINUE" || w == "UNDO") && p.peek(2).upper == "HANDLER"
}
