package session

import (
	"sort"
	"strings"
	"sync"

	"millrace/plan"
)

// Variable is a session variable. Its value has the variable's type.
type Variable struct {
	Name    string
	Value   *plan.Literal
	Default plan.Expr // nil: NULL
}

// objects are the temporary variables and functions of a session, by lower-case name.
type objects struct {
	mu        sync.RWMutex
	variables map[string]Variable
	functions map[string]*plan.CreateFunction
}

// Variable finds a session variable.
func (s *Session) Variable(name string) (Variable, bool) {
	s.objects.mu.RLock()
	defer s.objects.mu.RUnlock()
	v, ok := s.objects.variables[strings.ToLower(name)]
	return v, ok
}

// PutVariables makes or changes variables, all at once.
func (s *Session) PutVariables(list ...Variable) {
	s.objects.mu.Lock()
	defer s.objects.mu.Unlock()
	if s.objects.variables == nil {
		s.objects.variables = map[string]Variable{}
	}
	for _, v := range list {
		s.objects.variables[strings.ToLower(v.Name)] = v
	}
}

// DropVariable forgets a variable and reports whether it was there.
func (s *Session) DropVariable(name string) bool {
	s.objects.mu.Lock()
	defer s.objects.mu.Unlock()
	key := strings.ToLower(name)
	_, ok := s.objects.variables[key]
	delete(s.objects.variables, key)
	return ok
}

// Function finds a temporary function, or is nil.
func (s *Session) Function(name string) *plan.CreateFunction {
	s.objects.mu.RLock()
	defer s.objects.mu.RUnlock()
	return s.objects.functions[strings.ToLower(name)]
}

// Functions lists the temporary functions' names.
func (s *Session) Functions() []string {
	s.objects.mu.RLock()
	defer s.objects.mu.RUnlock()
	names := make([]string, 0, len(s.objects.functions))
	for name := range s.objects.functions {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// PutFunction makes a temporary function; nil forgets it.
func (s *Session) PutFunction(name string, f *plan.CreateFunction) {
	s.objects.mu.Lock()
	defer s.objects.mu.Unlock()
	if s.objects.functions == nil {
		s.objects.functions = map[string]*plan.CreateFunction{}
	}
	if key := strings.ToLower(name); f == nil {
		delete(s.objects.functions, key)
	} else {
		s.objects.functions[key] = f
	}
}
