package flightsql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"millrace/errs"
	"millrace/session"
)

// Service implements Flight SQL. It is safe for concurrent use.
type Service struct {
	flightsql.BaseServer
	sessions *session.Manager
	log      *slog.Logger
}

// New makes the service over the sessions of a process; version is what clients are told of the server's.
func New(sessions *session.Manager, version string, log *slog.Logger) *Service {
	s := &Service{sessions: sessions, log: log}
	for id, value := range map[flightsql.SqlInfo]any{
		flightsql.SqlInfoFlightSqlServerName:               "millrace",
		flightsql.SqlInfoFlightSqlServerVersion:            version,
		flightsql.SqlInfoFlightSqlServerArrowVersion:       arrow.PkgVersion,
		flightsql.SqlInfoFlightSqlServerReadOnly:           false,
		flightsql.SqlInfoFlightSqlServerSql:                true,
		flightsql.SqlInfoFlightSqlServerSubstrait:          false,
		flightsql.SqlInfoFlightSqlServerTransaction:        int32(flightsql.SqlTransactionNone),
		flightsql.SqlInfoFlightSqlServerCancel:             false,
		flightsql.SqlInfoFlightSqlServerBulkIngestion:      false,
		flightsql.SqlInfoFlightSqlServerStatementTimeout:   int32(0),
		flightsql.SqlInfoFlightSqlServerTransactionTimeout: int32(0),
		flightsql.SqlInfoDDLCatalog:                        false,
		flightsql.SqlInfoDDLSchema:                         true,
		flightsql.SqlInfoDDLTable:                          true,
		flightsql.SqlInfoIdentifierCase:                    int64(flightsql.SqlCaseSensitivityCaseInsensitive),
		flightsql.SqlInfoIdentifierQuoteChar:               "`",
		flightsql.SqlInfoQuotedIdentifierCase:              int64(flightsql.SqlCaseSensitivityCaseInsensitive),
		flightsql.SqlInfoAllTablesAreASelectable:           true,
		flightsql.SqlInfoNullOrdering:                      int64(flightsql.SqlNullOrderingSortAtStart),
	} {
		if err := s.RegisterSqlInfo(id, value); err != nil {
			panic(err) // a value of a type that the protocol has no place for
		}
	}
	return s
}

// Register adds the service to a server.
func (s *Service) Register(g *grpc.Server) {
	flight.RegisterFlightServiceServer(g, flightsql.NewFlightServer(s))
}

// keyOf names the session of the connection from an address: a client's port is its connection's as long as it lasts.
func keyOf(remote net.Addr) session.Key {
	return session.Key{User: "flight", ID: uuid.NewSHA1(uuid.NameSpaceURL, []byte("flight://"+remote.String())).String()}
}

func key(ctx context.Context) session.Key {
	if p, ok := peer.FromContext(ctx); ok {
		return keyOf(p.Addr)
	}
	return keyOf(&net.TCPAddr{})
}

// Disconnected ends the session of a connection that has ended.
func (s *Service) Disconnected(remote net.Addr) { s.sessions.Close(keyOf(remote), true) }

// session finds the session of the connection on which a call came, or makes it.
func (s *Service) session(ctx context.Context) (*session.Session, error) {
	return s.sessions.Get(key(ctx), "")
}

// CloseSession ends the connection's session.
func (s *Service) CloseSession(ctx context.Context, _ *flight.CloseSessionRequest) (*flight.CloseSessionResult, error) {
	s.sessions.Close(key(ctx), true)
	return &flight.CloseSessionResult{Status: flight.CloseSessionResultClosed}, nil
}

// guard turns a panic into an error, which one statement's client gets while the server goes on.
func (s *Service) guard(err *error) {
	if p := recover(); p != nil {
		s.log.Error("statement panicked", "panic", p, "stack", string(debug.Stack()))
		*err = errs.New("INTERNAL_ERROR", "message", fmt.Sprint(p))
	}
}

var codeOf = map[errs.Kind]codes.Code{
	errs.Invalid: codes.InvalidArgument, errs.NotFound: codes.NotFound, errs.Unsupported: codes.Unimplemented, errs.Conflict: codes.Aborted,
	errs.Lost: codes.Unavailable, errs.Transient: codes.Unavailable, errs.Unauthorized: codes.PermissionDenied, errs.Cancelled: codes.Canceled,
	errs.Exhausted: codes.ResourceExhausted,
}

// failure is an error as a client of gRPC gets it: its condition, its message, its SQLSTATE.
func failure(err error) error {
	var e *errs.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		code, ok := codeOf[errs.KindOf(err)]
		if !ok {
			code = codes.Internal
		}
		return status.Error(code, e.Error())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.Canceled, errs.New("OPERATION_CANCELED").Error())
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, err.Error())
}

// info describes what a ticket will give; a nil schema is not known before the statement runs.
func info(ticket []byte, schema *arrow.Schema, d *flight.FlightDescriptor) *flight.FlightInfo {
	out := &flight.FlightInfo{FlightDescriptor: d, TotalRecords: -1, TotalBytes: -1,
		Endpoint: []*flight.FlightEndpoint{{Ticket: &flight.Ticket{Ticket: ticket}}}}
	if schema != nil {
		out.Schema = flight.SerializeSchema(schema, memory.DefaultAllocator)
	}
	return out
}
