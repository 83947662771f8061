#!/usr/bin/env python3
"""Rows that change: MERGE of 1 %, UPDATE of 14 % and DELETE of 0.4 % of the generated loans (46 columns), by delta-rs and by millrace, with files written anew and
with deletion vectors; OPTIMIZE of the same rows in 64 files; and MERGE of one row into a large table that is clustered by its key.

    changes.py [--rows 2000000] [--big 100000000] [--runs 3] [--only changes,optimize,single]

Each run starts from a fresh copy of the table, made by the file system and not timed. Prints median wall seconds, the ratio of delta-rs to millrace, and the
growth of the peak memory of millrace's processes over the single MERGE. Results are kept in .run/bench/changes.json.
"""
import argparse
import glob
import json
import os
import shutil
import statistics
import subprocess
import time

from engines import CACHE, ENGINES, ROOT, RUN

WORK = RUN + "/changes"
FILES = 64


def prepare(a, spark):
    """The loans as Delta tables, plain and with deletion vectors, and a source of 1 % of the ids, half of them new."""
    from deltalake import write_deltalake
    import pyarrow.parquet as pq
    shutil.rmtree(WORK, ignore_errors=True)
    for f in sorted(glob.glob(a.data + "/*.parquet")):
        write_deltalake(WORK + "/plain", pq.read_table(f), mode="append")
    rows = pq.read_table(sorted(glob.glob(a.data + "/*.parquet")))
    each = -(-rows.num_rows // FILES)
    for i in range(FILES):
        write_deltalake(WORK + "/many", rows.slice(i * each, each), mode="append")
    del rows
    if "changes" not in a.only:
        return
    spark.sql("DROP TABLE IF EXISTS changes_vectors")
    spark.sql(f"CREATE TABLE changes_vectors USING delta LOCATION '{WORK}/vectors' TBLPROPERTIES ('delta.enableDeletionVectors'='true') "
              f"AS SELECT * FROM delta.`{WORK}/plain`")
    spark.sql("CREATE OR REPLACE TEMP VIEW chosen AS SELECT *, row_number() OVER (ORDER BY id) AS n FROM "
              f"delta.`{WORK}/plain` WHERE (id * 7919) % 128 = 3")
    columns = [c for c in spark.table("chosen").columns if c not in ("id", "loan_amnt", "n")]
    spark.sql("SELECT CASE WHEN n % 2 = 0 THEN id ELSE id + 10000000 END AS id, loan_amnt + 1 AS loan_amnt, " + ", ".join(columns) + " FROM chosen").select(
        *[c for c in spark.table("chosen").columns if c != "n"]).write.format("delta").save(WORK + "/source")


def deltars(path):
    from deltalake import DeltaTable

    def merge():
        source = DeltaTable(WORK + "/source").to_pyarrow_table()
        return (DeltaTable(path).merge(source, "t.id = s.id", source_alias="s", target_alias="t").when_matched_update_all()
                .when_not_matched_insert_all().execute()["num_target_rows_updated"])
    return {"merge": merge, "update": lambda: DeltaTable(path).update(updates={"dti": "dti + 1"}, predicate="addr_state = 'CA'")["num_updated_rows"],
            "delete": lambda: DeltaTable(path).delete("id % 256 = 0")["num_deleted_rows"]}


def millrace(spark, path):
    def run(text):
        return lambda: spark.sql(text).collect()[0]
    t = f"delta.`{path}`"
    merge = run(f"MERGE INTO {t} t USING delta.`{WORK}/source` s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    update, delete = run(f"UPDATE {t} SET dti = dti + 1 WHERE addr_state = 'CA'"), run(f"DELETE FROM {t} WHERE id % 256 = 0")
    return {"merge": lambda: merge()["num_updated_rows"], "update": lambda: update()[0], "delete": lambda: delete()[0]}


def measure(a, spark):
    seconds, counts = {}, {}
    for name, source in (("delta-rs", "plain"), ("millrace", "plain"), ("millrace, vectors", "vectors")):
        for r in range(a.runs):
            path = f"{WORK}/{name.replace(', ', '_')}-{r}"  # a path of its own: nothing remembers what was there
            shutil.copytree(f"{WORK}/{source}", path)
            for step, run in (deltars(path) if name == "delta-rs" else millrace(spark, path)).items():
                start = time.time()
                n = run()
                seconds.setdefault(step, {}).setdefault(name, []).append(time.time() - start)
                assert counts.setdefault(step, n) == n, f"{step} by {name}: {n} rows, not {counts[step]}"
            shutil.rmtree(path)
    return seconds


def optimize(a, spark):
    """OPTIMIZE of the loans in many files, by turns."""
    from deltalake import DeltaTable
    seconds = {"delta-rs": [], "millrace": []}
    for r in range(a.runs):
        for name in seconds:
            path = f"{WORK}/{name}-many-{r}"
            shutil.copytree(WORK + "/many", path)
            start = time.time()
            if name == "delta-rs":
                removed = DeltaTable(path).optimize.compact()["numFilesRemoved"]
            else:
                removed = spark.sql(f"OPTIMIZE delta.`{path}`").collect()[0].metrics.numFilesRemoved
            seconds[name].append(time.time() - start)
            assert removed == FILES, f"{name} compacted {removed} files"
            shutil.rmtree(path)
    return {"optimize": seconds}


def single(a, spark, meter):
    """MERGE of one row into a large table in 20 files."""
    spark.sql("DROP TABLE IF EXISTS changes_big")
    spark.sql(f"CREATE TABLE changes_big (id BIGINT, k INT, v DOUBLE, name STRING) USING delta LOCATION '{WORK}/big' "
              "TBLPROPERTIES ('delta.enableDeletionVectors'='true')")
    part = a.big // 20
    for i in range(20):
        spark.sql(f"INSERT INTO changes_big SELECT id, CAST(id % 1000 AS INT), id * 0.5, concat('name ', id % 100000) FROM range({i * part}, {(i + 1) * part}, 1, 1)")
    time.sleep(1)
    before, meter.peak = sum(p.memory_info().rss for p in meter.tree()), 0
    start = time.time()
    spark.sql(f"MERGE INTO changes_big t USING (SELECT {a.big * 7 // 9}L AS id, 1 AS k, 2.5D AS v, 'x' AS name) s ON t.id = s.id "
              "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *").collect()
    spent = time.time() - start
    time.sleep(0.5)
    return {"rows": a.big, "seconds": spent, "MiB more": max(0, meter.peak - before) >> 20}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=2_000_000)
    p.add_argument("--big", type=int, default=100_000_000)
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--only", type=lambda s: s.split(","), default=["changes", "optimize", "single"])
    a = p.parse_args()
    os.makedirs(RUN, exist_ok=True)
    a.data = f"{RUN}/loans-{a.rows}"
    if not os.path.isdir(a.data):
        subprocess.run([f"{CACHE}/venv-bench/bin/python", ROOT + "/examples/generate_loans.py", a.data + ".tmp", "--rows", str(a.rows), "--files", "8"], check=True)
        os.replace(a.data + ".tmp", a.data)
    shutil.rmtree(RUN + "/cluster", ignore_errors=True)
    engine = ENGINES["millrace"]("millrace")
    try:
        prepare(a, engine.session)
        seconds = measure(a, engine.session) if "changes" in a.only else {}
        seconds |= optimize(a, engine.session) if "optimize" in a.only else {}
        one = single(a, engine.session, engine.meter) if "single" in a.only else None
    finally:
        engine.close()
        shutil.rmtree(WORK, ignore_errors=True)
    print(f"{'seconds, median of ' + str(a.runs):24}{'delta-rs':>12}{'millrace':>12}{'ratio':>8}{'with vectors':>14}{'ratio':>8}")
    for step, by in seconds.items():
        m = {n: statistics.median(v) for n, v in by.items()}
        vectors = f"{m['millrace, vectors']:14.2f}{m['delta-rs'] / m['millrace, vectors']:8.1f}" if "millrace, vectors" in m else ""
        print(f"{step:24}{m['delta-rs']:12.2f}{m['millrace']:12.2f}{m['delta-rs'] / m['millrace']:8.1f}" + vectors)
    if one:
        print(f"MERGE of 1 row into {one['rows']:,}: {one['seconds']:.2f} s, {one['MiB more']} MiB more")
    with open(RUN + "/changes.json", "w") as f:
        json.dump({"seconds": seconds, "single": one}, f)
    os._exit(0)


if __name__ == "__main__":
    main()
