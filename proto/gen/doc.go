// Package gen makes the Go bindings of our own protocols, and those of Spark Connect and Delta Connect from the descriptors that the
// published Python clients carry, so that no copy of their .proto text is kept here. make generate sets up what it needs and runs it.
//
// The bindings are committed; generating them again changes nothing unless a protocol or a tool's version does.
package gen

//go:generate python connect.py ..
//go:generate sh -c "cd .. && python -m grpc_tools.protoc -I . --go_out=.. --go_opt=module=millrace --go-grpc_out=.. --go-grpc_opt=module=millrace $(find millrace -name '*.proto')"
