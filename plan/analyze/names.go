package analyze

import (
	"strings"

	"millrace/plan"
	"millrace/types"
)

// shownAs are the functions that Spark shows under another name than the one that was called.
var shownAs = map[string]string{
	"array_agg": "collect_list", "curdate": "current_date", "current_database": "current_schema", "dateadd": "date_add",
	"random": "rand", "to_varchar": "date_format",
}

func init() {
	for _, name := range strings.Fields("acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh cot csc degrees e exp expm1 floor " +
		"hypot log log10 log1p log2 pi power radians regexp regexp_like rlike sec signum sin sinh spark_partition_id sqrt tan tanh") {
		shownAs[name] = strings.ToUpper(name)
	}
}

// withDefaults adds the optional arguments that Spark shows even when they were not written.
func withDefaults(name string, args []plan.Expr) []plan.Expr {
	if name == "log" && len(args) == 1 {
		return []plan.Expr{&plan.Call{Name: "e", Pretty: "E()"}, args[0]}
	}
	if name == "time_bucket" && len(args) == 2 {
		t := types.Timestamp
		if plan.TypeOf(args[1]).Kind == types.KindTimestampNTZ {
			t = types.TimestampNTZ
		}
		return []plan.Expr{args[0], args[1], &plan.Call{Pretty: t.SQL() + " '1970-01-01 00:00:00'"}}
	}
	more := defaults[name]
	if more == nil || len(args) >= more.upTo || len(args) < more.from {
		return args
	}
	return append(args[:len(args):len(args)], more.values[len(args)-more.from:]...)
}

// optional are the defaults of a function's arguments from place from up to place upTo.
type optional struct {
	from, upTo int
	values     []plan.Expr
}

var (
	null      = &plan.Literal{T: types.Null}
	zero      = plan.Int(0)
	two       = &plan.Literal{Value: 2.0, T: types.Float}
	noSeconds = &plan.Literal{Value: int64(0), T: types.Decimal(8, 6)}
)

// identity and ascending are the lambdas that stand for those not written.
var (
	identity  = &plan.Call{Pretty: "lambdafunction(namedlambdavariable(), namedlambdavariable())"}
	ascending = &plan.Call{Pretty: "lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, " +
		"(IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, (IF((namedlambdavariable() < namedlambdavariable()), -1, " +
		"(IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), namedlambdavariable())"}
)

var defaults = map[string]*optional{
	"aes_decrypt":                      {2, 5, []plan.Expr{plan.Str("GCM"), plan.Str("DEFAULT"), plan.Str("")}},
	"aes_encrypt":                      {2, 6, []plan.Expr{plan.Str("GCM"), plan.Str("DEFAULT"), plan.Str(""), plan.Str("")}},
	"try_aes_decrypt":                  {2, 5, []plan.Expr{plan.Str("GCM"), plan.Str("DEFAULT"), plan.Str("")}},
	"vector_norm":                      {1, 2, []plan.Expr{two}},
	"vector_normalize":                 {1, 2, []plan.Expr{two}},
	"aggregate":                        {3, 4, []plan.Expr{identity}},
	"array_sort":                       {1, 2, []plan.Expr{ascending}},
	"reduce":                           {3, 4, []plan.Expr{identity}},
	"approx_top_k":                     {1, 3, []plan.Expr{plan.Int(5), plan.Int(10000)}},
	"approx_top_k_accumulate":          {1, 2, []plan.Expr{plan.Int(10000)}},
	"approx_top_k_combine":             {1, 2, []plan.Expr{plan.Int(-1)}},
	"approx_top_k_estimate":            {1, 2, []plan.Expr{plan.Int(5)}},
	"approx_percentile":                {2, 3, []plan.Expr{plan.Int(10000)}},
	"bround":                           {1, 2, []plan.Expr{plan.Int(0)}},
	"hll_sketch_agg":                   {1, 2, []plan.Expr{plan.Int(12)}},
	"hll_union_agg":                    {1, 2, []plan.Expr{plan.Bool(false)}},
	"hll_union":                        {2, 3, []plan.Expr{plan.Bool(false)}},
	"theta_sketch_agg":                 {1, 2, []plan.Expr{plan.Int(12)}},
	"theta_union_agg":                  {1, 2, []plan.Expr{plan.Int(12)}},
	"theta_union":                      {2, 3, []plan.Expr{plan.Int(12)}},
	"from_avro":                        {2, 3, []plan.Expr{null}},
	"to_avro":                          {1, 2, []plan.Expr{null}},
	"schema_of_avro":                   {1, 2, []plan.Expr{null}},
	"from_protobuf":                    {2, 4, []plan.Expr{null, null}},
	"to_protobuf":                      {2, 4, []plan.Expr{null, null}},
	"from_unixtime":                    {1, 2, []plan.Expr{plan.Str("yyyy-MM-dd HH:mm:ss")}},
	"lag":                              {1, 3, []plan.Expr{plan.Int(1), null}},
	"lead":                             {1, 3, []plan.Expr{plan.Int(1), null}},
	"locate":                           {2, 3, []plan.Expr{plan.Int(1)}},
	"lpad":                             {2, 3, []plan.Expr{plan.Str(" ")}},
	"make_dt_interval":                 {0, 4, []plan.Expr{zero, zero, zero, noSeconds}},
	"make_interval":                    {0, 7, []plan.Expr{zero, zero, zero, zero, zero, zero, noSeconds}},
	"make_ym_interval":                 {0, 2, []plan.Expr{zero, zero}},
	"mask":                             {1, 5, []plan.Expr{plan.Str("X"), plan.Str("x"), plan.Str("n"), null}},
	"months_between":                   {2, 3, []plan.Expr{plan.Bool(true)}},
	"overlay":                          {3, 4, []plan.Expr{plan.Int(-1)}},
	"percentile":                       {2, 3, []plan.Expr{plan.Int(1)}},
	"percentile_approx":                {2, 3, []plan.Expr{plan.Int(10000)}},
	"position":                         {2, 3, []plan.Expr{plan.Int(1)}},
	"regexp_extract":                   {2, 3, []plan.Expr{plan.Int(1)}},
	"regexp_extract_all":               {2, 3, []plan.Expr{plan.Int(1)}},
	"regexp_instr":                     {2, 3, []plan.Expr{plan.Int(0)}},
	"regexp_replace":                   {3, 4, []plan.Expr{plan.Int(1)}},
	"replace":                          {2, 3, []plan.Expr{plan.Str("")}},
	"round":                            {1, 2, []plan.Expr{plan.Int(0)}},
	"rpad":                             {2, 3, []plan.Expr{plan.Str(" ")}},
	"sentences":                        {1, 3, []plan.Expr{plan.Str(""), plan.Str("")}},
	"sort_array":                       {1, 2, []plan.Expr{plan.Bool(true)}},
	"split":                            {2, 3, []plan.Expr{plan.Int(-1)}},
	"str_to_map":                       {1, 3, []plan.Expr{plan.Str(","), plan.Str(":")}},
	"substr":                           {2, 3, []plan.Expr{plan.Int(1<<31 - 1)}},
	"substring":                        {2, 3, []plan.Expr{plan.Int(1<<31 - 1)}},
	"to_unix_timestamp":                {1, 2, []plan.Expr{plan.Str("yyyy-MM-dd HH:mm:ss")}},
	"tuple_sketch_agg_double":          {2, 4, []plan.Expr{plan.Int(12), plan.Str("sum")}},
	"tuple_union_agg_double":           {1, 3, []plan.Expr{plan.Int(12), plan.Str("sum")}},
	"tuple_intersection_agg_double":    {1, 2, []plan.Expr{plan.Str("sum")}},
	"tuple_union_double":               {2, 4, []plan.Expr{plan.Int(12), plan.Str("sum")}},
	"tuple_union_theta_double":         {2, 4, []plan.Expr{plan.Int(12), plan.Str("sum")}},
	"tuple_intersection_double":        {2, 3, []plan.Expr{plan.Str("sum")}},
	"tuple_intersection_theta_double":  {2, 3, []plan.Expr{plan.Str("sum")}},
	"tuple_sketch_summary_double":      {1, 2, []plan.Expr{plan.Str("sum")}},
	"tuple_sketch_agg_integer":         {2, 4, []plan.Expr{plan.Int(12), plan.Str("sum")}},
	"tuple_union_agg_integer":          {1, 3, []plan.Expr{plan.Int(12), plan.Str("sum")}},
	"tuple_intersection_agg_integer":   {1, 2, []plan.Expr{plan.Str("sum")}},
	"tuple_union_integer":              {2, 4, []plan.Expr{plan.Int(12), plan.Str("sum")}},
	"tuple_union_theta_integer":        {2, 4, []plan.Expr{plan.Int(12), plan.Str("sum")}},
	"tuple_intersection_integer":       {2, 3, []plan.Expr{plan.Str("sum")}},
	"tuple_intersection_theta_integer": {2, 3, []plan.Expr{plan.Str("sum")}},
	"tuple_sketch_summary_integer":     {1, 2, []plan.Expr{plan.Str("sum")}},
	"unix_timestamp":                   {0, 2, []plan.Expr{&plan.Call{Name: "now", Pretty: "current_timestamp()"}, plan.Str("yyyy-MM-dd HH:mm:ss")}},
}
