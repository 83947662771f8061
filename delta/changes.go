package delta

import "millrace/errs"

// Changed is rows of one file that a commit changed: all in the file but those that Without names and, where Only is set, none that it does not name.
type Changed struct {
	Path            string
	Size            int64
	Modified        int64
	PartitionValues PartitionValues
	Kind            string // insert or delete; empty: the file's column _change_type says it
	Stats           string
	Without         *DeletionVector
	Paired          bool            // the file was removed and added again
	Only            *DeletionVector // where Paired
}

// Changes are the changes of rows in a commit as its change data feed tells them: by files of images where it has any, else by the files that it
// added and removed.
func Changes(actions []Action) ([]Changed, error) {
	var images []Changed
	removed := map[string]*Remove{}
	added := map[string]bool{}
	for i := range actions {
		switch a := &actions[i]; {
		case a.CDC != nil:
			images = append(images, Changed{Path: a.CDC.Path, Size: a.CDC.Size, PartitionValues: a.CDC.PartitionValues})
		case a.Remove != nil && a.Remove.DataChange:
			removed[canonicalPath(a.Remove.Path)] = a.Remove
		case a.Add != nil && a.Add.DataChange:
			added[canonicalPath(a.Add.Path)] = true
		}
	}
	if len(images) > 0 {
		return images, nil
	}
	var out []Changed
	for i := range actions {
		switch a := &actions[i]; {
		case a.Remove != nil && a.Remove.DataChange && !added[canonicalPath(a.Remove.Path)]:
			r := a.Remove
			if !r.ExtendedFileMetadata && r.Size == 0 {
				return nil, errs.New("DELTA_REMOVE_FILE_CDC_MISSING_EXTENDED_METADATA", "file", r.Path)
			}
			out = append(out, Changed{Path: r.Path, Size: r.Size, Kind: "delete", Stats: r.Stats, PartitionValues: r.PartitionValues, Without: r.DeletionVector})
		case a.Add != nil && a.Add.DataChange:
			c := Changed{Path: a.Add.Path, Size: a.Add.Size, Modified: a.Add.ModificationTime, Stats: a.Add.Stats, PartitionValues: a.Add.PartitionValues}
			gone, back := c, c
			gone.Kind, back.Kind, back.Without = "delete", "insert", a.Add.DeletionVector
			if r := removed[canonicalPath(a.Add.Path)]; r != nil {
				gone.Paired, gone.Without, gone.Only = true, r.DeletionVector, a.Add.DeletionVector
				back.Paired, back.Only = true, r.DeletionVector
				out = append(out, gone)
			}
			out = append(out, back)
		}
	}
	return out, nil
}
