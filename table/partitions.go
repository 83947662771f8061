package table

import (
	"math/big"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/javatime"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table/internal/scalar"
	"millrace/types"
)

// partitioning is what the directories of a source tell: its partition columns and each file's values.
type partitioning struct {
	fields []types.Field
	values [][]string // per file; nullPartition for null
}

// discover reads name=value directories between the files' roots and the files. ok is false if there are none.
func discover(files []listed, basePath string) (*partitioning, error) {
	p := &partitioning{}
	var names []string
	for i, f := range files {
		n, v := partitionPath(f, basePath)
		switch {
		case i == 0:
			names = n
		case !equalNames(names, n):
			return nil, conflictingNames(files, basePath)
		}
		p.values = append(p.values, v)
	}
	for _, n := range names {
		p.fields = append(p.fields, types.Field{Name: n, Nullable: true})
	}
	return p, nil
}

// partitionPath takes a file's directories apart. Directories that are no partitions end the path from below.
func partitionPath(f listed, basePath string) (names, values []string) {
	dir := f.dir
	if basePath != "" {
		if base, ok := strings.CutPrefix(f.path, strings.TrimRight(basePath, "/")+"/"); ok {
			dir = ""
			if i := strings.LastIndexByte(base, '/'); i >= 0 {
				dir = base[:i]
			}
		}
	}
	if dir == "" {
		return nil, nil
	}
	for _, part := range strings.Split(dir, "/") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			names, values = nil, nil
			continue
		}
		names, values = append(names, hiveUnescape(name)), append(values, hiveUnescape(value))
	}
	return names, values
}

func equalNames(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func conflictingNames(files []listed, basePath string) error {
	var lists, paths []string
	seen := map[string]bool{}
	for _, f := range files {
		names, _ := partitionPath(f, basePath)
		key := strings.Join(names, ", ")
		if !seen[key] {
			seen[key] = true
			lists = append(lists, "\n\tPartition column name list #"+string(rune('0'+len(lists)%10))+": "+key)
			paths = append(paths, "\n\t"+f.root+"/"+f.dir)
		}
	}
	return errs.New("CONFLICTING_PARTITION_COLUMN_NAMES", "distinctPartColLists", strings.Join(lists, ""), "suspiciousPaths", strings.Join(paths, ""))
}

// inferTypes gives each partition column the narrowest type of all its values; columns of the user's schema keep theirs.
func (p *partitioning) inferTypes(user *types.Type, infer bool, zone *javatime.Zone) {
	for c := range p.fields {
		f := &p.fields[c]
		if user != nil {
			if u, at := user.Field(f.Name, false); at >= 0 {
				f.Name, f.Type = u.Name, u.Type
				continue
			}
		}
		if !infer {
			f.Type = types.String
			continue
		}
		var t *types.Type
		for _, v := range p.values {
			if v[c] != nullPartition {
				t = widerPartition(t, partitionType(v[c], zone))
			}
		}
		if t == nil {
			t = types.Null
		}
		f.Type = t
	}
}

// partitionType is the type that Spark infers for one value.
func partitionType(s string, zone *javatime.Zone) *types.Type {
	b := []byte(s)
	if _, ok := scalar.Int(b, 32); ok {
		return types.Integer
	}
	if _, ok := scalar.Int(b, 64); ok {
		return types.Long
	}
	if n, scale, ok := scalar.BigDecimal(b); ok && scale == 0 {
		if digits := len(new(big.Int).Abs(n).Text(10)); digits <= types.MaxPrecision {
			return types.Decimal(digits, 0)
		}
	}
	if last := len(b) - 1; last >= 0 && strings.IndexByte("dDfF", b[last]) < 0 {
		if _, ok := scalar.Float(b, 64); ok {
			return types.Double
		}
	}
	if _, ok := scalar.Date(b); ok && len(b) >= len("yyyy-M-d") && len(b) <= len("yyyy-MM-dd") && strings.Count(s, "-") == 2 {
		return types.Date
	}
	if isPartitionTimestamp(s) {
		if _, ok := scalar.Timestamp(b, zone, 0); ok {
			return types.Timestamp
		}
	}
	return types.String
}

// isPartitionTimestamp holds a text against yyyy-MM-dd HH:mm:ss[.S].
func isPartitionTimestamp(s string) bool {
	const form = "dddd-dd-dd dd:dd:dd.d"
	if len(s) != len(form) && len(s) != len(form)-2 {
		return false
	}
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9'
		if form[i] == 'd' && !digit || form[i] != 'd' && s[i] != form[i] {
			return false
		}
	}
	return true
}

func widerPartition(a, b *types.Type) *types.Type {
	switch {
	case a == nil || a.Equal(b):
		return b
	case a.IsNumeric() && b.IsNumeric():
		rank := func(t *types.Type) int {
			return map[types.Kind]int{types.KindInteger: 0, types.KindLong: 1, types.KindDecimal: 2, types.KindDouble: 3}[t.Kind]
		}
		if a.Kind == types.KindDecimal && b.Kind == types.KindDecimal {
			return types.Decimal(max(a.Precision, b.Precision), 0)
		}
		if wide := a; rank(a) < rank(b) {
			return b
		} else if wide.Kind == types.KindDecimal {
			return types.Decimal(max(wide.Precision, 20), 0)
		}
		return a
	case a.Kind == types.KindDate && b.Kind == types.KindTimestamp, a.Kind == types.KindTimestamp && b.Kind == types.KindDate:
		return types.Timestamp
	}
	return types.String
}

// literal is a partition value as a constant of the column's type.
func partitionLiteral(s string, f types.Field, zone *javatime.Zone) (*planpb.Literal, error) {
	if s == nullPartition {
		return planconv.Literal(nil), nil
	}
	b := []byte(s)
	ok := false
	var value any
	switch t := f.Type; t.Kind {
	case types.KindString:
		value, ok = s, true
	case types.KindBinary:
		value, ok = b, true
	case types.KindBoolean:
		value, ok = scalar.Bool(b)
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong:
		value, ok = scalar.Int(b, 8<<(t.Kind-types.KindByte))
	case types.KindFloat, types.KindDouble:
		value, ok = scalar.Float(b, 64)
	case types.KindDate:
		var d int32
		d, ok = scalar.Date(b)
		value = int64(d)
	case types.KindTimestamp:
		value, ok = scalar.Timestamp(b, zone, 0)
	case types.KindTimestampNTZ:
		value, ok = scalar.TimestampNTZ(b)
	case types.KindDecimal:
		var d decimal128.Num
		d, ok = scalar.Decimal(b, t)
		value = d
		if t.IsShortDecimal() {
			value = int64(d.LowBits())
		}
	case types.KindNull:
		value, ok = nil, true
	}
	if !ok {
		return nil, errs.New("INVALID_PARTITION_VALUE", "value", "'"+s+"'", "dataType", `"`+f.Type.SQL()+`"`, "columnName", "`"+f.Name+"`")
	}
	return planconv.Literal(value), nil
}
