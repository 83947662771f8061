package orc

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"millrace/errs"
	"millrace/types"
)

const (
	fileMagic     = "ORC"
	tailBytes     = 16 << 10 // what is read first of a file's end
	maxTypes      = 1 << 20
	maxDepth      = 100
	catalystName  = "spark.sql.catalyst.type" // the attribute of a type that Spark has and the format has not
	maxFooterSize = 1 << 30
)

// errCorrupt is the cause of every error about bytes that break the format.
var errCorrupt = errors.New("corrupt ORC file")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errCorrupt, fmt.Sprintf(format, args...))
}

// File is what the end of a file says. It is safe for concurrent use.
type File struct {
	Path    string
	Root    *Column
	size    int64
	post    postScript
	footer  footer
	stripes [][]statistics // by stripe and column; may be fewer
}

// Column is a type in a file.
type Column struct {
	Kind     Kind
	Name     string // of a struct's field
	Children []*Column
	id       uint64
	info     *typeInfo
}

// Open reads a file's end.
func Open(src io.ReaderAt, size int64, path string) (*File, error) {
	f := &File{Path: path, size: size}
	err := f.open(src)
	if err == nil && f.footer.encrypted {
		return nil, errs.Unsupportedf("Reading encrypted ORC files is not supported (%s).", path)
	}
	return f, f.failed(err, "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER")
}

// failed is Spark's condition for a file that cannot be read, with what was wrong as its cause.
func (f *File) failed(err error, condition string) error {
	var known *errs.Error
	if err == nil || errors.As(err, &known) || errs.Is(err, errs.Cancelled) {
		return err
	}
	e := errs.New(condition, "path", f.Path)
	e.Cause = err
	return e
}

func (f *File) open(src io.ReaderAt) error {
	tail, err := readTail(src, f.size, tailBytes)
	if err != nil {
		return err
	}
	if len(tail) == 0 {
		return corrupt("it is empty")
	}
	n := int(tail[len(tail)-1])
	if n+1 > len(tail) {
		return corrupt("it is not an ORC file")
	}
	if f.post, err = parsePostScript(tail[len(tail)-1-n : len(tail)-1]); err != nil {
		return corrupt("it is not an ORC file")
	}
	p := &f.post
	need := p.footerLength + p.metadataLength + uint64(n) + 1
	if p.footerLength == 0 || p.footerLength > maxFooterSize || p.metadataLength > maxFooterSize || need > uint64(f.size) {
		return corrupt("it is not an ORC file")
	}
	if need > uint64(len(tail)) {
		if tail, err = readTail(src, f.size, int64(need)); err != nil {
			return err
		}
	}
	end := uint64(len(tail) - 1 - n)
	text, err := p.inflate(tail[end-p.footerLength : end])
	if err != nil {
		return fmt.Errorf("the footer: %w", err)
	}
	if f.footer, err = parseFooter(text); err != nil {
		return fmt.Errorf("the footer: %w", err)
	}
	if err := f.schema(); err != nil {
		return err
	}
	end -= p.footerLength
	if text, err = p.inflate(tail[end-p.metadataLength : end]); err != nil {
		return fmt.Errorf("the stripes' statistics: %w", err)
	}
	f.stripes, err = parseMetadata(text)
	return err
}

// inflate decompresses a part of the file's end.
func (p *postScript) inflate(b []byte) ([]byte, error) {
	c, err := newInflater(p)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return (&stream{inflater: c, raw: b}).all()
}

func readTail(src io.ReaderAt, size, n int64) ([]byte, error) {
	b := make([]byte, min(size, n))
	k, err := src.ReadAt(b, size-int64(len(b)))
	if k == len(b) {
		return b, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

// schema makes the tree of the footer's list of types.
func (f *File) schema() error {
	if len(f.footer.types) == 0 {
		f.footer.types = []typeInfo{{kind: Struct}}
	}
	if len(f.footer.types) > maxTypes {
		return corrupt("it has %d types", len(f.footer.types))
	}
	seen := make([]bool, len(f.footer.types))
	var err error
	f.Root, err = f.column(0, "", seen, 0)
	if err == nil && f.Root.Kind != Struct {
		return errs.Unsupportedf("ORC files of anything but rows are not supported (%s is of %s).", f.Path, f.Root.Kind)
	}
	return err
}

func (f *File) column(id uint64, name string, seen []bool, depth int) (*Column, error) {
	if id >= uint64(len(seen)) || seen[id] || depth > maxDepth {
		return nil, corrupt("its types are not a tree")
	}
	seen[id] = true
	t := &f.footer.types[id]
	c := &Column{Kind: t.kind, Name: name, id: id, info: t}
	want := map[Kind]int{List: 1, Map: 2}
	switch {
	case t.kind == Struct && len(t.names) != len(t.subtypes), (t.kind == List || t.kind == Map) && len(t.subtypes) != want[t.kind],
		t.kind < List && len(t.subtypes) > 0, t.kind > Union && len(t.subtypes) > 0:
		return nil, corrupt("the type %d (%s) has %d parts and %d names", id, t.kind, len(t.subtypes), len(t.names))
	}
	for i, s := range t.subtypes {
		child := ""
		if t.kind == Struct {
			child = t.names[i]
		}
		k, err := f.column(s, child, seen, depth+1)
		if err != nil {
			return nil, err
		}
		c.Children = append(c.Children, k)
	}
	return c, nil
}

// Rows is the number of the file's rows.
func (f *File) Rows() int64 { return int64(f.footer.rows) }

// SparkType is the type of the file's rows as Spark infers it.
func (f *File) SparkType() (*types.Type, error) {
	t, err := f.Root.sparkType()
	if err != nil {
		return nil, errs.Wrap(err, "read %s", f.Path)
	}
	return t, nil
}

var simpleTypes = map[Kind]*types.Type{Boolean: types.Boolean, Byte: types.Byte, Short: types.Short, Int: types.Integer, Long: types.Long, Float: types.Float,
	Double: types.Double, String: types.String, Varchar: types.String, Char: types.String, Binary: types.Binary, Timestamp: types.Timestamp,
	TimestampInstant: types.Timestamp, Date: types.Date}

func (c *Column) sparkType() (*types.Type, error) {
	if name := c.info.attributes[catalystName]; name != "" && len(c.Children) == 0 {
		if t, err := types.ParseJSON([]byte(`"` + name + `"`)); err == nil {
			return t, nil
		}
	}
	if t := simpleTypes[c.Kind]; t != nil {
		return t, nil
	}
	var parts []types.Field
	for _, k := range c.Children {
		t, err := k.sparkType()
		if err != nil {
			return nil, err
		}
		parts = append(parts, types.Field{Name: k.Name, Type: t, Nullable: true})
	}
	switch c.Kind {
	case Decimal:
		if c.info.precision == 0 { // Hive 0.11 wrote decimals without digits
			return types.Decimal(38, 18), nil
		}
		if c.info.precision > types.MaxPrecision || c.info.scale > c.info.precision {
			return nil, corrupt("a decimal has %d digits, %d of them behind the point", c.info.precision, c.info.scale)
		}
		return types.Decimal(int(c.info.precision), int(c.info.scale)), nil
	case List:
		return types.ArrayOf(parts[0].Type, true), nil
	case Map:
		return types.MapOf(parts[0].Type, parts[1].Type, true), nil
	case Struct:
		return types.Struct(parts...), nil
	}
	return nil, errs.Unsupportedf("Reading the ORC type %s is not supported.", c.Kind)
}

// Positional reports whether the file's columns have no names of their own: Hive once wrote _col0, _col1 and so on.
func (f *File) Positional() bool {
	for _, c := range f.Root.Children {
		if !strings.HasPrefix(c.Name, "_col") {
			return false
		}
	}
	return len(f.Root.Children) > 0
}
