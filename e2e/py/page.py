"""Loans by state for the page's test. Usage: page.py REMOTE make|append; prints the table's sums as JSON."""
import json
import os
import sys

from pyspark.sql import functions as F

import sessions

spark = sessions.connect(sys.argv[1])
if sys.argv[2] == "make":
    loans = spark.read.csv(os.path.join(os.path.dirname(sessions.CACHE), "data", "lending_club.csv"), header=True, inferSchema=True)
    loans.groupBy("addr_state").count().write.format("delta").saveAsTable("loan_by_state")
else:
    more = spark.createDataFrame([("CA", 7), ("NV", 30_000), ("WY", 1_000)], "addr_state string, count long")
    more.write.format("delta").mode("append").saveAsTable("loan_by_state")
rows = spark.table("loan_by_state").groupBy("addr_state").agg(F.sum("count").alias("n")).collect()
print(json.dumps({r.addr_state: r.n for r in rows}))
sessions.leave()
