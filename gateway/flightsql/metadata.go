package flightsql

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"millrace/plan"
	"millrace/session"
)

// tableTypes are how tables are called here, by what the catalog calls them.
var tableTypes = map[string]string{"MANAGED": "TABLE", "EXTERNAL": "TABLE", "VIEW": "VIEW", "TEMPORARY": "LOCAL TEMPORARY"}

// like makes the test of a pattern of SQL's LIKE: % stands for any text, _ for any character.
func like(pattern *string) func(string) bool {
	if pattern == nil || *pattern == "" || *pattern == "%" {
		return func(string) bool { return true }
	}
	text := strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(*pattern))
	re := regexp.MustCompile("(?is)^" + text + "$") // a quoted text cannot be malformed
	return re.MatchString
}

// catalogAsked reports whether a filter lets the only catalog through.
func catalogAsked(filter *string) bool {
	return filter == nil || *filter == "" || strings.EqualFold(*filter, session.DefaultCatalog)
}

// rows gives a table that is small enough to be made at once.
func rows(schema *arrow.Schema, fill func(b *array.RecordBuilder) error) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	if err := fill(b); err != nil {
		return nil, nil, failure(err)
	}
	out := make(chan flight.StreamChunk, 1)
	out <- flight.StreamChunk{Data: b.NewRecordBatch()}
	close(out)
	return schema, out, nil
}

func text(b *array.RecordBuilder, column int, v string) {
	b.Field(column).(*array.StringBuilder).Append(v)
}

// GetFlightInfoCatalogs describes the list of catalogs.
func (s *Service) GetFlightInfoCatalogs(_ context.Context, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return info(d.Cmd, schema_ref.Catalogs, d), nil
}

// DoGetCatalogs lists the only catalog.
func (s *Service) DoGetCatalogs(context.Context) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return rows(schema_ref.Catalogs, func(b *array.RecordBuilder) error {
		text(b, 0, session.DefaultCatalog)
		return nil
	})
}

// GetFlightInfoSchemas describes the list of schemas.
func (s *Service) GetFlightInfoSchemas(_ context.Context, _ flightsql.GetDBSchemas, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return info(d.Cmd, schema_ref.DBSchemas, d), nil
}

// DoGetDBSchemas lists the schemas that match, by name.
func (s *Service) DoGetDBSchemas(ctx context.Context, r flightsql.GetDBSchemas) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return rows(schema_ref.DBSchemas, func(b *array.RecordBuilder) error {
		names, err := s.schemas(ctx, r.GetCatalog(), r.GetDBSchemaFilterPattern())
		for _, n := range names {
			text(b, 0, session.DefaultCatalog)
			text(b, 1, n)
		}
		return err
	})
}

// schemas are the names that match, in order.
func (s *Service) schemas(ctx context.Context, catalog, pattern *string) ([]string, error) {
	if !catalogAsked(catalog) {
		return nil, nil
	}
	sess, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	all, err := sess.Catalog().Namespaces(ctx)
	if err != nil {
		return nil, err
	}
	matches := like(pattern)
	var out []string
	for _, n := range all {
		if matches(n.Name) {
			out = append(out, n.Name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// GetFlightInfoTables describes the list of tables.
func (s *Service) GetFlightInfoTables(_ context.Context, r flightsql.GetTables, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return info(d.Cmd, tablesSchema(r), d), nil
}

func tablesSchema(r flightsql.GetTables) *arrow.Schema {
	if r.GetIncludeSchema() {
		return schema_ref.TablesWithIncludedSchema
	}
	return schema_ref.Tables
}

// DoGetTables lists the tables and views that match, by schema and name; the connection's temporary views are in no schema.
func (s *Service) DoGetTables(ctx context.Context, r flightsql.GetTables) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return rows(tablesSchema(r), func(b *array.RecordBuilder) error {
		found, err := s.tables(ctx, r)
		if err != nil {
			return err
		}
		for _, t := range found {
			if t.Namespace == "" {
				b.Field(0).AppendNull()
				b.Field(1).AppendNull()
			} else {
				text(b, 0, session.DefaultCatalog)
				text(b, 1, t.Namespace)
			}
			text(b, 2, t.Name)
			text(b, 3, tableTypes[t.Kind])
			if r.GetIncludeSchema() {
				schema, err := s.columns(ctx, t)
				if err != nil {
					return err
				}
				b.Field(4).(*array.BinaryBuilder).Append(flight.SerializeSchema(schema, memory.DefaultAllocator))
			}
		}
		return nil
	})
}

func (s *Service) tables(ctx context.Context, r flightsql.GetTables) ([]session.TableInfo, error) {
	sess, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	schemas, err := s.schemas(ctx, r.GetCatalog(), r.GetDBSchemaFilterPattern())
	if err != nil {
		return nil, err
	}
	matches := like(r.GetTableNameFilterPattern())
	var out []session.TableInfo
	add := func(t session.TableInfo) {
		kind := tableTypes[t.Kind]
		if matches(t.Name) && (len(r.GetTableTypes()) == 0 || slices.Contains(r.GetTableTypes(), kind)) {
			out = append(out, t)
		}
	}
	for _, schema := range schemas {
		all, err := sess.Catalog().Tables(ctx, schema)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(all, func(a, b session.TableInfo) int { return strings.Compare(a.Name, b.Name) })
		for _, t := range all {
			t.Namespace = schema
			add(t)
		}
	}
	if pattern := r.GetDBSchemaFilterPattern(); catalogAsked(r.GetCatalog()) && like(pattern)("") {
		local, _ := sess.Views()
		for _, name := range local {
			add(session.TableInfo{Name: name, Kind: "TEMPORARY"})
		}
	}
	return out, nil
}

// columns is a table's schema; empty for one that cannot be read now, so that one broken table does not hide the others.
func (s *Service) columns(ctx context.Context, t session.TableInfo) (_ *arrow.Schema, err error) {
	defer s.guard(&err)
	sess, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	parts := []string{t.Name}
	if t.Namespace != "" {
		parts = []string{t.Namespace, t.Name}
	}
	fields, err := sess.Schema(ctx, &plan.UnresolvedRelation{Parts: parts})
	if err != nil {
		s.log.Warn("a table's columns cannot be listed", "table", strings.Join(parts, "."), "error", err)
		return arrow.NewSchema(nil, nil), nil
	}
	return arrowSchema(sess, fields)
}

// GetFlightInfoTableTypes describes the list of kinds of tables.
func (s *Service) GetFlightInfoTableTypes(_ context.Context, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return info(d.Cmd, schema_ref.TableTypes, d), nil
}

// DoGetTableTypes lists the kinds of tables.
func (s *Service) DoGetTableTypes(context.Context) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return rows(schema_ref.TableTypes, func(b *array.RecordBuilder) error {
		for _, kind := range []string{"LOCAL TEMPORARY", "TABLE", "VIEW"} {
			text(b, 0, kind)
		}
		return nil
	})
}

// GetFlightInfoPrimaryKeys describes an empty list: Delta tables have no keys.
func (s *Service) GetFlightInfoPrimaryKeys(_ context.Context, _ flightsql.TableRef, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return info(d.Cmd, schema_ref.PrimaryKeys, d), nil
}

// DoGetPrimaryKeys gives no rows.
func (s *Service) DoGetPrimaryKeys(context.Context, flightsql.TableRef) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return rows(schema_ref.PrimaryKeys, none)
}

// GetFlightInfoExportedKeys describes an empty list.
func (s *Service) GetFlightInfoExportedKeys(_ context.Context, _ flightsql.TableRef, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return info(d.Cmd, schema_ref.ExportedKeys, d), nil
}

// DoGetExportedKeys gives no rows.
func (s *Service) DoGetExportedKeys(context.Context, flightsql.TableRef) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return rows(schema_ref.ExportedKeys, none)
}

// GetFlightInfoImportedKeys describes an empty list.
func (s *Service) GetFlightInfoImportedKeys(_ context.Context, _ flightsql.TableRef, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return info(d.Cmd, schema_ref.ImportedKeys, d), nil
}

// DoGetImportedKeys gives no rows.
func (s *Service) DoGetImportedKeys(context.Context, flightsql.TableRef) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return rows(schema_ref.ImportedKeys, none)
}

// GetFlightInfoCrossReference describes an empty list.
func (s *Service) GetFlightInfoCrossReference(_ context.Context, _ flightsql.CrossTableRef, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return info(d.Cmd, schema_ref.CrossReference, d), nil
}

// DoGetCrossReference gives no rows.
func (s *Service) DoGetCrossReference(context.Context, flightsql.CrossTableRef) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return rows(schema_ref.CrossReference, none)
}

func none(*array.RecordBuilder) error { return nil }
