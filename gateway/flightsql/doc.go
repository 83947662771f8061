// Package flightsql is the door for ADBC and JDBC clients: Arrow Flight SQL, on the port of Spark Connect.
//
//	flightsql.New(sessions, version, log).Register(grpcServer)
//
// A client's session, with its settings and temporary views, is its connection's: one TCP connection, one session. A statement runs when its
// rows are asked for, or when an update is sent, once for each time that this is done; its ticket is its text. The namespace is that of Spark:
// one catalog, spark_catalog, with its schemas and tables. Transactions of Flight SQL, savepoints and Substrait plans are refused; the
// statements BEGIN TRANSACTION, COMMIT and ROLLBACK do what they do elsewhere.
package flightsql
