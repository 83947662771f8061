package engine

import (
	"slices"
	"sort"
	"strings"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
)

const (
	maxFileBytes = 1 << 30 // of a compacted file
	autoBytes    = 128 << 20
)

var optimizeSchema = mustSchema("path STRING, metrics STRUCT<numFilesAdded: BIGINT, numFilesRemoved: BIGINT, filesAdded: STRUCT<min: BIGINT, max: BIGINT, avg: DOUBLE, totalFiles: BIGINT, totalSize: BIGINT>, " +
	"filesRemoved: STRUCT<min: BIGINT, max: BIGINT, avg: DOUBLE, totalFiles: BIGINT, totalSize: BIGINT>, partitionsOptimized: BIGINT, " +
	"zOrderStats: STRUCT<strategyName: STRING, inputCubeFiles: STRUCT<num: BIGINT, size: BIGINT>, inputOtherFiles: STRUCT<num: BIGINT, size: BIGINT>, inputNumCubes: BIGINT, mergedFiles: STRUCT<num: BIGINT, size: BIGINT>, numOutputCubes: BIGINT, mergedNumCubes: BIGINT>, " +
	"clusteringStats: STRUCT<inputZCubeFiles: STRUCT<numFiles: BIGINT, size: BIGINT>, inputOtherFiles: STRUCT<numFiles: BIGINT, size: BIGINT>, inputNumZCubes: BIGINT, mergedFiles: STRUCT<numFiles: BIGINT, size: BIGINT>, numOutputZCubes: BIGINT>, " +
	"numBins: BIGINT, numBatches: BIGINT, totalConsideredFiles: BIGINT, totalFilesSkipped: BIGINT, preserveInsertionOrder: BOOLEAN, numFilesSkippedToReduceWriteAmplification: BIGINT, numBytesSkippedToReduceWriteAmplification: BIGINT, " +
	"startTimeMs: BIGINT, endTimeMs: BIGINT, totalClusterParallelism: BIGINT, totalScheduledTasks: BIGINT, " +
	"autoCompactParallelismStats: STRUCT<maxClusterActiveParallelism: BIGINT, minClusterActiveParallelism: BIGINT, maxSessionActiveParallelism: BIGINT, minSessionActiveParallelism: BIGINT>, " +
	"deletionVectorStats: STRUCT<numDeletionVectorsRemoved: BIGINT, numDeletionVectorRowsRemoved: BIGINT>, numTableColumns: BIGINT, numTableColumnsWithStats: BIGINT>")

// compaction is an OPTIMIZE or REORG on its way.
type compaction struct {
	st      *statement
	log     *log.Table
	snap    *delta.Snapshot
	zBy     []string // columns of ZORDER BY
	full    bool     // what is clustered already is clustered anew
	purge   bool     // only files with deletion vectors
	auto    bool     // after a write
	small   int64    // of auto: files below this size are compacted
	target  int64
	where   string
	bins    [][]*delta.Add
	added   []*delta.Add
	removed []*delta.Add

	considered, partitions int
}

// optimize is OPTIMIZE.
func (st *statement) optimizeTable(c *plan.Optimize) (session.Result, error) {
	l, _, err := st.deltaTarget("OPTIMIZE", c.Name, c.Path)
	if err != nil {
		return nil, err
	}
	snap, err := st.newestOf(l)
	if err != nil {
		return nil, err
	}
	o := &compaction{st: st, log: l, snap: snap, zBy: c.ZBy, full: c.Full, purge: c.Purge, target: maxFileBytes}
	if clustered := snap.ClusteringPaths() != nil; clustered && len(c.ZBy) > 0 {
		return nil, errs.New("DELTA_CLUSTERING_WITH_ZORDER_BY", "zOrderBy", strings.Join(c.ZBy, ", "))
	} else if !clustered && c.Full {
		return nil, errs.New("DELTA_OPTIMIZE_FULL_NOT_SUPPORTED")
	} else if clustered && c.Where != nil && !c.Purge {
		return nil, errs.New("DELTA_CLUSTERING_WITH_PARTITION_PREDICATE", "predicates", plan.FormatExpr(c.Where))
	}
	if c.Where != nil {
		o.where = plan.FormatExpr(c.Where)
	}
	return o.run(c.Where)
}

func (o *compaction) run(where plan.Expr) (session.Result, error) {
	start := o.st.e.o.Now().UnixMilli()
	if err := o.snap.Protocol.CheckWrite(o.log.URL(), o.snap.Metadata, o.snap.Schema()); err != nil {
		return nil, err
	}
	if err := o.checkColumns(); err != nil {
		return nil, err
	}
	keep, err := o.st.partitionChooser(o.log, o.snap, where)
	if err != nil {
		return nil, err
	}
	if err := o.compact(keep); err != nil {
		return nil, err
	}
	return o.st.rowsResult(optimizeSchema, [][]any{{o.log.URL(), o.metrics(start)}})
}

func (o *compaction) compact(keep func(*delta.Add) (bool, error)) error {
	if err := o.pack(keep); err != nil {
		return err
	}
	if err := o.rewrite(); err != nil || len(o.removed) == 0 {
		return err
	}
	return o.commit()
}

func (o *compaction) checkColumns() error {
	for _, name := range o.zBy {
		f, _, ok := delta.FindField(o.snap.Schema(), strings.Split(name, "."))
		switch {
		case !ok:
			return errs.New("DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST", "columnName", name)
		case containsName(o.snap.PartitionColumns(), name):
			return errs.New("DELTA_ZORDERING_ON_PARTITION_COLUMN", "colName", name)
		case !delta.HasBounds(f.Type):
			return errs.New("DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS", "cols", "["+name+"]", "zorderColStatKey", "spark.databricks.delta.optimize.zorder.checkStatsCollection.enabled")
		}
	}
	return nil
}

// curved reports whether rows are put in the order of a curve, by columns of the table.
func (o *compaction) curved() (columns []string, curve string) {
	if len(o.zBy) > 0 {
		return o.zBy, "zorder"
	}
	if !o.purge && !o.auto {
		if c := o.snap.ClusteringColumns(); len(c) > 0 {
			return c, "hilbert"
		}
	}
	return nil, ""
}

// maxDeletedRatio is the part of a file's rows beyond which it is worth a rewriting when they are deleted.
const maxDeletedRatio = 0.05

// wanted reports whether a file should be rewritten.
func (o *compaction) wanted(a *delta.Add) bool {
	columns, curve := o.curved()
	switch {
	case o.purge:
		return a.DeletionVector != nil
	case curve == "zorder":
		return true
	case len(columns) > 0:
		return o.full || a.ClusteringProvider != "liquid" || deletedRatio(a) > maxDeletedRatio
	}
	limit := o.target
	if o.auto {
		limit = o.small
	}
	return a.Size < limit || deletedRatio(a) > maxDeletedRatio
}

func deletedRatio(a *delta.Add) float64 {
	if a.DeletionVector == nil {
		return 0
	}
	n, ok := delta.ReadStats(a.Stats).Records()
	if !ok || n == 0 {
		return 1
	}
	return float64(a.DeletionVector.Cardinality) / float64(n)
}

// pack puts the files to be rewritten into bins, each within one partition and not much larger than a file should be.
func (o *compaction) pack(keep func(*delta.Add) (bool, error)) error {
	groups := map[string][]*delta.Add{}
	for a := range o.snap.All() {
		ok, err := keep(a)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		o.considered++
		if o.wanted(a) {
			groups[partitionKey(a)] = append(groups[partitionKey(a)], a)
		}
	}
	columns, _ := o.curved()
	keys := make([]string, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		before := len(o.bins)
		if len(columns) > 0 {
			o.bins = append(o.bins, groups[k])
		} else {
			o.fill(groups[k])
		}
		if len(o.bins) > before {
			o.partitions++
		}
	}
	return nil
}

func (o *compaction) fill(files []*delta.Add) {
	sort.SliceStable(files, func(i, j int) bool { return files[i].Size < files[j].Size })
	var bin []*delta.Add
	size := int64(0)
	flush := func() {
		if len(bin) > 1 || len(bin) == 1 && (o.purge || deletedRatio(bin[0]) > maxDeletedRatio) {
			o.bins = append(o.bins, bin)
		}
		bin, size = nil, 0
	}
	for _, a := range files {
		if size+a.Size > o.target && len(bin) > 0 {
			flush()
		}
		bin, size = append(bin, a), size+a.Size
	}
	flush()
}

func (o *compaction) rewrite() error {
	columns, curve := o.curved()
	for _, bin := range o.bins {
		how := compacted{target: o.target}
		if len(columns) > 0 {
			how.arrange = func(s *plan.Scan) (plan.Node, error) { return o.st.alongCurve(s, columns, curve) }
		}
		adds, err := o.st.rewriteFiles(o.log, o.snap, bin, o.snap.Metadata, how)
		if err != nil {
			return err
		}
		for _, a := range adds {
			if curve == "hilbert" {
				a.ClusteringProvider = "liquid"
			}
		}
		o.added, o.removed = append(o.added, adds...), append(o.removed, bin...)
	}
	return nil
}

func (o *compaction) commit() error {
	now := o.st.settings.NowMicros / 1000
	var actions []delta.Action
	for _, a := range o.added {
		actions = append(actions, delta.Action{Add: a})
	}
	for _, a := range o.removed {
		actions = append(actions, delta.Action{Remove: a.Remove(now, false)})
	}
	predicate := "[]"
	if o.where != "" {
		predicate = jsonText([]string{o.where})
	}
	columns, curve := o.curved()
	zBy, clusterBy := o.zBy, columns
	if curve != "hilbert" {
		clusterBy = nil
	}
	params := []delta.Param{{Name: "predicate", Value: predicate}}
	operation := "OPTIMIZE"
	if o.purge {
		operation = "REORG"
		params = append(params, delta.Param{Name: "applyPurge", Value: true})
	} else {
		params = append(params, delta.Param{Name: "zOrderBy", Value: jsonList(zBy)}, delta.Param{Name: "clusterBy", Value: jsonList(clusterBy)}, delta.Param{Name: "auto", Value: o.auto})
	}
	info := delta.Info(operation, params...)
	info.OperationMetrics = o.commitMetrics()
	_, err := o.st.commitMaintenance(o.snap, actions, info)
	return err
}

func sizes(files []*delta.Add) (list []int64, total int64) {
	for _, a := range files {
		list = append(list, a.Size)
		total += a.Size
	}
	slices.Sort(list)
	return list, total
}

func (o *compaction) vectors() (vectors, rows int64) {
	for _, a := range o.removed {
		if a.DeletionVector != nil {
			vectors++
			rows += a.DeletionVector.Cardinality
		}
	}
	return vectors, rows
}

func (o *compaction) commitMetrics() map[string]string {
	added, addedBytes := sizes(o.added)
	_, removedBytes := sizes(o.removed)
	vectors, _ := o.vectors()
	at := func(part int) int64 {
		if len(added) == 0 {
			return 0
		}
		return added[min(len(added)*part/100, len(added)-1)]
	}
	return delta.Metrics("numRemovedFiles", len(o.removed), "numRemovedBytes", removedBytes, "numDeletionVectorsRemoved", vectors, "numAddedFiles", len(o.added),
		"numAddedBytes", addedBytes, "minFileSize", at(0), "p25FileSize", at(25), "p50FileSize", at(50), "p75FileSize", at(75), "maxFileSize", at(100))
}

// metrics is the struct that OPTIMIZE answers with.
func (o *compaction) metrics(start int64) []any {
	columns, curve := o.curved()
	stats := func(files []*delta.Add) []any {
		list, total := sizes(files)
		if len(list) == 0 {
			return []any{nil, nil, 0.0, int64(0), int64(0)}
		}
		return []any{list[0], list[len(list)-1], float64(total) / float64(len(list)), int64(len(list)), total}
	}
	_, removedBytes := sizes(o.removed)
	pair := func(n int, bytes int64) []any { return []any{int64(n), bytes} }
	var z, clustering, vectorStats any
	switch {
	case curve == "zorder":
		z = []any{"all", pair(0, 0), pair(len(o.removed), removedBytes), int64(0), pair(len(o.removed), removedBytes), int64(len(o.bins)), nil}
	case len(columns) > 0 || o.snap.ClusteringPaths() != nil:
		clustering = []any{pair(0, 0), pair(len(o.removed), removedBytes), int64(0), pair(len(o.removed), removedBytes), int64(len(o.bins))}
	}
	if vectors, rows := o.vectors(); vectors > 0 {
		vectorStats = []any{vectors, rows}
	}
	indexed := len(delta.Leaves(o.snap.Schema()))
	limit := int(o.snap.IntProperty("delta.dataSkippingNumIndexedCols", 32))
	withStats := indexed
	if limit >= 0 {
		withStats = min(indexed, limit)
	}
	return []any{int64(len(o.added)), int64(len(o.removed)), stats(o.added), stats(o.removed), int64(o.partitions), z, clustering, int64(len(o.bins)), int64(1),
		int64(o.considered), int64(o.considered - len(o.removed)), false, int64(0), int64(0), start, int64(0), int64(o.st.e.o.Runner.Slots()), int64(0), nil,
		vectorStats, int64(indexed), int64(withStats)}
}
