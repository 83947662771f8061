package shuffle

import (
	"time"

	"millrace/operators"
	"millrace/vector"
)

const (
	// batchBytes is how large a batch of an exchange should be.
	batchBytes = 1 << 20
	// scatterBytes bounds what a task holds back in all of its partitions' builders.
	scatterBytes = 64 << 20
	// batchRows bounds a batch of narrow rows.
	batchRows = 1 << 17
	// lingering is how long a queued output holds rows back at most, while batches keep coming.
	lingering = 100 * time.Millisecond
)

// Sink pulls all batches of an opened operator and writes them to w; it calls neither Close nor Finish. It ends early when
// nobody wants any partition any more.
func Sink(ctx *operators.Ctx, op operators.Operator, p *Partitioner, w Writer) error {
	s := &sink{ctx: ctx, w: w, p: p, builders: make([]*vector.Builder, p.Partitions())}
	s.flushBytes = int64(max(64<<10, min(batchBytes, scatterBytes/len(s.builders))))
	for i := range s.builders {
		s.builders[i] = vector.NewBuilder(op.Output())
	}
	last := time.Now()
	_, streaming := w.(*queuedOutput) // nobody waits for rows of a file
	for {
		b, err := op.Next()
		if err != nil {
			return err
		}
		if b == nil {
			return s.flushAll()
		}
		s.cur = b
		if err := p.Split(&ctx.Ctx, b, s.put); err != nil {
			return err
		}
		if s.unwanted() {
			return nil
		}
		if now := time.Now(); streaming && now.Sub(last) > lingering {
			last = now
			if err := s.flushAll(); err != nil {
				return err
			}
		}
	}
}

type sink struct {
	ctx        *operators.Ctx
	w          Writer
	p          *Partitioner
	builders   []*vector.Builder
	flushBytes int64
	cur        *vector.Batch
}

func (s *sink) put(partition int, rows []uint32) error {
	b := s.builders[partition]
	b.Append(s.cur, rows)
	if b.Size() >= s.flushBytes || b.Len() >= batchRows {
		return s.flush(partition)
	}
	return nil
}

func (s *sink) flush(partition int) error {
	b := s.builders[partition].Take()
	if b == nil {
		return nil
	}
	return s.w.Write(partition, b)
}

func (s *sink) flushAll() error {
	for p := range s.builders {
		if err := s.flush(p); err != nil {
			return err
		}
	}
	return nil
}

// unwanted reports whether no partition has a reader left. It looks at the first wanted one only.
func (s *sink) unwanted() bool {
	for p := range s.builders {
		if s.w.Wanted(p) {
			return false
		}
	}
	return true
}
