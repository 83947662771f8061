package txn

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/google/uuid"

	"millrace/delta"
	"millrace/delta/checkpoint"
	"millrace/errs"
	"millrace/storage"
)

const tombstoneRetention = 7 * 24 * time.Hour

// WriteCheckpoint writes a snapshot's checkpoint, in the form that the table asks for, and then the hint that names it. Tombstones and applications'
// records beyond the table's retentions are dropped. What it costs depends on the table's files and not on the versions before.
func WriteCheckpoint(ctx context.Context, store storage.Store, s *delta.Snapshot, now time.Time) error {
	oldest := now.Add(-Retention(s, "delta.deletedFileRetentionDuration", tombstoneRetention)).UnixMilli()
	if key := "delta.setTransactionRetentionDuration"; s.Property(key, "") != "" {
		s = s.WithoutTxnsBefore(now.Add(-Retention(s, key, 0)).UnixMilli())
	}
	write := classicCheckpoint
	if s.Property("delta.checkpointPolicy", "classic") == "v2" && s.Protocol.Supports("v2Checkpoint") {
		write = checkpointV2
	}
	info, err := write(ctx, store, s, oldest)
	if err != nil {
		return err
	}
	hint, err := json.Marshal(info)
	if err != nil {
		return errs.Wrap(err, "encode _last_checkpoint")
	}
	return store.Put(ctx, delta.LogDir+"/_last_checkpoint", hint)
}

func classicCheckpoint(ctx context.Context, store storage.Store, s *delta.Snapshot, oldest int64) (checkpoint.Info, error) {
	return createFile(ctx, store, delta.CheckpointName(s.Version), func(w io.Writer) (checkpoint.Info, error) {
		return checkpoint.Write(w, s, oldest)
	})
}

// checkpointV2 writes the files into a sidecar and the rest into a file that names it.
func checkpointV2(ctx context.Context, store storage.Store, s *delta.Snapshot, oldest int64) (checkpoint.Info, error) {
	part := delta.Sidecar{Path: uuid.NewString() + ".parquet"}
	side, err := createFile(ctx, store, delta.SidecarDir+"/"+part.Path, func(w io.Writer) (checkpoint.Info, error) {
		return checkpoint.WriteSidecar(w, s, oldest)
	})
	if err != nil {
		return side, err
	}
	stat, err := store.Stat(ctx, delta.LogDir+"/"+delta.SidecarDir+"/"+part.Path)
	if err != nil {
		return side, err
	}
	part.SizeInBytes, part.ModificationTime = stat.Size, stat.Modified.UnixMilli()
	top, err := createFile(ctx, store, delta.CheckpointNameV2(s.Version, uuid.NewString()), func(w io.Writer) (checkpoint.Info, error) {
		return checkpoint.WriteV2(w, s, []delta.Sidecar{part})
	})
	top.Size += side.Size
	top.SizeInBytes += side.SizeInBytes
	top.NumOfAddFiles = side.NumOfAddFiles
	return top, err
}

func createFile(ctx context.Context, store storage.Store, name string, write func(io.Writer) (checkpoint.Info, error)) (checkpoint.Info, error) {
	w, err := store.Create(ctx, delta.LogDir+"/"+name)
	if err != nil {
		return checkpoint.Info{}, err
	}
	defer w.Abort()
	info, err := write(w)
	if err == nil {
		err = w.Close()
	}
	return info, err
}

// Retention is a table property of the form "interval 7 days".
func Retention(s *delta.Snapshot, key string, fallback time.Duration) time.Duration {
	return s.Metadata.Duration(key, fallback)
}
