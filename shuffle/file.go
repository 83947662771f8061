package shuffle

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"millrace/errs"
	"millrace/vector"
)

// filedOutput is one file. Frames of all partitions lie in it in the order of writing; extents are where a partition's lie.
// Nobody reads before it is finished.
type filedOutput struct {
	counts
	spec   Spec
	path   string
	framer framer

	mu       sync.Mutex
	file     *os.File
	w        *bufio.Writer
	end      int64
	parts    []filePart
	finished bool
	released bool
}

type filePart struct {
	extents []extent
	enc     *encoder
}

type extent struct{ at, length int64 }

func newFiled(spec Spec, path string) (*filedOutput, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, errs.Newf(errs.Exhausted, "write a task's output: %v", err)
	}
	o := &filedOutput{spec: spec, path: path, file: f, w: bufio.NewWriterSize(f, 256<<10), parts: make([]filePart, spec.Partitions)}
	o.stats.Partitions = make([]int64, spec.Partitions)
	return o, nil
}

func (o *filedOutput) Wanted(int) bool { return true }

func (o *filedOutput) Write(partition int, b *vector.Batch) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.released {
		return errReleased
	}
	p := &o.parts[partition]
	if p.enc == nil {
		p.enc = newEncoder(o.spec.Types)
	}
	msgs, err := p.enc.encode(b)
	if err != nil {
		return err
	}
	frame, err := o.framer.frame(msgs)
	if err != nil {
		return err
	}
	if _, err := o.w.Write(frame); err != nil {
		return errs.Newf(errs.Exhausted, "write %s: %v", o.path, err)
	}
	n := int64(len(frame))
	o.count(partition, b, n)
	if k := len(p.extents); k > 0 && p.extents[k-1].at+p.extents[k-1].length == o.end {
		p.extents[k-1].length += n
	} else {
		p.extents = append(p.extents, extent{o.end, n})
	}
	o.end += n
	return nil
}

func (o *filedOutput) Finish() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.released {
		return errReleased
	}
	if err := o.w.Flush(); err != nil {
		return errs.Newf(errs.Exhausted, "write %s: %v", o.path, err)
	}
	o.w, o.finished = nil, true
	for i := range o.parts {
		o.parts[i].enc = nil
	}
	o.framer = framer{}
	return nil
}

func (o *filedOutput) Abort() { o.release() }

func (o *filedOutput) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.released {
		return
	}
	o.released = true
	o.file.Close()
	os.Remove(o.path)
}

func (o *filedOutput) open(ctx context.Context, partition, more int) (Reader, error) {
	r, err := o.frames(partition, more)
	if err != nil {
		return nil, err
	}
	return &fileReader{ctx: ctx, dec: newDecoder(o.spec.Types, r.next)}, nil
}

// frames begins to read the messages of a partition and of so many behind it, one after the other: each begins with a schema, so that they are one stream.
func (o *filedOutput) frames(partition, more int) (*frameReader, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.released || !o.finished:
		return nil, errReleased
	case partition+more >= len(o.parts):
		return nil, errs.Newf(errs.Internal, "partition %d, and %d behind it, of an output of %d was asked for", partition, more, len(o.parts))
	}
	var left []extent
	for _, p := range o.parts[partition : partition+1+more] {
		left = append(left, p.extents...)
	}
	return &frameReader{out: o, left: left}, nil
}

// frameReader reads the messages of a partition's frames.
type frameReader struct {
	out  *filedOutput
	left []extent
	cur  *bufio.Reader
	msgs []message
}

// next returns io.EOF at the end.
func (r *frameReader) next() (message, error) {
	for len(r.msgs) == 0 {
		if r.cur == nil {
			if len(r.left) == 0 {
				return message{}, io.EOF
			}
			r.cur = bufio.NewReaderSize(io.NewSectionReader(r.out.file, r.left[0].at, r.left[0].length), 64<<10)
			r.left = r.left[1:]
		}
		msgs, err := readFrame(r.cur)
		switch {
		case err == nil:
			r.msgs = msgs
		case errors.Is(err, io.EOF):
			r.cur = nil
		default:
			return message{}, errs.Newf(errs.Lost, "read %s: %v", r.out.path, err)
		}
	}
	m := r.msgs[0]
	r.msgs = r.msgs[1:]
	return m, nil
}

type fileReader struct {
	ctx context.Context
	dec *decoder
}

func (r *fileReader) Next() (*vector.Batch, error) {
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	return eof(r.dec.decode())
}

func (r *fileReader) Close() {}
