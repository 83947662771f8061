"""functions.py REMOTE OUT [CASE…]: what functions of Python in queries answer, as JSON: each case's schema and rows, or its error.

Spark's own answers are in ../testdata/functions.json."""
import datetime
import decimal
import logging
import os
import sys
import tempfile
import warnings
from typing import Iterator, Tuple

import judging
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Row, SparkSession, Window, functions as F
from pyspark.sql.functions import pandas_udf, udf

try:
    from pyspark.sql.functions import arrow_udf
except ImportError:  # PySpark 4.0
    def arrow_udf(_):
        return lambda f: f


warnings.simplefilter("ignore")
logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
ids = spark.range(6)
df = spark.createDataFrame([(1, "a", 1.5, [1, 2], {"k": 1}, (1, "x")), (2, "b", None, [], {}, (2, None)), (3, None, 2.5, None, None, None)],
                           "n int, s string, d double, a array<int>, m map<string,int>, st struct<x:int,y:string>")
times = spark.sql("select timestamp'2020-07-01 12:34:56.789' t, timestamp_ntz'2020-07-01 12:34:56' z, date'2020-02-02' d, 1.50BD x, X'0102' b, interval '1' day i")


def plain(f, t="string"):
    return udf(f, t, useArrow=False)


def inc(x):
    return None if x is None else x + 1


def add(a, b=10):
    return a + b


def fail(x):
    raise ValueError("boo %s" % x)


plus = udf(inc, "int")
adds = udf(add, "long")


@pandas_udf("long")
def twice(s: pd.Series) -> pd.Series:
    return s * 2


@pandas_udf("long")
def summed(it: Iterator[Tuple[pd.Series, pd.Series]]) -> Iterator[pd.Series]:
    for a, b in it:
        yield a + b


@pandas_udf("a long, b string")
def pair(s: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"a": s, "b": s.astype(str)})


@arrow_udf("long")
def third(a: pa.Array) -> pa.Array:
    return pc.add(a, 3)


@pandas_udf("double")
def average(s: pd.Series) -> float:
    return s.mean()


@arrow_udf("long")
def most(a: pa.Array) -> int:
    return pc.max(a)


def grouped(key, frame):
    return pd.DataFrame({"k": [key[0]], "n": [len(frame)], "s": [frame["id"].sum()]})


C = {}
C["udf"] = lambda: ids.select(plus("id"), plus(plus("id")), "id").where(plus("id") > 2)
C["udf nulls"] = lambda: df.select(udf(lambda s: None if s is None else s + "!")("s"), udf(lambda d: d)("d"), udf(lambda a: a, "array<int>")("a"), udf(lambda m: m, "map<string,int>")("m"))
C["udf names"] = lambda: ids.select(adds(F.col("id"), b=F.col("id")), adds("id"), adds(b=F.lit(1), a=F.col("id")).alias("z"))
C["udf none"] = lambda: ids.select(udf(lambda: 7, "int")())
C["udf struct in"] = lambda: df.select(udf(lambda r: repr(r))("st"), udf(lambda r: None if r is None else r.y)("st"))
C["udf struct out"] = lambda: ids.select(udf(lambda x: (x, str(x)), "a long, b string")("id"), udf(lambda x: Row(b=str(x), a=x), "a long, b string")("id"), udf(lambda x: {"a": x}, "a long, b string")("id"))
C["udf types"] = lambda: times.select(*[udf(lambda v: repr(v))(c) for c in times.columns])
C["udf coercion"] = lambda: ids.select(udf(lambda x: x)("id"), udf(lambda x: x * 1.5)("id"), udf(lambda x: x > 1)("id"), udf(lambda x: [x])("id"))
C["udf wrong type"] = lambda: ids.select(udf(lambda x: "a", "int")("id"))
C["plain"] = lambda: ids.select(plain(lambda x: x, "int")("id"), plain(lambda x: x)("id"), plain(lambda x: x / 3, "float")("id"), plain(lambda x: x > 1, "boolean")("id"), plain(lambda x: x * 1e10)("id"))
C["plain wrong types"] = lambda: ids.select(plain(lambda x: str(x), "int")("id"), plain(lambda x: x, "double")("id"), plain(lambda x: 1.5, "int")("id"), plain(lambda x: "a", "boolean")("id"), plain(lambda x: x, "array<int>")("id"))
C["plain narrow"] = lambda: ids.select(plain(lambda x: x + 300, "tinyint")("id"), plain(lambda x: 2**31 + x, "int")("id"), plain(lambda x: 2**70, "long")("id"))
C["plain text"] = lambda: ids.select(plain(lambda x: [x, "a", None, 1.5, True])("id"), plain(lambda x: {"a": 1})("id"), plain(lambda x: b"ab", "binary")("id"))
C["plain nested"] = lambda: ids.select(plain(lambda x: [(x, None), (None, "b")], "array<struct<a:long,b:string>>")("id"), plain(lambda x: {str(x): [x]}, "map<string,array<int>>")("id"))
C["plain times"] = lambda: ids.select(plain(lambda x: datetime.datetime(2020, 1, 1, x), "timestamp")("id"), plain(lambda x: datetime.date(2020, 1, 1 + x), "date")("id"), plain(lambda x: decimal.Decimal("1.235"), "decimal(5,2)")("id"), plain(lambda x: datetime.timedelta(days=x), "interval day to second")("id"))
C["plain types"] = lambda: times.select(*[plain(lambda v: repr(v))(c) for c in times.columns])
C["plain struct in"] = lambda: df.select(plain(lambda r: repr(r))("st"), plain(lambda a, m: repr((a, m)))("a", "m"))
C["plain names"] = lambda: ids.select(plain(add, "long")(F.col("id"), b=F.col("id")), plain(lambda: "x")())
C["plain many"] = lambda: spark.range(25000).select(plain(inc, "long")("id").alias("x"), "id").where("x = id + 1").groupBy().count()
C["mixed"] = lambda: ids.select(plus("id"), plain(inc, "int")("id"), twice("id"), third("id"), twice(plus("id").cast("long")), plus(twice("id")))
C["pandas"] = lambda: ids.select(twice("id"), twice(twice("id")), pair("id"))
C["pandas iterator"] = lambda: spark.range(30000).select(summed("id", "id").alias("x"), "id").where("x = 2 * id").groupBy().count()
C["pandas batches"] = lambda: spark.range(0, 25000, 1, 1).select(pandas_udf(lambda s: pd.Series([len(s)] * len(s)), "int")("id").alias("n")).groupBy("n").count()
C["pandas struct in"] = lambda: df.where("st is not null").select(pandas_udf(lambda f: f["x"] + 1, "int")("st"))
C["pandas types"] = lambda: times.select(*[pandas_udf(lambda s: pd.Series([str(s.dtype) + " " + str(v) for v in s]), "string")(c) for c in times.columns])
C["pandas fewer rows"] = lambda: spark.range(0, 6, 1, 1).select(pandas_udf(lambda s: s[:1], "long")("id"))
C["pandas fails"] = lambda: ids.select(pandas_udf(fail, "long")("id"))
C["arrow"] = lambda: ids.select(third("id"), third(third("id")))
C["mapInPandas"] = lambda: ids.mapInPandas(lambda it: (f[f.id > 2].assign(t="x") for f in it), "id long, t string")
C["mapInPandas other order"] = lambda: ids.mapInPandas(lambda it: (pd.DataFrame({"b": f.id, "a": f.id * 2}) for f in it), "a long, b long")
C["mapInPandas missing"] = lambda: ids.mapInPandas(lambda it: it, "id long, b int")
C["mapInPandas nothing"] = lambda: ids.mapInPandas(lambda it: iter([]), "a int")
C["mapInArrow"] = lambda: ids.mapInArrow(lambda it: (pa.RecordBatch.from_arrays([pc.multiply(b.column(0), 2)], ["x"]) for b in it), "x long")
C["mapInArrow nested"] = lambda: df.mapInArrow(lambda it: it, df.schema)
C["applyInPandas"] = lambda: ids.groupBy((F.col("id") % 2).alias("k")).applyInPandas(grouped, "k long, n int, s long")
C["applyInPandas column"] = lambda: df.groupBy("s").applyInPandas(lambda f: f[["n", "s"]], "n int, s string")
C["applyInPandas all"] = lambda: ids.groupBy().applyInPandas(lambda f: pd.DataFrame({"n": [len(f)]}), "n int")
C["applyInPandas many"] = lambda: spark.range(20000).groupBy((F.col("id") % 100).alias("k")).applyInPandas(grouped, "k long, n int, s long").agg(F.sum("s"), F.count("*"), F.min("n"), F.max("n"))
C["applyInPandas expr"] = lambda: ids.groupBy(plus("id") % 2).applyInPandas(lambda f: f, "id long")
C["applyInArrow"] = lambda: ids.groupBy((F.col("id") % 2).alias("k")).applyInArrow(lambda k, t: pa.table({"k": [k[0].as_py()], "n": [t.num_rows]}), "k long, n long")
C["grouped"] = lambda: ids.groupBy((F.col("id") % 2).alias("k")).agg(average("id"), average(adds("id")), average(F.col("id") + 1).alias("z"))
C["grouped arrow"] = lambda: ids.groupBy((F.col("id") % 2).alias("k")).agg(most("id"))
C["grouped all"] = lambda: ids.agg(average("id"))
C["grouped select"] = lambda: ids.select(average("id") + 1)
C["grouped nothing"] = lambda: ids.where("id > 100").groupBy("id").agg(average("id"))
C["grouped mixed"] = lambda: ids.groupBy("id").agg(average("id"), F.sum("id"))
C["grouped having"] = lambda: ids.groupBy((F.col("id") % 3).alias("k")).agg(average("id").alias("a")).where("a > 2")
C["cogroup"] = lambda: ids.groupBy("id").cogroup(spark.range(3, 9).groupBy("id")).applyInPandas(lambda l, r: pd.DataFrame({"l": [len(l)], "r": [len(r)], "i": [l.id.sum() + r.id.sum()]}), "l int, r int, i long")
C["cogroup keys"] = lambda: df.groupBy("s").cogroup(df.where("n > 1").groupBy("s")).applyInPandas(lambda k, l, r: pd.DataFrame({"k": [k[0]], "l": [len(l)], "r": [len(r)]}), "k string, l int, r int")
C["cogroup expr"] = lambda: ids.groupBy(F.col("id") % 2).cogroup(spark.range(20000).groupBy(F.col("id") % 3)).applyInPandas(lambda l, r: pd.DataFrame({"l": [len(l)], "r": [len(r)]}), "l int, r int")
C["cogroup arrow"] = lambda: ids.groupBy("id").cogroup(spark.range(3, 9).groupBy("id")).applyInArrow(lambda l, r: pa.table({"l": [l.num_rows], "r": [r.num_rows]}), "l long, r long")
C["cogroup fails"] = lambda: ids.groupBy("id").cogroup(ids.groupBy("id")).applyInPandas(lambda l, r: fail(0), "l int")
C["filter join"] = lambda: ids.alias("x").join(spark.range(4).toDF("b"), plus("x.id") == plus(F.col("b")), "left")
C["filter both"] = lambda: ids.join(spark.range(4).toDF("b"), plus(F.col("id") + F.col("b")) == 2)
C["filter both left"] = lambda: ids.join(spark.range(4).toDF("b"), plus(F.col("id") + F.col("b")) == 2, "left")
C["in group"] = lambda: ids.groupBy(plus("id") % 2).agg(F.sum(adds("id")), F.max(twice("id")))
C["in sort"] = lambda: ids.sort(udf(lambda x: -x, "long")("id")).limit(2)
C["in window"] = lambda: ids.select(F.sum(plus("id")).over(Window.partitionBy(plus("id") % 2)).alias("w"))
C["window"] = lambda: ids.select("id", average("id").over(Window.partitionBy(F.col("id") % 2)).alias("a"), F.sum("id").over(Window.partitionBy(F.col("id") % 2)).alias("s"))
C["window all"] = lambda: ids.select("id", average("id").over(Window.partitionBy()))
C["window ordered"] = lambda: ids.select("id", average("id").over(Window.partitionBy(F.col("id") % 2).orderBy("id")).alias("a"), most("id").over(Window.partitionBy(F.col("id") % 2).orderBy(F.desc("id"))).alias("m"))
C["window rows"] = lambda: ids.select("id", average("id").over(Window.orderBy("id").rowsBetween(-1, 1)).alias("a"), average("id").over(Window.orderBy("id").rowsBetween(1, 2)).alias("b"), F.count("*").over(Window.orderBy("id").rowsBetween(-1, 1)).alias("c"))
C["window range"] = lambda: ids.select("id", average(plus("id")).over(Window.partitionBy(plus("id") % 2).orderBy("id").rangeBetween(-2, 0)).alias("a"))
C["window peers"] = lambda: spark.range(20).select(F.col("id") % 3, average("id").over(Window.orderBy(F.col("id") % 3)).alias("a"))
C["in case"] = lambda: ids.select(F.when(plus("id") > 2, plus("id")).otherwise(-1).alias("c"))
C["in explode"] = lambda: ids.select(F.explode(udf(lambda x: list(range(x)), "array<int>")("id")))
C["in lambda"] = lambda: ids.select(F.transform(F.array("id"), lambda x: plus(x)))
C["in subquery"] = lambda: registered("pf", udf(inc, "long"), "select id from range(5) where id in (select pf(id) from range(3)) and pf(id) > (select pf(max(id)) from range(2))")
C["random"] = lambda: ids.select(udf(lambda x: __import__("random").random(), "double").asNondeterministic()("id").alias("r")).select((F.col("r") == F.col("r")).alias("same"))
C["register"] = lambda: registered("pf", udf(inc, "long"), "select pf(id) a, pf(pf(id)) from range(3) where pf(id) > 1")
C["register lambda"] = lambda: registered("pf", lambda x: str(x) + "!", "select pf(id) from range(2)")
C["register names"] = lambda: registered("pf", udf(add, "long"), "select pf(b => 1, a => id) from range(2)")
C["register grouped"] = lambda: registered("pf", average, "select id % 2 k, pf(id) from range(6) group by id % 2")
C["register again"] = lambda: (registered("pf", udf(add, "long"), "select 1"), registered("pf", udf(inc, "int"), "select pf(id) from range(2)"))[1]
C["fails"] = lambda: spark.range(1).select(udf(fail, "int")("id"))
C["dies"] = lambda: ids.select(udf(lambda x: os._exit(3), "int")("id"))
C["foreach"] = lambda: repr(df.foreach(lambda r: None))
C["foreachPartition"] = lambda: repr(df.foreachPartition(lambda it: sum(1 for _ in it)))
C["file"] = lambda: uploaded()


def registered(name, f, text):
    spark.udf.register(name, f)
    return spark.sql(text)


def uploaded():
    with tempfile.TemporaryDirectory() as d:
        with open(os.path.join(d, "millrace_module.py"), "w") as f:
            f.write("def shout(s):\n    return s.upper() + '!'\n")
        spark.addArtifact(os.path.join(d, "millrace_module.py"), pyfile=True)

    def use(s):
        import millrace_module

        return millrace_module.shout(s)

    return df.where("s is not null").select(udf(use)("s"))


def text_of(e):
    """The last line of a traceback, or the condition."""
    text = str(e).split("JVM stacktrace")[0]
    lines = [line for line in text.replace(" SQLSTATE: 38000", "").strip().split("\n") if line.strip()]
    if "[PYTHON_EXCEPTION]" in text:
        return [type(e).__name__, lines[-1].strip()]
    return [type(e).__name__, e.getCondition() or ("crashed" if "crashed" in text else lines[0][:100])]


judging.write(sys.argv[2], C, sys.argv[3:], shown=lambda value: value, told=text_of)
spark.stop()
os._exit(0)
