"""Writes into the files testdata/slt/*.slt what Spark answers to their statements.

    python take.py sc://HOST:PORT [FILE ...]

A file holds records, which blank lines separate. A record is a line that says what is expected, the SQL text, and for a query, after
a line ----, the columns' types and then the rows:

    statement ok | statement error CONDITION
    query | query ordered | query error CONDITION

This program writes all of that but the text, the words statement and query, and the options of queries: "ordered" (set where the text
ends with an ORDER BY) keeps the rows' order; "columns=a,b" takes some of the columns only. Lines that begin with # are comments. A line
"known WHY" before a record says that Millrace does not do this yet. ${dir} is a directory of the file's own and ${data}
this one. Each file runs in a
schema of its own, named after it.
"""

import decimal
import datetime
import glob
import os
import re
import shutil
import sys
import tempfile

import numpy
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

DATA = os.path.dirname(os.path.abspath(__file__))
ORDERED = re.compile(r"\border\s+by\b(?![^()]*\))", re.I)


def text(value, kind):
    """A value of an Arrow type as one word of a row."""
    import pyarrow as pa

    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if pa.types.is_float32(kind):
        value = numpy.float32(value)
        return "nan" if numpy.isnan(value) else str(value)
    if isinstance(value, float):
        return "nan" if value != value else repr(value)
    if isinstance(value, str):
        value = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("|", "\\|")
        return value or "''"
    if isinstance(value, bytes):
        return "x" + value.hex()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".") if value.microsecond else value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, datetime.timedelta):
        return "%dus" % (value // datetime.timedelta(microseconds=1))
    if pa.types.is_map(kind):
        return "{" + ", ".join(sorted(text(k, kind.key_type) + ": " + text(v, kind.item_type) for k, v in value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(text(v, kind.value_type) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(text(value[f.name], f.type) for f in kind) + "}"
    return str(value)


def answer(spark, sql, options):
    """The lines below ---- for a query."""
    df = spark.sql(sql)
    table = df.toArrow()
    names = [f.name for f in df.schema.fields]
    chosen = list(range(len(names)))
    for o in options:
        if o.startswith("columns="):
            chosen = [names.index(c) for c in o[len("columns="):].split(",")]
    columns = [table.column(i) for i in chosen]
    lines = []
    for row in range(table.num_rows):
        lines.append(" | ".join(text(c[row].as_py(), c.type) for c in columns))
    if "ordered" not in options:
        lines.sort(key=lambda s: s.encode())
    head = " | ".join(names[i] + " " + df.schema.fields[i].dataType.simpleString() for i in chosen)
    return [head] + lines


def take(spark, record, directory):
    """The record with Spark's answer in place of what it had."""
    lines = [l for l in record.split("\n")]
    at = next((i for i, l in enumerate(lines) if l.startswith(("statement", "query"))), None)
    if at is None:
        return record
    words = lines[at].split()
    body = lines[at + 1:]
    if "----" in body:
        body = body[:body.index("----")]
    sql = "\n".join(body).replace("${dir}", directory).replace("${data}", DATA)
    options = [w for w in words[1:] if w.startswith("columns=")]
    if words[0] == "query" and ORDERED.search(sql):
        options.insert(0, "ordered")
    try:
        if words[0] == "statement":
            spark.sql(sql)
            return "\n".join(lines[:at] + ["statement ok"] + body)
        rows = answer(spark, sql, options)
        return "\n".join(lines[:at] + [" ".join(["query"] + options)] + body + ["----"] + rows)
    except PySparkException as e:
        condition = e.getCondition() or "?"
        return "\n".join(lines[:at] + [words[0] + " error " + condition] + body)


def main():
    files = sys.argv[2:] or sorted(glob.glob(os.path.join(DATA, "slt", "*.slt")))
    for path in files:
        spark = SparkSession.builder.remote(sys.argv[1]).create()
        name = "slt_" + os.path.splitext(os.path.basename(path))[0]
        directory = tempfile.mkdtemp()
        os.chmod(directory, 0o777)
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        spark.conf.set("spark.sql.sources.default", "delta")
        spark.sql("DROP SCHEMA IF EXISTS %s CASCADE" % name)
        spark.sql("CREATE SCHEMA " + name)
        spark.sql("USE " + name)
        with open(path) as f:
            records = re.split(r"\n\n+", f.read().strip("\n"))
        out = [take(spark, r, directory) for r in records]
        with open(path, "w") as f:
            f.write("\n\n".join(out) + "\n")
        spark.sql("USE default")
        spark.sql("DROP SCHEMA %s CASCADE" % name)
        spark.stop()
        shutil.rmtree(directory, ignore_errors=True)
        print(path, len(records))


if __name__ == "__main__":
    main()
