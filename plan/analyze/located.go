package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// metadataName is the column that says from where in which file a row comes. Nothing shows it; whoever names it gets it.
const metadataName = "_metadata"

// fileNameColumn is the column that input_file_name reads.
const fileNameColumn = "input_file_name()"

// metadataOf are the hidden columns of a scan, _metadata and the file's name; none of one of a table whose rows come from no files.
func (a *analyzer) metadataOf(s *plan.Scan) []*plan.Attribute {
	t, ok := s.Table.(plan.Located)
	if !ok || t.Members() == nil {
		return nil
	}
	m := a.located[s]
	if m == nil {
		m = []*plan.Attribute{{ID: a.id(), Name: metadataName, T: types.Struct(t.Members()...)}, {ID: a.id(), Name: fileNameColumn, T: types.String}}
		a.located[s] = m
	}
	return m
}

// widenScan makes a scan return its hidden columns besides its own.
func (a *analyzer) widenScan(s *plan.Scan) plan.Node {
	m := a.metadataOf(s)
	if m == nil {
		return nil
	}
	exprs := exprsOf(s.Attrs)
	wide := *s
	wide.Attrs, wide.Fields = append([]*plan.Attribute(nil), s.Attrs...), append([]int(nil), s.Fields...)
	a.located[&wide] = m
	var names []string
	var values []plan.Expr
	members := m[0].T.Fields
	for i, f := range members {
		c := a.attribute(f)
		wide.Attrs, wide.Fields = append(wide.Attrs, c), append(wide.Fields, len(s.Table.Schema().Fields)+i)
		names, values = append(names, f.Name), append(values, c)
	}
	wide.Attrs, wide.Fields = append(wide.Attrs, m[1]), append(wide.Fields, len(s.Table.Schema().Fields)+len(members))
	return &plan.Project{Input: &wide, Exprs: append(exprs, &plan.Alias{Child: a.structOf(names, values), Names: []string{metadataName}, ID: m[0].ID}, m[1])}
}

// shownThrough are the hidden columns of a node's input that it hands on as its own hidden ones.
func (a *analyzer) shownThrough(n plan.Node) []*plan.Attribute {
	switch n := n.(type) {
	case *plan.Scan:
		return a.metadataOf(n)
	case *plan.SubqueryAlias:
		var list []*plan.Attribute
		for _, m := range a.metadata(n.Input) {
			c := *m
			c.Qualifier = n.Name
			list = append(list, &c)
		}
		return list
	case *plan.Project, *plan.WindowNode, *plan.Generate:
		return a.metadata(n.Children()[0])
	}
	return nil
}

// metadata are the hidden columns of the tables under a node.
func (a *analyzer) metadata(n plan.Node) []*plan.Attribute {
	var list []*plan.Attribute
	for _, c := range a.hiddenOf([]plan.Node{n}) {
		if isMetadata(c) && !containsID(list, c.ID) {
			list = append(list, c)
		}
	}
	return list
}

func isMetadata(c *plan.Attribute) bool {
	return c.Name == metadataName && c.T.Kind == types.KindStruct || c.Name == fileNameColumn
}

// inputFile are the functions that ask for a member of the hidden column, and what they are where rows come from no file.
var inputFile = map[string]struct {
	member string
	none   plan.Expr
}{
	"input_file_name": {"", plan.Str("")}, "input_file_block_start": {"file_block_start", &plan.Literal{T: types.Long, Value: int64(-1)}},
	"input_file_block_length": {"file_block_length", &plan.Literal{T: types.Long, Value: int64(-1)}},
}

// inputFileCall is a call of one of them: the file of the one table that the rows come from.
func (a *analyzer) inputFileCall(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	name := strings.ToLower(u.Name[len(u.Name)-1])
	if len(u.Args) > 0 {
		return nil, wrongArgs(u.Name, 0, 0, len(u.Args))
	}
	shown := name + "()"
	var found []*plan.Attribute
	for _, n := range s.nodes {
		for _, c := range a.metadata(n) {
			if (c.Name == fileNameColumn) == (inputFile[name].member == "") {
				found = append(found, c)
			}
		}
	}
	switch len(found) {
	case 0:
		return &plan.Call{Name: "coalesce", Args: []plan.Expr{inputFile[name].none}, T: plan.TypeOf(inputFile[name].none), Pretty: shown}, nil
	case 1:
	default:
		return nil, errs.New("MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION", "expr", `"`+shown+`"`)
	}
	if found[0].Name == fileNameColumn {
		return &plan.Call{Name: "coalesce", Args: []plan.Expr{found[0]}, T: types.String, Pretty: shown}, nil
	}
	e, err := a.field(found[0], inputFile[name].member)
	if err != nil {
		return nil, err
	}
	return &plan.Call{Name: "coalesce", Args: []plan.Expr{e}, T: plan.TypeOf(e), Pretty: shown}, nil
}
