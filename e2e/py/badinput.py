"""badinput.py REMOTE FOLDER: each mistake of a user gives Spark's or Delta's condition and a message that says what and where."""
import glob
import os
import shutil
import sys

from pyspark.errors import PySparkException

import sessions

spark = sessions.connect(sys.argv[1])
folder = sys.argv[2]
failures = []


def path(name):
    return os.path.join(folder, name)


def fails(what, work, condition=None, *words):
    try:
        outcome = work()
    except PySparkException as e:
        text = str(e)
        if condition and e.getCondition() != condition:
            failures.append(f"{what}: condition {e.getCondition()}, not {condition}: {text[:300]}")
        for w in words:
            if w not in text:
                failures.append(f"{what}: the message does not say {w!r}: {text[:600]}")
        return
    failures.append(f"{what}: no error, but {outcome!r}")


def same(what, got, want):
    if got != want:
        failures.append(f"{what}: {got!r}, not {want!r}")


def text(name, content):
    with open(path(name), "w") as f:
        f.write(content)
    return path(name)


# Files and tables that are not there or not whole.
fails("missing file", lambda: spark.read.parquet(path("nowhere")).count(), "PATH_NOT_FOUND", "nowhere")
fails("missing table", lambda: spark.sql("select * from nowhere").collect(), "TABLE_OR_VIEW_NOT_FOUND", "`nowhere`")
fails("a path without a table", lambda: spark.read.format("delta").load(path("nowhere")).count(), None, "nowhere")
os.makedirs(path("plain"))
text("plain/a.txt", "no table")
fails("a folder that is no Delta table", lambda: spark.read.format("delta").load(path("plain")).count(), "DELTA_TABLE_NOT_FOUND", "plain")

spark.range(100000).selectExpr("id", "cast(id as string) s").write.parquet(path("cut"))
for f in glob.glob(path("cut/*.parquet")):
    os.truncate(f, os.path.getsize(f) // 2)
fails("truncated Parquet file", lambda: spark.read.schema("id long, s string").parquet(path("cut")).count(), None, ".parquet")

# CSV rows with too many columns.
ragged = text("ragged.csv", "a,b\n1,x\n2,y,too,many\n3,z\n")
reader = lambda mode: spark.read.schema("a int, b string").option("header", True).option("mode", mode).csv(ragged)
same("PERMISSIVE", [tuple(r) for r in reader("PERMISSIVE").collect()], [(1, "x"), (2, "y"), (3, "z")])
same("DROPMALFORMED", [tuple(r) for r in reader("DROPMALFORMED").collect()], [(1, "x"), (3, "z")])
fails("FAILFAST", lambda: reader("FAILFAST").collect(), None, "ragged.csv")

# A log with a gap, and one with a corrupt entry.
# They are damaged where nobody has read them yet: a version that was read once is remembered.
for i in range(3):
    spark.range(i, i + 1).write.format("delta").mode("append").save(path("sound"))
for name in ("gap", "corrupt"):
    shutil.copytree(path("sound"), path(name))
os.remove(path("gap/_delta_log/00000000000000000001.json"))
fails("a gap in versions", lambda: spark.read.format("delta").load(path("gap")).count(), "DELTA_VERSIONS_NOT_CONTIGUOUS")
with open(path("corrupt/_delta_log/00000000000000000001.json"), "w") as f:
    f.write('{"add": {"path": "x.parq')
fails("a corrupt log entry", lambda: spark.read.format("delta").load(path("corrupt")).count(), None, "00000000000000000001.json")

# Schema enforcement, and what a refused write leaves.
t = path("typed")
spark.createDataFrame([(1, 2.5)], "a int, b double").write.format("delta").save(t)
before = sorted(os.listdir(t))
fails("a column of another type", lambda: spark.createDataFrame([(1, [2.5])], "a int, b array<double>").write.format("delta").mode("append").save(t),
      "DELTA_FAILED_TO_MERGE_FIELDS")
fails("a new column", lambda: spark.createDataFrame([(1, 2.5, "x")], "a int, b double, c string").write.format("delta").mode("append").save(t),
      None, "A schema mismatch detected when writing to the Delta table")
same("files after refused writes", sorted(os.listdir(t)), before)
fails("a table that exists", lambda: spark.range(1).write.format("delta").save(t), "DELTA_PATH_EXISTS")

# Versions and times that are not there.
fails("an unknown version", lambda: spark.read.format("delta").option("versionAsOf", 99).load(t).count(), "DELTA_VERSION_NOT_FOUND")
fails("a time before the table", lambda: spark.read.format("delta").option("timestampAsOf", "2001-01-01").load(t).count(),
      "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION")
fails("a time after the table", lambda: spark.read.format("delta").option("timestampAsOf", "2101-01-01").load(t).count(),
      "DELTA_TIMESTAMP_GREATER_THAN_COMMIT")

# Statements and expressions.
fails("a syntax error", lambda: spark.sql("selec 1"), "PARSE_SYNTAX_ERROR", "'selec'")
fails("an unknown column", lambda: spark.sql("select nope from range(3)").collect(), "UNRESOLVED_COLUMN.WITH_SUGGESTION", "`nope`", "`id`")
fails("an unknown function", lambda: spark.sql("select nope(1)").collect(), "UNRESOLVED_ROUTINE", "`nope`")
fails("a division by zero", lambda: spark.sql("select id / 0 from range(3)").collect(), "DIVIDE_BY_ZERO")
fails("a bad cast", lambda: spark.sql("select cast('x' as int)").collect(), "CAST_INVALID_INPUT", "'x'")
fails("an overflow", lambda: spark.sql("select 2147483647 + 1").collect(), "ARITHMETIC_OVERFLOW")
fails("a wrong type", lambda: spark.sql("select true + 1").collect(), "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES")
fails("an unknown format", lambda: spark.read.format("nope").load(path("x")).count(), "DATA_SOURCE_NOT_FOUND", "nope")

print("\n".join(failures) or "all as they must be")
sys.exit(1 if failures else 0)
