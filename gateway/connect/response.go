package connect

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
)

// responseLog is what an operation has answered and its client has not released. One goroutine appends, one reader at
// a time reads; a new reader ends the one before. Unread responses are bounded in memory: append waits. What has been
// read but not released goes to a file when it is too much, since the client may attach again and ask for it.
type responseLog struct {
	operation string
	keep      bool // the client may attach again; else responses are dropped once read
	limit     int64
	dir       string

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	entries  []entry
	base     int // index of entries[0]
	read     int // the index that the reader has not had yet
	memory   int64
	spilled  *os.File
	end      int64 // of the file
	done     bool
	err      error
	reader   int
	detached time.Time // zero while a reader is attached
}

type entry struct {
	response *pb.ExecutePlanResponse // nil: in the file
	size     int64
	offset   int64
}

func newResponseLog(operation string, keep bool, limit int64, dir string) *responseLog {
	return &responseLog{operation: operation, keep: keep, limit: limit, dir: dir, changed: make(chan struct{}), detached: time.Now()}
}

func (l *responseLog) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// responseID makes a UUID-like id that tells a response's place, so that a place can be asked for after its release.
func (l *responseLog) responseID(i int) string { return l.operation[:24] + fmt.Sprintf("%012x", i+1) }

// after is the index of the response that follows the one with an id; an empty id gives the first.
func (l *responseLog) after(id string) (int, error) {
	if id == "" {
		return 0, nil
	}
	if len(id) == 36 && id[:24] == l.operation[:24] {
		n, err := strconv.ParseInt(id[24:], 16, 32)
		l.mu.Lock()
		defer l.mu.Unlock()
		if err == nil && n > 0 && int(n) <= l.base+len(l.entries) {
			return int(n), nil
		}
	}
	return 0, errs.New("INVALID_CURSOR.POSITION_NOT_FOUND", "responseId", id)
}

// append adds a response. It waits while too much is unread.
func (l *responseLog) append(ctx context.Context, r *pb.ExecutePlanResponse) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.ResponseId = l.responseID(l.base + len(l.entries))
	size := int64(proto.Size(r))
	for l.memory > 0 && l.memory+size > l.limit {
		if spilled, err := l.spill(); err != nil {
			return err
		} else if spilled {
			continue
		}
		wait := l.changed
		l.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
	}
	l.entries = append(l.entries, entry{response: r, size: size})
	l.memory += size
	l.notify()
	return nil
}

// spill writes the oldest response that was read to the file and reports whether there was one.
func (l *responseLog) spill() (bool, error) {
	for i := range l.entries[:max(0, min(l.read-l.base, len(l.entries)))] {
		e := &l.entries[i]
		if e.response == nil {
			continue
		}
		if l.spilled == nil {
			if err := os.MkdirAll(l.dir, 0o700); err != nil {
				return false, errs.Wrap(err, "spill responses")
			}
			f, err := os.CreateTemp(l.dir, "responses-*")
			if err != nil {
				return false, errs.Wrap(err, "spill responses")
			}
			os.Remove(f.Name()) // the file lives as long as it is open
			l.spilled = f
		}
		data, err := proto.Marshal(e.response)
		if err != nil {
			return false, errs.Wrap(err, "spill responses")
		}
		if _, err := l.spilled.WriteAt(data, l.end); err != nil {
			return false, errs.Wrap(err, "spill responses")
		}
		e.response, e.offset = nil, l.end
		l.memory -= e.size
		e.size = int64(len(data))
		l.end += e.size
		return true, nil
	}
	return false, nil
}

// finished reports whether nothing follows.
func (l *responseLog) finished() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done
}

// finish says that nothing follows but err, which may be nil.
func (l *responseLog) finish(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done {
		l.done, l.err = true, err
		l.notify()
	}
}

// attach makes the caller the reader.
func (l *responseLog) attach() (reader int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reader++
	l.detached = time.Time{}
	l.notify()
	return l.reader
}

func (l *responseLog) detach(reader int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reader == reader {
		l.detached = time.Now()
	}
}

func (l *responseLog) detachedSince() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.detached, !l.detached.IsZero()
}

// get waits for response i. It gives io.EOF after the last one, or the operation's error.
func (l *responseLog) get(ctx context.Context, reader, i int) (*pb.ExecutePlanResponse, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.reader != reader:
			return nil, errs.New("INVALID_CURSOR.DISCONNECTED")
		case i < l.base:
			return nil, errs.New("INVALID_CURSOR.POSITION_NOT_AVAILABLE", "index", itoa(i), "responseId", l.responseID(i))
		case i < l.base+len(l.entries):
			return l.take(i)
		case l.done && l.err != nil:
			return nil, l.err
		case l.done:
			return nil, io.EOF
		}
		wait := l.changed
		l.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

func (l *responseLog) take(i int) (*pb.ExecutePlanResponse, error) {
	e := &l.entries[i-l.base]
	r := e.response
	if r == nil {
		data := make([]byte, e.size)
		if _, err := l.spilled.ReadAt(data, e.offset); err != nil {
			return nil, errs.Wrap(err, "read spilled responses")
		}
		r = &pb.ExecutePlanResponse{}
		if err := proto.Unmarshal(data, r); err != nil {
			return nil, errs.Wrap(err, "read spilled responses")
		}
	}
	l.read = max(l.read, i+1)
	if !l.keep {
		l.drop(i + 1)
	}
	l.notify() // a waiting append may go on: what was read can be spilled
	return r, nil
}

// release forgets the responses up to and with the one of an id.
func (l *responseLog) release(id string) error {
	i, err := l.after(id)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(i)
	l.notify()
	return nil
}

func (l *responseLog) drop(until int) {
	for l.base < until && len(l.entries) > 0 {
		if l.entries[0].response != nil {
			l.memory -= l.entries[0].size
		}
		l.entries[0] = entry{}
		l.entries = l.entries[1:]
		l.base++
	}
}

// close forgets everything.
func (l *responseLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(l.base + len(l.entries))
	if l.spilled != nil {
		l.spilled.Close() // the file is temporary
		l.spilled = nil
	}
	l.notify()
}
