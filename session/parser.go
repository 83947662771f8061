package session

import (
	"strings"
	"time"

	"millrace/sql"
)

// Parser reads SQL text as the session's settings say.
func (s *Session) Parser() *sql.Parser {
	c := s.Conf
	zone, err := ZoneOf(c.Get("spark.sql.session.timeZone"))
	if err != nil {
		zone = time.UTC
	}
	return &sql.Parser{Location: zone, NTZ: c.Get("spark.sql.timestampType") == "TIMESTAMP_NTZ", Now: time.Now(),
		RawStrings:       c.Bool("spark.sql.parser.escapedStringLiterals"),
		DoubleQuotedName: c.Bool("spark.sql.ansi.enabled") && c.Bool("spark.sql.ansi.doubleQuotedIdentifiers"),
		PlainBar:         strings.EqualFold(c.Get("spark.sql.parser.singleCharacterPipeOperator.enabled"), "false"),
		FlatSetOps:       c.Bool("spark.sql.legacy.setopsPrecedence.enabled"),
		HavingIsWhere:    c.Bool("spark.sql.legacy.parser.havingWithoutGroupByAsWhere")}
}
