// Package source holds the streaming sources: what a streaming query reads span by span. Each turns offsets, which the query keeps in its
// checkpoint, into relations of the rows between them; the same offsets give the same rows, however often and on whichever coordinator.
//
//	s, err := source.OpenDelta(ctx, env, request)
//	end, err := s.Latest(ctx, start, false)
//	rows, n, err := s.Span(ctx, start, end)
//
// It knows nothing of checkpoints, sinks or triggers.
package source
