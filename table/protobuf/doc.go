// Package protobuf reads and writes single values of Protocol Buffers as Spark's from_protobuf and to_protobuf do.
//
//	m, err := protobuf.Find(descriptorSet, "Event")   // or a class's name, without a descriptor set
//	o, err := protobuf.ParseOptions(options)
//	t, err := m.Type(o)                                // the struct that messages are read as
//	d, err := m.NewDecoder(t, o)
//	values := d.Values()                               // Add, Null, Vector
//	e, err := m.NewEncoder(t, nullable)                // Append
//
// Values are read from and written to the wire's bytes without messages in between; what a message of Java would make of them (the last value of a field counts, parts
// of a message are put together, entries of maps keep their order) is done here.
package protobuf
