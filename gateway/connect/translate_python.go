package connect

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
)

// pythonFunction reads a function that a client has pickled.
func pythonFunction(f *pb.CommonInlineUserDefinedFunction) (*plan.PythonFunction, error) {
	u := f.GetPythonUdf()
	if u == nil {
		return nil, errs.Unsupportedf("The user-defined function %s (%s) is not supported; Python's are.", f.GetFunctionName(), kindOf(f, "function"))
	}
	t, err := fromDataType(u.OutputType)
	if err != nil {
		return nil, err
	}
	return &plan.PythonFunction{Name: f.FunctionName, Eval: int(u.EvalType), Version: u.PythonVer, Commands: [][]byte{u.Command}, Returns: t,
		Deterministic: f.Deterministic}, nil
}

func (t *translator) pythonCall(f *pb.CommonInlineUserDefinedFunction, origin *plan.Origin) (plan.Expr, error) {
	fn, err := pythonFunction(f)
	if err != nil {
		return nil, err
	}
	args, err := t.exprs(f.Arguments)
	return &plan.PythonUDF{Function: fn, Args: args, Distinct: f.IsDistinct, Origin: origin}, err
}

func (t *translator) mapPartitions(r *pb.MapPartitions) (plan.Node, error) {
	fn, err := pythonFunction(r.Func)
	if err != nil {
		return nil, err
	}
	switch fn.Eval {
	case plan.PandasMapIter, plan.ArrowMapIter:
	default:
		return nil, errs.Unsupportedf("A function of kind %d over partitions is not supported.", fn.Eval)
	}
	in, err := t.input(r.Input)
	return &plan.PythonMap{Input: in, Function: fn}, err
}

func (t *translator) groupMap(r *pb.GroupMap) (plan.Node, error) {
	fn, err := pythonFunction(r.Func)
	if err != nil {
		return nil, err
	}
	switch fn.Eval {
	case plan.PandasGroupedMap, plan.PandasGroupedMapIter, plan.ArrowGroupedMap, plan.ArrowGroupedMapIter:
	default:
		what := "of kind " + itoa(fn.Eval)
		if r.TransformWithStateInfo != nil {
			what = "transformWithState"
		} else if r.StateSchema != nil {
			what = "applyInPandasWithState"
		}
		return nil, errs.Unsupportedf("A function %s over groups is not supported.", what)
	}
	n := &plan.PythonMap{Function: fn, Grouped: true}
	if n.Input, err = t.input(r.Input); err != nil {
		return nil, err
	}
	n.Keys, err = t.exprs(r.GroupingExpressions)
	return n, err
}

func (t *translator) coGroupMap(r *pb.CoGroupMap) (plan.Node, error) {
	fn, err := pythonFunction(r.Func)
	if err != nil {
		return nil, err
	}
	n := &plan.PythonMap{Function: fn, Grouped: true}
	if n.Input, err = t.input(r.Input); err != nil {
		return nil, err
	}
	if n.Right, err = t.input(r.Other); err != nil {
		return nil, err
	}
	if n.Keys, err = t.exprs(r.InputGroupingExpressions); err != nil {
		return nil, err
	}
	n.RightKeys, err = t.exprs(r.OtherGroupingExpressions)
	return n, err
}

// registerFunction keeps a function under a name, to be called in SQL.
func (t *translator) registerFunction(f *pb.CommonInlineUserDefinedFunction) error {
	fn, err := pythonFunction(f)
	if err != nil {
		return err
	}
	if strings.TrimSpace(f.FunctionName) == "" {
		return errs.Newf(errs.Invalid, "A function to be registered needs a name.")
	}
	t.s.PutFunction(f.FunctionName, &plan.CreateFunction{Name: []string{f.FunctionName}, Temp: true, Python: fn})
	return nil
}
