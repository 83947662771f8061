package worker

import (
	"context"
	"path/filepath"
	"strings"

	"millrace/operators"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/python"
)

// pythonTask starts a process for the functions of an operator of a task.
func (r *Runtime) pythonTask(ctx context.Context, t *task, p *planpb.Python) (operators.PythonTask, error) {
	var needs []string
	if p.EvalType != pickledRows || len(p.Args) > 0 {
		needs = []string{"pyarrow"}
	}
	if pandasKinds[p.EvalType] {
		needs = append(needs, "pandas")
	}
	exe, err := python.Find(ctx, p.Version, p.Executable, needs...)
	if err != nil {
		return nil, err
	}
	q := python.Request{Python: p.Version, Eval: int(p.EvalType), Stage: int(t.ref.Stage), Partition: t.ref.Task, Attempt: t.ref.Attempt, Conf: p.Conf, Env: p.Env,
		EvalConf: map[string]string{"input_type": operators.PythonInput(p)}, Input: operators.PythonInput(p), Includes: []string{}}
	if q.Conf == nil {
		q.Conf = map[string]string{}
	}
	if q.Env == nil {
		q.Env = map[string]string{}
	}
	for _, f := range p.Functions {
		fn := python.Function{Commands: f.Commands, Args: []python.Arg{}}
		for _, a := range f.Args {
			fn.Args = append(fn.Args, python.Arg{Offset: int(a.Column), Name: a.Name})
		}
		q.Functions = append(q.Functions, fn)
		q.Outputs = append(q.Outputs, planconv.Type(f.Type).JSON())
	}
	for _, f := range p.Files {
		q.Files = append(q.Files, python.File{Name: strings.TrimPrefix(filepath.ToSlash(f.Name), "pyfiles/"), Data: f.Data})
	}
	task, err := r.Python.Start(ctx, exe, q)
	if err != nil {
		return nil, err
	}
	return task, nil
}

// pickledRows is the kind of functions whose rows PySpark would pickle.
const pickledRows = 100

// pandasKinds are the kinds of functions that take or give what pandas has.
var pandasKinds = map[int32]bool{200: true, 201: true, 202: true, 203: true, 204: true, 205: true, 206: true, 216: true, 217: true}
