package log

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"millrace/delta"
	"millrace/delta/checkpoint"
	"millrace/errs"
)

// replay reads a segment. A checkpoint that cannot be read is left out for an older one, if there is any.
func (t *Table) replay(ctx context.Context, seg delta.Segment, wanted int64) (*delta.Snapshot, error) {
	s, broken, err := t.replaySegment(ctx, seg)
	if err == nil || broken == nil || ctx.Err() != nil {
		return s, err
	}
	files, err2 := t.list(ctx, -1)
	if err2 != nil {
		return nil, err
	}
	for i := range files { // what is no checkpoint cannot be chosen again
		if files[i].Kind == delta.CheckpointFile && files[i].Version >= seg.CheckpointVersion {
			files[i].Kind = delta.ChecksumFile
		}
	}
	older, err2 := delta.SelectSegment(t.URL(), files, wanted)
	if err2 != nil {
		return nil, err
	}
	if s, _, err2 = t.replaySegment(ctx, older); err2 != nil {
		return nil, err
	}
	return s, nil
}

// replaySegment reads a segment; broken is set when it is the checkpoint that failed.
func (t *Table) replaySegment(ctx context.Context, seg delta.Segment) (s *delta.Snapshot, broken, err error) {
	r := delta.NewReplay(t.URL())
	at := int64(0)
	if len(seg.Checkpoint) > 0 {
		at = seg.Checkpoint[0].Modified.UnixMilli()
		if err := t.readCheckpoint(ctx, seg.Checkpoint, r.Apply, r.Files); err != nil {
			return nil, err, err
		}
		r.Settle()
	}
	batches, err := t.readCommits(ctx, seg.Commits)
	if err != nil {
		return nil, nil, err
	}
	var last []delta.Action // of the version's own commit
	for i, f := range seg.Commits {
		for j := range batches[i] {
			r.Apply(&batches[i][j])
		}
		last, at = batches[i], f.Modified.UnixMilli()
	}
	if n := len(seg.Commits); n == 0 || seg.Commits[n-1].Kind == delta.CompactedFile {
		last, at = t.ownCommit(ctx, seg.Version, at)
	}
	if s, err = r.Finish(seg.Version, at); err == nil {
		stamp(s, last)
	}
	return s, nil, err
}

// ownCommit is a version's commit and when it was written, where a checkpoint or a compaction has been read in its place and
// the commit is still there.
func (t *Table) ownCommit(ctx context.Context, version, fallback int64) ([]delta.Action, int64) {
	info, err := t.store.Stat(ctx, delta.CommitPath(version))
	if err != nil {
		return nil, fallback
	}
	actions, err := t.Commit(ctx, version)
	if err != nil {
		return nil, fallback
	}
	return actions, info.Modified.UnixMilli()
}

// readCheckpoint yields the actions of a checkpoint's files and of the sidecars that they name.
func (t *Table) readCheckpoint(ctx context.Context, files []delta.LogFile, yield func(*delta.Action), adds func([]*delta.Add)) error {
	var sidecars []string
	for _, f := range files {
		err := t.readPart(ctx, delta.LogDir+"/"+f.Name, func(a *delta.Action) {
			if a.Sidecar != nil {
				sidecars = append(sidecars, a.Sidecar.Path)
				return
			}
			yield(a)
		}, adds)
		if err != nil {
			return err
		}
	}
	for _, path := range sidecars {
		if i := strings.LastIndexByte(path, '/'); i >= 0 {
			path = path[i+1:]
		}
		if err := t.readPart(ctx, delta.LogDir+"/_sidecars/"+path, yield, adds); err != nil {
			return err
		}
	}
	return nil
}

const wholeFile = 64 << 20 // up to this size a checkpoint is read in one request

func (t *Table) readPart(ctx context.Context, name string, yield func(*delta.Action), adds func([]*delta.Add)) error {
	err := t.readPart1(ctx, name, yield, adds)
	if err == nil || ctx.Err() != nil || errs.Is(err, errs.NotFound) {
		return err
	}
	return delta.Corrupt(t.URL()+"/"+name, err.Error())
}

func (t *Table) readPart1(ctx context.Context, name string, yield func(*delta.Action), adds func([]*delta.Add)) error {
	if strings.HasSuffix(name, ".json") {
		data, err := t.store.Get(ctx, name)
		if err != nil {
			return err
		}
		actions, err := delta.ParseCommit(name, data)
		for i := range actions {
			yield(&actions[i])
		}
		return err
	}
	f, err := t.store.Open(ctx, name)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.ReaderAt = f
	if f.Size() <= wholeFile {
		data := make([]byte, f.Size())
		if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		r = bytes.NewReader(data)
	}
	return checkpoint.ReadFiles(r, f.Size(), yield, adds)
}
