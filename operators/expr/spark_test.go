package expr_test

import (
	"bufio"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/plan/fn"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

// TestSpark evaluates the calls in testdata/*.spark, whose results are Spark 4.2's (testdata/README.md says how they were taken):
//
//	name | mode | argument; argument … | type | result as a string, or ! and the condition and message of the error
//
// An argument is a type and the text that is cast to it, or NULL.
func TestSpark(t *testing.T) {
	files, err := filepath.Glob("testdata/*.spark")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	known := differences(t)
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if line := lines.Text(); line != "" && line[0] != '#' && !known(line) {
				checkLine(t, filepath.Base(file), line)
			}
		}
	}
}

// differences are the calls, by their first words, that are meant to give something else; the file says why.
func differences(t *testing.T) func(line string) bool {
	data, err := os.ReadFile("testdata/differences")
	if err != nil {
		t.Fatal(err)
	}
	var prefixes []string
	for _, p := range strings.Split(string(data), "\n") {
		if p != "" && p[0] != '#' {
			prefixes = append(prefixes, p)
		}
	}
	return func(line string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) })
	}
}

func checkLine(t *testing.T, file, line string) {
	t.Helper()
	parts := strings.SplitN(line, "|", 5)
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	ansi := parts[1] != "legacy"
	typ, got := evaluate(parts[0], ansi, strings.Split(parts[2], ";"))
	want := strings.ReplaceAll(parts[4], `\n`, "\n")
	if strings.HasPrefix(got, "!CAST_") && !strings.HasPrefix(want, "!") && (strings.Contains(parts[2], "NULL") || parts[0] == "in") {
		return // Spark need not look at all arguments once it has met null, or the item
	}
	if mismatch := "!DATATYPE_MISMATCH"; file == "temporal.spark" && strings.HasPrefix(want, mismatch) && strings.HasPrefix(got, mismatch) {
		return // Spark tries several readings of + and -, and complains of the last
	}
	if strings.HasPrefix(want, "!") {
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s\n got %s\nwant %s", file, strings.Join(parts[:3], " | "), got, want)
		}
		return
	}
	if typ != parts[3] || strings.TrimSpace(got) != want && !sameNumber(typ, got, want) {
		t.Errorf("%s: %s\n got %s %s\nwant %s %s", file, strings.Join(parts[:3], " | "), typ, got, parts[3], want)
	}
}

// sameNumber forgives the digits that Java before 19 shows beyond the shortest that name a float, and functions' last place.
func sameNumber(typ, got, want string) bool {
	if typ != "double" && typ != "float" && typ != "string" {
		return false
	}
	x, err1 := strconv.ParseFloat(got, 64)
	y, err2 := strconv.ParseFloat(want, 64)
	if typ == "float" {
		return err1 == nil && err2 == nil && float32(x) == float32(y)
	}
	return err1 == nil && err2 == nil && (x == y || typ == "double" && math.Abs(x-y) <= 4e-16*math.Abs(y))
}

// evaluate resolves a call as an analyser does, folds it and shows the result.
func evaluate(name string, ansi bool, texts []string) (string, string) {
	s := &planpb.Settings{Ansi: ansi, TimeZone: "UTC"}
	var args []fn.Arg
	var exprs []*planpb.Expr
	for _, text := range texts {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		arg, e := argument(text, s)
		args, exprs = append(args, arg), append(exprs, e)
	}
	call, err := resolve(name, ansi, args, exprs, s)
	if err == nil {
		var lit *planpb.Literal
		shown := castTo(call, types.String, mode(ansi))
		if lit, err = expr.Fold(shown, s); err == nil {
			if v := planconv.Value(lit, types.String); v != nil {
				return planconv.Type(call.Type).String(), v.(string)
			}
			return planconv.Type(call.Type).String(), "NULL"
		}
	}
	var e *errs.Error
	if errors.As(err, &e) {
		return "", "!" + e.Condition + " " + strings.ReplaceAll(e.Message, "\n", " ")
	}
	return "", "!! " + err.Error()
}

func mode(ansi bool) planpb.EvalMode {
	if ansi {
		return planpb.EvalMode_EVAL_MODE_ANSI
	}
	return planpb.EvalMode_EVAL_MODE_LEGACY
}

func resolve(name string, ansi bool, args []fn.Arg, exprs []*planpb.Expr, s *planpb.Settings) (*planpb.Expr, error) {
	if _, to, ok := strings.Cut(name, "cast:"); ok && !fn.CanCast(ansi, args[0].Type, mustType(to)) {
		return nil, fn.CastError(ansi, strings.HasPrefix(name, "try"), args[0].Type, mustType(to))
	}
	if to, ok := strings.CutPrefix(name, "cast:"); ok {
		return castTo(exprs[0], mustType(to), mode(ansi)), nil
	}
	if to, ok := strings.CutPrefix(name, "try_cast:"); ok {
		return castTo(exprs[0], mustType(to), planpb.EvalMode_EVAL_MODE_TRY), nil
	}
	f := fn.Lookup(name)
	if f == nil {
		return nil, errs.Newf(errs.Internal, "no function %s", name)
	}
	r, err := f.Resolve(&fn.Context{ANSI: ansi, TimeZone: "UTC"}, args)
	if err != nil {
		return nil, err
	}
	for i, t := range r.Args {
		if t != nil && !t.SameData(args[i].Type) {
			exprs[i] = castTo(exprs[i], t, mode(ansi))
			if lit, err := expr.Fold(exprs[i], s); err == nil {
				exprs[i] = &planpb.Expr{Type: planconv.TypePB(t), Kind: &planpb.Expr_Literal{Literal: lit}}
			}
		}
	}
	if r.Kernel == "" {
		r.Kernel = f.Names[0]
	}
	return &planpb.Expr{Type: planconv.TypePB(r.Type), Nullable: r.Nullable, Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: r.Kernel, Args: exprs,
		Mode: mode(ansi), Options: r.Options}}}, nil
}

// argument reads "type text": a literal whose value is the text cast to the type.
func argument(text string, s *planpb.Settings) (fn.Arg, *planpb.Expr) {
	name, value, _ := strings.Cut(text, " ")
	t := mustType(name)
	e := &planpb.Expr{Type: planconv.TypePB(types.String), Kind: &planpb.Expr_Literal{Literal: planconv.Literal(value)}}
	if value == "NULL" {
		e = &planpb.Expr{Type: planconv.TypePB(t), Nullable: true, Kind: &planpb.Expr_Literal{Literal: planconv.Literal(nil)}}
	} else if t.Kind != types.KindString {
		lit, err := expr.Fold(castTo(e, t, planpb.EvalMode_EVAL_MODE_ANSI), s)
		if err != nil {
			panic(text + ": " + err.Error())
		}
		e = &planpb.Expr{Type: planconv.TypePB(t), Kind: &planpb.Expr_Literal{Literal: lit}}
	}
	c := planconv.Value(e.GetLiteral(), t)
	return fn.Arg{Type: t, Nullable: value == "NULL", IsConst: true, Const: c, SQL: "CAST(x AS y)"}, e
}

func castTo(e *planpb.Expr, t *types.Type, m planpb.EvalMode) *planpb.Expr {
	return &planpb.Expr{Type: planconv.TypePB(t), Nullable: true, Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: "cast", Args: []*planpb.Expr{e}, Mode: m}}}
}

var typeNames = map[string]*types.Type{"boolean": types.Boolean, "tinyint": types.Byte, "smallint": types.Short, "int": types.Integer, "bigint": types.Long,
	"float": types.Float, "double": types.Double, "string": types.String, "binary": types.Binary, "date": types.Date, "timestamp": types.Timestamp,
	"timestamp_ntz": types.TimestampNTZ, "void": types.Null, "interval_ym": types.YearMonth, "interval_ds": types.DayTime}

func mustType(name string) *types.Type {
	if t := typeNames[name]; t != nil {
		return t
	}
	t, err := types.ParseJSON([]byte(`"` + name + `"`))
	if err != nil {
		panic(err)
	}
	return t
}
