"""foreachBatch from an unmodified client: the function runs in a process that the server starts."""
import os
import sys
import tempfile
import time

from pyspark.errors import StreamingQueryException
from pyspark.sql import Row, SparkSession

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)
df = spark.readStream.format("rate").load()
folder = tempfile.mkdtemp()
out = os.path.join(folder, "out")
with open(os.path.join(folder, "shipped.py"), "w") as f:
    f.write("def label(n):\n    return f'batch {n}'\n")
spark.addArtifacts(os.path.join(folder, "shipped.py"), pyfile=True)
session, here = spark.session_id, os.getpid()


def good(frame, batch):
    import shipped

    assert frame.collect() == frame.collect() == [Row(id=i) for i in range(5)]
    assert frame.sparkSession.session_id == session and os.getpid() != here and not frame.isStreaming
    frame.createOrReplaceTempView("seen")
    with open(out, "a") as f:
        f.write(shipped.label(batch) + "\n")


q = df.writeStream.foreachBatch(good).start()
q.awaitTermination()
assert q.exception() is None and open(out).read() == "batch 0\nbatch 1\nbatch 2\n", open(out).read()
assert spark.table("seen").collect() == [Row(id=i) for i in range(5)]  # the session is the client's own


def bad(frame, batch):
    if batch == 1:
        raise ValueError(f"no batch {batch}")


q = df.writeStream.foreachBatch(bad).start()
try:
    q.awaitTermination()
    raise AssertionError("the function's exception was lost")
except StreamingQueryException as e:
    assert e.getCondition() == "STREAM_FAILED", e
    assert "[PYTHON_EXCEPTION]" in str(e) and "Found error inside foreachBatch Python process: Traceback" in str(e), e
    assert "ValueError: no batch 1" in str(e) and "in bad" in str(e), e


class Unpicklable:
    def __reduce__(self):
        return (__import__, ("no_such_module",))


thing = Unpicklable()
try:
    df.writeStream.foreachBatch(lambda frame, batch: print(thing)).start()
    raise AssertionError("a function that cannot be unpickled was started")
except Exception as e:
    assert "no_such_module" in str(e) and "[PYTHON_EXCEPTION]" in str(e), e


# A function whose process dies.
q = df.writeStream.foreachBatch(lambda frame, batch: os._exit(3)).start()
try:
    q.awaitTermination()
    raise AssertionError("the process's end was lost")
except StreamingQueryException as e:
    assert "Python worker exited unexpectedly" in str(e), e


# A query that is stopped while its function runs a query of its own; the test looks whether that still runs.
def slow(frame, batch):
    open(out + ".slow", "w").close()
    frame.sparkSession.table("slow").collect()


q = df.writeStream.foreachBatch(slow).start()
while not os.path.exists(out + ".slow"):
    time.sleep(0.01)
time.sleep(0.3)
q.stop()
assert not q.isActive and q.exception() is None

spark.conf.set("spark.pyspark.python", "no-such-python")
try:
    df.writeStream.foreachBatch(good).start()
    raise AssertionError("there is no such Python")
except Exception as e:
    assert "no-such-python is not there" in str(e) and "spark.pyspark.python" in str(e), e
