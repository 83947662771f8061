package table

import (
	"cmp"
	"path"
	"slices"
	"strings"

	planpb "millrace/proto/millrace/plan/v1"
)

const (
	maxSplitBytes = 128 << 20 // as spark.sql.files.maxPartitionBytes
	openCost      = 4 << 20   // a file's opening, in bytes that could have been read meanwhile
	minSplitBytes = 4 << 20   // smaller parts of a file are not worth a task
)

// Splits bins files into at most max lists of about equal cost, cutting large files into ranges first. The lists keep the
// files' order as far as they can, so that a task's files are neighbours. There are no empty lists.
func Splits(files []*planpb.FileSplit, max int) [][]*planpb.FileSplit {
	if max < 1 {
		max = 1
	}
	pieces := cut(files, pieceBytes(files, max))
	if len(pieces) == 0 {
		return nil
	}
	// Longest first into the least loaded bin: at most a third over the best.
	order := make([]int, len(pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(cost(pieces[b]), cost(pieces[a])) })
	bins := make([][]int, min(max, len(pieces)))
	load := make([]int64, len(bins))
	for _, i := range order {
		least := 0
		for b := range load {
			if load[b] < load[least] {
				least = b
			}
		}
		bins[least] = append(bins[least], i)
		load[least] += cost(pieces[i])
	}
	lists := make([][]*planpb.FileSplit, len(bins))
	for b, bin := range bins {
		slices.Sort(bin)
		for _, i := range bin {
			lists[b] = append(lists[b], pieces[i])
		}
	}
	slices.SortStableFunc(lists, func(a, b []*planpb.FileSplit) int { return compareSplits(a[0], b[0]) })
	return lists
}

func compareSplits(a, b *planpb.FileSplit) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Start, b.Start))
}

func cost(s *planpb.FileSplit) int64 { return s.Length + openCost }

// pieceBytes is the largest part of a file that one split should be: small enough for all tasks to have work.
func pieceBytes(files []*planpb.FileSplit, tasks int) int64 {
	var total int64
	for _, f := range files {
		total += cost(f)
	}
	return min(maxSplitBytes, max(minSplitBytes, total/int64(tasks)))
}

func cut(files []*planpb.FileSplit, size int64) []*planpb.FileSplit {
	var pieces []*planpb.FileSplit
	for _, f := range files {
		n := (f.Length + size/2) / size // parts between half and one and a half of the wanted size
		if n <= 1 || !splittable(f.Path) {
			pieces = append(pieces, f)
			continue
		}
		start, end := f.Start, f.Start+f.Length
		step := (f.Length + n - 1) / n
		for at := start; at < end; at += step {
			// A copy field by field: the message itself must not be copied.
			pieces = append(pieces, &planpb.FileSplit{Path: f.Path, Size: f.Size, Start: at, Length: min(step, end-at), BaseRowId: f.BaseRowId, Tracked: f.Tracked, RowVersion: f.RowVersion,
				PartitionValues: f.PartitionValues, DeletionVector: f.DeletionVector, ModifiedMs: f.ModifiedMs})
		}
	}
	return pieces
}

// splittable reports whether reading may start in the middle of a file of that name.
func splittable(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".gz", ".gzip", ".bz2", ".zst", ".zstd", ".lz4", ".snappy", ".deflate":
		return false
	}
	return true
}
