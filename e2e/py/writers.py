"""Random operations on one Delta table by a writer process, or the check of what all writers did.

    writers.py REMOTE PATH write SEED WRITER OPERATIONS   prints a JSON line for each operation: what, when, and how it ended
    writers.py REMOTE PATH check < the lines              replays the log with delta-rs: every version has to be what its operations make of
                                                          the one before, and acknowledged operations are there once, refused ones never

Every operation carries an application identifier of its own, so that it can be sent again after a lost connection without being carried
out twice. A writer goes on through the deaths of coordinators and workers.
"""
import glob
import json
import os
import random
import sys
import time

WRITERS = 4


def plan(rng, writer, i):
    """An operation of a random kind. Ids grow with time, so that writers meet at the newest; even ones are appended, odd ones merged in."""
    base = (i * WRITERS + writer) * 6
    lo = max(0, base - rng.randrange(40))
    o = {"id": f"w{writer}-{i}", "kind": rng.choices(["append", "update", "delete", "merge", "count", "overwrite", "optimize", "column"], [6, 6, 3, 4, 3, 1, 1, 0.5])[0],
         "lo": lo, "hi": lo + rng.randrange(12), "new": [base + 2 * k for k in range(1 + rng.randrange(3))]}
    return o


def statement(o, table):
    between = f"id BETWEEN {o['lo']} AND {o['hi']}"
    rows = ", ".join(f"({n}L, 0L)" for n in o["new"])
    return {
        "append": f"INSERT INTO {table} (id, v) VALUES {rows}",
        "update": f"UPDATE {table} SET v = v + 1 WHERE {between}",
        "delete": f"DELETE FROM {table} WHERE {between}",
        "merge": f"MERGE INTO {table} AS t USING (SELECT id FROM range({o['lo']}, {o['hi'] + 1})) AS s ON t.id = s.id "
                 "WHEN MATCHED THEN UPDATE SET v = t.v + 10 WHEN NOT MATCHED AND s.id % 2 = 1 THEN INSERT (id, v) VALUES (s.id, 100L)",
        "count": f"INSERT INTO {table} (id, v) SELECT {o['new'][0]}L, count(*) FROM {table} WHERE {between}",
        "overwrite": f"INSERT OVERWRITE {table} (id, v) VALUES {rows}",
        "optimize": f"OPTIMIZE {table}",
        "column": f"ALTER TABLE {table} ADD COLUMNS (c{o['id'].replace('-', '_')} INT)",
    }[o["kind"]]


def apply(o, state):
    """What the operation makes of rows by id."""
    ids = [i for i in state if o["lo"] <= i <= o["hi"]]
    if o["kind"] == "append":
        state.update({n: 0 for n in o["new"]})
    elif o["kind"] == "update":
        state.update({i: state[i] + 1 for i in ids})
    elif o["kind"] == "delete":
        for i in ids:
            del state[i]
    elif o["kind"] == "merge":
        state.update({i: state[i] + 10 if i in state else 100 for i in range(o["lo"], o["hi"] + 1) if i in state or i % 2 == 1})
    elif o["kind"] == "count":
        state[o["new"][0]] = len(ids)
    elif o["kind"] == "overwrite":
        state.clear()
        state.update({n: 0 for n in o["new"]})


def session(remote):
    from pyspark.sql import SparkSession
    return SparkSession.builder.remote(remote).create()


def carry_out(o, remote, spark, table):
    """Sends the operation until its end is known. Gives the session that works now."""
    while True:
        try:
            spark = spark or session(remote)
            spark.conf.set("spark.databricks.delta.write.txnAppId", o["id"])
            spark.conf.set("spark.databricks.delta.write.txnVersion", "1")
            spark.sql(statement(o, table)).collect()
            o["end"] = "done"
            return spark
        except Exception as x:
            text = str(x)
            if "DELTA_CONCURRENT" in text or "DELTA_METADATA_CHANGED" in text or "DELTA_PROTOCOL_CHANGED" in text:
                o["end"] = "refused"
                return spark
            if "UNSUPPORTED" in text and o["kind"] in ("optimize", "column"):
                o["end"] = "refused"
                return spark
            if o["kind"] == "column" and ("ALREADY_EXISTS" in text or "already exists" in text):
                o["end"] = "done"
                return spark
            if time.time() - o["began"] > 120:
                o["end"] = "unknown: " + text[:300]
                return spark
            spark = None  # whatever it was, a new session asks again
            time.sleep(0.2)


def write(remote, path, seed, writer, n):
    rng, spark, table = random.Random(f"{seed} {writer}"), None, f"delta.`{path}`"
    for i in range(n):
        o = plan(rng, writer, i)
        time.sleep(rng.random() * 0.15)
        o["began"] = time.time()
        spark = carry_out(o, remote, spark, table)
        o["ended"] = time.time()
        print(json.dumps(o), flush=True)
    os._exit(0)


def contents(path, version):
    from deltalake import DeltaTable, QueryBuilder
    t = QueryBuilder().register("t", DeltaTable(path, version=version)).execute("select id, v from t").read_all()
    ids, values = t["id"].to_pylist(), t["v"].to_pylist()
    assert len(ids) == len(set(ids)), f"version {version} has rows twice: {sorted(ids)}"
    return dict(zip(ids, values))


def check(path):
    ops = {o["id"]: o for o in map(json.loads, sys.stdin)}
    at, state = {}, contents(path, 0)
    for version in range(1, len(glob.glob(path + "/_delta_log/*.json"))):
        with open(f"{path}/_delta_log/{version:020d}.json") as f:
            members = [a["txn"]["appId"] for a in map(json.loads, f) if "txn" in a]
        before = dict(state)
        for m in members:
            assert m not in at, f"{m} is in versions {at[m]} and {version}"
            at[m] = version
            apply(ops[m], state)
        got = contents(path, version)
        assert got == state, f"version {version} by {[ops[m] for m in members]}:\n  of {before}\n  expected {state}\n  got {got}"
    for o in ops.values():
        assert o["end"] in ("done", "refused"), o
        if o["kind"] in ("optimize", "column"):
            continue  # they move no application's counter
        if o["id"] in at or o["end"] == "refused" or o["kind"] not in ("delete", "update"):  # of which those that find no row commit nothing
            assert (o["id"] in at) == (o["end"] == "done"), f"{o} is in version {at.get(o['id'])}"
    print(json.dumps(at), flush=True)
    os._exit(0)


if __name__ == "__main__":
    remote, path, what = sys.argv[1:4]
    if what == "check":
        check(path)
    write(remote, path, sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))
