#!/usr/bin/env python3
"""What `make run` does: a local cluster and an MLflow server, the article from raw file to scored model, deaths in mid-stream, a
detached job, a look by another reader, a summary. Nothing is left running."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN, HERE, MILLRACE = os.path.join(ROOT, ".run"), os.path.join(ROOT, "examples"), os.path.join(ROOT, "bin", "millrace")
LAKE, CLUSTER, GENERATED, TRACKING = (os.path.join(RUN, d) for d in ("lake", "cluster", "generated", "mlflow"))
ROWS = 1_000_000


@contextlib.contextmanager
def cluster():
    """The cluster's process, its Spark Connect address and its page's."""
    began = time.time()
    up = subprocess.Popen([MILLRACE, "up", "--workers", "2", "--dir", CLUSTER, "--port", "0", "--ui-port", "0"], stdout=subprocess.PIPE, text=True)
    line = up.stdout.readline().split()
    if len(line) != 4 or line[0] != "ready":
        up.terminate()
        sys.exit(f"run: the cluster did not come up (exit code {up.wait()}); its messages are above")
    print(f"cluster: a coordinator and two workers, ready in {time.time() - began:.2f} s\n"
          f"  Spark Connect {line[1]}\n  page          {line[3]}", flush=True)
    try:
        yield up.pid, line[1], line[3]
    finally:
        up.send_signal(signal.SIGTERM)
        if up.wait(30) != 0:
            sys.exit(f"run: the cluster ended with exit code {up.returncode}")


@contextlib.contextmanager
def mlflow():
    """The address of an MLflow server, which may still be starting."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    os.makedirs(TRACKING)
    with open(os.path.join(TRACKING, "server.log"), "w") as log:
        server = subprocess.Popen([sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
                                   "--backend-store-uri", f"sqlite:///{TRACKING}/mlflow.db", "--artifacts-destination", f"file://{TRACKING}/artifacts"],
                                  stdout=log, stderr=log, start_new_session=True, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"})
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def script(name, *args):
    """Runs one of the examples; its failure ends the run."""
    if subprocess.run([sys.executable, os.path.join(HERE, name), *args]).returncode != 0:
        sys.exit(f"run: {name} failed; the cluster's files are in {CLUSTER}")


def millrace(remote, *args):
    """What the command line prints."""
    done = subprocess.run([MILLRACE, *args, "--remote", remote], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"run: millrace {' '.join(args)} ended with exit code {done.returncode}")
    return done.stdout.strip()


def job(remote):
    """The daily report as a detached job."""
    print("\n== A detached job: the daily report", flush=True)
    began = time.time()
    report = os.path.join(RUN, "daily_report.sql")
    with open(os.path.join(HERE, "daily_report.sql"), encoding="utf-8") as f, open(report, "w", encoding="utf-8") as out:
        out.write(f.read().replace("{lake}", LAKE))
    id = millrace(remote, "submit", report)
    while (state := json.loads(millrace(remote, "job", id, "--output", "json"))["state"]) in ("QUEUED", "RUNNING"):
        time.sleep(0.05)
    log = millrace(remote, "job", id, "--logs")
    if state != "SUCCEEDED":
        sys.exit(f"{log}\nrun: the job {id} ended as {state}")
    print(log[log.index("-- step 10"):] + f"\n  job {id} {state} after {time.time() - began:.2f} s")
    return f"{id} {state}; its log has {len(log.splitlines())} lines"


def address(page, what, table):
    """Where the page tells of a table."""
    return f"{page}{what}?{urllib.parse.urlencode({'path': os.path.join(LAKE, table)})}"


def picture(page, table):
    """Compares what the page shows of a table with what delta-rs reads in it."""
    from deltalake import DeltaTable
    print("\n== The picture", flush=True)
    with urllib.request.urlopen(address(page, "/api/v1/table/picture", table)) as answer:
        shown = {g["key"]: g["value"] for g in json.load(answer)["groups"]}
    frame = DeltaTable(os.path.join(LAKE, table)).to_pandas()
    held = dict(zip(frame["addr_state"], frame["count"]))
    if shown != held:
        sys.exit(f"run: the page shows {shown} and the table holds {held}")
    leader = max(shown, key=shown.get)
    return f"{len(shown)} states with the values that delta-rs reads; {leader} leads with {shown[leader]:,}"


def read_elsewhere():
    """Counts the rows of every table with delta-rs, which shares no code with millrace."""
    from deltalake import DeltaTable
    print("\n== The tables, read by delta-rs")
    for name in sorted(os.listdir(LAKE)):
        if os.path.isdir(os.path.join(LAKE, name, "_delta_log")):
            t = DeltaTable(os.path.join(LAKE, name))
            rows = t.to_pyarrow_table().num_rows
            print(f"  {name:<26} version {t.version():<4} {rows:>9,} rows  {len(t.schema().fields):>3} columns  {len(t.file_uris()):>3} files")


def main():
    for d in (LAKE, CLUSTER, TRACKING):
        shutil.rmtree(d, ignore_errors=True)
    if not os.path.isdir(GENERATED):
        print(f"set-up: generating {ROWS:,} loans", flush=True)
        subprocess.run([sys.executable, os.path.join(HERE, "generate_loans.py"), GENERATED + ".tmp", "--rows", str(ROWS)], check=True)
        os.replace(GENERATED + ".tmp", GENERATED)
    began = time.time()
    with mlflow() as tracking, cluster() as (pid, remote, page):
        print(f"  loans by state, live as they stream: {address(page, '/table', 'gold_real')}", flush=True)
        outcome = os.path.join(RUN, "outcome.json")
        script("lending_club.py", "--remote", remote, "--lake", LAKE, "--generated", GENERATED, "--mlflow", tracking, "--mlflow-wait", "120", "--outcome", outcome)
        script("survive.py", "--remote", remote, "--lake", LAKE, "--cluster", str(pid))
        reported = job(remote)
        shown = picture(page, "gold_real")
        print("  " + shown)
        read_elsewhere()
    with open(outcome, encoding="utf-8") as f:
        seen = json.load(f)
    counts = {name: sum(n for _, n in rows) for name, rows in seen["counts"].items()}
    print(f"""
== What was seen
  Bronze    {counts['bronze_real']:,} real loans, with those that were streamed in, and {ROWS:,} generated ones
  Stream    Gold counts {counts['gold_real']:,} loans and Silver has {counts['silver_real']:,}, as the batch query does; nothing lost or doubled when processes died
  Tables    schema enforced and evolved, history, time travel, restore
  Model     AUC {', '.join(f"{name} {auc:.4f}" for name, auc in seen['scores'].items())} on loans that were not trained on; the best is {seen['best']}
  MLflow    {seen['mlflow']}
  Picture   {shown}
  Job       {reported}""")
    example = os.path.join(LAKE, "silver")
    print(f"""
== Done in {time.time() - began:.1f} s; nothing is left running (the page was at {page})
The tables lie in {LAKE}. Read one with
  Spark     spark.read.format("delta").load("{example}")
  delta-rs  deltalake.DeltaTable("{example}").to_pandas()
  DuckDB    SELECT count(*) FROM delta_scan('{example}')
  millrace  bin/millrace up & bin/millrace sql -c 'SELECT count(*) FROM delta.`{example}`'
The runs are in MLflow's store below {TRACKING}. See them with
  {sys.executable} -m mlflow ui --backend-store-uri sqlite:///{TRACKING}/mlflow.db""")


if __name__ == "__main__":
    main()
