package engine

import (
	"sort"
	"strconv"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/session"
	"millrace/txn"
	"millrace/types"
)

// removable are the features that DROP FEATURE can take from a table, and what has to be undone before.
var removable = map[string]func(*alteration) (rewrite bool, err error){
	"checkConstraints":     noConstraints,
	"deletionVectors":      noVectors,
	"typeWidening":         noWidening,
	"typeWidening-preview": noWidening,
	"columnMapping":        noMapping,
	"v2Checkpoint":         unset("delta.checkpointPolicy"),
	"inCommitTimestamp":    unset("delta.enableInCommitTimestamps", "delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp"),
	"rowTracking":          unset("delta.enableRowTracking", delta.RowIDColumn, delta.RowCommitColumn),
	"vacuumProtocolCheck":  unset(),
	"changeDataFeed":       unset("delta.enableChangeDataFeed"),
	"allowColumnDefaults":  noDefaults,
	"domainMetadata":       unset(),
	"clustering":           noClustering,
	"checkpointProtection": unset("delta.requireCheckpointProtectionBeforeVersion"),
}

// dependents are the features that cannot be without another.
var dependents = map[string][]string{"domainMetadata": {"rowTracking", "clustering"}, "columnMapping": {"icebergCompatV1", "icebergCompatV2", "icebergCompatV3"},
	"inCommitTimestamp": {"catalogManaged"}, "vacuumProtocolCheck": {"catalogManaged"}}

// dropFeature is ALTER TABLE … DROP FEATURE. The traces of the feature in the newest version go first. Old versions keep theirs: of a feature
// that readers need to know, a checkpoint stands between them and the newest version, which the feature checkpointProtection keeps in place.
func (st *statement) dropFeature(name []string, feature string, truncate bool) (session.Result, error) {
	a, err := st.alteration(name)
	if err != nil {
		return nil, err
	}
	known, ok := delta.FeatureName(feature)
	undo, can := removable[known]
	switch {
	case !ok:
		return nil, errs.New("DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE", "feature", feature)
	case !can:
		return nil, errs.New("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", "feature", known)
	case !a.before.Protocol.Supports(known):
		return nil, errs.New("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", "feature", known)
	case truncate && !delta.ForReaders(known) && known != "checkpointProtection":
		return nil, errs.New("DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED")
	}
	for _, d := range dependents[known] {
		if a.before.Protocol.Supports(d) {
			return nil, errs.New("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", "feature", known, "dependentFeatures", d)
		}
	}
	if truncate {
		return nil, errs.Unsupportedf("DROP FEATURE … TRUNCATE HISTORY is not supported yet; DROP FEATURE without it drops the feature at once.")
	}
	if a, err = a.undo(known, undo, name); err != nil {
		return nil, err
	}
	return emptyResult(), a.withoutFeature(known)
}

// undo takes the traces of a feature out of the newest version, by a commit of its own where there are any.
func (a *alteration) undo(feature string, undo func(*alteration) (bool, error), name []string) (*alteration, error) {
	schema, configuration := a.schema, len(a.m.Configuration)
	rewrite, err := undo(a)
	if err != nil {
		return nil, err
	}
	if rewrite {
		if err := a.rewriteAll(); err != nil {
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
	next, err := a.st.alteration(name)
	if err != nil || feature == "v2Checkpoint" || !delta.ForReaders(feature) {
		return next, err
	}
	// A reader that does not know the feature begins at this checkpoint.
	return next, txn.WriteCheckpoint(a.st.ctx, next.log.Store(), next.before, a.st.e.o.Now())
}

// withoutFeature commits the protocol without a feature.
func (a *alteration) withoutFeature(feature string) error {
	p := a.before.Protocol.Without(feature)
	if delta.ForReaders(feature) {
		p = p.WithFeatures("checkpointProtection")
		a.m.Configuration["delta.requireCheckpointProtectionBeforeVersion"] = strconv.FormatInt(a.before.Version+1, 10)
	}
	a.info = delta.Info("DROP FEATURE", delta.Param{Name: "featureName", Value: feature}, delta.Param{Name: "truncateHistory", Value: false})
	a.reads = true // files that others have added since may need the feature
	if err := a.put([]delta.Action{{Metadata: a.m}, {Protocol: p}}); err != nil {
		return err
	}
	after, err := a.log.Snapshot(a.st.ctx)
	if err != nil {
		return err
	}
	return txn.WriteCheckpoint(a.st.ctx, a.log.Store(), after, a.st.e.o.Now())
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

func noDefaults(a *alteration) (bool, error) {
	a.schema = delta.WithoutDefaults(a.schema)
	return false, nil
}

func noClustering(a *alteration) (bool, error) {
	if a.before.ClusteringPaths() == nil {
		return false, nil
	}
	a.actions = append(a.actions, delta.Action{Domain: &delta.DomainMetadata{Domain: delta.ClusteringDomain, Configuration: "{}", Removed: true}})
	return false, nil
}
