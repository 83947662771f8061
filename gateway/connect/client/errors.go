package client

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
)

// failure makes the server's status an error with its condition. The full text is fetched.
func (c *Client) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	switch st.Code() {
	case codes.Unavailable:
		return &errs.Error{Kind: errs.Transient, Message: "The cluster at sc://" + c.address.Host + " cannot be reached: " + st.Message(), Cause: err}
	case codes.Canceled, codes.DeadlineExceeded:
		return &errs.Error{Kind: errs.Cancelled, Condition: "OPERATION_CANCELED", SQLState: "HY008", Message: "Operation has been canceled.", Cause: err}
	case codes.Unauthenticated, codes.PermissionDenied:
		return &errs.Error{Kind: errs.Unauthorized, Message: st.Message(), Cause: err}
	}
	e := &errs.Error{Kind: errs.Internal, Message: st.Message(), Cause: err}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			c.fill(ctx, e, info)
		}
	}
	return e
}

func (c *Client) fill(ctx context.Context, e *errs.Error, info *errdetails.ErrorInfo) {
	e.Condition, e.SQLState = info.Metadata["errorClass"], info.Metadata["sqlState"]
	if json.Unmarshal([]byte(info.Metadata["messageParameters"]), &e.Params) != nil {
		e.Params = nil
	}
	if known, ok := errs.Lookup(e.Condition); ok {
		e.Kind, e.Class = known.Kind, known.Class
	} else if e.Condition != "" {
		e.Kind = errs.Invalid
	}
	text := e.Message
	if id := info.Metadata["errorId"]; id != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		r, err := c.stub.FetchErrorDetails(c.outgoing(ctx), &pb.FetchErrorDetailsRequest{SessionId: c.address.SessionID,
			UserContext: c.user(), ErrorId: id})
		if err == nil && len(r.Errors) > 0 {
			text = r.Errors[0].Message
		}
	}
	e.Message, e.Trailer = split(text, e.Condition, e.SQLState)
}

// split undoes Error.Error: the message between the condition in front and the SQLSTATE behind.
func split(text, condition, state string) (message, trailer string) {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "\n"), "["+condition+"] ")
	if i := strings.LastIndex(text, " SQLSTATE: "+state); state != "" && i >= 0 {
		return text[:i], text[i+len(" SQLSTATE: "+state):]
	}
	return text, ""
}
