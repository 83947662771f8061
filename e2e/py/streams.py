"""streams.py REMOTE FOLDER OUT [CASE…]: what streaming queries do, as JSON: each case's rows, counts and states, or its error's conditions.

Spark's own answers are in ../testdata/streams.json; FOLDER must be one that the server can write to, as a new one each time."""
import contextlib
import io
import json
import logging
import os
import re
import sys
import time

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession, functions as F
from pyspark.sql.streaming import StreamingQueryListener

logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
for key, value in {"spark.sql.session.timeZone": "UTC", "spark.pyspark.python": sys.executable, "spark.sql.shuffle.partitions": "2"}.items():
    with contextlib.suppress(PySparkException):  # Spark takes its Python from its environment
        spark.conf.set(key, value)
folder = sys.argv[2]
CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


def outcome(call):
    """What a call gives, or its error's condition and that of what a query failed with."""
    try:
        return call()
    except PySparkException as e:
        inner = re.search(r"terminated with exception: \[([A-Z0-9_.]+)\]", str(e))
        return ["error", type(e).__name__, e.getCondition()] + ([inner.group(1)] if inner else [])


class Lake:
    """A case's tables: numbers n with a letter of three, appended in commits."""

    def __init__(self, name):
        self.at = os.path.join(folder, name)
        self.source, self.sink, self.checkpoint = (os.path.join(self.at, d) for d in ("source", "sink", "checkpoint"))

    def add(self, start, end, to=None, **options):
        rows = spark.range(start, end, 1, 1).selectExpr("id AS n", "substr('abc', cast(id % 3 AS int) + 1, 1) AS k")
        rows.write.format("delta").options(**options).mode("append").save(to or self.source)

    def stream(self, **options):
        return spark.readStream.format("delta").options(**options).load(self.source)

    def write(self, df, **options):
        return df.writeStream.format("delta").option("checkpointLocation", self.checkpoint).options(**options)

    def run(self, df, **options):
        return self.write(df, **options).trigger(availableNow=True).start(self.sink).awaitTermination()

    def rows(self, path=None):
        return ordered(spark.read.format("delta").load(path or self.sink))


def ordered(df):
    return [list(df.columns)] + sorted((json.loads(json.dumps(list(r), default=str)) for r in df.collect()), key=json.dumps)


def progressed(q):
    """The batches that had rows: their numbers of rows."""
    batches = [[p["batchId"], sum(s["numInputRows"] for s in p["sources"])] for p in q.recentProgress]
    return [b for b in batches if b[1]]


@case
def append():
    t = Lake("append")
    t.add(0, 10)
    q = t.write(t.stream().where("n % 2 = 0").select((F.col("n") * 10).alias("ten"), F.upper("k").alias("up"))).queryName("appended").start(t.sink)
    q.processAllAvailable()
    first = t.rows()
    t.add(10, 14)
    q.processAllAvailable()
    out = [first, t.rows(), progressed(q), q.status, q.isActive, q.name, outcome(q.exception)]
    q.stop()
    return out + [q.status, q.isActive, outcome(q.awaitTermination)]


@case
def restarts():
    t = Lake("restarts")
    t.add(0, 5)
    t.run(t.stream())
    first = t.rows()
    t.run(t.stream())  # nothing is new
    t.add(5, 8)
    t.run(t.stream())
    return [first, t.rows(), len(spark.sql(f"DESCRIBE HISTORY delta.`{t.sink}`").collect())]


@case
def running_sums():
    t = Lake("running_sums")
    t.add(0, 9)
    q = t.write(t.stream().groupBy("k").agg(F.sum("n").alias("total"), F.count("*").alias("c"))).outputMode("complete").start(t.sink)
    q.processAllAvailable()
    first = t.rows()
    t.add(9, 12)
    q.processAllAvailable()
    q.stop()
    t.add(12, 15)
    t.write(t.stream().groupBy("k").agg(F.sum("n").alias("total"), F.count("*").alias("c"))).outputMode("complete").trigger(once=True).start(t.sink).awaitTermination()
    return [first, t.rows()]


@case
def memory():
    t = Lake("memory")
    t.add(0, 4)
    q = t.stream().writeStream.format("memory").queryName("remembered").start()
    q.processAllAvailable()
    t.add(4, 6)
    q.processAllAvailable()
    out = [ordered(spark.table("remembered")), spark.sql("SELECT count(*) FROM remembered").collect()[0][0]]
    q.stop()
    c = t.stream().groupBy("k").count().writeStream.format("memory").queryName("counted").outputMode("complete").start()
    c.processAllAvailable()
    out.append(ordered(spark.table("counted")))
    c.stop()
    return out + [outcome(lambda: t.stream().writeStream.format("memory").start())]


@case
def available_now():
    t = Lake("available_now")
    for i in range(4):
        t.add(i * 5, i * 5 + 5)
    q = t.write(t.stream(maxFilesPerTrigger=1)).trigger(availableNow=True).start(t.sink)
    q.awaitTermination()
    return [progressed(q), len(t.rows()) - 1, q.isActive, outcome(q.exception)]


@case
def processing_time():
    t = Lake("processing_time")
    t.add(0, 5)
    q = t.write(t.stream()).trigger(processingTime="1 second").start(t.sink)
    q.processAllAvailable()
    t.add(5, 7)
    q.processAllAvailable()
    q.stop()
    return [t.rows(), progressed(q)]


@case
def foreach_batch():
    t = Lake("foreach_batch")
    t.add(0, 6)
    sink = t.sink

    def keep(frame, batch):
        frame.createOrReplaceTempView("batch_rows")
        assert frame.count() == frame.count() and not frame.isStreaming
        frame.sparkSession.sql("SELECT k, sum(n) AS total FROM batch_rows GROUP BY k").withColumn("batch", F.lit(batch)).write.format("delta").mode("append").save(sink)

    q = t.stream().writeStream.option("checkpointLocation", t.checkpoint).foreachBatch(keep).start()
    q.processAllAvailable()
    t.add(6, 9)
    q.processAllAvailable()
    out = [t.rows(), progressed(q), q.lastProgress["sink"]["description"]]
    q.stop()

    def fail(frame, batch):
        raise ValueError("no")

    q = t.stream().writeStream.foreachBatch(fail).start()
    return out + [outcome(q.awaitTermination), q.status["message"].startswith("Terminated with exception: [PYTHON_EXCEPTION]"), q.isActive]


@case
def foreach_batch_complete():
    t = Lake("foreach_batch_complete")
    t.add(0, 6)
    sink = t.sink

    def keep(frame, batch):
        frame.withColumn("batch", F.lit(batch)).write.format("delta").mode("append").save(sink)

    q = t.stream().groupBy("k").count().writeStream.option("checkpointLocation", t.checkpoint).outputMode("complete").foreachBatch(keep).start()
    q.processAllAvailable()
    t.add(6, 7)
    q.processAllAvailable()
    q.stop()
    return t.rows()


@case
def listeners():
    t = Lake("listeners")
    t.add(0, 3)
    seen = []

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, e):
            seen.append(["started", e.name])

        def onQueryProgress(self, e):
            if e.progress.numInputRows:
                seen.append(["progress", e.progress.name, e.progress.batchId, e.progress.numInputRows])

        def onQueryIdle(self, e):
            pass

        def onQueryTerminated(self, e):
            seen.append(["terminated", e.exception is not None, e.errorClassOnException])

    def wait(n):
        for _ in range(600):
            if len(seen) >= n:
                return
            time.sleep(0.05)

    listener = Listener()
    spark.streams.addListener(listener)
    q = t.write(t.stream()).queryName("heard").start(t.sink)
    q.processAllAvailable()
    wait(2)
    q.stop()
    wait(3)
    first = sorted(seen)
    seen.clear()
    q = t.stream().selectExpr("assert_true(n < 2)").writeStream.format("noop").queryName("failing").start()
    failed = outcome(q.awaitTermination)
    wait(2)
    spark.streams.removeListener(listener)
    return [first, sorted(seen), failed]


@case
def names():
    t = Lake("names")
    t.add(0, 3)
    spark.streams.resetTerminated()
    q = t.write(t.stream()).queryName("only").start(t.sink)
    again = outcome(lambda: t.stream().writeStream.format("noop").queryName("only").start())
    found = spark.streams.get(q.id)
    out = [again, [x.name for x in spark.streams.active], found.name, found.runId == q.runId, outcome(lambda: spark.streams.get("nonsense")),
           spark.streams.get(q.runId) is None, spark.streams.awaitAnyTermination(0.1)]
    q.stop()
    out += [len(spark.streams.active), spark.streams.awaitAnyTermination(10), q.awaitTermination(1)]
    spark.streams.resetTerminated()
    r = t.write(t.stream()).queryName("only").start(t.sink)
    out += [spark.streams.awaitAnyTermination(0.1), r.id == q.id, r.runId == q.runId]
    r.stop()
    return out


@case
def refused():
    t = Lake("refused")
    t.add(0, 3)
    s = t.stream()
    static = spark.read.format("delta").load(t.source)
    calls = {
        "no checkpoint": lambda: s.writeStream.format("delta").start(t.sink),
        "no path": lambda: t.write(s).start(),
        "not streaming": lambda: static.writeStream.format("noop").start(),
        "collect": lambda: s.collect(),
        "count": lambda: s.count(),
        "show": lambda: s.show(),
        "write": lambda: s.write.format("delta").save(t.sink),
        "writeTo": lambda: s.writeTo("some_table").append(),
        "complete without aggregation": lambda: t.write(s).outputMode("complete").start(t.sink),
        "append of an aggregation": lambda: t.write(s.groupBy("k").count()).start(t.sink),
        "update into Delta": lambda: t.write(s.groupBy("k").count()).outputMode("update").start(t.sink),
        "sort": lambda: s.orderBy("n").writeStream.format("noop").start(),
        "unknown mode": lambda: s.writeStream.format("noop").outputMode("sometimes").start(),
        "unknown format": lambda: s.writeStream.format("nosuchformat").start("/x"),
        "unknown source": lambda: spark.readStream.format("nosuchformat").load().schema,
        "unknown column": lambda: s.select("nosuch").schema,
        "missing table": lambda: spark.readStream.format("delta").load(t.at + "/nothing").schema,
        "missing name": lambda: spark.readStream.table("nosuch_table").schema,
        "trigger": lambda: s.writeStream.format("noop").trigger(processingTime="often").start(),
        "partition column": lambda: t.write(s).partitionBy("nosuch").start(t.sink),
        "distinct count": lambda: s.groupBy("k").agg(F.countDistinct("n")).writeStream.format("noop").outputMode("complete").start(),
        "window": lambda: s.selectExpr("row_number() over (partition by k order by n) AS r").writeStream.format("noop").start(),
        "read version": lambda: t.stream(versionAsOf=0).schema,
    }
    return {name: outcome(call) for name, call in calls.items()}


@case
def another_checkpoint():
    t, other = Lake("another_checkpoint"), Lake("another_checkpoint_source")
    t.add(0, 3)
    other.add(0, 3)
    t.run(t.stream())
    out = [outcome(lambda: t.run(other.stream()))]
    t.run(t.stream())  # nothing is harmed
    return out + [t.rows()]


@case
def deleted():
    t = Lake("deleted")
    t.add(0, 3)
    t.run(t.stream())
    spark.read.format("delta").load(t.source).limit(0).write.format("delta").mode("overwrite").save(t.source)
    out = [outcome(lambda: t.run(t.stream()))]
    t.add(3, 5)
    t.run(t.stream(ignoreDeletes=True))
    return out + [t.rows()]


@case
def overwritten():
    t = Lake("overwritten")
    t.add(0, 3)
    q = t.write(t.stream()).start(t.sink)
    q.processAllAvailable()
    spark.range(7, 9).selectExpr("id AS n", "'z' AS k").write.format("delta").mode("overwrite").save(t.source)
    out = [outcome(q.awaitTermination), outcome(lambda: t.run(t.stream()))]
    t.add(3, 5)
    t.run(t.stream(skipChangeCommits=True))
    return out + [t.rows()]


@case
def changed_schema():
    t = Lake("changed_schema")
    t.add(0, 2)
    q = t.write(t.stream(), mergeSchema=True).start(t.sink)
    q.processAllAvailable()
    spark.range(5, 6).selectExpr("id AS n", "'y' AS k", "1.5D AS more").write.format("delta").option("mergeSchema", True).mode("append").save(t.source)
    out = [outcome(q.awaitTermination)]
    t.run(t.stream(), mergeSchema=True)
    return out + [t.rows()]


@case
def sink_mismatch():
    t = Lake("sink_mismatch")
    t.add(0, 2)
    spark.range(2).selectExpr("id AS other").write.format("delta").save(t.sink)
    out = [outcome(lambda: t.run(t.stream()))]
    t.run(t.stream(), mergeSchema=True)
    return out + [t.rows()]


@case
def tables():
    t = Lake("tables")
    t.add(0, 4)
    spark.sql("DROP TABLE IF EXISTS streamed")
    spark.sql(f"CREATE TABLE streamed (n BIGINT, k STRING) USING delta LOCATION '{t.sink}'")
    t.write(t.stream()).trigger(availableNow=True).toTable("streamed").awaitTermination()
    other = t.at + "/again"
    q = spark.readStream.table("streamed").where("n > 1").writeStream.format("delta").option("checkpointLocation", t.at + "/c2").partitionBy("k").trigger(availableNow=True)
    q.start(other).awaitTermination()
    parts = sorted(d for d in os.listdir(other) if d.startswith("k="))
    spark.sql("DROP TABLE streamed")
    return [t.rows(), t.rows(other), parts]


@case
def starting():
    t = Lake("starting")
    t.add(0, 2)
    t.add(2, 4)
    t.add(4, 6)
    out = []
    for name, options in {"version": {"startingVersion": 1}, "latest": {"startingVersion": "latest"}, "bytes": {"maxBytesPerTrigger": "1b"}}.items():
        q = t.stream(**options).writeStream.format("memory").queryName("from_" + name).trigger(availableNow=True).start()
        q.awaitTermination()
        out.append([name, ordered(spark.table("from_" + name)), len(progressed(q))])
    return out


@case
def static_join():
    t = Lake("static_join")
    t.add(0, 4)
    words = spark.createDataFrame([("a", "apple"), ("b", "bread")], "k string, word string")
    t.run(t.stream().join(words, "k", "left").select("n", "word"))
    return t.rows()


@case
def union_of_streams():
    t, other = Lake("union_of_streams"), Lake("union_of_streams_2")
    t.add(0, 2)
    other.add(10, 12)
    t.run(t.stream().union(other.stream()))
    other.add(12, 13)
    t.run(t.stream().union(other.stream()))
    return t.rows()


@case
def windows():
    t = Lake("windows")

    def at(*minutes):
        rows = spark.createDataFrame([(m, f"2026-01-01 00:{m:02d}:30") for m in minutes], "n int, t string")
        rows.select("n", F.col("t").cast("timestamp").alias("t")).coalesce(1).write.format("delta").mode("append").save(t.source)

    at(1, 2, 6)
    counts = t.stream().withWatermark("t", "5 minutes").groupBy(F.window("t", "5 minutes")).agg(F.sum("n").alias("total"))
    q = t.write(counts.select("window.start", "window.end", "total")).start(t.sink)
    out = []
    for minutes in ((12,), (3, 18), (30,), (31,)):
        q.processAllAvailable()
        at(*minutes)
    q.processAllAvailable()
    q.stop()
    return t.rows()


@case
def progress():
    t = Lake("progress")
    t.add(0, 7)
    q = t.write(t.stream()).queryName("reported").start(t.sink)
    q.processAllAvailable()
    p = json.loads(next(x for x in q.recentProgress if x["batchId"] == 0).prettyJson)
    q.stop()
    p["sources"][0].pop("inputRowsPerSecond"), p["sources"][0].pop("processedRowsPerSecond")
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        q.explain()
    return [sorted(p), sorted(p["durationMs"]), p["name"], p["batchId"], p["stateOperators"], p["eventTime"], sorted(p["sources"][0]), p["sources"][0]["numInputRows"],
            p["sources"][0]["description"].replace(folder, ""), p["sources"][0]["startOffset"], sorted(json.loads(p["sources"][0]["endOffset"])),
            p["sink"]["description"].replace(folder, ""), "== Physical Plan ==" in text.getvalue()]


@case
def kept():
    """What a query leaves on disk and in the table's history."""
    t = Lake("kept")
    t.add(0, 2)
    t.run(t.stream())
    t.add(2, 3)
    t.run(t.stream())
    files = sorted(os.path.relpath(os.path.join(d, f), t.checkpoint) for d, _, names in os.walk(t.checkpoint) for f in names if not f.endswith(".crc"))
    history = spark.sql(f"DESCRIBE HISTORY delta.`{t.sink}`").orderBy("version").collect()
    return [files, [[h.operation, sorted(h.operationParameters), h.operationParameters.get("outputMode"), h.operationParameters.get("epochId")] for h in history]]


@case
def files():
    t = Lake("files")
    out = []
    for form in ("json", "csv", "parquet"):
        at = os.path.join(t.at, form)
        spark.range(3).selectExpr("id AS n", "'x' AS k").coalesce(1).write.format(form).save(at)
        q = spark.readStream.schema("n bigint, k string").format(form).load(at).writeStream.format("memory").queryName("of_" + form).start()
        q.processAllAvailable()
        spark.range(3, 5).selectExpr("id AS n", "'y' AS k").coalesce(1).write.format(form).mode("append").save(at)
        q.processAllAvailable()
        q.stop()
        out.append([form, ordered(spark.table("of_" + form))])
    return out + [outcome(lambda: spark.readStream.json(t.at + "/json").schema.simpleString())]


@case
def views():
    t = Lake("views")
    t.add(0, 4)
    t.stream().createOrReplaceTempView("flowing")
    s = spark.sql("SELECT k, n + 1 AS m FROM flowing WHERE n > 0")
    return [s.isStreaming, spark.table("flowing").isStreaming, spark.sql(f"SELECT * FROM STREAM delta.`{t.source}`").isStreaming, t.run(s), t.rows()]


@case
def configured_checkpoint():
    t = Lake("configured_checkpoint")
    t.add(0, 2)
    spark.conf.set("spark.sql.streaming.checkpointLocation", t.at + "/all")
    try:
        t.stream().writeStream.format("delta").queryName("placed").trigger(availableNow=True).start(t.sink).awaitTermination()
    finally:
        spark.conf.unset("spark.sql.streaming.checkpointLocation")
    return [t.rows(), sorted(os.listdir(t.at + "/all"))]


@case
def same_checkpoint_twice():
    t = Lake("same_checkpoint_twice")
    t.add(0, 2)
    a = t.write(t.stream()).start(t.sink)
    a.processAllAvailable()
    b = t.write(t.stream()).start(t.sink)
    t.add(2, 4)
    b.processAllAvailable()
    out = [a.isActive, outcome(a.exception), a.id == b.id, t.rows()]
    b.stop()
    return out


@case
def deduplicated():
    t = Lake("deduplicated")
    t.add(0, 5)
    q = t.write(t.stream().dropDuplicates(["k"]).select("k")).start(t.sink)
    q.processAllAvailable()
    t.add(5, 9)
    q.processAllAvailable()
    q.stop()
    return t.rows()


answers = {}
for name in sys.argv[4:] or CASES:
    began = time.time()
    try:
        answers[name] = outcome(CASES[name])
    except Exception as e:  # a case that breaks is an answer too
        answers[name] = ["broken", type(e).__name__, str(e)[:500]]
    for q in spark.streams.active:
        q.stop()
    spark.streams.resetTerminated()
    with open(sys.argv[3], "w") as f:
        json.dump(answers, f, indent=0, sort_keys=True, default=lambda o: type(o).__name__)
    print(f"{name}: {time.time() - began:.1f} s", flush=True)
