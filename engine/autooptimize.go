package engine

import (
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/estimate"
	"millrace/txn"
	"millrace/types"
)

const (
	autoFiles = 50        // so many small files of a partition are compacted after a write, unless spark.databricks.delta.autoCompact.minNumFiles says otherwise
	binBytes  = 512 << 20 // what one task of an optimised write is given
)

// compactedPartitions remembers of which partitions this process has compacted the files after a write: the first time it does so as soon as there are two.
type compactedPartitions struct {
	mu    sync.Mutex
	known map[string]bool
}

const compactedKept = 100_000

func (c *compactedPartitions) first(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.known[key]
}

func (c *compactedPartitions) note(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= compactedKept {
		c.known = map[string]bool{}
	}
	c.known[key] = true
}

// asked is what a session's setting says, or else one of the table's properties.
func (st *statement) asked(m *delta.Metadata, setting string, properties ...string) bool {
	if v := st.s.Conf.Get(setting); v != "" {
		return strings.EqualFold(v, "true")
	}
	return slices.ContainsFunc(properties, func(p string) bool { return strings.EqualFold(m.Configuration[p], "true") })
}

// autoCompact compacts small files of the partitions to which a commit has added some, where the table or the session asks for it. The commit stands whatever
// becomes of this.
func (st *statement) autoCompact(r txn.Request) {
	touched := map[string]bool{}
	for i := range r.Actions {
		if a := r.Actions[i].Add; a != nil && a.DataChange {
			touched[partitionKey(a)] = true
		}
	}
	if len(touched) == 0 {
		return
	}
	if err := st.compactPartitions(r.Table, touched); err != nil && !errs.Is(err, errs.Conflict) {
		slog.Warn("compact files after a write", "table", r.Table, "error", err)
	}
}

func (st *statement) compactPartitions(table string, touched map[string]bool) error {
	l, err := st.e.o.Logs.Table(table)
	if err != nil {
		return err
	}
	snap, err := l.Snapshot(st.ctx)
	if err != nil || !st.asked(snap.Metadata, "spark.databricks.delta.autoCompact.enabled", "delta.autoOptimize.autoCompact", "delta.autoOptimize") {
		return err
	}
	largest := bytesConf(st.s.Conf, "spark.databricks.delta.autoCompact.maxFileSize", autoBytes)
	small := bytesConf(st.s.Conf, "spark.databricks.delta.autoCompact.minFileSize", largest/2)
	enough := int(bytesConf(st.s.Conf, "spark.databricks.delta.autoCompact.minNumFiles", autoFiles))
	counts, example := map[string]int{}, map[string]*delta.Add{}
	for a := range snap.All() {
		if key := partitionKey(a); a.Size < small && touched[key] {
			counts[key]++
			example[key] = a
		}
	}
	o := &compaction{st: st, log: l, snap: snap, auto: true, target: largest, small: small}
	chosen := map[string]bool{}
	var predicates []string
	for key, n := range counts {
		if n >= enough || n > 1 && st.e.compacted.first(table+key) {
			chosen[key] = true
			predicates = append(predicates, partitionPredicate(snap, example[key]))
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	if slices.Sort(predicates); predicates[0] != "" {
		o.where = strings.Join(predicates, " OR ")
		if len(predicates) > 1 {
			o.where = "(" + o.where + ")"
		}
	}
	if err := o.compact(func(a *delta.Add) (bool, error) { return chosen[partitionKey(a)], nil }); err != nil {
		return err
	}
	for key := range chosen {
		st.e.compacted.note(table + key)
	}
	return nil
}

// partitionPredicate is a file's partition as the history of such a compaction shows it.
func partitionPredicate(s *delta.Snapshot, a *delta.Add) string {
	var parts []string
	for _, name := range s.PartitionColumns() {
		f, _ := s.Schema().Field(name, false)
		text := "null"
		if v := a.PartitionValues[delta.PhysicalName(f)]; v != nil {
			text = *v
		}
		parts = append(parts, "('"+name+" <=> cast("+text+" as "+strings.ToLower(f.Type.SQL())+"))")
	}
	if len(parts) > 1 {
		return "(" + strings.Join(parts, " AND ") + ")"
	}
	return strings.Join(parts, "")
}

// optimizedWrite brings the rows of a write together so that it makes few files, where the writer, the session or the table asks for it: the rows of a
// partition to one task, those of a table without partitions to as many as their size needs.
func (st *statement) optimizedWrite(options map[string]string, m *delta.Metadata, input plan.Node) plan.Node {
	wanted := st.asked(m, "spark.databricks.delta.optimizeWrite.enabled", "delta.autoOptimize.optimizeWrite", "delta.autoOptimize")
	if _, given := option(options, "optimizeWrite"); given {
		wanted = isTrue(options, "optimizeWrite")
	}
	if !wanted {
		return input
	}
	out := input.(plan.Resolved).Output()
	together := &plan.Repartition{Input: input, Shuffle: true}
	for _, name := range m.PartitionColumns {
		if k := find(out, name); k >= 0 {
			together.Exprs = append(together.Exprs, out[k])
		}
	}
	if len(together.Exprs) > 0 {
		return together
	}
	width := 0.0
	for _, a := range out {
		width += typicalBytes(a.T)
	}
	bin := bytesConf(st.s.Conf, "spark.databricks.delta.optimizeWrite.binSize", binBytes)
	together.N = int(min(math.Ceil(estimate.New().Of(input).Rows*width/float64(max(bin, 1))), float64(st.e.o.Runner.Slots())))
	together.N = max(together.N, 1)
	return together
}

// typicalBytes is about what a value takes in a file.
func typicalBytes(t *types.Type) float64 {
	switch t.Kind {
	case types.KindBoolean, types.KindByte, types.KindShort, types.KindInteger, types.KindFloat, types.KindDate:
		return 4
	case types.KindLong, types.KindDouble, types.KindTimestamp, types.KindTimestampNTZ, types.KindDecimal:
		return 8
	}
	return 20
}
