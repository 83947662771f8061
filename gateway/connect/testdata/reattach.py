"""Read results larger than what one connection lives for."""
import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
for _ in range(3):
    pdf = spark.range(2_000_000).toPandas()
    assert len(pdf) == 2_000_000 and pdf.id.is_monotonic_increasing and pdf.id.iloc[-1] == 1_999_999
print("ok")
