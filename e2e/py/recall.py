"""recall.py REMOTE KIND WARM PATH: one statement that changes the tables a and b, in a session that has been used before where WARM is 1.

Prints how it ended: {"end": "done"} or {"end": the error}. Prints "go" before the statement that commits.
"""
import json
import os
import sys

from pyspark.sql import SparkSession

STATEMENTS = {
    "insert": "INSERT INTO a VALUES (100, 1)",
    "update": "UPDATE a SET v = v + 1 WHERE id < 5",
    "delete": "DELETE FROM a WHERE id = 5",
    "merge": "MERGE INTO a AS t USING (SELECT 3L AS id UNION ALL SELECT 200L) AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = t.v + 1 WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, 1)",
    "overwrite": "INSERT OVERWRITE a SELECT id, v + 1 FROM a",
    "column": "ALTER TABLE a ALTER COLUMN v COMMENT 'the value'",
}

remote, kind, warm, path = sys.argv[1:]
spark = SparkSession.builder.remote(remote).create()
if warm == "1":
    spark.sql("SELECT 1").collect()
if kind == "transaction":
    spark.sql("BEGIN TRANSACTION").collect()
    spark.sql("UPDATE a SET v = v + 1 WHERE id = 1").collect()
    spark.sql("UPDATE b SET v = v - 1 WHERE id = 1").collect()
print("go", flush=True)
try:
    if kind == "write":
        spark.range(300, 302).selectExpr("id", "1L AS v").write.format("delta").mode("append").save(path)
    else:
        spark.sql("COMMIT" if kind == "transaction" else STATEMENTS[kind])
    print(json.dumps({"end": "done"}), flush=True)
except Exception as x:
    print(json.dumps({"end": str(x)[:300]}), flush=True)
os._exit(0)
