package engine

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/session"
	"millrace/txn"
	"millrace/types"
)

// removable are the features that DROP FEATURE can take from a table, and what has to be undone before.
var removable = map[string]func(*alteration) (rewrite bool, err error){
	"checkConstraints":            noConstraints,
	"deletionVectors":             noVectors,
	"typeWidening":                noWidening,
	"typeWidening-preview":        noWidening,
	"columnMapping":               noMapping,
	"v2Checkpoint":                unset("delta.checkpointPolicy"),
	"inCommitTimestamp":           unset("delta.enableInCommitTimestamps", "delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp"),
	"rowTracking":                 unset("delta.enableRowTracking", delta.RowIDColumn, delta.RowCommitColumn),
	"vacuumProtocolCheck":         unset(),
	"domainMetadata":              unset(),
	"checkpointProtection":        unset(protectedBefore),
	"materializePartitionColumns": unset("delta.enableMaterializePartitionColumnsFeature"),
}

// dependents are the features that cannot be without another.
var dependents = map[string][]string{"domainMetadata": {"rowTracking", "clustering"}, "columnMapping": {"icebergCompatV1", "icebergCompatV2", "icebergCompatV3"},
	"inCommitTimestamp": {"catalogManaged"}, "vacuumProtocolCheck": {"catalogManaged"}}

// traces tells the actions that only readers of a feature understand. Those of features that are not here leave none.
var traces = map[string]func(*delta.Action) bool{
	"deletionVectors": func(a *delta.Action) bool {
		return a.Add != nil && a.Add.DeletionVector != nil || a.Remove != nil && a.Remove.DeletionVector != nil || sets(a, "delta.enableDeletionVectors", "true")
	},
	"columnMapping": func(a *delta.Action) bool {
		return a.Metadata != nil && a.Metadata.Configuration["delta.columnMapping.mode"] != "" && !sets(a, "delta.columnMapping.mode", "none")
	},
	"v2Checkpoint": func(a *delta.Action) bool {
		return a.CheckpointMetadata != nil || a.Sidecar != nil || sets(a, "delta.checkpointPolicy", "v2")
	},
	"typeWidening":         widened,
	"typeWidening-preview": widened,
}

func sets(a *delta.Action, key, value string) bool {
	return a.Metadata != nil && strings.EqualFold(a.Metadata.Configuration[key], value)
}

func widened(a *delta.Action) bool {
	return a.Metadata != nil && strings.Contains(a.Metadata.SchemaString, "delta.typeChanges")
}

const (
	protection       = "checkpointProtection"
	protectedBefore  = "delta.requireCheckpointProtectionBeforeVersion"
	truncationKey    = "delta.dropFeatureTruncateHistory.retentionDuration"
	barriers         = 3 // checkpoints, before which no reader goes back when it cannot read one
	truncateAfter    = 24 * time.Hour
	keptHistory      = 30 * 24 * time.Hour
	logRetentionName = "delta.logRetentionDuration"
)

// dropFeature is ALTER TABLE … DROP FEATURE. The traces of the feature in the newest version go first. Old versions keep theirs: of a feature that readers need
// to know, checkpoints stand between them and the newest version, which the feature checkpointProtection keeps in place; or, with TRUNCATE HISTORY, the
// feature goes only when no version with traces can be read any more.
func (st *statement) dropFeature(name []string, feature string, truncate bool) (session.Result, error) {
	a, err := st.alteration(name)
	if err != nil {
		return nil, err
	}
	if err := droppable(a.before.Protocol, feature, truncate); err != nil {
		return nil, err
	}
	if feature == protection {
		if err := a.unprotected(); err != nil {
			return nil, err
		}
	}
	next, err := a.undo(feature, removable[feature], name)
	if err != nil {
		return nil, err
	}
	switch {
	case !delta.ForReaders(feature):
		return emptyResult(), next.withoutFeature(feature, truncate)
	case truncate:
		return emptyResult(), next.truncated(feature, next.before.Version > a.before.Version, name)
	}
	for range barriers {
		if err := st.emptyCommit(next.log); err != nil {
			return nil, err
		}
	}
	if next, err = st.alteration(name); err != nil {
		return nil, err
	}
	return emptyResult(), next.withoutFeature(feature, false)
}

// droppable refuses what is no feature of the table, or cannot go.
func droppable(p *delta.Protocol, feature string, truncate bool) error {
	known, ok := delta.FeatureName(feature)
	_, can := removable[known]
	there := p.Supports(feature)
	switch {
	case !there && delta.IsProperty(feature):
		return errs.New("DELTA_FEATURE_DROP_FEATURE_IS_DELTA_PROPERTY", "property", feature)
	case !ok || known == "catalogManaged":
		return errs.New("DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE", "feature", feature)
	case !there:
		return errs.New("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", "feature", feature)
	case !can:
		return errs.New("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", "feature", feature)
	case truncate && !delta.ForReaders(known) && known != protection:
		return errs.New("DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED")
	case !truncate && known == protection:
		return errs.New("DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION")
	}
	if above := slices.DeleteFunc(slices.Clone(dependents[known]), func(d string) bool { return !p.Supports(d) }); len(above) > 0 {
		return errs.New("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", "feature", known, "dependentFeatures", strings.Join(above, ", "))
	}
	return nil
}

// undo takes the traces of a feature out of the newest version, by a commit of its own where there are any.
func (a *alteration) undo(feature string, undo func(*alteration) (bool, error), name []string) (*alteration, error) {
	schema, configuration := a.schema, len(a.m.Configuration)
	rewrite, err := undo(a)
	if err != nil {
		return nil, err
	}
	if rewrite {
		if err := a.rewriteAll(func(f *delta.Add) bool { return feature != "deletionVectors" || f.DeletionVector != nil }); err != nil {
			return nil, err
		}
	} else if configuration == len(a.m.Configuration) && len(a.actions) == 0 && schema == a.schema {
		return a, nil
	} else {
		a.m.SchemaString = a.schema.JSON()
		a.info = delta.Info("UNSET TBLPROPERTIES", delta.Param{Name: "properties", Value: "[]"}, delta.Param{Name: "ifExists", Value: true})
		if err := a.put(append([]delta.Action{{Metadata: a.m}}, a.actions...)); err != nil {
			return nil, err
		}
	}
	return a.st.alteration(name)
}

// emptyCommit makes a version without changes and a checkpoint of it, at which a reader that does not know a feature can begin.
func (st *statement) emptyCommit(l *log.Table) error {
	snap, err := l.Snapshot(st.ctx)
	if err != nil {
		return err
	}
	if _, err := st.commitMaintenance(snap, nil, delta.Info("Empty Commit")); err != nil {
		return err
	}
	return st.checkpointNow(l)
}

func (st *statement) checkpointNow(l *log.Table) error {
	snap, err := l.Snapshot(st.ctx)
	if err != nil {
		return err
	}
	return txn.WriteCheckpoint(st.ctx, l.Store(), snap, st.e.o.Now())
}

// truncated drops a feature whose traces are gone from all versions that can be read, after those that may go have gone.
func (a *alteration) truncated(feature string, changed bool, name []string) error {
	if err := a.st.emptyCommit(a.log); err != nil {
		return err
	}
	wait := []string{"feature", feature, "logRetentionPeriodKey", logRetentionName, "logRetentionPeriod", shownSpan(a.m, logRetentionName, keptHistory),
		"truncateHistoryLogRetentionPeriod", shownSpan(a.m, truncationKey, truncateAfter)}
	if changed {
		return errs.New("DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD", wait...)
	}
	next, err := a.st.alteration(name)
	if err != nil {
		return err
	}
	if err := next.truncate(); err != nil {
		return err
	}
	found, err := next.log.Holds(a.st.ctx, next.before.Version, traces[feature])
	if err != nil {
		return err
	}
	if found {
		return errs.New("DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST", wait...)
	}
	return next.withoutFeature(feature, true)
}

// truncate deletes the log of versions that TRUNCATE HISTORY need not keep.
func (a *alteration) truncate() error {
	cutoff := a.st.e.o.Now().Add(-a.m.Duration(truncationKey, truncateAfter)).Truncate(time.Minute)
	_, err := txn.CleanLogBefore(a.st.ctx, a.log.Store(), a.before, cutoff)
	return err
}

// unprotected sees to it that no version is left that checkpoints protect.
func (a *alteration) unprotected() error {
	until := a.before.IntProperty(protectedBefore, 0)
	if until == 0 {
		return nil
	}
	gone, err := a.log.BeginsAt(a.st.ctx, until)
	if gone || err != nil {
		return err
	}
	if err := a.st.emptyCommit(a.log); err != nil {
		return err
	}
	if err := a.truncate(); err != nil {
		return err
	}
	if gone, err = a.log.BeginsAt(a.st.ctx, until); err == nil && !gone {
		err = errs.New("DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD", "truncateHistoryLogRetentionPeriod", shownSpan(a.m, truncationKey, truncateAfter))
	}
	if err != nil {
		return err
	}
	a.before, err = a.log.Snapshot(a.st.ctx)
	return err
}

// shownSpan is a property that is a time span as Spark shows intervals.
func shownSpan(m *delta.Metadata, key string, fallback time.Duration) string {
	d := m.Duration(key, fallback)
	var parts []string
	if days := d / (24 * time.Hour); days > 0 && key != truncationKey {
		parts, d = append(parts, itoa(int64(days))+" days"), d%(24*time.Hour)
	}
	if hours := d / time.Hour; hours > 0 {
		parts, d = append(parts, itoa(int64(hours))+" hours"), d%time.Hour
	}
	if minutes := d / time.Minute; minutes > 0 {
		parts, d = append(parts, itoa(int64(minutes))+" minutes"), d%time.Minute
	}
	if d > 0 || len(parts) == 0 {
		parts = append(parts, strconv.FormatFloat(d.Seconds(), 'f', -1, 64)+" seconds")
	}
	return strings.Join(parts, " ")
}

// withoutFeature commits the protocol without a feature.
func (a *alteration) withoutFeature(feature string, truncated bool) error {
	p := a.before.Protocol.Without(feature)
	guarded := delta.ForReaders(feature) && !truncated
	if guarded {
		p = p.WithFeatures(protection)
		a.m.Configuration[protectedBefore] = itoa(a.before.Version + 1)
	}
	if left, err := a.traced(feature); left || err != nil {
		if err == nil { // another writer has used it again
			err = errs.New("DELTA_METADATA_CHANGED", "tableName", a.tableName(), "conflictingCommit", "", "docLink", "")
		}
		return err
	}
	a.info = delta.Info("DROP FEATURE", delta.Param{Name: "featureName", Value: feature}, delta.Param{Name: "truncateHistory", Value: truncated})
	a.reads = true // files that others have added since may need the feature
	if err := a.put([]delta.Action{{Metadata: a.m}, {Protocol: p}}); err != nil || !guarded {
		return err
	}
	return a.st.checkpointNow(a.log)
}

// traced reports whether the newest version has something that only those who know a feature understand, or that would be undone for it to go.
func (a *alteration) traced(feature string) (bool, error) {
	if is := traces[feature]; is != nil {
		if is(&delta.Action{Metadata: a.before.Metadata}) {
			return true, nil
		}
		for f := range a.before.All() {
			if is(&delta.Action{Add: f}) {
				return true, nil
			}
		}
		return false, nil
	}
	probe := *a
	probe.m = a.before.Metadata.Clone()
	_, err := removable[feature](&probe)
	return len(probe.m.Configuration) != len(a.before.Metadata.Configuration), err
}

func unset(keys ...string) func(*alteration) (bool, error) {
	return func(a *alteration) (bool, error) {
		for _, k := range keys {
			delete(a.m.Configuration, k)
		}
		return false, nil
	}
}

func noConstraints(a *alteration) (bool, error) {
	var names []string
	for key := range a.m.Configuration {
		if name, ok := strings.CutPrefix(key, constraintKey); ok {
			names = append(names, types.Quote(name))
		}
	}
	if len(names) == 0 {
		return false, nil
	}
	sort.Strings(names)
	return false, errs.New("DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE", "constraints", strings.Join(names, ", "))
}

func noVectors(a *alteration) (bool, error) {
	delete(a.m.Configuration, "delta.enableDeletionVectors")
	for f := range a.before.All() {
		if f.DeletionVector != nil {
			return true, nil
		}
	}
	return false, nil
}

func noWidening(a *alteration) (bool, error) {
	delete(a.m.Configuration, "delta.enableTypeWidening")
	changed := false
	delta.WalkFields(a.schema, func(f types.Field) { changed = changed || delta.FieldMetadata(f, "delta.typeChanges") != nil })
	a.schema = delta.WithoutTypeChanges(a.schema)
	return changed, nil
}

func noMapping(a *alteration) (bool, error) {
	if err := delta.CheckColumnNames(a.schema, "none"); err != nil {
		return false, err
	}
	a.m.Configuration["delta.columnMapping.mode"] = "none"
	delete(a.m.Configuration, "delta.columnMapping.maxColumnId")
	renamed := false
	delta.WalkFields(a.schema, func(f types.Field) { renamed = renamed || delta.PhysicalName(f) != f.Name })
	a.schema = delta.WithoutMapping(a.schema)
	return renamed || a.before.NumFiles() > 0, nil
}
