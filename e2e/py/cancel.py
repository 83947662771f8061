"""cancel.py REMOTE UI: interrupt a query that would run for hours; the cluster is idle at once and answers the next query."""
import sys
import threading
import time
import urllib.request

from pyspark.errors import PySparkException

import sessions


def running(ui):
    for line in urllib.request.urlopen(ui + "/metrics").read().decode().splitlines():
        if line.startswith("millrace_tasks_running "):
            return float(line.split()[1])
    raise SystemExit("no metric millrace_tasks_running")


def main(remote, ui):
    spark = sessions.connect(remote)
    outcome = []

    def endless():
        try:
            outcome.append(spark.sql("select sum(a.id % 7 + b.id % 5) from range(10000000) a cross join range(10000000) b").collect())
        except PySparkException as e:
            outcome.append(e)

    for _ in range(3):
        outcome.clear()
        thread = threading.Thread(target=endless)
        thread.start()
        end = time.time() + 20
        while running(ui) == 0 and time.time() < end:
            time.sleep(0.01)
        assert running(ui) > 0, "the query did not start"
        began = time.time()
        assert spark.interruptAll(), "nothing was interrupted"
        thread.join(20)
        told = time.time() - began
        while running(ui) > 0 and time.time() < began + 20:
            time.sleep(0.005)
        idle = time.time() - began
        assert running(ui) == 0, "tasks still run"
        assert isinstance(outcome[0], PySparkException) and "OPERATION_CANCELED" in str(outcome[0]), outcome
        print(f"client told after {told * 1000:.0f} ms, cluster idle after {idle * 1000:.0f} ms")
        assert spark.range(10).count() == 10


main(*sys.argv[1:3])
