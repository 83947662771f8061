// Package variant reads and writes variants: values of any shape in the binary form of Parquet's VariantEncoding.md, each with a dictionary
// of the names of fields in it. It makes the bytes that Spark makes.
//
//	v := variant.New(metadata, value)
//	if f, ok := v.Field("price"); ok && f.Kind() == variant.Long { … f.Long() … }
//
//	var b variant.Builder
//	b.Reset()
//	object := b.Begin()
//	b.Name("price"); b.Long(7)
//	err := b.EndObject(object)
//	metadata, value := b.AppendMetadata(nil), b.Value()
//
// Bytes may be foreign: what does not follow the format has the kind Malformed, and nothing panics. The package does
// not know columns or JSON.
package variant
