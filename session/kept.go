package session

// Kept is what a front door keeps for the session's life under a name of its own: the first call for it makes it.
func (s *Session) Kept(name string, make func() any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[string]any{}
	}
	v, there := s.kept[name]
	if !there {
		v = make()
		s.kept[name] = v
	}
	return v
}
