package connect

import (
	"strings"
	"testing"

	pb "millrace/proto/spark/connect"
)

func TestDescribePlan(t *testing.T) {
	table := &pb.Relation{RelType: &pb.Relation_Read{Read: &pb.Read{ReadType: &pb.Read_NamedTable_{NamedTable: &pb.Read_NamedTable{UnparsedIdentifier: "loans"}}}}}
	delta := "delta"
	path := &pb.Relation{RelType: &pb.Relation_Read{Read: &pb.Read{ReadType: &pb.Read_DataSource_{DataSource: &pb.Read_DataSource{Format: &delta, Paths: []string{"/lake/gold"}}}}}}
	filter := func(in *pb.Relation) *pb.Relation {
		return &pb.Relation{RelType: &pb.Relation_Filter{Filter: &pb.Filter{Input: in}}}
	}
	show := func(in *pb.Relation) *pb.Relation {
		return &pb.Relation{RelType: &pb.Relation_ShowString{ShowString: &pb.ShowString{Input: in}}}
	}
	query := &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: " SELECT 1 "}}}
	join := &pb.Relation{RelType: &pb.Relation_Join{Join: &pb.Join{Left: path, Right: table}}}
	write := &pb.Command{CommandType: &pb.Command_WriteOperation{WriteOperation: &pb.WriteOperation{Input: filter(table),
		SaveType: &pb.WriteOperation_Path{Path: "/lake/silver"}}}}
	for _, c := range []struct {
		root    *pb.Relation
		command *pb.Command
		want    string
	}{
		{root: show(filter(table)), want: "loans → filter → show"},
		{root: show(query), want: "SELECT 1"},
		{root: filter(query), want: "SELECT 1 → filter"},
		{root: join, want: "delta /lake/gold → join"},
		{root: &pb.Relation{}, want: ""},
		{command: write, want: "loans → filter → write /lake/silver"},
		{command: &pb.Command{CommandType: &pb.Command_SqlCommand{SqlCommand: &pb.SqlCommand{Input: query}}}, want: "SELECT 1"},
		{command: &pb.Command{CommandType: &pb.Command_SqlCommand{SqlCommand: &pb.SqlCommand{Sql: "DROP TABLE t"}}}, want: "DROP TABLE t"},
		{command: &pb.Command{}, want: ""},
	} {
		if got := describePlan(c.root, c.command); got != c.want {
			t.Errorf("%q, wanted %q", got, c.want)
		}
	}
	long := &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: strings.Repeat("é", maxDescription)}}}
	if got := describePlan(long, nil); len(got) > maxDescription+8 || !strings.HasSuffix(got, "é …") {
		t.Errorf("a long text is kept with %d bytes, ending %q", len(got), got[len(got)-10:])
	}
}
