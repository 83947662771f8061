#!/usr/bin/env python3
"""Kill a worker and then the coordinator while streams run and writers append: afterwards every sum is exact.

    survive.py --remote sc://127.0.0.1:15002 --lake DIR --cluster PID

PID is the process of `millrace up`, which starts again what dies. The streaming queries live in the cluster and go on by themselves;
the writers are clients, which repeat an append that was not answered with the same transaction number, so that it counts once.
"""
import argparse
import multiprocessing
import os
import signal
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from story import Story, must, tell

WRITERS, APPENDS, ROWS = 4, 12, 250
STATES = ["CA", "TX", "NY", "FL", "IL", "IA", "VT"]


def session(remote):
    """A session of its own, as soon as the cluster answers."""
    return SparkSession.builder.remote(remote).create()


def loans(spark, start):
    state = F.element_at(F.array(*map(F.lit, STATES)), (F.col("id") % len(STATES) + 1).cast("int"))
    return spark.range(start, start + ROWS).select("id", state.alias("addr_state"), (F.col("id") % 1000).alias("amount"))


def write(remote, path, writer):
    """Appends in numbered transactions, each again until it is acknowledged."""
    spark = session(remote)
    for i in range(APPENDS):
        done = False
        while not done:
            try:
                loans(spark, (writer * APPENDS + i) * ROWS).write.format("delta").mode("append").option("txnAppId", f"writer-{writer}") \
                    .option("txnVersion", i).save(path)
                done = True
            except Exception:  # the session is gone with its coordinator
                time.sleep(0.2)
                spark = session(remote)
        time.sleep(0.1)
    os._exit(0)


def children(pid):
    """The processes that a process has started, by what they are."""
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as f:
            for child in f.read().split():
                with open(f"/proc/{child}/cmdline") as c:
                    found.setdefault(c.read().split("\0")[1], []).append(int(child))
    return found


class Survival:
    def __init__(self, remote, lake, cluster):
        self.remote, self.cluster, self.story = remote, cluster, Story()
        self.path = lambda name: os.path.join(os.path.abspath(lake), name)
        self.spark = session(remote)

    def tell(self):
        self.story.chapter("Death of processes in mid-stream")
        self.story.step("two streaming queries and four writers start", self.start)
        self.story.step("SIGKILL of a worker", lambda: self.kill("worker"))
        self.story.step("SIGKILL of the coordinator", lambda: self.kill("coordinator"))
        self.story.step("the writers end, the streams catch up: sums and rows are exact", self.check)

    def start(self):
        loans(self.spark, 10_000_000).write.format("delta").save(self.path("survived"))
        source = self.spark.readStream.format("delta").load(self.path("survived"))
        sums = source.groupBy("addr_state").agg(F.count(F.lit(1)).alias("count"), F.sum("amount").alias("amount"))
        self.queries = [self.begin(sums, "survived_gold", "complete"), self.begin(source.withColumn("thousands", F.col("amount") / 1000), "survived_silver", "append")]
        context = multiprocessing.get_context("spawn")
        self.crew = [context.Process(target=write, args=(self.remote, self.path("survived"), w)) for w in range(WRITERS)]
        for c in self.crew:
            c.start()
        return f"{WRITERS * APPENDS} appends are to come"

    def begin(self, frame, name, mode):
        return frame.writeStream.format("delta").outputMode(mode).option("checkpointLocation", self.path("checkpoints/" + name)).start(self.path(name)).id

    def kill(self, what):
        time.sleep(1.5)
        victim = children(self.cluster)[what][0]
        os.kill(victim, signal.SIGKILL)
        running = sum(c.is_alive() for c in self.crew)
        return f"process {victim} is dead while {running} writers write"

    def check(self):
        for c in self.crew:
            c.join()
            must(c.exitcode == 0, f"a writer failed with exit code {c.exitcode}")
        spark = session(self.remote)
        for id in self.queries:
            query = spark.streams.get(id)
            must(query is not None and query.isActive, f"the streaming query {id} is gone")
            query.processAllAvailable()
            query.stop()
        read = lambda name: spark.read.format("delta").load(self.path(name))  # noqa: E731
        total = (WRITERS * APPENDS + 1) * ROWS
        must(read("survived").count() == total == read("survived").select("id").distinct().count(), "the table lost or doubled rows")
        must(read("survived_silver").count() == total == read("survived_silver").select("id").distinct().count(), "the stream lost or doubled rows")
        batch = read("survived").groupBy("addr_state").agg(F.count(F.lit(1)).alias("count"), F.sum("amount").alias("amount"))
        must(sorted(batch.collect()) == sorted(read("survived_gold").collect()), "the running sums are not those of the table")
        return f"{total:,} loans in {WRITERS * APPENDS + 1} appends, each once in the table, in the clean stream and in the sums of {len(STATES)} states"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--remote", required=True)
    p.add_argument("--lake", required=True)
    p.add_argument("--cluster", required=True, type=int, metavar="PID")
    a = p.parse_args()
    Survival(a.remote, a.lake, a.cluster).tell()


if __name__ == "__main__":
    tell(main)
