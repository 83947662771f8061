"""What an unmodified client does with streaming queries; the server's are the test's own and read nothing."""
import sys
import time

import pyspark
from pyspark.errors import AnalysisException, IllegalArgumentException, StreamingQueryException, UnsupportedOperationException
from pyspark.sql import SparkSession
from pyspark.sql.connect.streaming.query import StreamingQuery
from pyspark.sql.streaming import StreamingQueryListener

new = tuple(int(p) for p in pyspark.__version__.split(".")[:2])
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
df = spark.readStream.format("rate").option("rowsPerSecond", 5).load()


def refused(kind, condition, call):
    try:
        call()
    except kind as e:
        assert (e.getCondition() or None) == condition, (e, e.getCondition())
        return str(e)
    raise AssertionError(f"{call} was not refused")


assert df.isStreaming and df.withWatermark("timestamp", "1 minute").isStreaming and not spark.range(3).isStreaming
assert spark.readStream.table("some.table").isStreaming
df.createOrReplaceTempView("events")
assert spark.table("events").isStreaming
refused(AnalysisException, "CANNOT_PARSE_INTERVAL", lambda: df.withWatermark("timestamp", "soon").isStreaming)
assert "delay threshold (-1 minute)" in refused(IllegalArgumentException, None, lambda: df.withWatermark("timestamp", "-1 minute").isStreaming)

# What start sends; the test compares it.
def writer():
    return df.writeStream.format("delta")


queries = [
    writer().option("checkpointLocation", "/c").option("mergeSchema", True).outputMode("append").start("/path"),
    writer().partitionBy("value", "timestamp").trigger(processingTime="10 seconds").outputMode("Complete").queryName("named").start(),
    writer().trigger(processingTime="0 seconds").toTable("a.b"),
    spark.table("events").writeStream.format("memory").outputMode("update").trigger(processingTime="interval 1 minute 30 seconds").start(),
    df.withWatermark("timestamp", "1 month 1 day").dropDuplicatesWithinWatermark(["value"]).writeStream.start(),
]
if hasattr(writer(), "clusterBy"):
    queries.append(writer().clusterBy("value").start("/clustered"))
assert [q.name for q in queries[:2]] == [None, "named"]

# A query's methods.
q = queries[1]
assert q.isActive and q.status == {"message": "Waiting for data to arrive", "isDataAvailable": True, "isTriggerActive": False}
assert q.lastProgress.batchId == 0 and q.lastProgress["name"] == "named" and len(q.recentProgress) == 2
assert q.processAllAvailable() is None and q.exception() is None
q.explain()
q.explain(True)
assert q.awaitTermination(0.05) is False
refused(IllegalArgumentException, None, lambda: q.awaitTermination(0.0001))

# spark.streams.
assert [(a.id, a.runId, a.name) for a in spark.streams.active] == [(a.id, a.runId, a.name or "") for a in queries]
assert spark.streams.get(q.id).runId == q.runId and spark.streams.get(q.runId) is None
assert spark.streams.get("00112233-4455-6677-8899-aabbccddeeff") is None
assert "Invalid UUID string: x" in refused(IllegalArgumentException, None, lambda: spark.streams.get("x"))
refused(Exception, "CONNECT_INVALID_PLAN.STREAMING_QUERY_NOT_FOUND", lambda: StreamingQuery(spark, q.id, q.id).status)
assert spark.streams.awaitAnyTermination(0.05) is False
for a in queries:
    assert a.stop() is None and not a.isActive
assert q.awaitTermination() is None and q.awaitTermination(5) is True
assert spark.streams.awaitAnyTermination(5) is True and spark.streams.awaitAnyTermination() is None
spark.streams.resetTerminated()
assert spark.streams.awaitAnyTermination(0.05) is False
writer().trigger(availableNow=True).start().awaitTermination()
writer().trigger(once=True).start().awaitTermination()
spark.streams.resetTerminated()

# A query that fails.
bad = writer().queryName("failing").start()
text = refused(StreamingQueryException, "STREAM_FAILED", bad.awaitTermination)
assert "terminated with exception: [DIVIDE_BY_ZERO]" in text and "=== Streaming Query ===" in text, text
refused(StreamingQueryException, "STREAM_FAILED", bad.processAllAvailable)
refused(StreamingQueryException, "STREAM_FAILED", spark.streams.awaitAnyTermination)
assert isinstance(bad.exception(), StreamingQueryException)
assert "[DIVIDE_BY_ZERO]" in str(bad.exception()) and "STREAM_FAILED" in str(bad.exception())
spark.streams.resetTerminated()

# What cannot be started.
refused(AnalysisException, "WRITE_STREAM_NOT_ALLOWED", lambda: spark.range(3).writeStream.start("/x"))
refused(IllegalArgumentException, "STREAMING_OUTPUT_MODE.INVALID", lambda: writer().outputMode("all").start("/x"))
refused(IllegalArgumentException, "INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER", lambda: writer().trigger(processingTime="often").start("/x"))
refused(IllegalArgumentException, "_LEGACY_ERROR_TEMP_3262", lambda: writer().trigger(processingTime="1 month").start("/x"))
refused(IllegalArgumentException, None, lambda: writer().trigger(processingTime="-1 second").start("/x"))
refused(UnsupportedOperationException, "UNSUPPORTED_FEATURE", lambda: writer().trigger(continuous="1 second").start("/x"))
if new >= (4, 2):
    refused(UnsupportedOperationException, "UNSUPPORTED_FEATURE", lambda: writer().trigger(realTime="5 minutes").start("/x"))
assert "foreach is not" in refused(UnsupportedOperationException, "UNSUPPORTED_FEATURE", lambda: writer().foreach(lambda row: None).start())
refused(AnalysisException, "CALL_ON_STREAMING_DATASET_UNSUPPORTED", lambda: df.write.format("delta").save("/x"))


# Listeners: their events come in order, and what happened before a listener was removed still comes.
class Listener(StreamingQueryListener):
    def __init__(self):
        self.seen = []

    def onQueryStarted(self, e):
        self.seen.append(("started", str(e.runId), e.name))

    def onQueryProgress(self, e):
        self.seen.append(("progress", str(e.progress.runId), e.progress.name))

    def onQueryIdle(self, e):
        self.seen.append(("idle", str(e.runId), None))

    def onQueryTerminated(self, e):
        self.seen.append(("terminated", str(e.runId), e.exception))


def wait(listener, n):
    for _ in range(1000):
        if len(listener.seen) >= n:
            return
        time.sleep(0.01)
    raise AssertionError(listener.seen)


one, two = Listener(), Listener()
spark.streams.addListener(one)
spark.streams.addListener(two)
a = writer().queryName("heard").start()
wait(one, 2)
a.stop()
b = writer().queryName("failing").start()
try:
    b.awaitTermination()
except StreamingQueryException:
    pass
wait(one, 6)
spark.streams.removeListener(one)
spark.streams.removeListener(two)
writer().start().stop()
time.sleep(0.1)
for run, name, end in (a.runId, "heard", None), (b.runId, "failing", "failed"):
    for listener in one, two:
        seen = [e for e in listener.seen if e[1] == run]
        assert sorted(seen) == [("progress", run, name), ("started", run, name), ("terminated", run, end)], listener.seen
        assert [e[0] for e in seen if e[0] != "started"] == ["progress", "terminated"]  # the start comes another way
assert len(two.seen) == 6, two.seen
again = Listener()
spark.streams.addListener(again)
writer().start().stop()
wait(again, 3)
spark.streams.removeListener(again)
spark.stop()
