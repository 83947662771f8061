package engine

import (
	"slices"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

// buckets say how a table's files are divided: rows go to Count of them by the hash of the columns By, and lie there in the order of the columns Sort.
type buckets struct {
	Count int      `json:"count"`
	By    []string `json:"by"`
	Sort  []string `json:"sort,omitempty"`
}

// maxBuckets is Spark's spark.sql.sources.bucketing.maxBuckets.
const maxBuckets = 100000

// checked refuses buckets of columns that a table does not have, and writes their names as the table does.
func (b *buckets) checked(e *Entry, schema *types.Type, partitionBy []string) (*buckets, error) {
	if b == nil {
		return nil, nil
	}
	if b.Count <= 0 || b.Count > maxBuckets {
		return nil, errs.New("INVALID_BUCKET_COUNT", "bucketingMaxBuckets", strconv.Itoa(maxBuckets), "numBuckets", strconv.Itoa(b.Count))
	}
	out := &buckets{Count: b.Count}
	for i, list := range [][]string{b.By, b.Sort} {
		for _, name := range list {
			f, at := schema.Field(name, false)
			switch {
			case at < 0:
				return nil, errs.New("COLUMN_NOT_DEFINED_IN_TABLE", "colType", "bucket", "colName", types.Quote(name), "tableName", (target{entry: e}).name(), "tableCols", quotedList(schema.Names()))
			case slices.ContainsFunc(partitionBy, func(p string) bool { return strings.EqualFold(p, name) }):
				return nil, errs.New("_LEGACY_ERROR_TEMP_1166", "bucketCol", name, "normalizedPartCols", strings.Join(partitionBy, ", "))
			case f.Type.Kind == types.KindString && f.Type.Collation != "":
				return nil, errs.New("INVALID_BUCKET_COLUMN_DATA_TYPE", "type", `"`+f.Type.SQL()+`"`)
			}
			if i == 0 {
				out.By = append(out.By, f.Name)
			} else {
				out.Sort = append(out.Sort, f.Name)
			}
		}
	}
	return out, nil
}

// into has a sink divide its rows, whose columns are the table's, and puts them into the order that the buckets want.
func (b *buckets) into(sink *planpb.FileSink, schema *types.Type, input plan.Node) plan.Node {
	if b == nil {
		return input
	}
	sink.Buckets = uint32(b.Count)
	for _, name := range b.By {
		_, i := schema.Field(name, false)
		sink.BucketColumns = append(sink.BucketColumns, uint32(i))
	}
	if len(b.Sort) == 0 {
		return input
	}
	out := input.(plan.Resolved).Output()
	sorted := &plan.Sort{Input: input, Local: true}
	for _, name := range b.Sort {
		_, i := schema.Field(name, false)
		sorted.Keys = append(sorted.Keys, &plan.SortOrder{Child: out[i]})
	}
	return sorted
}

// bucketDetails are the lines about a table's buckets of DESCRIBE EXTENDED.
func bucketDetails(e *Entry) [][2]string {
	b := e.Buckets
	if b == nil {
		return nil
	}
	return [][2]string{{"Num Buckets", strconv.Itoa(b.Count)}, {"Bucket Columns", "[" + strings.Join(quoted(b.By), ", ") + "]"},
		{"Sort Columns", "[" + strings.Join(quoted(b.Sort), ", ") + "]"}}
}

func bucketJSON(e *Entry) object {
	b := e.Buckets
	if b == nil {
		return nil
	}
	return object{{"num_buckets", b.Count}, {"bucket_columns", b.By}, {"sort_columns", append([]string{}, b.Sort...)}}
}

// ddl is how CREATE TABLE declares buckets.
func (b *buckets) ddl() string {
	if b == nil {
		return ""
	}
	text := "CLUSTERED BY (" + strings.Join(quotedIfNeeded(b.By), ", ") + ")\n"
	if len(b.Sort) > 0 {
		text += "SORTED BY (" + strings.Join(quotedIfNeeded(b.Sort), ", ") + ")\n"
	}
	return text + "INTO " + strconv.Itoa(b.Count) + " BUCKETS\n"
}
