#!/usr/bin/env python3
"""Commits: small appends to one local Delta table by writers in processes of their own, by millrace (PySpark clients of one cluster),
delta-rs and Spark local[2], then 2,048 simulated clients of millrace's commit service, all in one run.

    commits.py [--writers 1,8,32] [--seconds 10] [--engines millrace,deltars,spark] [--simulated 2048] [--dir DIR]

A writer appends a batch of 100 rows as often as it can. What fails is counted and not tried again here; delta-rs and Spark try
again inside. At the end delta-rs counts the rows, which must be those that were acknowledged. Spark's writers are threads of
one driver, since a table's writers in Spark are. Ratios are millrace to the peer: above 1 means that millrace was faster.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE, RUN = os.path.join(ROOT, ".cache"), os.path.join(ROOT, ".run", "bench", "commits")
ROWS = 100


def batch():
    import pyarrow as pa
    return pa.table({"id": list(range(ROWS)), "v": [float(i) for i in range(ROWS)], "s": [f"row {i}" for i in range(ROWS)]})


def python(venv):
    return os.path.join(CACHE, f"venv-{venv}", "bin", "python")


def appender(a, session=None):
    """A function that appends a batch once."""
    if a.engine == "deltars":
        from deltalake import write_deltalake
        rows = batch()
        return lambda: write_deltalake(a.path, rows, mode="append")
    if session is None:
        from pyspark.sql import SparkSession
        session = SparkSession.builder.remote(a.remote).create()
    df = session.createDataFrame(batch().to_pandas()).coalesce(1)
    return lambda: df.write.format("delta").mode("append").save(a.path)


def loop(append, start, seconds):
    time.sleep(max(0, start - time.time()))
    latencies, errors = [], collections.Counter()
    while time.time() < start + seconds:
        t = time.time()
        try:
            append()
            latencies.append(time.time() - t)
        except Exception as x:  # whatever it is, it is a failed append
            errors[f"{type(x).__name__}: {str(x)[:100]}"] += 1
    return latencies, errors


def child(a):
    """One writer process, or for Spark all of them as threads: says that it is ready, then waits for the start on stdin."""
    if a.engine == "spark":
        sys.path.insert(0, os.path.join(ROOT, "bench"))
        import bench
        first = bench.connect("spark")[0]
        appends = [appender(a, first.newSession()) for _ in range(a.threads)]
    else:
        appends = [appender(a)]
    appends[0]()
    print("ready", flush=True)
    start, results = float(sys.stdin.readline()), []
    threads = [threading.Thread(target=lambda f=f: results.append(loop(f, start, a.seconds))) for f in appends]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(json.dumps({"latencies": [x for r in results for x in r[0]], "errors": dict(sum((r[1] for r in results), collections.Counter())),
                      "end": time.time()}), flush=True)
    os._exit(0)


def writers(a, engine, n, remote):
    from deltalake import DeltaTable, write_deltalake
    path = os.path.join(a.dir, f"{engine}_{n}")
    shutil.rmtree(path, ignore_errors=True)
    write_deltalake(path, batch())
    processes = 1 if engine == "spark" else n
    command = [python("spark" if engine == "spark" else "bench"), os.path.abspath(__file__), "--one", "--engine", engine, "--path", path, "--seconds", str(a.seconds),
               "--threads", str(n), "--remote", remote or ""]
    ps = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(processes)]
    for p in ps:
        while (line := p.stdout.readline().strip()) != "ready":
            if not line and p.poll() is not None:
                sys.exit(f"a writer of {engine} ended before it began")
    start = time.time() + 1
    for p in ps:
        p.stdin.write(f"{start}\n")
        p.stdin.flush()
    got = [json.loads(p.stdout.readline()) for p in ps]
    for p in ps:
        p.wait()
    latencies = sorted(x for g in got for x in g["latencies"])
    errors = sum((collections.Counter(g["errors"]) for g in got), collections.Counter())
    took = max(g["end"] for g in got) - start
    table = DeltaTable(path)
    rows = table.to_pyarrow_dataset().count_rows()
    expected = (len(latencies) + 1 + processes) * ROWS
    percentile = lambda p: latencies[min(len(latencies) - 1, int(p * len(latencies)))] * 1000 if latencies else float("nan")
    r = {"engine": engine, "writers": n, "commits_per_s": len(latencies) / took, "p50_ms": percentile(.5), "p99_ms": percentile(.99), "failed": sum(errors.values()),
         "versions_per_s": table.version() / took, "rows_ok": rows == expected, "load": os.getloadavg()[0]}
    print(f"{engine:9} {n:5} writers {r['commits_per_s']:8.1f} commits/s  p50 {r['p50_ms']:6.0f} ms  p99 {r['p99_ms']:6.0f} ms  failed {r['failed']:4}  "
          f"rows {'right' if r['rows_ok'] else f'WRONG: {rows} of {expected}'}  load {r['load']:.1f}", flush=True)
    for k, v in errors.most_common(2):
        print("   ", v, k)
    return r


def cluster(a):
    """A millrace cluster of its own; gives the process and its address."""
    home = os.path.join(a.dir, "cluster")
    shutil.rmtree(home, ignore_errors=True)
    p = subprocess.Popen([os.path.join(ROOT, "bin", "millrace"), "up", "--port", "0", "--ui-port", "0", "--dir", home], stdout=subprocess.PIPE, text=True)
    for line in p.stdout:
        if "sc://" in line:
            return p, line[line.index("sc://") + 5:].split()[0].rstrip("/")
    sys.exit("the cluster did not start")


def simulated(a, address):
    path = os.path.join(a.dir, "simulated")
    shutil.rmtree(path, ignore_errors=True)
    out = subprocess.run(["go", "run", "./bench/writers", "--address", address, "--table", path, "--writers", str(a.simulated), "--seconds", str(a.seconds)],
                         cwd=ROOT, env={**os.environ, "CGO_ENABLED": "0"}, stdout=subprocess.PIPE, text=True, check=True).stdout
    r = json.loads(out)
    print(f"simulated {a.simulated:5} writers {r['commits_per_s']:8.0f} commits/s in {r['versions_per_s']:.1f} versions/s  p50 {r['p50_ms']:.0f} ms  p99 {r['p99_ms']:.0f} ms  "
          f"failed {r['failed']}  log {'right' if r['whole'] else 'WRONG'}  load {os.getloadavg()[0]:.1f}", flush=True)
    return {"engine": "simulated", "writers": a.simulated, **r}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--writers", default="1,8,32")
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--engines", default="millrace,deltars,spark")
    p.add_argument("--simulated", type=int, default=2048, help="clients of the commit service; 0: none")
    p.add_argument("--dir", default=RUN)
    for name in ("--engine", "--path", "--remote"):
        p.add_argument(name, help=argparse.SUPPRESS)
    p.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    p.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.one:
        child(a)
    a.dir = os.path.abspath(a.dir)
    os.makedirs(a.dir, exist_ok=True)
    engines, results = a.engines.split(","), []
    server, address = cluster(a)
    try:
        for n in map(int, a.writers.split(",")):
            for e in engines:
                if e == "spark" and n > 8:
                    continue  # it has no more threads than cores to plan with
                results.append(writers(a, e, n, f"sc://{address}"))
        if a.simulated:
            results.append(simulated(a, address))
    finally:
        server.terminate()
        server.wait(20)
    by = {(r["engine"], r["writers"]): r["commits_per_s"] for r in results}
    for (e, n), rate in by.items():
        if e in ("deltars", "spark") and ("millrace", n) in by:
            print(f"{n} writers: millrace makes {by['millrace', n] / max(rate, 1e-9):.1f} times the commits of {e}")
    with open(os.path.join(a.dir, "result.json"), "w") as f:
        json.dump(results, f, indent=1)
    os._exit(0 if all(r.get("rows_ok", r.get("whole")) for r in results) else 1)


if __name__ == "__main__":
    main()
