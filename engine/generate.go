package engine

import (
	"sort"
	"strings"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/session"
	"millrace/storage"
	"millrace/txn"
)

// generate is GENERATE symlink_format_manifest FOR TABLE: lists of the table's files, one for each partition, for readers that know no log.
func (st *statement) generate(mode string, name []string, path string) (session.Result, error) {
	if !strings.EqualFold(mode, "symlink_format_manifest") {
		return nil, errs.New("DELTA_UNSUPPORTED_GENERATE_MODE", "mode", mode, "supportedModes", "symlink_format_manifest")
	}
	l, _, err := st.deltaTarget("GENERATE", name, path)
	if err != nil {
		return nil, err
	}
	snap, err := l.Snapshot(st.ctx)
	if err != nil {
		return nil, err
	}
	return emptyResult(), st.writeManifests(l, snap, nil)
}

const (
	manifestRoot = "_symlink_format_manifest"
	manifestKey  = "delta.compatibility.symlinkFormatManifest.enabled"
)

// writeManifests brings the lists of the table's files up to date; touched (nil: all) are the partitions, as in PartitionDir's, of which they are to be.
func (st *statement) writeManifests(l *log.Table, snap *delta.Snapshot, touched map[string]bool) error {
	if snap.MappingMode() != "none" {
		return errs.Unsupportedf("GENERATE symlink_format_manifest is not supported for tables with column mapping.")
	}
	manifests := map[string][]string{}
	for a := range snap.All() {
		if a.DeletionVector != nil {
			return errs.New("DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS")
		}
		if dir := partitionDirs(snap, a.PartitionValues); touched == nil || touched[dir] {
			manifests[dir] = append(manifests[dir], storage.Join(l.URL(), storage.Unescape(a.Path)))
		}
	}
	for info, err := range l.Store().List(st.ctx, manifestRoot+"/", "") { // partitions that are gone
		if err != nil {
			return err
		}
		dir := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(info.Name, manifestRoot), "manifest"), "/")
		if manifests[dir] == nil && (touched == nil || touched[dir]) {
			if err := l.Store().Delete(st.ctx, info.Name); err != nil {
				return err
			}
		}
	}
	if len(manifests) == 0 && len(snap.PartitionColumns()) == 0 {
		manifests[""] = nil // a list of no files
	}
	for dir, files := range manifests {
		sort.Strings(files)
		target := manifestRoot + "/manifest"
		if dir != "" {
			target = manifestRoot + "/" + dir + "/manifest"
		}
		if err := l.Store().Put(st.ctx, target, []byte(strings.Join(append(files, ""), "\n"))); err != nil {
			return err
		}
	}
	return nil
}

func partitionDirs(snap *delta.Snapshot, values delta.PartitionValues) string {
	var dirs []string
	for _, c := range snap.PartitionColumns() {
		dirs = append(dirs, delta.PartitionDir(c, values[c]))
	}
	return strings.Join(dirs, "/")
}

// keepManifests brings the lists of files up to date after a commit, where the table asks for that.
func (st *statement) keepManifests(r txn.Request) error {
	l, err := st.e.o.Logs.Table(r.Table)
	if err != nil {
		return err
	}
	snap, err := l.Snapshot(st.ctx)
	if err != nil || !snap.BoolProperty(manifestKey) {
		return err
	}
	touched := map[string]bool{}
	for i := range r.Actions {
		switch a := &r.Actions[i]; {
		case a.Add != nil:
			touched[partitionDirs(snap, a.Add.PartitionValues)] = true
		case a.Remove != nil && a.Remove.PartitionValues == nil && len(snap.PartitionColumns()) > 0, a.Metadata != nil:
			touched = nil
		case a.Remove != nil:
			touched[partitionDirs(snap, a.Remove.PartitionValues)] = true
		}
		if touched == nil {
			break
		}
	}
	if touched != nil && len(touched) == 0 {
		return nil
	}
	for {
		if err := st.writeManifests(l, snap, touched); err != nil {
			return errs.New("DELTA_POST_COMMIT_HOOK_FAILED", "version", itoa(snap.Version), "name", "Generate Symlink Format Manifest", "message", ": "+err.Error())
		}
		now, err := l.Snapshot(st.ctx)
		if err != nil || now.Version == snap.Version {
			return err
		}
		snap = now // another writer's lists may have been there already, and gone under these
	}
}

// committed is what follows a commit whose outcome is known.
func (st *statement) committed(r txn.Request) error {
	st.autoCompact(r)
	return st.keepManifests(r)
}
