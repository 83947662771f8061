#!/usr/bin/env python3
"""From raw loans to clean, versioned tables: plain PySpark, so that it runs on any Spark Connect server with Delta Lake.

    lending_club.py --remote sc://127.0.0.1:15002 --lake DIR [--real data/lending_club.csv] [--generated DIR_OF_PARQUET]

Each step prints what it did, how long it took and what came out. A step whose outcome is not as it must be ends the run.
"""
import argparse
import datetime
import json
import multiprocessing
import os
import sys
import time

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import loan_model
import loan_stream
import tracking
from story import Story, must, tell

WRITERS, APPENDS, ROWS = 4, 5, 100


def dollars(rows):
    return ", ".join(f"{r[0]} {r[1]:,.0f}" for r in rows)


def files_under(path):
    """Every file's path, size and time of change below a local folder: equal only if nothing was touched."""
    found = {}
    for folder, _, names in os.walk(path):
        for name in names:
            full = os.path.join(folder, name)
            found[full] = (os.stat(full).st_size, os.stat(full).st_mtime_ns, open(full, "rb").read())
    return found


class Lake:
    """The tables of one run."""

    def __init__(self, spark, folder, story):
        self.spark, self.folder, self.story = spark, folder, story

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name, **options):
        return self.spark.read.format("delta").options(**options).load(self.path(name))

    def save(self, frame, name, mode="overwrite", **options):
        frame.write.format("delta").mode(mode).options(**options).save(self.path(name))

    def bronze(self, name, source):
        """Raw rows become a Delta table."""
        def work():
            self.save(source, name)
            n = self.read(name).count()
            must(n == source.count(), "the table does not hold the rows of its source")
            return f"{n:,} rows, {len(self.read(name).columns)} columns"
        self.story.step(f"raw file -> Delta table {name}", work)

    def by_state(self, bronze, name):
        """The article's loan_by_state_delta, and its two queries."""
        spark = self.spark

        def make():
            self.save(self.read(bronze).groupBy("addr_state").count(), name)
            self.read(name).createOrReplaceTempView("loan_by_state_delta")
            return f"{self.read(name).count()} states"

        def totals():
            rows = spark.sql("SELECT addr_state, SUM(`count`) AS loans FROM loan_by_state_delta GROUP BY addr_state").collect()
            total = sum(r.loans for r in rows)
            must(total == self.read(bronze).count(), "the sums by state do not add up to the table")
            return f"{len(rows)} groups, {total:,} loans"

        def top():
            rows = spark.sql("SELECT addr_state, sum(`count`) AS loans FROM loan_by_state_delta GROUP BY addr_state "
                             "ORDER BY sum(`count`) DESC LIMIT 10").collect()
            must([r.loans for r in rows] == sorted((r.loans for r in rows), reverse=True), "the top ten are not in order")
            return dollars(rows[:4]) + ", …"

        self.story.step(f"group by state -> Delta table {name}, and a view of it", make)
        self.story.step("SQL: SUM(count) GROUP BY addr_state", totals)
        self.story.step("SQL: ORDER BY sum(count) DESC LIMIT 10", top)

    def version(self, name):
        return self.spark.sql(f"DESCRIBE HISTORY delta.`{self.path(name)}` LIMIT 1").first().version

    def silver(self, bronze, name, clean):
        self.story.step(f"clean (trim, regexp_replace, round, cast, when) -> {name}", lambda: self.save(clean(self.read(bronze)), name) or f"{self.read(name).count():,} rows")
        self.cleaned(name)

    def cleaned(self, name):
        """Looks at what cleaning has made."""
        def work():
            levels = {r[0] for r in self.read(name).select("verification_status").distinct().collect()}
            must(not any("Source" in level for level in levels), f"levels were not merged: {levels}")
            worst = self.read(name).agg(F.min("net"), F.max("net")).first()
            return f"verification_status {sorted(levels)}, net {worst[0]:,} to {worst[1]:,}"
        self.story.step(f"{name}: levels merged, net computed", work)

    def enforcement(self, name):
        """Rows that do not fit are refused; with mergeSchema a new column is welcome."""
        spark, target = self.spark, self.path(name)
        before = files_under(target)
        self.good = self.version(name)
        loans = spark.sql("select addr_state, cast(rand(10) * count as bigint) as count, "
                          "cast(rand(10) * 10000 * count as double) as amount from loan_by_state_delta")

        def refuse(frame):
            def work():
                try:
                    self.save(frame, name, mode="append")
                except AnalysisException as e:
                    must("A schema mismatch detected when writing to the Delta table" in str(e) or "Failed to merge fields" in str(e),
                         f"another error: {e}")
                    must(files_under(target) == before, "the refused append touched the table")
                    return "AnalysisException; every byte of the table as before"
                sys.exit("lending_club: an append that does not fit was accepted")
            return work

        def evolve():
            old = self.read(name).count()
            self.save(loans, name, mode="append", mergeSchema="true")
            now = self.read(name)
            must("amount" in now.columns, "the new column is missing")
            must(now.where("amount is null").count() == old, "old rows do not read null in the new column")
            return f"{now.count()} rows, {old} of them with a null amount"

        def states():
            rows = spark.sql(f"SELECT addr_state, sum(`amount`) AS dollars FROM delta.`{target}` GROUP BY addr_state "
                             "ORDER BY sum(`amount`) DESC LIMIT 10").collect()
            return dollars(rows[:4]) + ", …"

        mistyped = self.read(name).select("addr_state", F.array(F.col("count")).alias("count"))
        self.story.step("append with a wrong type: refused", refuse(mistyped))
        self.story.step("append with an unknown column: refused", refuse(loans))
        self.story.step("the same with mergeSchema=true: accepted", evolve)
        self.story.step("SQL: sum(amount) by state, ten largest", states)

    def travel(self, name):
        """History, time travel in its spellings, and restore."""
        spark, target = self.spark, self.path(name)

        def history():
            rows = spark.sql(f"DESCRIBE HISTORY delta.`{target}`").collect()
            self.stamps = {r.version: r.timestamp for r in rows}
            return "; ".join(f"{r.version} {r.operation}" for r in rows[:6]) + ("; …" if len(rows) > 6 else "")

        def versions():
            first = spark.sql(f"SELECT * FROM delta.`{target}` VERSION AS OF 0").count()
            must(first == self.read(name, versionAsOf=0).count(), "two spellings of version 0 differ")
            stamp = self.stamps[0] + datetime.timedelta(milliseconds=1)
            must(first == spark.sql(f"SELECT * FROM delta.`{target}` TIMESTAMP AS OF '{stamp}'").count(), "TIMESTAMP AS OF differs")
            must(first == self.read(name, timestampAsOf=str(stamp)).count(), "timestampAsOf differs")
            return f"{first} rows in version 0 by version and by time, {self.read(name).count()} now"

        def restore():
            good = self.good
            spark.sql(f"RESTORE TABLE delta.`{target}` TO VERSION AS OF {good}")
            must(sorted(self.read(name).collect()) == sorted(self.read(name, versionAsOf=good).collect()), f"RESTORE did not bring version {good} back")
            must("amount" not in self.read(name).columns, "RESTORE did not bring the schema back")
            return f"version {self.version(name)} is version {good} again"

        self.story.step("DESCRIBE HISTORY", history)
        self.story.step("VERSION AS OF 0, TIMESTAMP AS OF, versionAsOf, timestampAsOf", versions)
        self.story.step(f"RESTORE TABLE … TO VERSION AS OF {self.good}", restore)

    def concurrent(self, remote, name):
        """Several processes append to one table while this one keeps counting."""
        def work():
            self.save(self.spark.range(0).selectExpr("id", "0 as writer"), name)
            context = multiprocessing.get_context("spawn")
            crew = [context.Process(target=append, args=(remote, self.path(name), w)) for w in range(WRITERS)]
            for c in crew:
                c.start()
            seen = []
            while any(c.is_alive() for c in crew):
                seen.append(self.read(name).count())
            for c in crew:
                c.join()
                must(c.exitcode == 0, f"a writer failed with exit code {c.exitcode}")
            end = self.read(name)
            must(end.count() == WRITERS * APPENDS * ROWS == end.distinct().count(), "rows were lost or doubled")
            must(seen == sorted(seen) and all(n % ROWS == 0 for n in seen), f"a count was not that of a version: {seen}")
            return f"{WRITERS} writers, {WRITERS * APPENDS} appends, {end.count():,} rows; {len(seen)} counts between, each a version"
        self.story.step(f"{WRITERS} processes append to {name}, one counts", work)


def append(remote, path, writer):
    spark = SparkSession.builder.remote(remote).getOrCreate()
    for i in range(APPENDS):
        start = (writer * APPENDS + i) * ROWS
        spark.range(start, start + ROWS).selectExpr("id", f"{writer} as writer").write.format("delta").mode("append").save(path)
    spark.stop()


def clean_real(loans):
    return (loans.withColumn("verification_status", F.trim(F.regexp_replace(loans.verification_status, "Source_Verified", "Verified")))
            .withColumn("net", F.round(loans.total_il_high_credit_limit - loans.total_bal_il, 2))
            .withColumn("term_months", F.regexp_replace(loans.term, "term_", "").cast("int"))
            .withColumn("bad_loan", F.when(loans.Class == "bad", True).otherwise(False)))


def clean_generated(loans):
    return (loans.withColumn("verification_status", F.trim(F.regexp_replace(loans.verification_status, "Source Verified", "Verified")))
            .withColumn("net", F.round(loans.total_pymnt - loans.loan_amnt, 2))
            .withColumn("int_rate", F.regexp_replace(loans.int_rate, "%", "").cast("double"))
            .withColumn("term", F.trim(F.regexp_replace(loans.term, "months", "")).cast("int"))
            .withColumn("bad_loan", F.when(loans.loan_status == "Fully Paid", False).otherwise(True)))


def write_outcome(path, lake, streams, models):
    """What must be the same on every engine."""
    counts = {name: sorted(streams.counts(name).items()) for name in (streams.bronze, streams.gold, streams.silver)}
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"counts": counts, "averages": models.averages, "coefficients": models.coefficients, "intercept": models.intercept,
                   "scores": models.scores, "train_auc": models.train_auc, "best": models.best, "money": models.money,
                   "mlflow": models.published}, f, indent=1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    p.add_argument("--remote", default="sc://127.0.0.1:15002")
    p.add_argument("--lake", required=True, help="a folder for the tables; it must not exist yet or be empty")
    p.add_argument("--real", default=os.path.join(here, "..", "data", "lending_club.csv"))
    p.add_argument("--generated", help="a folder of Parquet files made by generate_loans.py")
    p.add_argument("--mlflow", metavar="URL", help="an MLflow server that takes what the models have noted")
    p.add_argument("--mlflow-wait", type=float, default=0, metavar="SECONDS", help="how long it may take until the server answers. Default: 0")
    p.add_argument("--journal", metavar="DIR", help="where it is noted. Default: runs below --lake")
    p.add_argument("--split", metavar="DIR", help="train on the loans that another run has set apart in its lake, so that models can be compared")
    p.add_argument("--outcome", metavar="FILE", help="write what came out as JSON, to be compared with another engine's")
    a = p.parse_args()
    must(not os.path.exists(a.lake) or not os.listdir(a.lake), f"{a.lake} is not empty")
    a.lake, real = os.path.abspath(a.lake), os.path.abspath(a.real)

    story = Story()
    story.chapter("Real loans")
    spark = SparkSession.builder.remote(a.remote).getOrCreate()
    lake = Lake(spark, a.lake, story)
    csv = spark.read.option("header", True).option("inferSchema", True).csv(real)
    lake.bronze("bronze_real", csv)
    lake.by_state("bronze_real", "loan_by_state")
    story.chapter("Stream and batch on one table")
    streams = loan_stream.Streams(lake, a.remote, "bronze_real", clean_real)
    streams.tell()
    story.chapter("Schema enforcement, evolution, history, time travel, restore on the streamed tables")
    lake.cleaned(streams.silver)
    lake.enforcement(streams.gold)
    lake.travel(streams.gold)
    lake.concurrent(a.remote, "appended")
    if a.generated:
        story.chapter("Generated loans")
        lake.bronze("bronze", spark.read.parquet(os.path.abspath(a.generated)))
        lake.by_state("bronze", "loan_by_state_generated")
        lake.silver("bronze", "silver", clean_generated)
        lake.enforcement("loan_by_state_generated")
        lake.travel("loan_by_state_generated")
    story.chapter("Models of the real loans")
    journal = tracking.Journal(a.journal or lake.path("runs"))
    models = loan_model.Models(lake, streams.silver, journal, Lake(spark, os.path.abspath(a.split), story) if a.split else None)
    models.tell()
    if a.mlflow:
        story.chapter("MLflow")
        story.step("parameters, metrics, plots, model -> MLflow, and back", lambda: models.publish(a.mlflow, a.mlflow_wait))
    if a.outcome:
        write_outcome(a.outcome, lake, streams, models)
    print(f"\n{len(story.steps)} steps in {time.time() - story.started:.1f} s", flush=True)
    spark.stop()


if __name__ == "__main__":
    tell(main)
