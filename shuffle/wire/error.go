package wire

import (
	"errors"

	"millrace/errs"
	workerpb "millrace/proto/millrace/worker/v1"
)

// Error is an error's message.
func Error(err error) *workerpb.Error {
	var e *errs.Error
	if !errors.As(err, &e) {
		e = errs.Newf(errs.KindOf(err), "%s", err.Error())
	}
	p := &workerpb.Error{Kind: uint32(e.Kind), Class: uint32(e.Class), Condition: e.Condition, SqlState: e.SQLState,
		Params: e.Params, Message: e.Message, Text: err.Error()}
	for _, c := range e.Context {
		p.Context = append(p.Context, &workerpb.QueryContext{DataFrame: c.DataFrame, ObjectType: c.ObjectType, ObjectName: c.ObjectName,
			Start: int32(c.Start), Stop: int32(c.Stop), Fragment: c.Fragment, CallSite: c.CallSite, Sql: c.SQL})
	}
	return p
}

// FromError is the error of a message. Its text, where it says more than the error itself, is kept in the wrapping.
func FromError(p *workerpb.Error) error {
	e := &errs.Error{Kind: errs.Kind(p.GetKind()), Class: errs.Class(p.GetClass()), Condition: p.GetCondition(), SQLState: p.GetSqlState(),
		Params: p.GetParams(), Message: p.GetMessage()}
	for _, c := range p.GetContext() {
		e.Context = append(e.Context, errs.QueryContext{DataFrame: c.DataFrame, ObjectType: c.ObjectType, ObjectName: c.ObjectName,
			Start: int(c.Start), Stop: int(c.Stop), Fragment: c.Fragment, CallSite: c.CallSite, SQL: c.Sql})
	}
	if text := p.GetText(); text != "" && text != e.Error() {
		return &remote{text, e}
	}
	return e
}

// remote is an error that said more, where it happened, than its errs.Error does.
type remote struct {
	text string
	err  *errs.Error
}

func (r *remote) Error() string { return r.text }
func (r *remote) Unwrap() error { return r.err }
