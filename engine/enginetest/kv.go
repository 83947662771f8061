package enginetest

import (
	"bytes"
	"context"
	"strings"
	"sync"

	"millrace/engine"
)

// KV is a catalog's store in memory.
type KV struct {
	mu    sync.Mutex
	pairs map[string][]byte
	Fail  func(op, key string) error // what fails; nil: nothing
}

var _ engine.KV = (*KV)(nil)

// NewKV is an empty store.
func NewKV() *KV { return &KV{pairs: map[string][]byte{}} }

func (k *KV) failure(op, key string) error {
	if k.Fail == nil {
		return nil
	}
	return k.Fail(op, key)
}

func (k *KV) Get(_ context.Context, key string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.pairs[key], nil
}

func (k *KV) List(_ context.Context, prefix string) (map[string][]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := map[string][]byte{}
	for key, v := range k.pairs {
		if strings.HasPrefix(key, prefix) {
			out[key] = v
		}
	}
	return out, nil
}

func (k *KV) Create(_ context.Context, key string, value []byte) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pairs[key] != nil {
		return false, nil
	}
	k.pairs[key] = value
	return true, nil
}

func (k *KV) Put(_ context.Context, key string, value []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.failure("put", key); err != nil {
		return err
	}
	k.pairs[key] = value
	return nil
}

func (k *KV) Delete(_ context.Context, key string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.failure("delete", key); err != nil {
		return err
	}
	delete(k.pairs, key)
	return nil
}

func (k *KV) Change(_ context.Context, when, then map[string][]byte) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key := range then {
		if err := k.failure("change", key); err != nil {
			return false, err
		}
	}
	for key, value := range when {
		if now, there := k.pairs[key]; there != (value != nil) || !bytes.Equal(now, value) {
			return false, nil
		}
	}
	for key, value := range then {
		if value == nil {
			delete(k.pairs, key)
		} else {
			k.pairs[key] = value
		}
	}
	return true, nil
}
