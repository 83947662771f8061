package worker

import (
	"millrace/operators"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table"
	_ "millrace/table/functions" // kernels
)

// DefaultTables reads and writes the formats of this build. memory is the worker's budget, of which a small part goes to what is kept of files.
func DefaultTables(memory int64) Tables {
	footers := table.NewFooters(1024, min(memory/32, 64<<20))
	return Tables{
		Scan: func(op *planpb.Operator, scan *planpb.FileScan, splits []*planpb.FileSplit, s *planpb.Settings) (operators.Operator, error) {
			return table.NewScan(op, scan, splits, table.Env{Settings: s, Footers: footers})
		},
		Sink: func(op *planpb.Operator, sink *planpb.FileSink, input operators.Operator, s *planpb.Settings) (operators.Operator, error) {
			return table.NewSink(op, sink, input, table.Env{Settings: s, Footers: footers})
		},
	}
}
