package connect

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
)

const (
	maxStatusMessage = 2048 // characters of the message that travel in the status itself
	maxStatusParams  = 1024 // bytes of parameters, likewise; the rest is fetched
	keptErrors       = 1000
)

var (
	runtimeClasses = []string{"java.lang.RuntimeException"}
	analysisClass  = []string{"org.apache.spark.sql.AnalysisException"}
)

// javaClasses are the names, most specific first, by which clients choose their own exception; what every Java exception
// ends with is added by classesOf.
var javaClasses = map[errs.Class][]string{
	errs.ClassSpark:           {"org.apache.spark.SparkException"},
	errs.ClassAnalysis:        analysisClass,
	errs.ClassParse:           append([]string{"org.apache.spark.sql.catalyst.parser.ParseException"}, analysisClass...),
	errs.ClassNoSuchTable:     append([]string{"org.apache.spark.sql.catalyst.analysis.NoSuchTableException"}, analysisClass...),
	errs.ClassTableExists:     append([]string{"org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException"}, analysisClass...),
	errs.ClassNoSuchNamespace: append([]string{"org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException"}, analysisClass...),
	errs.ClassArithmetic:      append([]string{"org.apache.spark.SparkArithmeticException", "java.lang.ArithmeticException"}, runtimeClasses...),
	errs.ClassNumberFormat: append([]string{"org.apache.spark.SparkNumberFormatException", "java.lang.NumberFormatException",
		"java.lang.IllegalArgumentException"}, runtimeClasses...),
	errs.ClassDateTime:        append([]string{"org.apache.spark.SparkDateTimeException", "java.time.DateTimeException"}, runtimeClasses...),
	errs.ClassIllegalArgument: append([]string{"org.apache.spark.SparkIllegalArgumentException", "java.lang.IllegalArgumentException"}, runtimeClasses...),
	errs.ClassArrayIndex: append([]string{"org.apache.spark.SparkArrayIndexOutOfBoundsException",
		"java.lang.ArrayIndexOutOfBoundsException", "java.lang.IndexOutOfBoundsException"}, runtimeClasses...),
	errs.ClassRuntime:       append([]string{"org.apache.spark.SparkRuntimeException"}, runtimeClasses...),
	errs.ClassUnsupported:   append([]string{"org.apache.spark.SparkUnsupportedOperationException", "java.lang.UnsupportedOperationException"}, runtimeClasses...),
	errs.ClassUpgrade:       append([]string{"org.apache.spark.SparkUpgradeException"}, runtimeClasses...),
	errs.ClassFileNotFound:  {"org.apache.spark.SparkFileNotFoundException", "java.io.FileNotFoundException", "java.io.IOException"},
	errs.ClassNoSuchElement: append([]string{"org.apache.spark.SparkNoSuchElementException", "java.util.NoSuchElementException"}, runtimeClasses...),
	errs.ClassIO:            {"java.io.IOException"},
	errs.ClassStreaming:     {"org.apache.spark.sql.streaming.StreamingQueryException"},
	errs.ClassConcurrentModification: {"io.delta.exceptions.DeltaConcurrentModificationException",
		"org.apache.spark.sql.delta.DeltaConcurrentModificationException", "java.util.ConcurrentModificationException", "java.lang.RuntimeException"},
}

// conditionClasses are exceptions that hang on the condition's name rather than its family.
var conditionClasses = []struct {
	prefix  string
	classes []string
}{
	{"INVALID_HANDLE.", []string{"org.apache.spark.SparkSQLException", "java.sql.SQLException"}},
	{"INVALID_CURSOR.", []string{"org.apache.spark.SparkSQLException", "java.sql.SQLException"}},
	{"INVALID_PARAMETER_VALUE.INTERRUPT", []string{"org.apache.spark.SparkSQLException", "java.sql.SQLException"}},
	{"INVALID_CLONE_SESSION_REQUEST.", []string{"org.apache.spark.SparkSQLException", "java.sql.SQLException"}},
	{"OPERATION_CANCELED", []string{"org.apache.spark.SparkSQLException", "java.sql.SQLException"}},
	{"PYTHON_EXCEPTION", append([]string{"org.apache.spark.api.python.PythonException"}, runtimeClasses...)},
	{"CONNECT_INVALID_PLAN.", []string{"org.apache.spark.sql.connect.common.InvalidPlanInput"}},
	{"TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", append([]string{"org.apache.spark.sql.catalyst.analysis.TempTableAlreadyExistsException"}, analysisClass...)},
	{"DATA_SOURCE_NOT_FOUND", []string{"org.apache.spark.SparkClassNotFoundException", "java.lang.ClassNotFoundException", "java.lang.ReflectiveOperationException"}},
	{"DELTA_CONCURRENT_APPEND", deltaConflict("ConcurrentAppendException")},
	{"DELTA_CONCURRENT_DELETE_READ", deltaConflict("ConcurrentDeleteReadException")},
	{"DELTA_CONCURRENT_DELETE_DELETE", deltaConflict("ConcurrentDeleteDeleteException")},
	{"DELTA_CONCURRENT_TRANSACTION", deltaConflict("ConcurrentTransactionException")},
	{"DELTA_CONCURRENT_WRITE", deltaConflict("ConcurrentWriteException")},
	{"DELTA_METADATA_CHANGED", deltaConflict("MetadataChangedException")},
	{"DELTA_PROTOCOL_CHANGED", deltaConflict("ProtocolChangedException")},
}

func deltaConflict(name string) []string {
	return append([]string{"io.delta.exceptions." + name, "org.apache.spark.sql.delta." + name}, javaClasses[errs.ClassConcurrentModification]...)
}

func classesOf(e *errs.Error) []string {
	classes := javaClasses[e.Class]
	for _, c := range conditionClasses {
		if strings.HasPrefix(e.Condition, c.prefix) {
			classes = c.classes
			break
		}
	}
	return append(append([]string(nil), classes...), "java.lang.Exception", "java.lang.Throwable", "java.lang.Object")
}

// errorOf finds the error that a user can act on in a chain. Cancelled contexts become what interrupted them.
func errorOf(err error) *errs.Error {
	var e *errs.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errs.New("OPERATION_CANCELED")
	}
	e = errs.New("INTERNAL_ERROR", "message", err.Error())
	e.Cause = err
	return e
}

// messageOf is an error's text with the place that it is about.
func messageOf(e *errs.Error) string {
	text := e.Error()
	if len(e.Context) == 0 || e.Trailer != "" {
		return text
	}
	c := e.Context[0]
	if e.Class == errs.ClassAnalysis || e.Class == errs.ClassNoSuchTable || e.Class == errs.ClassNoSuchNamespace {
		if !c.DataFrame {
			line, pos := position(c)
			return text + "; line " + itoa(line) + " pos " + itoa(pos)
		}
		return text
	}
	return text + "\n" + Summary(c)
}

// errorLog keeps the errors that clients may still ask the details of.
type errorLog struct {
	mu    sync.Mutex
	byID  map[string]*pb.FetchErrorDetailsResponse
	order []string
}

func (l *errorLog) keep(session string, e *errs.Error) string {
	id := uuid.NewString()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = map[string]*pb.FetchErrorDetailsResponse{}
	}
	l.byID[session+"/"+id] = errorDetails(e)
	l.order = append(l.order, session+"/"+id)
	if len(l.order) > keptErrors {
		delete(l.byID, l.order[0])
		l.order = l.order[1:]
	}
	return id
}

func (l *errorLog) get(session, id string) *pb.FetchErrorDetailsResponse {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[session+"/"+id]
}

// errorDetails is what FetchErrorDetails answers: the error and its causes.
func errorDetails(e *errs.Error) *pb.FetchErrorDetailsResponse {
	out := &pb.FetchErrorDetailsResponse{RootErrorIdx: proto.Int32(0)}
	for e != nil {
		d := &pb.FetchErrorDetailsResponse_Error{ErrorTypeHierarchy: classesOf(e), Message: messageOf(e)}
		if e.Condition != "" {
			d.SparkThrowable = &pb.FetchErrorDetailsResponse_SparkThrowable{ErrorClass: &e.Condition,
				MessageParameters: e.Params, QueryContexts: contexts(e)}
			if e.SQLState != "" {
				d.SparkThrowable.SqlState = &e.SQLState
			}
		}
		var cause *errs.Error
		if e.Cause != nil && errors.As(e.Cause, &cause) && len(out.Errors) < 5 {
			d.CauseIdx = proto.Int32(int32(len(out.Errors) + 1))
		}
		out.Errors = append(out.Errors, d)
		if d.CauseIdx == nil {
			break
		}
		e = cause
	}
	return out
}

func contexts(e *errs.Error) []*pb.FetchErrorDetailsResponse_QueryContext {
	var out []*pb.FetchErrorDetailsResponse_QueryContext
	for _, c := range e.Context {
		q := &pb.FetchErrorDetailsResponse_QueryContext{ObjectType: c.ObjectType, ObjectName: c.ObjectName,
			Fragment: c.Fragment, Summary: Summary(c)}
		if c.DataFrame {
			q.ContextType, q.CallSite = pb.FetchErrorDetailsResponse_QueryContext_DATAFRAME, c.CallSite
		} else {
			q.StartIndex, q.StopIndex = int32(c.Start), int32(c.Stop)
		}
		out = append(out, q)
	}
	return out
}

// fail turns an error into the status that clients read.
func (s *Service) fail(session string, err error) error {
	if err == nil {
		return nil
	}
	if _, ready := status.FromError(err); ready && errs.ConditionOf(err) == "" && !errors.Is(err, context.Canceled) {
		return err
	}
	e := errorOf(err)
	classes := classesOf(e)
	names, _ := json.Marshal(classes)
	meta := map[string]string{"classes": string(names)}
	if e.Condition != "" {
		meta["errorClass"] = e.Condition
		if e.SQLState != "" {
			meta["sqlState"] = e.SQLState
		}
		if params, _ := json.Marshal(e.Params); len(params) <= maxStatusParams && e.Params != nil {
			meta["messageParameters"] = string(params)
		}
	}
	if session != "" {
		meta["errorId"] = s.errors.keep(session, e)
	}
	code := codes.Internal
	switch e.Kind {
	case errs.Transient:
		if !strings.HasPrefix(e.Condition, "INVALID_CURSOR.") {
			code = codes.Unavailable
		}
	case errs.Unauthorized:
		code = codes.PermissionDenied
	}
	st := status.New(code, clip(messageOf(e), maxStatusMessage))
	if with, err := st.WithDetails(&errdetails.ErrorInfo{Reason: classes[0], Domain: "org.apache.spark", Metadata: meta}); err == nil {
		st = with
	}
	return st.Err()
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "..."
}
