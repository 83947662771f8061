"""Engines of the benchmark, each with the same few calls: view a table, fetch the rows of a query, write a query's rows to a table.

millrace and Sail are servers of Spark Connect, started here and ended afterwards; Spark runs in the JVM of this process; DuckDB, Polars and DataFusion
run in this process. Every engine needs the environment that ENVIRONMENT names, made by setup.sh.
"""
import glob
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import psutil

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE, RUN = os.path.join(ROOT, ".cache"), os.path.join(ROOT, ".run", "bench")
ENVIRONMENT = {"millrace": "bench", "sail": "sail", "spark": "spark", "sklearn": "bench", "duckdb": "peers", "polars": "peers", "datafusion": "peers"}


class Meter(threading.Thread):
    """CPU seconds and peak resident memory of process trees."""

    def __init__(self, *pids):
        super().__init__(daemon=True)
        self.roots, self.peak = [psutil.Process(p) for p in pids], 0
        self.start()

    def tree(self):
        for r in self.roots:
            try:
                yield from [r, *r.children(recursive=True)]
            except psutil.Error:
                pass

    def cpu(self):
        total = 0.0
        for p in self.tree():
            try:
                t = p.cpu_times()
                total += t.user + t.system
            except psutil.Error:
                pass
        return total

    def run(self):
        while True:
            total = 0
            for p in self.tree():
                try:
                    total += p.memory_info().rss
                except psutil.Error:
                    pass
            self.peak = max(self.peak, total)
            time.sleep(0.1)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process):
    while process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
    sys.exit("bench: the server ended before it opened its port")


def spark_session():
    """Spark with Delta Lake in this process, tuned for one small machine."""
    from pyspark.sql import SparkSession
    s = (SparkSession.builder.master("local[2]").config("spark.driver.memory", "6g").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "4")
         .config("spark.databricks.delta.snapshotPartitions", "2")
         .config("spark.jars", ",".join(glob.glob(CACHE + "/spark-jars/*.jar")))
         .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
         .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")).getOrCreate()
    s.sparkContext.setLogLevel("ERROR")
    return s


def command(engine, port, workers=2, memory=""):
    if engine == "sail":
        return [CACHE + "/venv-sail/bin/sail", "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    limit = ["--worker-memory", memory] if memory else []
    return [ROOT + "/bin/millrace", "up", "--workers", str(workers), *limit, "--dir", RUN + "/cluster", "--port", str(port), "--ui-port", "0"]


class Connect:
    """A server of Spark Connect; began is the moment of its start."""

    def __init__(self, engine, workers=2, memory=""):
        port = free_port()
        log = open(f"{RUN}/{engine}.log", "w")
        self.began = time.time()
        self.server = subprocess.Popen(command(engine, port, workers, memory), stdout=log, stderr=log, start_new_session=True)
        wait_for(port, self.server)
        from pyspark.sql import SparkSession
        self.session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
        self.meter = Meter(self.server.pid)
        self.cpu = Meter(os.getpid()).cpu  # the client's and, its child, the server's

    def view(self, name, table):
        self.session.read.format("delta").load(table).createOrReplaceTempView(name)

    def rows(self, sql):
        return [tuple(r) for r in self.session.sql(sql).collect()]

    def write(self, sql, target):
        self.session.sql(sql).write.format("delta").mode("overwrite").save(target)

    def close(self):
        self.session.stop()  # before the server goes, or the client keeps trying to reach it
        os.killpg(self.server.pid, signal.SIGTERM)
        try:
            self.server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.server.pid, signal.SIGKILL)


class Spark(Connect):
    def __init__(self, _engine, *_limits):
        self.began = time.time()
        self.session = spark_session()
        self.meter = Meter(os.getpid())
        self.cpu = self.meter.cpu

    def close(self):
        self.session.stop()


class Local:
    """An engine in this process. It writes plain Parquet by its own writer, which is less than a Delta table but its fastest way."""

    def __init__(self, _engine, *_limits):
        self.began = time.time()
        self.meter = Meter(os.getpid())
        self.cpu = self.meter.cpu
        self.open()

    def close(self):
        pass


def files_of(table):
    from deltalake import DeltaTable
    return [u.removeprefix("file://") for u in DeltaTable(table).file_uris()]


class Duckdb(Local):
    def open(self):
        import duckdb
        self.db = duckdb.connect()

    def view(self, name, table):
        self.db.execute(f"create or replace view {name} as select * from read_parquet({files_of(table)!r})")

    def rows(self, sql):
        return self.db.execute(sql).fetchall()

    def write(self, sql, target):
        os.makedirs(target, exist_ok=True)
        self.db.execute(f"copy ({sql}) to '{target}/rows.parquet' (format parquet, compression snappy)")


class Polars(Local):
    def open(self):
        import polars
        self.polars, self.context = polars, polars.SQLContext()

    def view(self, name, table):
        self.context.register(name, self.polars.scan_delta(table))

    def rows(self, sql):
        return self.context.execute(sql, eager=True).rows()

    def write(self, sql, target):
        os.makedirs(target, exist_ok=True)
        self.context.execute(sql).sink_parquet(target + "/rows.parquet", compression="snappy")


class Datafusion(Local):
    def open(self):
        import datafusion
        self.context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(os.cpu_count()))

    def view(self, name, table):
        if self.context.table_exist(name):
            self.context.deregister_table(name)
        self.context.register_parquet(name, table)  # the tables here have no file that is not active

    def rows(self, sql):
        return [tuple(r.values()) for b in self.context.sql(sql).collect() for r in b.to_pylist()]

    def write(self, sql, target):
        self.context.sql(sql).write_parquet(target, compression="snappy")


ENGINES = {"millrace": Connect, "sail": Connect, "spark": Spark, "duckdb": Duckdb, "polars": Polars, "datafusion": Datafusion}
