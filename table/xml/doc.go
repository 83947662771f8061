// Package xml reads and writes XML as Spark does: elements as structs' fields, attributes as fields with a prefix, repeated elements as arrays.
//
//	o, err := xml.ParseOptions(options, "UTC", now, false)
//	p, err := xml.NewParser(schema, o)
//	err = p.Add(text)
//	column := p.Vector()
//
// It also evaluates XPath over documents. It knows nothing of tables or plans.
package xml
