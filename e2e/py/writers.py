"""Random operations on several Delta tables by writer processes, and the check of what all of them did.

    writers.py write REMOTE SEED WRITER OPERATIONS   prints a JSON line for each operation: what, when, and how it ended
    writers.py foreign TABLES SEED OPERATIONS        the same by delta-rs, which knows nothing of the others
    writers.py read REMOTE FILE                      adds up what the tables have to balance, until FILE is there
    writers.py check TABLES < the lines              replays the logs with delta-rs: every version has to be what its operations make of the one
                                                     before, and acknowledged operations are there once in each of their tables, refused ones never

TABLES is JSON: places by name. An operation has parts, each about one table; one of several parts is a transaction. Rows with an id below zero
are accounts, or entries, and transactions move amounts between those of different tables, so that all of them add up to nothing at any time.
Every operation carries an application identifier of its own, so that it can be sent again after a lost connection without being carried
out twice. A writer goes on through the deaths of coordinators and workers.
"""
import glob
import json
import os
import random
import shutil
import sys
import tempfile
import time

WRITERS = 6
BALANCED = ["a", "b", "m"]  # with accounts
TABLES = BALANCED + ["o"]   # which is overwritten now and then
ACCOUNTS = 8


def rows_part(rng, table, kind, base):
    lo = max(0, base - rng.randrange(40))
    return {"table": table, "kind": kind, "lo": lo, "hi": lo + rng.randrange(12), "new": [base + 2 * k for k in range(1 + rng.randrange(3))]}


def plan(rng, writer, i):
    """An operation of a random kind. Ids grow with time, so that writers meet at the newest; even ones are appended, odd ones merged in."""
    n = i * WRITERS + writer
    base, o = n * 6, {"id": f"w{writer}-{i}"}
    kinds, weights = ["append", "update", "delete", "merge", "count", "optimize", "column", "overwrite", "transaction"], [6, 6, 3, 4, 3, 1, 0.3, 0.7, 12]
    kind = rng.choices(kinds, weights)[0]
    if kind != "transaction":
        o["parts"] = [rows_part(rng, "o" if kind == "overwrite" else rng.choice(TABLES), kind, base)]
        return o
    amount, parts = 1 + rng.randrange(9), []
    for table, sign in zip(rng.sample(BALANCED, 2), (-1, 1)):
        if rng.random() < 0.5:
            parts.append({"table": table, "kind": "account", "lo": -1 - rng.randrange(ACCOUNTS), "by": sign * amount})
        else:
            parts.append({"table": table, "kind": "entry", "lo": -1000 - n, "by": sign * amount})
    for _ in range(rng.choice([0, 0, 1, 2])):
        parts.append(rows_part(rng, rng.choice(TABLES), rng.choice(["append", "update", "delete", "merge", "count"]), base))
        base += 6 * WRITERS * 100_000  # whose ids nobody else takes
    rng.shuffle(parts)
    o["parts"], o["rollback"] = parts, rng.random() < 0.15
    return o


def statement(p, o):
    table = p["table"]
    if p["kind"] == "account":
        return f"UPDATE {table} SET v = v + ({p['by']}) WHERE id = {p['lo']}"
    if p["kind"] == "entry":
        return f"INSERT INTO {table} (id, v) VALUES ({p['lo']}L, {p['by']}L)"
    between = f"id BETWEEN {p['lo']} AND {p['hi']}"
    rows = ", ".join(f"({n}L, 0L)" for n in p["new"])
    return {
        "append": f"INSERT INTO {table} (id, v) VALUES {rows}",
        "update": f"UPDATE {table} SET v = v + 1 WHERE {between}",
        "delete": f"DELETE FROM {table} WHERE {between}",
        "merge": f"MERGE INTO {table} AS t USING (SELECT id FROM range({p['lo']}, {p['hi'] + 1})) AS s ON t.id = s.id "
                 "WHEN MATCHED THEN UPDATE SET v = t.v + 10 WHEN NOT MATCHED AND s.id % 2 = 1 THEN INSERT (id, v) VALUES (s.id, 100L)",
        "count": f"INSERT INTO {table} (id, v) SELECT {p['new'][0]}L, count(*) FROM {table} WHERE {between}",
        "overwrite": f"INSERT OVERWRITE {table} (id, v) VALUES {rows}",
        "optimize": f"OPTIMIZE {table}",
        "column": f"ALTER TABLE {table} ADD COLUMNS (c{o['id'].replace('-', '_')} INT)",
    }[p["kind"]]


def apply(p, state):
    """What a part makes of rows by id."""
    kind = p["kind"]
    if kind == "account":
        state[p["lo"]] += p["by"]
        return
    if kind == "entry":
        state[p["lo"]] = p["by"]
        return
    ids = [i for i in state if p["lo"] <= i <= p["hi"]]
    if kind == "append":
        state.update({n: 0 for n in p["new"]})
    elif kind == "update":
        state.update({i: state[i] + 1 for i in ids})
    elif kind == "delete":
        for i in ids:
            del state[i]
    elif kind == "merge":
        state.update({i: state[i] + 10 if i in state else 100 for i in range(p["lo"], p["hi"] + 1) if i in state or i % 2 == 1})
    elif kind == "count":
        state[p["new"][0]] = len(ids)
    elif kind == "overwrite":
        state.clear()
        state.update({n: 0 for n in p["new"]})


def session(remote):
    from pyspark.sql import SparkSession
    return SparkSession.builder.remote(remote).create()


def run(o, spark):
    """Sends the operation's statements."""
    several = len(o["parts"]) > 1
    spark.conf.set("spark.databricks.delta.write.txnAppId", o["id"])
    if several:
        spark.sql("BEGIN TRANSACTION").collect()
    for k, p in enumerate(o["parts"]):
        spark.conf.set("spark.databricks.delta.write.txnVersion", str(k + 1))
        spark.sql(statement(p, o)).collect()
    if several:
        spark.sql("ROLLBACK" if o["rollback"] else "COMMIT").collect()


REFUSALS = ("DELTA_CONCURRENT_", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED", "MILLRACE_TRANSACTION_ABORTED")


def carry_out(o, remote, spark):
    """Sends the operation until its end is known. Gives the session that works now."""
    doubt = False  # it was sent before, and may have been committed while it was sent again
    while True:
        try:
            spark = spark or session(remote)
            run(o, spark)
            o["end"] = "rolled back" if o.get("rollback") else "done"
            return spark
        except Exception as x:
            text, kind = str(x), o["parts"][0]["kind"]
            several = len(o["parts"]) > 1
            if "DELTA_CONCURRENT_TRANSACTION" not in text and any(r in text for r in REFUSALS):  # that one is about the operation itself, sent before
                if doubt:
                    doubt, spark = False, None
                    continue
                o["end"], o["why"] = "refused", text[text.find("["):][:60]
                return None if several else spark
            if "UNSUPPORTED" in text and kind in ("optimize", "column"):
                o["end"] = "refused"
                return spark
            if kind == "column" and ("ALREADY_EXISTS" in text or "already exists" in text):
                o["end"] = "done"
                return spark
            if time.time() - o["began"] > 120:
                o["end"] = "unknown: " + text[:300]
                return None
            spark, doubt = None, True  # whatever it was, a new session asks again
            time.sleep(0.2)


def write(remote, seed, writer, n):
    rng, spark = random.Random(f"{seed} {writer}"), None
    for i in range(n):
        o = plan(rng, writer, i)
        time.sleep(rng.random() * 0.15)
        o["began"] = time.time()
        spark = carry_out(o, remote, spark)
        o["ended"] = time.time()
        print(json.dumps(o), flush=True)
    os._exit(0)


def foreign(tables, seed, n):
    """Appends by delta-rs, to the tables that it can write to."""
    import pyarrow
    from deltalake import CommitProperties, Transaction, write_deltalake
    rng, writer = random.Random(f"{seed} foreign"), WRITERS - 1
    for i in range(n):
        base = (i * WRITERS + writer) * 6
        o = {"id": f"w{writer}-{i}", "parts": [{"table": rng.choice(["b", "o"]), "kind": "append", "lo": 0, "hi": 0, "new": [base, base + 2]}]}
        time.sleep(rng.random() * 0.3)
        o["began"], p = time.time(), o["parts"][0]
        rows = pyarrow.table({"id": pyarrow.array(p["new"], pyarrow.int64()), "v": pyarrow.array([0, 0], pyarrow.int64())})
        try:
            write_deltalake(tables[p["table"]], rows, mode="append", schema_mode="merge",
                            commit_properties=CommitProperties(max_commit_retries=100, app_transactions=[Transaction(o["id"], 1)]))
            o["end"] = "done"
        except Exception as x:
            o["end"], o["why"] = "refused", str(x)[:200]
        o["ended"] = time.time()
        print(json.dumps(o), flush=True)
    os._exit(0)


def read(remote, stop):
    """Adds up accounts and entries of all tables, in one query and in the queries of a transaction."""
    spark, n, failures = None, 0, 0
    sums = [f"SELECT coalesce(sum(v), 0) AS s FROM {t} WHERE id < 0" for t in BALANCED]
    while not os.path.exists(stop):
        try:
            spark = spark or session(remote)
            parts = [r[0] for r in spark.sql(" UNION ALL ".join(sums)).collect()]
            assert sum(parts) == 0, f"a query sees {parts}"
            spark.sql("BEGIN TRANSACTION").collect()
            parts = [spark.sql(q).collect()[0][0] for q in sums]
            spark.sql("ROLLBACK").collect()
            assert sum(parts) == 0, f"a transaction sees {parts}"
            n += 1
        except AssertionError as x:
            print(json.dumps({"torn": str(x)}), flush=True)
            os._exit(1)
        except Exception as x:
            failures, spark = failures + 1, None
            time.sleep(0.1)
        time.sleep(0.03)
    print(json.dumps({"reads": n, "failures": failures}), flush=True)
    os._exit(0)


def contents(path, version):
    from deltalake import DeltaTable, QueryBuilder
    t = QueryBuilder().register("t", DeltaTable(path, version=version)).execute("select id, v from t").read_all()
    ids, values = t["id"].to_pylist(), t["v"].to_pylist()
    assert len(ids) == len(set(ids)), f"version {version} has rows twice: {sorted(ids)}"
    return dict(zip(ids, values))


def readable(path):
    """The table, or, where it is managed by a catalog, which delta-rs refuses to read, one with a copy of its log that does not say so."""
    with open(f"{path}/_delta_log/{0:020d}.json") as f:
        if "catalogManaged" not in f.read():
            return path
    copy = tempfile.mkdtemp()
    os.mkdir(copy + "/_delta_log")
    for name in os.listdir(path):
        if name != "_delta_log":
            os.symlink(f"{path}/{name}", f"{copy}/{name}")
    for name in glob.glob(path + "/_delta_log/*.json"):
        with open(name) as f, open(f"{copy}/_delta_log/{os.path.basename(name)}", "w") as g:
            for line in f:
                action = json.loads(line)
                for features in (action.get("protocol", {}).get(k) for k in ("readerFeatures", "writerFeatures")):
                    if features:
                        features[:] = [f for f in features if f not in ("catalogManaged", "vacuumProtocolCheck")]
                g.write(json.dumps(action) + "\n")
    return copy


def check_table(name, path, ops):
    """Gives the version of each operation."""
    parts = {i: [p for p in o["parts"] if p["table"] == name] for i, o in ops.items()}
    copy, at, undone, first = readable(path), {}, 0, 1 if name in BALANCED else 0  # the version that has the accounts
    state = contents(copy, first)
    states, steps = [dict(state)] * (first + 1), [[]] * first  # steps: the operations of each version but 0
    for version in range(first + 1, len(glob.glob(f"{path}/_delta_log/{'[0-9]' * 20}.json"))):
        with open(f"{path}/_delta_log/{version:020d}.json") as f:
            actions = [json.loads(line) for line in f]
        members = [a["txn"]["appId"] for a in actions if "txn" in a]
        undo = next((a["commitInfo"]["txnId"] for a in actions if a.get("commitInfo", {}).get("txnId", "").endswith("/undo")), None)
        if undo:  # what came before it, but for what it takes back
            undone += 1
            for m in members:
                begun = at.pop(m)
                state = dict(states[begun - 1])
                for later in steps[begun:]:
                    for x in later:
                        for p in parts[x]:
                            apply(p, state)
            members = []
        for m in members:
            assert m not in at, f"{name}: {m} is in versions {at[m]} and {version}"
            at[m] = version
            for p in parts[m]:
                apply(p, state)
        steps.append(members)
        got = contents(copy, version)
        assert got == state, f"{name}, version {version} by {[ops[m] for m in members] or undo}:\n  of {states[-1]}\n  expected {state}\n  got {got}"
        states.append(dict(state))
    if copy != path:
        shutil.rmtree(copy)
    return at, undone


def check(tables):
    ops = {o["id"]: o for o in map(json.loads, sys.stdin)}
    at, undone = {}, 0
    for name, path in tables.items():
        versions, n = check_table(name, path, ops)
        undone += n
        for i, v in versions.items():
            at.setdefault(i, {})[name] = v
    for o in ops.values():
        there, kinds = set(at.get(o["id"], {})), {p["table"]: set() for p in o["parts"]}
        for p in o["parts"]:
            kinds[p["table"]].add(p["kind"])
        assert o["end"] in ("done", "refused", "rolled back"), o
        if o["end"] != "done":
            assert not there, f"{o} is in {at[o['id']]}"
            continue
        for table, k in kinds.items():
            if k - {"delete", "update", "optimize", "column"}:  # of which those that find no row commit nothing, and the last two move no application's counter
                assert table in there, f"{o} is not in {table}, but in {at.get(o['id'])}"
    print(json.dumps({"at": at, "undone": undone}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    what, *args = sys.argv[1:]
    if what == "write":
        write(args[0], args[1], int(args[2]), int(args[3]))
    elif what == "foreign":
        foreign(json.loads(args[0]), args[1], int(args[2]))
    elif what == "read":
        read(*args)
    else:
        check(json.loads(args[0]))
