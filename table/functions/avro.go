package functions

import (
	"millrace/javatime"
	"millrace/operators/expr"
	"millrace/table/avro"
	"millrace/types"
)

func init() {
	register := func(name string, build func(*expr.Call) (expr.Kernel, error)) {
		expr.Register(name, expr.Func{Strict: true, Pure: true, Build: build})
	}
	register("from_avro", fromAvro)
	register("to_avro", toAvro)
	register("schema_of_avro", schemaOfAvro)
}

// avroSchema is the name among a call's options of the schema that is the function's second argument.
const avroSchema = "jsonFormatSchema"

func fromAvro(c *expr.Call) (expr.Kernel, error) {
	how, err := avro.ParseConversion("from_avro", c.Options[avroSchema], c.Options)
	if err != nil {
		return nil, err
	}
	zone := javatime.UTC
	if name := c.Settings.GetTimeZone(); name != "" {
		if zone, err = javatime.ZoneOf(name); err != nil {
			return nil, err
		}
	}
	d, err := how.Decoder(zone)
	if err != nil {
		return nil, err
	}
	return parsing(func() (rowParser, error) { return d.Values(), nil }), nil
}

func toAvro(c *expr.Call) (expr.Kernel, error) {
	var schema []byte
	if text, ok := c.Options[avroSchema]; ok {
		schema = []byte(text)
	}
	e, err := avro.NewEncoder(c.Args[0], c.Options["nullable"] == "true", schema)
	if err != nil {
		return nil, err
	}
	return appending(e), nil
}

func schemaOfAvro(c *expr.Call) (expr.Kernel, error) {
	return schemaOf("schema_of_avro", "an Avro schema", func(text []byte) (*types.Type, error) {
		how, err := avro.ParseConversion("schema_of_avro", string(text), c.Options)
		if err != nil {
			return nil, err
		}
		return how.Type, nil
	}), nil
}
