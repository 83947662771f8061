// Package session is one user's state between requests: configuration, temporary views, cached data that clients
// uploaded, running operations. It turns commands that concern only that state into small relations, renders what
// clients show as text, and hands everything else to an Engine.
//
//	m := session.NewManager(session.Options{Engine: engine, IdleTimeout: time.Hour})
//	s, err := m.Get(session.Key{User: "ann", ID: id}, "")
//	result, err := s.Run(ctx, node)
//
// The package knows nothing of wire protocols, planning or workers.
package session
