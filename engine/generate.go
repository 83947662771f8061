package engine

import (
	"sort"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/session"
	"millrace/storage"
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
	if snap.MappingMode() != "none" {
		return nil, errs.Unsupportedf("GENERATE symlink_format_manifest is not supported for tables with column mapping.")
	}
	manifests := map[string][]string{}
	for a := range snap.All() {
		if a.DeletionVector != nil {
			return nil, errs.New("DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS")
		}
		var dirs []string
		for _, c := range snap.PartitionColumns() {
			dirs = append(dirs, delta.PartitionDir(c, a.PartitionValues[c]))
		}
		dir := strings.Join(dirs, "/")
		manifests[dir] = append(manifests[dir], storage.Join(l.URL(), storage.Unescape(a.Path)))
	}
	const root = "_symlink_format_manifest"
	for info, err := range l.Store().List(st.ctx, root+"/", "") { // partitions that are gone
		if err != nil {
			return nil, err
		}
		dir := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(info.Name, root), "manifest"), "/")
		if manifests[dir] == nil {
			if err := l.Store().Delete(st.ctx, info.Name); err != nil {
				return nil, err
			}
		}
	}
	for dir, files := range manifests {
		sort.Strings(files)
		target := root + "/manifest"
		if dir != "" {
			target = root + "/" + dir + "/manifest"
		}
		if err := l.Store().Put(st.ctx, target, []byte(strings.Join(files, "\n")+"\n")); err != nil {
			return nil, err
		}
	}
	return emptyResult(), nil
}
