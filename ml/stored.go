package ml

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/errs"
	"millrace/plan"
	"millrace/planconv"
	"millrace/storage"
	"millrace/types"
	"millrace/vector"
)

// sparkVersion is the version of Spark whose layout is written.
const sparkVersion = "4.2.0"

// Stored is the directory of a saved object in Spark ML's layout: metadata/ holds one line of JSON, data/ and others hold Parquet.
type Stored struct {
	c    *Context
	path string
	// Meta are the fields of the metadata. Save may add fields before it returns; Load reads them.
	Meta map[string]json.RawMessage
}

// Write writes rows, in plan.Literal's form, as Parquet files in a subdirectory such as data.
func (s *Stored) Write(dir string, schema *types.Type, rows [][]any) error {
	local, err := localRows(schema, rows)
	if err != nil {
		return err
	}
	return s.c.Do(&plan.Write{Input: local, Format: "parquet", Path: s.path + "/" + dir, Mode: plan.SaveErrorIfExists})
}

// Read reads the columns of those names from the Parquet files of a subdirectory.
func (s *Stored) Read(dir string, columns ...string) (*vector.Batch, error) {
	var n plan.Node = &plan.UnresolvedSource{Format: "parquet", Paths: []string{s.path + "/" + dir}, Options: map[string]string{}}
	list := make([]plan.Expr, len(columns))
	for i, name := range columns {
		list[i] = Ref(name)
	}
	return s.c.Collect(&plan.Project{Input: n, Exprs: list})
}

// Row reads the one row of a subdirectory's files, in plan.Literal's form.
func (s *Stored) Row(dir string, columns ...string) ([]any, error) {
	b, err := s.Read(dir, columns...)
	if err != nil {
		return nil, err
	}
	if b.N != 1 {
		return nil, errs.Newf(errs.Invalid, "%s/%s holds %d rows where a model has one.", s.path, dir, b.N)
	}
	row := make([]any, len(b.Cols))
	for i, v := range b.Cols {
		row[i] = planconv.At(v, 0)
	}
	return row, nil
}

// localRows makes a relation of rows.
func localRows(schema *types.Type, rows [][]any) (*plan.LocalRelation, error) {
	b := &vector.Batch{N: len(rows)}
	for i, f := range schema.Fields {
		column := make([]any, len(rows))
		for k, row := range rows {
			column[k] = row[i]
		}
		b.Cols = append(b.Cols, planconv.FromValues(f.Type, column))
	}
	return localBatch(schema, b)
}

// localBatch makes a relation of a batch.
func localBatch(schema *types.Type, b *vector.Batch) (*plan.LocalRelation, error) {
	as := vector.ArrowSchema(schema.Fields, "UTC")
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(as))
	rec := vector.ToArrow(b, as)
	defer rec.Release()
	if err := w.Write(rec); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &plan.LocalRelation{Arrow: buf.Bytes(), Rows: int64(b.N), T: schema}, nil
}

// Write saves an operator (an estimator, transformer or evaluator) that a client has only by name.
func Write(c *Context, class string, kind Kind, uid string, params map[string]any, path string, overwrite bool) error {
	k, err := classOf(class, kind)
	if err != nil {
		return err
	}
	p, err := NewParams(k, uid, params)
	if err != nil {
		return err
	}
	return save(c, p, nil, path, overwrite)
}

// Write saves a model.
func (o *Objects) Write(c *Context, id string, params map[string]any, path string, overwrite bool) error {
	x, err := o.Get(id)
	if err != nil {
		return err
	}
	p, err := x.Params.With(params)
	if err != nil {
		return err
	}
	return save(c, p, x.Model, path, overwrite)
}

func save(c *Context, p *Params, m Model, path string, overwrite bool) error {
	if err := HandleOverwrite(c, path, overwrite); err != nil {
		return err
	}
	s := &Stored{c: c, path: strings.TrimRight(path, "/"), Meta: map[string]json.RawMessage{}}
	if m != nil {
		if err := m.Save(c, p, s); err != nil {
			return errs.Wrap(err, "save %s", p.UID)
		}
	}
	text, err := p.metadata(s.Meta, time.Now())
	if err != nil {
		return err
	}
	local, err := localRows(types.Struct(types.Field{Name: "value", Type: types.String, Nullable: true}), [][]any{{text}})
	if err != nil {
		return err
	}
	return c.Do(&plan.Write{Input: local, Format: "text", Path: s.path + "/metadata", Mode: plan.SaveErrorIfExists})
}

// HandleOverwrite clears the way for a directory that is to be written: what is there is removed, or refused without overwrite.
func HandleOverwrite(ctx context.Context, path string, overwrite bool) error {
	store, err := storage.Open(path)
	if err != nil {
		return err
	}
	if isRoot(store.URL()) {
		return illegal("%s is the root of a store, not a directory for a model.", path)
	}
	var names []string
	for info, err := range store.List(ctx, "", "") {
		if err != nil {
			return errs.Wrap(err, "look what is in %s", path)
		}
		if !overwrite {
			e := errs.Newf(errs.Invalid, "Path %s already exists. To overwrite it, please use write.overwrite().save(path) for Scala and use write().overwrite().save(path) for Java and Python.", path)
			e.Class = errs.ClassIO
			return e
		}
		names = append(names, info.Name)
	}
	for _, name := range names {
		if err := store.Delete(ctx, name); err != nil {
			return errs.Wrap(err, "remove %s in %s", name, path)
		}
	}
	return nil
}

// isRoot reports whether a URL is that of a whole file system or bucket.
func isRoot(url string) bool {
	if path, local := strings.CutPrefix(url, "file:"); local {
		return strings.Trim(path, "/") == ""
	}
	_, place, _ := strings.Cut(url, "://")
	return !strings.Contains(strings.Trim(place, "/"), "/")
}

// open reads the metadata of a saved object, which must be of the class.
func open(c *Context, k *Class, path string) (*Stored, *Params, error) {
	s := &Stored{c: c, path: strings.TrimRight(path, "/")}
	b, err := c.Collect(&plan.Limit{Count: plan.Int(1), Input: &plan.UnresolvedSource{Format: "text", Paths: []string{s.path + "/metadata"}, Options: map[string]string{}}})
	if err != nil {
		return nil, nil, err
	}
	if b.N == 0 {
		return nil, nil, errs.Newf(errs.Invalid, "%s/metadata is empty.", s.path)
	}
	if err := json.Unmarshal(b.Cols[0].Str(0), &s.Meta); err != nil {
		return nil, nil, errs.Newf(errs.Invalid, "%s/metadata is not JSON: %v", s.path, err)
	}
	var name, uid string
	if json.Unmarshal(s.Meta["class"], &name) != nil || json.Unmarshal(s.Meta["uid"], &uid) != nil {
		return nil, nil, errs.Newf(errs.Invalid, "%s/metadata has no class and uid.", s.path)
	}
	if name != k.Name {
		return nil, nil, required("Error loading metadata: Expected class name %s but found class name %s", k.Name, name)
	}
	p, err := fromMetadata(k, uid, s.Meta)
	return s, p, err
}

// Read loads an operator that has only parameters: what a client needs to make it again.
func Read(c *Context, class string, kind Kind, path string) (*Params, error) {
	k, err := classOf(class, kind)
	if err != nil {
		return nil, err
	}
	_, p, err := open(c, k, path)
	return p, err
}

// Read loads a model and keeps it.
func (o *Objects) Read(c *Context, class, path string) (*Object, error) {
	k, err := classOf(class, ModelClass)
	if err != nil {
		return nil, err
	}
	s, p, err := open(c, k, path)
	if err != nil {
		return nil, err
	}
	m, err := k.Load(c, p, s)
	if err != nil {
		return nil, errs.Wrap(err, "load %s from %s", p.UID, path)
	}
	return o.keep(p, m), nil
}
