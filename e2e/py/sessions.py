"""Sessions of the engines that the scripts compare."""
import glob
import os
import sys

CACHE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), ".cache")


def connect(remote):
    from pyspark.sql import SparkSession
    return SparkSession.builder.remote(remote).getOrCreate()


def classic():
    """A classic local Spark session with Delta Lake."""
    from pyspark.sql import SparkSession
    s = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").config("spark.driver.memory", "2g")
         .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "2")
         .config("spark.databricks.delta.snapshotPartitions", "2").config("spark.driver.bindAddress", "127.0.0.1")
         .config("spark.driver.host", "127.0.0.1").config("spark.jars", ",".join(glob.glob(CACHE + "/spark-jars/*.jar")))
         .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
         .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog").getOrCreate())
    s.sparkContext.setLogLevel("ERROR")
    return s


def leave():
    """End at once: delta-rs's own threads may abort an interpreter that shuts down in order."""
    sys.stdout.flush()
    os._exit(0)
