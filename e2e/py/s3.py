"""s3.py TABLE REMOTE REMOTE: a table in a bucket, written and read by one cluster, and then by two clusters and delta-rs at once."""
import sys
import threading

import pyarrow
from deltalake import CommitProperties, DeltaTable, write_deltalake
from pyspark.sql import SparkSession

import sessions

table, *remotes = sys.argv[1:]
options = {"AWS_ALLOW_HTTP": "true", "conditional_put": "etag"}  # the rest is in the environment
spark, other = (SparkSession.builder.remote(r).create() for r in remotes)


def read(s, **options):
    return s.read.format("delta").options(**options).load(table)


def same(what, got, want):
    assert got == want, f"{what}: {got!r}, not {want!r}"


spark.range(1000).selectExpr("id", "id % 10 AS k").write.format("delta").partitionBy("k").save(table)
spark.range(1000, 1500).selectExpr("id", "id % 10 AS k").write.format("delta").mode("append").save(table)
same("rows", read(spark).count(), 1500)
same("rows of the other cluster", other.sql(f"SELECT count(*), sum(id) FROM delta.`{table}` WHERE k = 3").first()[:], (150, 112200))
same("rows of version 0", read(spark, versionAsOf=0).count(), 1000)
spark.sql(f"RESTORE TABLE delta.`{table}` TO VERSION AS OF 0")
same("operations", [r.operation for r in spark.sql(f"DESCRIBE HISTORY delta.`{table}`").collect()], ["RESTORE", "WRITE", "WRITE"])
same("rows by delta-rs", DeltaTable(table, storage_options=options).to_pyarrow_table().num_rows, 1000)
spark.range(7).selectExpr("id", "id AS k").write.format("delta").mode("overwrite").save(table)
same("rows after overwriting", read(other).count(), 7)

# Six writers: every append is there once, and every version has one.
N = 8
failures = []


def appends(write, writer):
    for i in range(N):
        try:
            write(1000 * writer + i)
        except Exception as e:
            failures.append(f"writer {writer}, append {i}: {e}")
            return


def by(session):
    return lambda x: session.range(x, x + 1).selectExpr("id", "id % 10 AS k").write.format("delta").mode("append").save(table)


def by_delta_rs(x):
    write_deltalake(table, pyarrow.table({"id": [x], "k": [x % 10]}), mode="append", partition_by=["k"], storage_options=options,
                    commit_properties=CommitProperties(max_commit_retries=200))  # it gives up after 15 lost races by itself


before = spark.sql(f"DESCRIBE HISTORY delta.`{table}`").count()
writers = [by(SparkSession.builder.remote(remotes[i % 2]).create()) for i in range(5)] + [by_delta_rs]
threads = [threading.Thread(target=appends, args=(w, i + 1)) for i, w in enumerate(writers)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert not failures, "\n".join(failures)
want = sorted(list(range(7)) + [1000 * w + i for w in range(1, 7) for i in range(N)])
for s in (spark, other):
    same("ids", sorted(r.id for r in read(s).select("id").collect()), want)
same("ids by delta-rs", sorted(DeltaTable(table, storage_options=options).to_pyarrow_table()["id"].to_pylist()), want)
versions = spark.sql(f"DESCRIBE HISTORY delta.`{table}`").count() - before
print(f"{len(writers)} writers made {N * len(writers)} appends in {versions} versions")
sessions.leave()
