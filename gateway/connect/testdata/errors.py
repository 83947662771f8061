"""Errors as a program sees them: the values are those of Spark 4.2."""
import sys

from pyspark.errors import AnalysisException, ArithmeticException, IllegalArgumentException, ParseException, SparkNoSuchElementException
from pyspark.errors import UnsupportedOperationException
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()


def raises(kind, condition, state, params, run):
    try:
        run()
    except kind as e:
        assert type(e).__name__ == kind.__name__, type(e)
        assert e.getCondition() == condition, e.getCondition()
        assert e.getSqlState() == state, e.getSqlState()
        assert e.getMessageParameters() == params, e.getMessageParameters()
        return e
    raise AssertionError(f"{condition} was not raised")


e = raises(AnalysisException, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", {"objectName": "`nope`", "proposal": "`id`"},
           lambda: spark.range(1).select(F.col("nope")).collect())
c = e.getQueryContext()[0]
assert c.fragment() == "col" and "errors.py:" in c.callSite()
e = raises(ArithmeticException, "DIVIDE_BY_ZERO", "22012", {"config": '"spark.sql.ansi.enabled"'},
           lambda: spark.range(1).select(F.lit(1) / F.lit(0)).collect())
assert '== DataFrame ==\n"__truediv__" was called from' in str(e)
e = raises(ArithmeticException, "DIVIDE_BY_ZERO", "22012", {"config": '"spark.sql.ansi.enabled"'},
           lambda: spark.sql("select\n  2/0").collect())
assert "== SQL (line 2, position 3) ==\n  2/0\n  ^^^\n" in str(e), str(e)
c = e.getQueryContext()[0]
assert (c.startIndex(), c.stopIndex(), c.fragment()) == (9, 11, "2/0")
raises(AnalysisException, "TABLE_OR_VIEW_NOT_FOUND", "42P01", {"relationName": "`nope`"}, lambda: spark.table("nope").collect())
raises(ParseException, "PARSE_SYNTAX_ERROR", "42601", {"error": "'selec'", "hint": ""}, lambda: spark.sql("selec 1"))
raises(SparkNoSuchElementException, "SQL_CONF_NOT_FOUND", "42K0I", {"sqlConf": '"spark.nope"'}, lambda: spark.conf.get("spark.nope"))
raises(IllegalArgumentException, "INVALID_CONF_VALUE.TYPE_MISMATCH", "22022",
       {"confName": "spark.sql.ansi.enabled", "confValue": "7", "confType": "boolean"}, lambda: spark.conf.set("spark.sql.ansi.enabled", "7"))
raises(AnalysisException, "CANNOT_MODIFY_STATIC_CONFIG", "46110", {"key": '"spark.sql.warehouse.dir"'},
       lambda: spark.conf.set("spark.sql.warehouse.dir", "x"))
spark.range(1).createTempView("v")
raises(AnalysisException, "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", {"relationName": "`v`"}, lambda: spark.range(1).createTempView("v"))
try:
    spark.range(1).groupBy("id").count().collect()
    raise AssertionError("no error")
except UnsupportedOperationException as e:
    assert e.getCondition() == "UNSUPPORTED_FEATURE" and e.getSqlState() == "0A000"
try:
    spark.table("broken").collect()
    raise AssertionError("no error")
except Exception as e:
    assert e.getCondition() == "INTERNAL_ERROR" and "a bug" in str(e)
print("ok")
