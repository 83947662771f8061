"""Steps of the tests of streaming queries; each is one run of this script.

  stream.py seed SRC                       make the source table
  stream.py append SRC FIRST               append 50 rows with delta-rs
  stream.py write SRC STOP                 append rows with delta-rs until the file STOP is there; print how many ids there are
  stream.py start REMOTE SRC SINK          start SRC -> SINK, and sums of SRC by group into SINK_sums, and leave them running; print the first's id
  stream.py sums SINK N SECONDS            wait until the sums are of N rows, then print counts, totals and groups
  stream.py active REMOTE                  print the running queries' ids
  stream.py stop REMOTE                    stop all
  stream.py check SINK N SECONDS           wait until the sink has N rows, then print rows, distinct ids and their sum (read by delta-rs)
  stream.py drain REMOTE|spark SRC SINK    run SRC -> SINK once with trigger(availableNow)
"""
import os
import sys
import time

from sessions import classic, connect, leave


def rows(first, n):
    import pyarrow as pa
    return pa.table({"id": pa.array(range(first, first + n), pa.int64()), "text": [f" row {i} " for i in range(first, first + n)]})


def query(s, src, sink):
    from pyspark.sql import functions as F
    clean = s.readStream.format("delta").load(src).select("id", F.trim("text").alias("text"))
    return clean.writeStream.format("delta").option("checkpointLocation", sink + "_cp")


def seed(src):
    from deltalake import write_deltalake
    write_deltalake(src, rows(0, 100))


def write(src, stop):
    from deltalake import write_deltalake
    n = 100
    while not os.path.exists(stop):
        write_deltalake(src, rows(n, 50), mode="append")
        n += 50
        time.sleep(0.03)
    print(n)


def append(src, first):
    from deltalake import write_deltalake
    write_deltalake(src, rows(int(first), 50), mode="append")


def start(remote, src, sink):
    s = connect(remote)
    q = query(s, src, sink).queryName("kills").start(sink)
    q.processAllAvailable()
    sums = s.readStream.format("delta").load(src).selectExpr("id % 7 AS k", "id").groupBy("k").agg({"id": "sum", "*": "count"}).toDF("k", "total", "n")
    g = sums.writeStream.format("delta").outputMode("complete").option("checkpointLocation", sink + "_sums_cp").queryName("sums").start(sink + "_sums")
    g.processAllAvailable()
    print(q.id)


def active(remote):
    for q in connect(remote).streams.active:
        print(q.id)


def stop(remote):
    for q in connect(remote).streams.active:
        q.stop()


def read(sink):
    from deltalake import DeltaTable
    return DeltaTable(sink).to_pyarrow_table().column("id").to_pylist()


def check(sink, n, seconds):
    end = time.time() + float(seconds)
    ids = read(sink)
    while len(ids) < int(n) and time.time() < end:
        time.sleep(0.2)
        ids = read(sink)
    print(len(ids), len(set(ids)), sum(ids))


def sums(sink, n, seconds):
    """Wait until the running sums count n rows, then print the sum of their counts, of their totals, and how many groups there are."""
    from deltalake import DeltaTable
    end = time.time() + float(seconds)
    while True:
        rows = DeltaTable(sink + "_sums").to_pyarrow_table().to_pylist()
        if sum(r["n"] for r in rows) >= int(n) or time.time() > end:
            break
        time.sleep(0.2)
    print(sum(r["n"] for r in rows), sum(r["total"] for r in rows), len(rows))


def drain(remote, src, sink):
    s = classic() if remote == "spark" else connect(remote)
    q = query(s, src, sink).trigger(availableNow=True).start(sink)
    assert q.awaitTermination(120), q.status
    assert q.exception() is None, q.exception()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    leave()
