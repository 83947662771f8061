package state

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"millrace/errs"
	"millrace/storage"
)

// Spec names a partition of an operator's state and the version to read.
type Spec struct {
	Location              string // the checkpoint's directory of states
	Query, Run            string
	Operator, Partition   int
	Partitions            int
	Version               int64
	Input                 string // identifies the batch's input; empty: not checked
	Key, Value            string // the types of keys and values; a version of other types is refused
	SnapshotEvery, Retain int    // versions; 0: 10 and 100
}

// Options are a provider's parts. Zero fields take the defaults.
type Options struct {
	// CacheBytes is the memory for blocks and for what was written last; default 32 MiB.
	CacheBytes int64
	// Open opens a location; default storage.Open.
	Open func(location string) (storage.Store, error)
	Log  *slog.Logger
	// FS holds the copies; default the disk.
	FS vfs.FS
	// Idle is how long a partition that nobody asks for is kept; default an hour.
	Idle time.Duration
}

// Provider keeps a worker's copies of states. Safe for concurrent use.
type Provider struct {
	o          Options
	dir        string
	db         *pebble.DB
	background sync.WaitGroup
	ctx        context.Context // ends with the provider
	cancel     context.CancelFunc

	mu     sync.Mutex
	parts  map[place]*partition
	stores map[string]storage.Store
	last   uint64 // prefix given out
}

// place is where a partition's state is, whatever query it belongs to.
type place struct {
	location            string
	operator, partition int
}

// partition is a copy of one partition's state. Its fields belong to who holds lock.
type partition struct {
	place place
	lock  chan struct{} // of one; a send takes it
	used  time.Time     // under Provider.mu

	query, run string
	loaded     bool
	prefix     []byte // of its keys in the database
	at         version
	snapshot   int64 // the latest version that was written whole
	saving     bool  // under Provider.mu: a snapshot is being written
}

// version is what is known of a version besides its keys and values.
type version struct {
	number      int64
	chain       chain
	rows, bytes int64
}

// NewProvider makes a provider whose copies lie in dir, which is emptied.
func NewProvider(dir string, o Options) (*Provider, error) {
	if o.CacheBytes == 0 {
		o.CacheBytes = 32 << 20
	}
	if o.Open == nil {
		o.Open = storage.Open
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Idle == 0 {
		o.Idle = time.Hour
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if err := o.FS.RemoveAll(dir); err != nil {
		return nil, errs.Wrap(err, "empty the directory of states")
	}
	db, err := openDB(dir, o)
	if err != nil {
		return nil, errs.Wrap(err, "open the directory of states")
	}
	p := &Provider{o: o, dir: dir, db: db, parts: map[place]*partition{}, stores: map[string]storage.Store{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

func openDB(dir string, o Options) (*pebble.DB, error) {
	cache := pebble.NewCache(o.CacheBytes / 2)
	defer cache.Unref()
	return pebble.Open(dir, &pebble.Options{
		Cache:                       cache,
		FS:                          o.FS,
		DisableWAL:                  true, // a copy is worth nothing after a crash
		MemTableSize:                uint64(max(o.CacheBytes/4, 1<<20)),
		MemTableStopWritesThreshold: 4,
		Logger:                      quiet{o.Log},
	})
}

// quiet sends the database's messages to the log where they are errors.
type quiet struct{ log *slog.Logger }

func (quiet) Infof(string, ...any) {}
func (q quiet) Errorf(format string, args ...any) {
	q.log.Error("state database", "format", format, "args", args)
}
func (q quiet) Fatalf(format string, args ...any) {
	panic(errs.Newf(errs.Internal, "the state database cannot go on: "+format, args...))
}

// Close ends the provider when nobody uses a Txn or View of it any more.
func (p *Provider) Close() error {
	p.cancel()
	p.background.Wait()
	err := p.db.Close()
	return errors.Join(err, p.o.FS.RemoveAll(p.dir))
}

// store opens a location once.
func (p *Provider) store(location string) (storage.Store, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.stores[location]; s != nil {
		return s, nil
	}
	s, err := p.o.Open(location)
	if err != nil {
		return nil, err
	}
	p.stores[location] = s
	return s, nil
}

// freshPrefix is one that no key has begun with.
func (p *Provider) freshPrefix() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	return binary.BigEndian.AppendUint64(nil, p.last)
}

// acquire takes a partition for the caller alone.
func (p *Provider) acquire(ctx context.Context, at place) (*partition, error) {
	p.mu.Lock()
	part := p.parts[at]
	if part == nil {
		part = &partition{place: at, lock: make(chan struct{}, 1)}
		p.parts[at] = part
	}
	now := time.Now()
	part.used = now
	p.sweep(now)
	p.mu.Unlock()
	select {
	case part.lock <- struct{}{}:
		return part, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// release gives a partition back.
func (part *partition) release() { <-part.lock }

// sweep forgets partitions that nobody has asked for lately. The caller holds mu.
func (p *Provider) sweep(now time.Time) {
	for at, part := range p.parts {
		if now.Sub(part.used) < p.o.Idle || part.saving {
			continue
		}
		select {
		case part.lock <- struct{}{}:
			if part.loaded {
				p.drop(part)
			}
			delete(p.parts, at)
			part.release()
		default: // it is in use
		}
	}
}

// drop removes a copy's keys. Views of it keep what they see.
func (p *Provider) drop(part *partition) {
	part.loaded = false
	if part.prefix == nil {
		return
	}
	if err := p.db.DeleteRange(part.prefix, after(part.prefix), pebble.NoSync); err != nil {
		p.o.Log.Error("remove a state's copy", "location", part.place.location, "error", err)
	}
	part.prefix = nil
}

// after is the least key above all that begin with a prefix.
func after(prefix []byte) []byte {
	return binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(prefix)+1)
}
