"""Asks a real Spark for the results of the expressions in *.exprs, one a line, and writes them to *.spark."""
import glob
import logging
import os
import re
import sys

logging.disable(logging.CRITICAL)

from pyspark.sql import SparkSession

here = os.path.dirname(os.path.abspath(__file__))
spark = SparkSession.builder.remote(os.environ["SPARK_REMOTE"]).getOrCreate()
spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")


def clean(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def ask(e):
    try:
        row = spark.sql(f"SELECT cast({e} AS string), typeof({e})").collect()[0]
        return f"= {row[1]} | {'NULL' if row[0] is None else clean(row[0])}"
    except Exception as x:
        condition = x.getCondition() if hasattr(x, "getCondition") else None
        message = re.sub(r"^\[[\w.]+\] ", "", str(x).split("\n\nJVM")[0].strip())
        message = re.split(r" SQLSTATE: ", message)[0]
        return f"! {condition} | {clean(message)}"


for name in sys.argv[1:] or sorted(glob.glob(os.path.join(here, "*.exprs"))):
    with open(name) as f, open(name.replace(".exprs", ".spark"), "w") as out:
        for line in f:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                out.write(f"{line}\n{ask(line)}\n")
