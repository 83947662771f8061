package shuffle

import (
	"context"
	"sync"

	"millrace/operators"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// parallelReads is how many outputs a Source reads at once, and how many batches wait for its consumer.
const parallelReads = 8

// Location is where a task's output lies.
type Location struct {
	Address string
	Output  Ref
}

// Inputs are the outputs of a stage, and what of them a task reads.
type Inputs struct {
	Client    *Client
	Locations []Location
	Partition int
	More      int  // so many partitions behind it are read too, of outputs in files
	Wait      bool // outputs may still have to be created
	Types     []*types.Type
}

// Cut leaves what a slice of a task's says is to be read of a stage's outputs, which are in the order of its tasks.
func (in *Inputs) Cut(s *planpb.Slice, stage uint32) {
	in.Partition, in.More = int(s.From), int(s.To-s.From)-1
	if s.Last > 0 && s.Stage == stage {
		in.Locations = in.Locations[s.First:s.Last]
	}
}

// open begins to read one of the outputs.
func (in *Inputs) open(ctx context.Context, i int) (Reader, error) {
	l := in.Locations[i]
	return in.Client.openRange(ctx, l.Address, l.Output, in.Partition, in.More, in.Wait, in.Types)
}

// Source reads a partition of all outputs of a stage, in no order.
type Source struct {
	in     Inputs
	ctx    context.Context
	cancel context.CancelFunc
	out    chan *vector.Batch
	group  sync.WaitGroup

	mu  sync.Mutex
	err error
}

var _ operators.Operator = (*Source)(nil)

// NewSource makes the operator.
func NewSource(in Inputs) *Source { return &Source{in: in} }

// Output is the columns' types.
func (s *Source) Output() []*types.Type { return s.in.Types }

// Lasting implements operators.Lasting.
func (s *Source) Lasting() bool { return true }

// Open starts to read.
func (s *Source) Open(ctx *operators.Ctx) error {
	s.ctx, s.cancel = context.WithCancel(ctx)
	n := min(parallelReads, len(s.in.Locations))
	s.out = make(chan *vector.Batch, n)
	next := make(chan int, len(s.in.Locations))
	for i := range s.in.Locations {
		next <- i
	}
	close(next)
	for range n {
		s.group.Add(1)
		go s.read(next)
	}
	go func() {
		s.group.Wait()
		close(s.out)
	}()
	return nil
}

// read reads outputs until none is left.
func (s *Source) read(next <-chan int) {
	defer s.group.Done()
	for i := range next {
		if err := s.readOne(i); err != nil {
			s.fail(err)
			return
		}
	}
}

func (s *Source) readOne(i int) error {
	r, err := s.in.open(s.ctx, i)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		b, err := r.Next()
		if b == nil || err != nil {
			return err
		}
		select {
		case s.out <- b:
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
}

// fail keeps the first error and stops the others.
func (s *Source) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.cancel()
}

// Next returns batches as they come.
func (s *Source) Next() (*vector.Batch, error) {
	b, ok := <-s.out
	if ok {
		return b, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return nil, s.err
}

// Close stops the readers and waits for them.
func (s *Source) Close() error {
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	for range s.out {
	}
	return nil
}

// Single reads one output of Inputs; a merge takes one for each.
type Single struct {
	in     Inputs
	i      int
	cancel context.CancelFunc
	r      Reader
}

var _ operators.Operator = (*Single)(nil)

// Singles makes one operator for each output, to be merged.
func Singles(in Inputs) []operators.Operator {
	list := make([]operators.Operator, len(in.Locations))
	for i := range list {
		list[i] = &Single{in: in, i: i}
	}
	return list
}

// Output is the columns' types.
func (s *Single) Output() []*types.Type { return s.in.Types }

// Open starts to read.
func (s *Single) Open(ctx *operators.Ctx) error {
	sub, cancel := context.WithCancel(ctx)
	s.cancel = cancel
	var err error
	s.r, err = s.in.open(sub, s.i)
	return err
}

// Next returns the output's batches in order.
func (s *Single) Next() (*vector.Batch, error) { return s.r.Next() }

// Close stops reading.
func (s *Single) Close() error {
	if s.r != nil {
		s.r.Close()
	}
	if s.cancel != nil {
		s.cancel()
	}
	return nil
}
