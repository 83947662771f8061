package engine

import (
	"context"
	"encoding/json"
	"sort"
	"strings"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/session"
	"millrace/types"
)

const defaultNamespace = "default"

// KV is the store of catalog records; etcd in a cluster.
type KV interface {
	// Get returns a value, or nil when there is none.
	Get(ctx context.Context, key string) ([]byte, error)
	// List returns all pairs below a prefix.
	List(ctx context.Context, prefix string) (map[string][]byte, error)
	// Create puts a value unless there is one, and reports whether it did.
	Create(ctx context.Context, key string, value []byte) (bool, error)
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	// Change makes several changes in one step, if every key of when holds its value, and reports whether it did. A value of nil is none:
	// a key that must not be there, or that is taken away.
	Change(ctx context.Context, when, then map[string][]byte) (bool, error)
}

// Catalog is the names of tables: schema and name to format and location. The tables' own schemas are in the tables.
type Catalog struct {
	kv        KV
	warehouse string
}

var _ session.Catalog = (*Catalog)(nil)

// Entry is a catalogued table or view.
type Entry struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Provider  string   `json:"provider"`
	Location  string   `json:"location"`
	Managed   bool     `json:"managed,omitempty"` // the location goes with the table
	Comment   string   `json:"comment,omitempty"`
	View      string   `json:"view,omitempty"`   // the SQL text of a view
	Within    string   `json:"within,omitempty"` // the schema that was current when the view was made
	Columns   []string `json:"columns,omitempty"`
	// What a Delta table keeps in its log. Schema, in JSON, is empty where the files say it.
	Schema      string               `json:"schema,omitempty"` // the partition columns come last
	PartitionBy []string             `json:"partitionBy,omitempty"`
	Options     map[string]string    `json:"options,omitempty"`
	Properties  map[string]string    `json:"properties,omitempty"`
	Created     int64                `json:"created,omitempty"` // in milliseconds since 1970
	Buckets     *buckets             `json:"buckets,omitempty"`
	Parts       map[string]partition `json:"parts,omitempty"`     // by directory: those that ALTER TABLE made
	Collation   string               `json:"collation,omitempty"` // of strings of which nothing else was said
	Shape       *viewShape           `json:"shape,omitempty"`     // of a view
}

// NewCatalog keeps names in kv and puts managed tables below the warehouse's location.
func NewCatalog(kv KV, warehouse string) *Catalog { return &Catalog{kv: kv, warehouse: warehouse} }

const (
	tablePrefix     = "/millrace/catalog/table/"
	namespacePrefix = "/millrace/catalog/namespace/"
)

func tableKey(namespace, name string) string {
	return tablePrefix + strings.ToLower(namespace) + "/" + strings.ToLower(name)
}

// Location is where a managed table of that name lies, or will: one that replaces another keeps its place, and where a table that has been
// renamed lies, the next one of its old name takes a place of its own.
func (c *Catalog) Location(ctx context.Context, namespace, name string) (string, error) {
	all, err := c.entries(ctx, namespace)
	if err != nil {
		return "", err
	}
	place := c.schemaRoot(namespace) + "/" + strings.ToLower(name)
	taken := false
	for _, e := range all {
		switch {
		case !strings.EqualFold(e.Name, name):
			taken = taken || strings.TrimSuffix(e.Location, "/") == place
		case e.Managed:
			return e.Location, nil
		}
	}
	if taken {
		place += "-" + uuid.NewString()[:8]
	}
	return place, nil
}

// schemaRoot is where the managed tables of a schema lie.
func (c *Catalog) schemaRoot(namespace string) string {
	root := strings.TrimSuffix(c.warehouse, "/")
	if namespace == defaultNamespace {
		return root
	}
	return root + "/" + strings.ToLower(namespace) + ".db"
}

// entries are a schema's tables and views; records that cannot be read are passed over.
func (c *Catalog) entries(ctx context.Context, namespace string) ([]Entry, error) {
	pairs, err := c.kv.List(ctx, tablePrefix+strings.ToLower(namespace)+"/")
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, v := range pairs {
		var e Entry
		if err := json.Unmarshal(v, &e); err == nil {
			out = append(out, e)
		}
	}
	return out, nil
}

// Lookup finds an entry; nil when there is none.
func (c *Catalog) Lookup(ctx context.Context, namespace, name string) (*Entry, error) {
	e, _, err := c.record(ctx, namespace, name)
	return e, err
}

// record is an entry and its bytes in the store.
func (c *Catalog) record(ctx context.Context, namespace, name string) (*Entry, []byte, error) {
	value, err := c.kv.Get(ctx, tableKey(namespace, name))
	if err != nil || value == nil {
		return nil, nil, errs.Wrap(err, "look up table %s.%s", namespace, name)
	}
	var e Entry
	if err := json.Unmarshal(value, &e); err != nil {
		return nil, nil, errs.Newf(errs.Internal, "the catalog's record of %s.%s cannot be read: %v", namespace, name, err)
	}
	return &e, value, nil
}

// Create records a table; replace allows one of that name.
func (c *Catalog) Create(ctx context.Context, e Entry, replace bool) error {
	value, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if replace {
		return c.kv.Put(ctx, tableKey(e.Namespace, e.Name), value)
	}
	created, err := c.kv.Create(ctx, tableKey(e.Namespace, e.Name), value)
	if !created {
		err = orExists(err, e.Namespace, e.Name)
	}
	return err
}

// Alter changes the record of a table or view. change is called again where another change came first; of a table that has taken the place of
// the one that was seen it is not called.
func (c *Catalog) Alter(ctx context.Context, seen Entry, change func(*Entry) error) error {
	key := tableKey(seen.Namespace, seen.Name)
	for {
		e, old, err := c.record(ctx, seen.Namespace, seen.Name)
		switch {
		case err != nil:
			return err
		case e == nil, e.Provider != seen.Provider, e.Location != seen.Location, (e.View == "") != (seen.View == ""):
			return notFound(seen.Namespace, seen.Name)
		}
		if err := change(e); err != nil {
			return err
		}
		value, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if done, err := c.kv.Change(ctx, map[string][]byte{key: old}, map[string][]byte{key: value}); done || err != nil {
			return err
		}
	}
}

// Rename gives a table or view another name in the same schema, in one step: at no moment has it two names, or none.
func (c *Catalog) Rename(ctx context.Context, namespace, name, to string) error {
	from, next := tableKey(namespace, name), tableKey(namespace, to)
	for {
		e, old, err := c.record(ctx, namespace, name)
		if err != nil {
			return err
		}
		if e == nil {
			return notFound(namespace, name)
		}
		if other, err := c.kv.Get(ctx, next); err != nil || other != nil {
			return orExists(err, namespace, to)
		}
		e.Name = to
		value, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if done, err := c.kv.Change(ctx, map[string][]byte{from: old, next: nil}, map[string][]byte{from: nil, next: value}); done || err != nil {
			return err
		}
	}
}

func notFound(namespace, name string) error {
	return errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts("spark_catalog", namespace, name))
}

func orExists(err error, namespace, name string) error {
	if err == nil {
		err = errs.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", types.QuoteParts("spark_catalog", namespace, name))
	}
	return err
}

// same reports whether two records are of one table, however it has been altered between them.
func (e *Entry) same(o *Entry) bool {
	return e.Location == o.Location && e.Created == o.Created && (e.View == "") == (o.View == "")
}

// Drop forgets a table, unless another one has taken its name; files are not touched.
func (c *Catalog) Drop(ctx context.Context, seen Entry) error {
	key := tableKey(seen.Namespace, seen.Name)
	for {
		e, old, err := c.record(ctx, seen.Namespace, seen.Name)
		if err != nil || e == nil || !e.same(&seen) {
			return err
		}
		if done, err := c.kv.Change(ctx, map[string][]byte{key: old}, map[string][]byte{key: nil}); done || err != nil {
			return err
		}
	}
}

// HasNamespace reports whether a schema exists.
func (c *Catalog) HasNamespace(ctx context.Context, name string) (bool, error) {
	if strings.EqualFold(name, defaultNamespace) {
		return true, nil
	}
	v, err := c.kv.Get(ctx, namespacePrefix+strings.ToLower(name))
	return v != nil, err
}

// collationOf is the default collation of a schema.
func (c *Catalog) collationOf(ctx context.Context, name string) (string, error) {
	n, err := c.namespace(ctx, name)
	if err != nil || n == nil {
		return "", err
	}
	return n.Collation, nil
}

// namespace finds a schema's record; nil when there is none.
func (c *Catalog) namespace(ctx context.Context, name string) (*session.Namespace, error) {
	n, _, err := c.namespaceRecord(ctx, name)
	return n, err
}

// namespaceRecord is a schema's record and its bytes in the store.
func (c *Catalog) namespaceRecord(ctx context.Context, name string) (*session.Namespace, []byte, error) {
	value, err := c.kv.Get(ctx, namespacePrefix+strings.ToLower(name))
	if err != nil || value == nil {
		return nil, nil, err
	}
	var n session.Namespace
	if err := json.Unmarshal(value, &n); err != nil {
		return nil, nil, errs.Newf(errs.Internal, "the catalog's record of the schema %s cannot be read: %v", name, err)
	}
	return &n, value, nil
}

// CreateNamespace records a schema and reports whether it is new.
func (c *Catalog) CreateNamespace(ctx context.Context, n session.Namespace) (bool, error) {
	value, err := json.Marshal(n)
	if err != nil {
		return false, err
	}
	return c.kv.Create(ctx, namespacePrefix+strings.ToLower(n.Name), value)
}

// alterNamespace changes the record of a schema. change is called again where another change came first.
func (c *Catalog) alterNamespace(ctx context.Context, name string, change func(*session.Namespace)) error {
	key := namespacePrefix + strings.ToLower(name)
	for {
		n, old, err := c.namespaceRecord(ctx, name)
		if err != nil {
			return err
		}
		if n == nil {
			return schemaNotFound(name)
		}
		change(n)
		value, err := json.Marshal(n)
		if err != nil {
			return err
		}
		if done, err := c.kv.Change(ctx, map[string][]byte{key: old}, map[string][]byte{key: value}); done || err != nil {
			return err
		}
	}
}

// DropNamespace forgets a schema.
func (c *Catalog) DropNamespace(ctx context.Context, name string) error {
	return c.kv.Delete(ctx, namespacePrefix+strings.ToLower(name))
}

// Namespaces implements session.Catalog.
func (c *Catalog) Namespaces(ctx context.Context) ([]session.Namespace, error) {
	out := []session.Namespace{{Name: defaultNamespace, Description: "default database", Location: c.warehouse}}
	pairs, err := c.kv.List(ctx, namespacePrefix)
	if err != nil {
		return nil, err
	}
	for _, v := range pairs {
		var n session.Namespace
		if err := json.Unmarshal(v, &n); err == nil {
			out = append(out, n)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// Tables implements session.Catalog.
func (c *Catalog) Tables(ctx context.Context, namespace string) ([]session.TableInfo, error) {
	all, err := c.entries(ctx, namespace)
	if err != nil {
		return nil, err
	}
	var out []session.TableInfo
	for _, e := range all {
		out = append(out, e.info())
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

func (e Entry) info() session.TableInfo {
	kind := "EXTERNAL"
	switch {
	case e.View != "":
		kind = "VIEW"
	case e.Managed:
		kind = "MANAGED"
	}
	return session.TableInfo{Namespace: e.Namespace, Name: e.Name, Description: e.Comment, Kind: kind}
}

// Table implements session.Catalog.
func (c *Catalog) Table(ctx context.Context, namespace, name string) (*session.TableInfo, error) {
	e, err := c.Lookup(ctx, namespace, name)
	if err != nil || e == nil {
		return nil, err
	}
	info := e.info()
	return &info, nil
}
