"""cached.py REMOTE LAKE UI PID…: cached frames from outside. The data files are out of the way while a frame is read from the cache."""
import glob
import os
import re
import signal
import sys
import time
import urllib.request

from pyspark import StorageLevel
from pyspark.sql import functions as F

import sessions

remote, lake, ui, pids = sys.argv[1], sys.argv[2], sys.argv[3], [int(p) for p in sys.argv[4:]]
s = sessions.connect(remote)
table = lake + "/t"


def metric(name):
    text = urllib.request.urlopen(ui + "/metrics").read().decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))


def await_metric(name, want):
    for _ in range(200):
        if want(metric(name)):
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} is {metric(name)}")


class Away:
    """The table's data files under other names."""

    def __enter__(self):
        self.files = glob.glob(table + "/*.parquet")
        assert self.files
        for f in self.files:
            os.rename(f, f + ".away")

    def __exit__(self, *_):
        for f in self.files:
            os.rename(f + ".away", f)


def levels():
    default = StorageLevel(True, True, False, True, 1)
    none = StorageLevel(False, False, False, False, 1)
    f = s.range(10)
    assert f.storageLevel == none
    assert f.cache().storageLevel == default
    assert s.range(10).storageLevel == default, "the same relation, sent again"
    assert f.persist(StorageLevel.DISK_ONLY).storageLevel == default, "it is cached already"
    assert f.unpersist().storageLevel == none
    for name in ("MEMORY_ONLY", "DISK_ONLY", "MEMORY_AND_DISK_2", "OFF_HEAP", "MEMORY_AND_DISK_DESER"):
        level = getattr(StorageLevel, name)
        g = s.range(100).selectExpr(f"id as {name}")
        assert g.persist(level).storageLevel == level, name
        assert g.count() == 100 and g.agg(F.sum(name)).first()[0] == 4950, name
        g.unpersist(blocking=True)
    g = s.range(3).persist(StorageLevel.NONE)
    assert g.storageLevel == none


def reads_nothing():
    s.range(1000).selectExpr("id", "id % 7 as k", "concat('v', id % 5) as s").repartition(4).write.format("delta").save(table)
    f = s.read.format("delta").load(table).filter("k > 2").withColumn("r", F.rand(42))
    f.cache()
    n, total = f.count(), f.agg(F.sum("r")).first()[0]
    await_metric("millrace_cached_blocks", lambda x: x > 0)
    with Away():
        assert f.count() == n and f.agg(F.sum("r")).first()[0] == total
        again = s.read.format("delta").load(table).filter("k > 2").withColumn("r", F.rand(42))
        assert again.groupBy("k").count().count() == 4
        try:
            s.read.format("delta").load(table).filter("k > 3").agg(F.sum("id")).collect()
            raise AssertionError("the files are away")
        except AssertionError:
            raise
        except Exception:
            pass
    plan = f._explain_string() if hasattr(f, "_explain_string") else ""
    if plan:
        assert "InMemoryTableScan InMemoryRelation, StorageLevel(disk, memory, deserialized, 1 replicas)" in plan and "FileScan" not in plan, plan
    rows = sorted(tuple(r) for r in f.collect())
    assert rows == sorted(tuple(r) for r in f.collect())
    return f, rows


def killed(f, rows):
    """A worker's death loses partitions; they come back as they were."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        assert sorted(tuple(r) for r in f.collect()) == rows
        for _ in range(200):
            if metric("millrace_workers") == len(pids):
                break
            time.sleep(0.05)
        assert sorted(tuple(r) for r in f.collect()) == rows


def written(f):
    n = f.count()
    s.range(1000, 1007).selectExpr("id", "6L as k", "'new' as s").write.format("delta").mode("append").save(table)
    assert f.count() == n + 7, (f.count(), n)
    assert s.read.format("delta").load(table).count() == 1007
    assert f.storageLevel.useMemory
    with Away():
        assert f.count() == n + 7
    f.unpersist()
    await_metric("millrace_cached_blocks", lambda x: x == 0)


def tables():
    s.sql("CREATE TABLE named USING delta AS SELECT * FROM range(4)")
    assert not s.catalog.isCached("named")
    s.catalog.cacheTable("named")
    assert s.catalog.isCached("named") and s.table("named").count() == 4
    s.sql("INSERT INTO named VALUES (9)")
    assert s.catalog.isCached("named") and s.table("named").count() == 5
    s.catalog.uncacheTable("named")
    assert not s.catalog.isCached("named")
    s.sql("CACHE LAZY TABLE named OPTIONS ('storageLevel' 'DISK_ONLY')")
    assert s.table("named").storageLevel == StorageLevel.DISK_ONLY
    s.sql("UNCACHE TABLE named")
    s.sql("UNCACHE TABLE IF EXISTS nothing")
    s.sql("CACHE TABLE v AS SELECT id + 1 AS y FROM named")
    assert s.catalog.isCached("v") and s.table("v").agg(F.sum("y")).first()[0] == 20
    s.catalog.clearCache()
    assert not s.catalog.isCached("v") and s.table("v").count() == 5
    for call in (lambda: s.catalog.isCached("nothing"), lambda: s.catalog.cacheTable("nothing"), lambda: s.catalog.uncacheTable("nothing"),
                 lambda: s.sql("CACHE TABLE nothing")):
        try:
            call()
            raise AssertionError("no error")
        except AssertionError:
            raise
        except Exception as e:
            assert e.getCondition() == "TABLE_OR_VIEW_NOT_FOUND", e
    s.sql("DROP TABLE named")


levels()
f, rows = reads_nothing()
killed(f, rows)
written(f)
tables()
kept = s.range(100).cache()
kept.count()
await_metric("millrace_cached_blocks", lambda x: x > 0)
s.stop()
await_metric("millrace_cached_blocks", lambda x: x == 0)
print("ok")
sessions.leave()
