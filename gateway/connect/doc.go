// Package connect speaks the Spark Connect protocol to unmodified PySpark clients: it translates their relations,
// expressions and commands into logical plans, hands these to the client's session, and streams the results back as Arrow.
//
//	service := connect.New(connect.Options{Sessions: manager})
//	server := grpc.NewServer(connect.ServerOptions()...)
//	service.Register(server)
//
// A request goes through three steps. Find the session (identity.go). Translate (translate*.go): everything that has no
// node in package plan is refused by name. Execute (execute.go): the responses go through a log (response.go), so that a client whose
// connection broke can attach again and go on where it was.
//
// The package holds no execution logic.
package connect
