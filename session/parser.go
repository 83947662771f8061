package session

import (
	"context"
	"strings"
	"time"

	"millrace/errs"
	"millrace/plan"
	"millrace/sql"
	"millrace/types"
)

// Parser reads SQL text as the session's settings say.
func (s *Session) Parser() *sql.Parser {
	p := ParserOf(s.Conf)
	p.Eval = s.eval
	return p
}

// ParserOf reads SQL text as settings say, without variables.
func ParserOf(c *Conf) *sql.Parser {
	zone, err := ZoneOf(c.Get("spark.sql.session.timeZone"))
	if err != nil {
		zone = time.UTC
	}
	return &sql.Parser{Location: zone, NTZ: c.Get("spark.sql.timestampType") == "TIMESTAMP_NTZ", Now: time.Now(),
		RawStrings:       c.Bool("spark.sql.parser.escapedStringLiterals"),
		DoubleQuotedName: c.Bool("spark.sql.ansi.enabled") && c.Bool("spark.sql.ansi.doubleQuotedIdentifiers"),
		PlainBar:         strings.EqualFold(c.Get("spark.sql.parser.singleCharacterPipeOperator.enabled"), "false"),
		PlainQuotes:      c.Bool("spark.sql.legacy.consecutiveStringLiterals.enabled"),
		CalendarInterval: c.Bool("spark.sql.legacy.interval.enabled"),
		FlatSetOps:       c.Bool("spark.sql.legacy.setopsPrecedence.enabled"),
		RegexNames:       c.Bool("spark.sql.parser.quotedRegexColumnNames"),
		HavingIsWhere:    c.Bool("spark.sql.legacy.parser.havingWithoutGroupByAsWhere")}
}

// Evaluator is an Engine that computes expressions which read no columns, but may read session variables.
type Evaluator interface {
	Evaluate(ctx context.Context, s *Session, e plan.Expr) (*plan.Literal, error)
	// Rows runs a query to its end.
	Rows(ctx context.Context, s *Session, n plan.Node) ([]types.Field, [][]any, error)
}

// eval computes what the text of a statement depends on.
func (s *Session) eval(e plan.Expr) (*plan.Literal, error) {
	c, ok := s.engine.(Evaluator)
	if !ok {
		return nil, errs.Unsupportedf("names and statements that are computed are not supported here")
	}
	return c.Evaluate(context.Background(), s, e)
}
