package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// document is a named piece of what a page shows.
type document struct {
	name, id string
	data     []byte // JSON
	at       int    // the board's count when it was posted
}

// board holds the newest of each document. Readers wait for newer ones; they may miss some, but never the last.
type board struct {
	mu      sync.Mutex
	docs    []document
	count   int
	changed chan struct{} // closed at the next change
}

func newBoard() *board { return &board{changed: make(chan struct{})} }

// post replaces a document; nothing happens when it is as it was.
func (b *board) post(name, id string, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.docs, func(d document) bool { return d.name == name })
	if i >= 0 && b.docs[i].id == id && bytes.Equal(b.docs[i].data, data) {
		return
	}
	if i < 0 {
		i = len(b.docs)
		b.docs = append(b.docs, document{})
	}
	b.count++
	b.docs[i] = document{name, id, data, b.count}
	close(b.changed)
	b.changed = make(chan struct{})
}

// since gives the documents that are newer than a count, the count now, and what to wait for.
func (b *board) since(count int) (fresh []document, now int, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.docs {
		if d.at > count {
			fresh = append(fresh, d)
		}
	}
	return fresh, b.count, b.changed
}

// feeds are the boards that somebody looks at, each with one goroutine that fills it.
type feeds struct {
	mu      sync.Mutex
	running map[string]*feed
	group   sync.WaitGroup
}

type feed struct {
	*board
	viewers int
	stop    context.CancelFunc
}

// join gives the board of a name, and starts to fill it when it is the first viewer's. The filling stops when all have left.
func (f *feeds) join(ctx context.Context, name string, fill func(ctx context.Context, b *board)) (b *board, leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.running[name]
	if x == nil {
		ctx, stop := context.WithCancel(ctx)
		x = &feed{board: newBoard(), stop: stop}
		f.running[name] = x
		f.group.Go(func() { fill(ctx, x.board) })
	}
	x.viewers++
	return x.board, sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if x.viewers--; x.viewers == 0 {
			x.stop()
			delete(f.running, name)
		}
	})
}

const (
	pingEvery = 4 * time.Second        // so that a browser knows that the connection lives
	sendEvery = 100 * time.Millisecond // at most
)

// serveFeed streams a feed as server-sent events: at once all documents, then each that changes.
func (s *Server) serveFeed(w http.ResponseWriter, r *http.Request, name string, fill func(ctx context.Context, b *board)) {
	b, leave := s.feeds.join(s.ctx, name, fill)
	defer leave()
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	fmt.Fprint(w, "retry: 1000\n\n")
	for seen := 0; ; {
		docs, now, changed := b.since(seen)
		seen = now
		for _, d := range docs {
			if d.id != "" {
				fmt.Fprintf(w, "id: %s\n", d.id)
			}
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", d.name, d.data)
		}
		if out.Flush() != nil || !pause(r.Context(), sendEvery) {
			return
		}
		for waiting := true; waiting; {
			select {
			case <-changed:
				waiting = false
			case <-ping.C:
				fmt.Fprint(w, "event: ping\ndata: {}\n\n")
				if out.Flush() != nil {
					return
				}
			case <-r.Context().Done():
				return
			case <-s.ctx.Done():
				return
			}
		}
	}
}

// pause sleeps, and is false when the context ends before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
