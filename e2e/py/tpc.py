"""Runs the queries that tpc_answers.py has left in a directory and compares the answers with DuckDB's.

    python tpc.py sc://HOST:PORT DIR [--only q01,q02] [--delta] [--conf KEY=VALUE]

Rows without their final LIMIT have to be DuckDB's as a bag; with it they have to be DuckDB's in order, or, where rows tie, some of the unlimited ones, as many as there
should be. Numbers may differ in their last digits, as types do: Spark's averages and quotients of decimals are decimals.
Each query gets a line; the last one says how many are right. The exit code is 1 if any is wrong.
"""

import argparse
import datetime
import decimal
import glob
import json
import math
import os
import re
import sys
import threading
import time
import traceback
from collections import Counter

from pyspark.sql import SparkSession


def plain(v):
    if isinstance(v, (int, float, decimal.Decimal)) and not isinstance(v, bool):
        return number(str(v))
    if isinstance(v, datetime.datetime):
        return v.isoformat(" ")
    if isinstance(v, datetime.date):
        return v.isoformat()
    return v


def number(text):
    v = float(text)
    return "NaN" if math.isnan(v) else v


def expected(v):
    return number(v["n"]) if isinstance(v, dict) else v


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= max(1e-5 * max(abs(a), abs(b)), 2e-4)
    if isinstance(a, str) and isinstance(b, str):
        return a.rstrip() == b.rstrip()
    return a == b


def same_row(a, b):
    return len(a) == len(b) and all(map(same, a, b))


def key(row):
    """Orders rows so that equal ones meet: by what is exact first."""
    exact = [(v is not None, str(v).rstrip()) for v in row if not isinstance(v, float)]
    return exact, [v for v in row if isinstance(v, float)]


def difference(want, got):
    """What is wrong with a bag of rows, or None."""
    if len(want) != len(got):
        return "%d rows instead of %d" % (len(got), len(want))
    for a, b in zip(sorted(want, key=key), sorted(got, key=key)):
        if not same_row(a, b):
            return "the row %s instead of %s" % (b, a)
    return None


def contained(rows, whole):
    """Whether all rows are among the whole, as often at most."""
    left = sorted(whole, key=key)
    for r in rows:
        for i, w in enumerate(left):
            if same_row(w, r):
                del left[i]
                break
        else:
            return False
    return True


def dialect(sql):
    """DuckDB's text as Spark understands it."""
    return re.sub(r'"([^"]*)"', r"`\1`", sql)


def check(spark, q):
    got = [[plain(v) for v in r] for r in spark.sql(dialect(q["unlimited"])).collect()]
    want = [[expected(v) for v in r] for r in q["rows"]]
    wrong = difference(want, got)
    if wrong or q["limit"] is None:
        return wrong
    limited = [[plain(v) for v in r] for r in spark.sql(dialect(q["sql"])).collect()]
    first = [[expected(v) for v in r] for r in q["limited"]]
    if len(first) == len(limited) and all(map(same_row, first, limited)):
        return None
    if len(limited) != len(first):
        return "with its LIMIT %d rows instead of %d" % (len(limited), len(first))
    return None if contained(limited, want) else "with its LIMIT other rows"


def tables(spark, directory, delta):
    for path in sorted(glob.glob(os.path.join(directory, "*.parquet"))):
        name = os.path.basename(path)[: -len(".parquet")]
        if not delta:
            spark.read.parquet(path).createOrReplaceTempView(name)
            continue
        place = os.path.join(directory, "delta", name)
        if not os.path.exists(place):
            spark.read.parquet(path).write.format("delta").save(place)
        spark.read.format("delta").load(place).createOrReplaceTempView(name)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("remote")
    p.add_argument("directory")
    p.add_argument("--only", default="")
    p.add_argument("--patience", type=float, default=600, help="seconds after which a query is interrupted")
    p.add_argument("--delta", action="store_true")
    p.add_argument("--conf", action="append", default=[])
    a = p.parse_args()
    spark = SparkSession.builder.remote(a.remote).getOrCreate()
    for c in a.conf:
        spark.conf.set(*c.split("=", 1))
    tables(spark, a.directory, a.delta)
    with open(os.path.join(a.directory, "queries.json")) as f:
        queries = json.load(f)
    chosen = [q for q in queries if not a.only or q["name"] in a.only.split(",")]
    right = 0
    for q in chosen:
        begin = time.time()
        watch = threading.Timer(a.patience, spark.interruptAll)
        watch.start()
        try:
            wrong = check(spark, q)
        except Exception as e:
            wrong = type(e).__name__ + ": " + str(e).split("\n\nJVM")[0][:400]
            if os.environ.get("TRACE"):
                traceback.print_exc()
        watch.cancel()
        right += wrong is None
        print(q["name"], "%.2fs" % (time.time() - begin), "right" if wrong is None else "WRONG: " + wrong, flush=True)
    print("%d of %d are right" % (right, len(chosen)), flush=True)
    spark.stop()
    sys.stdout.flush()
    os._exit(0 if right == len(chosen) else 1)


if __name__ == "__main__":
    main()
