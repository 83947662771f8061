"""The stream: new loans flow into the Bronze table while two streaming queries carry them on, exactly once.

One keeps a running count of loans by state in a Gold table, the other cleans each loan into a Silver table. Batch queries are
asked at the same time.
"""
import multiprocessing
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from story import must

WRITERS, APPENDS = 4, 5
NEW = "IA"  # the state from which the new loans come


def write_loans(remote, bronze, writer):
    """One writer: appends loans that look like those of version 0, all from one state."""
    spark = SparkSession.builder.remote(remote).getOrCreate()
    seen = spark.read.format("delta").option("versionAsOf", 0).load(bronze)
    part = F.pmod(F.hash("funded_amnt", "annual_inc", "sub_grade", "revol_util"), F.lit(2 * WRITERS * APPENDS))
    for i in range(APPENDS):
        new = seen.where(part == writer * APPENDS + i).withColumn("addr_state", F.lit(NEW))
        new.write.format("delta").mode("append").save(bronze)
    spark.stop()


class Streams:
    """The streaming queries over one Bronze table."""

    def __init__(self, lake, remote, bronze, clean):
        self.lake, self.remote, self.bronze, self.clean = lake, remote, bronze, clean
        self.spark, self.story = lake.spark, lake.story
        self.gold, self.silver = bronze.replace("bronze", "gold"), bronze.replace("bronze", "silver")

    def source(self):
        return self.spark.readStream.format("delta").load(self.lake.path(self.bronze))

    def start_gold(self, **trigger):
        self.source().createOrReplaceTempView("loan_by_state_readStream")
        counts = self.spark.sql("SELECT addr_state, count(*) AS count FROM loan_by_state_readStream GROUP BY addr_state")
        return self.write(counts, self.gold, "complete", **trigger)

    def start_silver(self, **trigger):
        return self.write(self.clean(self.source()), self.silver, "append", **trigger)

    def write(self, frame, name, mode, **trigger):
        writer = frame.writeStream.format("delta").outputMode(mode).queryName(name)
        writer = writer.option("checkpointLocation", self.lake.path("checkpoints/" + name))
        return (writer.trigger(**trigger) if trigger else writer).start(self.lake.path(name))

    def counts(self, name, **options):
        """Loans by state in a table that has a row for each loan or a count for each state."""
        frame = self.lake.read(name, **options)
        total = F.sum("count") if name == self.gold else F.count(F.lit(1))
        return {r[0]: r[1] for r in frame.groupBy("addr_state").agg(total).collect()}

    def tell(self):
        """All steps of the chapter."""
        self.story.step("readStream -> loans by state -> Gold; readStream -> clean -> Silver", self.start)
        self.story.step(f"{WRITERS} processes append new loans, batch and stream are asked at once", self.append)
        self.story.step("the writers are done: Gold = batch query, Silver = every loan once", self.agree)
        self.story.step("restart from the checkpoints with availableNow: only what is new", self.again)

    def start(self):
        self.queries = [self.start_gold(processingTime="100 milliseconds"), self.start_silver()]
        for q in self.queries:
            q.processAllAvailable()
        must(self.counts(self.gold) == self.counts(self.bronze), "the first counts of the stream are not those of the table")
        return f"{len(self.counts(self.gold))} states, {self.lake.read(self.silver).count():,} clean loans"

    def append(self):
        context = multiprocessing.get_context("spawn")
        crew = [context.Process(target=write_loans, args=(self.remote, self.lake.path(self.bronze), w)) for w in range(WRITERS)]
        for c in crew:
            c.start()
        pairs = []
        while any(c.is_alive() for c in crew):
            streamed = sum(self.counts(self.gold).values())
            batch = sum(self.counts(self.bronze).values())
            must(streamed <= batch, f"the stream shows {streamed} loans and the table has {batch}")
            pairs.append((batch, streamed))
            time.sleep(0.02)
        for c in crew:
            c.join()
            must(c.exitcode == 0, f"a writer failed with exit code {c.exitcode}")
        must(pairs == sorted(pairs), "a count went down")
        return f"{WRITERS * APPENDS} appends; {len(pairs)} pairs of counts, the stream never ahead of the table"

    def agree(self):
        for q in self.queries:
            q.processAllAvailable()
        self.check()
        batches = [q.lastProgress["batchId"] + 1 for q in self.queries]
        for q in self.queries:
            q.stop()
        leader = max(self.counts(self.gold).items(), key=lambda kv: kv[1])
        return f"{batches[0]} and {batches[1]} micro-batches; {leader[0]} leads with {leader[1]:,} of {sum(self.counts(self.gold).values()):,} loans"

    def again(self):
        before = self.lake.read(self.silver).count()
        seen = self.lake.read(self.bronze, versionAsOf=0)
        new = seen.where(seen.addr_state == "VT").withColumn("addr_state", F.lit(NEW))
        self.lake.save(new, self.bronze, mode="append")
        for q in (self.start_gold(availableNow=True), self.start_silver(availableNow=True)):
            must(q.awaitTermination(120), "a query with the trigger availableNow did not end")
            must(q.exception() is None, f"the query failed: {q.exception()}")
        self.check()
        return f"{self.lake.read(self.silver).count() - before} new loans"

    def check(self):
        bronze = self.counts(self.bronze)
        must(self.counts(self.gold) == bronze, "the stream's counts by state differ from the batch query's")
        must(self.counts(self.silver) == bronze, "the clean table does not have every loan once")
