"""Fills *.spark from *.calls by asking a real Spark; see README.md."""
import glob
import logging
import os
import re
import sys

from pyspark.sql import SparkSession

logging.disable(logging.CRITICAL)
OPERATORS = {"+", "-", "*", "/", "%", "div", "=", "<=>", "<", "<=", ">", ">=", "!=", "&", "|", "^", "and", "or"}
TYPES = {"interval_ym": "interval year to month", "interval_ds": "interval day to second"}


def argument(text):
    name, _, value = text.strip().partition(" ")
    name = TYPES.get(name, name)
    if value == "NULL":
        return f"cast(null as {name})"
    literal = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return literal if name == "string" else f"cast({literal} as {name})"


def sql(name, arguments):
    args = [argument(a) for a in arguments.split(";") if a.strip()]
    if name.startswith("cast:") or name.startswith("try_cast:"):
        kind, _, to = name.partition(":")
        return f"{kind}({args[0]} as {TYPES.get(to, to)})"
    if name in OPERATORS and len(args) == 2:
        return f"{args[0]} {name} {args[1]}"
    if name == "~":
        return f"~{args[0]}"
    if name == "not":
        return f"not {args[0]}"
    if name == "case":
        pairs = "".join(f" when {c} then {v}" for c, v in zip(args[::2], args[1::2]))
        return f"case{pairs}" + (f" else {args[-1]}" if len(args) % 2 else "") + " end"
    if name == "in":
        return f"{args[0]} in ({', '.join(args[1:])})"
    if name == "between":
        return f"{args[0]} between {args[1]} and {args[2]}"
    return f"{name}({', '.join(args)})"


def ask(spark, query):
    try:
        frame = spark.sql(f"select cast(x as string), typeof(x) from (select {query} as x)")
        value, kind = frame.collect()[0]
        return kind, "NULL" if value is None else value.replace("\n", "\\n")
    except Exception as e:
        text = str(e).split("JVM stacktrace")[0].split("\n== SQL")[0].split(" SQLSTATE")[0]
        m = re.match(r"\[([A-Z_0-9.]+)\] ?(.*)", text, re.S)
        if not m:
            return "", "! " + text[:200].replace("\n", " ")
        # Analysis errors name the whole expression, which the tests do not know.
        if m.group(1).startswith("DATATYPE_MISMATCH"):
            return "", "!" + m.group(1)
        return "", "!" + m.group(1) + " " + m.group(2).replace("\n", " ")


def main():
    spark = SparkSession.builder.remote(os.environ["SPARK_REMOTE"]).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    here = os.path.dirname(os.path.abspath(__file__))
    for path in sys.argv[1:] or sorted(glob.glob(here + "/*.calls")):
        out = []
        ansi = None
        for line in open(path):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                out.append(line)
                continue
            name, mode, arguments = (p.strip() for p in line.split("|", 2)) if not line.startswith("|") else ("|", *[p.strip() for p in line[1:].split("|", 2)][1:])
            if ansi != (mode != "legacy"):
                ansi = mode != "legacy"
                spark.conf.set("spark.sql.ansi.enabled", str(ansi).lower())
            kind, result = ask(spark, sql(name, arguments))
            out.append(f"{name} | {mode} | {arguments} | {kind} | {result}")
        with open(path[: -len("calls")] + "spark", "w") as f:
            f.write("\n".join(out) + "\n")


main()
