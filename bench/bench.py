#!/usr/bin/env python3
"""Side by side: the loan steps on the same files, by millrace, Spark local[2] and Sail, in one run; then a Delta -> Delta stream and
a cross-validation by millrace and Spark, the latter also by scikit-learn (chapters.py).

    bench.py [--rows 2000000] [--runs 3] [--engines millrace,sail,spark] [--only clean,join] [--chapters stream,model]

Prints, for each step, the median wall seconds (and CPU seconds of the engine's processes and the client) and the ratio of each peer to
millrace: above 1 means that millrace was faster. Answers are compared between engines. Peak memory is that of the server's
process tree, sampled. Results are kept in .run/bench/.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import chapters
from engines import CACHE, ENGINES, ENVIRONMENT, ROOT, RUN

CLEAN = """select id, addr_state, loan_amnt, cast(trim(regexp_replace(int_rate, '%', '')) as double) as int_rate,
  trim(regexp_replace(term, ' months', '')) as term, round(annual_inc / 12, 2) as monthly_inc, round(dti, 1) as dti, grade, loan_status
  from loans where loan_status <> 'Charged Off' and annual_inc is not null"""
# step: (SQL, whether its rows are written to a Delta table)
STEPS = {
    "parquet -> delta": ("select * from loans_parquet", True),
    "clean -> delta": (CLEAN, True),
    "sum by state": ("select addr_state, sum(loan_amnt) as total from loans group by addr_state", False),
    "top 10 states": ("select addr_state, sum(loan_amnt) as total from loans group by addr_state order by total desc limit 10", False),
    "1 M groups": ("select count(*) as n, max(s) as m, sum(c) as c from (select member_id % 1000000 as k, sum(loan_amnt) as s, "
                   "count(*) as c from loans group by member_id % 1000000) as g", False),
    "join": ("select count(*) as n, sum(a.loan_amnt) as s, sum(b.annual_inc) as t from loans as a join loans as b "
             "on a.id = b.member_id - 1000000 where a.loan_amnt + b.loan_amnt > 0", False),
    "sort -> delta": ("select id, annual_inc, loan_amnt, dti, emp_title from loans order by annual_inc, id", True),
}


def canon(rows):
    return sorted([f"{float(v):.6g}" if isinstance(v, (int, float)) else str(v) for v in r] for r in rows)


def one(a):
    """Run all steps on one engine; the results go to its file."""
    work = f"{RUN}/tables-{a.one}"
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(RUN + "/cluster", ignore_errors=True)
    engine = ENGINES[a.one](a.one)
    spark, cpu = engine.session, engine.cpu
    out = {"engine": a.one, "steps": {}}

    try:
        assert spark.sql("select 1 as one").collect()[0][0] == 1
        out["first"] = time.time() - engine.began
        spark.read.parquet(a.data).createOrReplaceTempView("loans_parquet")
        spark.sql("select * from loans_parquet").write.format("delta").mode("overwrite").save(work + "/loans")
        spark.read.format("delta").load(work + "/loans").createOrReplaceTempView("loans")
        for i in range(a.runs):
            for name, (sql, writes) in STEPS.items():
                if a.only and not any(o in name for o in a.only.split(",")):
                    continue
                step = out["steps"].setdefault(name, {"wall": [], "cpu": []})
                c, t = cpu(), time.time()
                if writes:
                    spark.sql(sql).write.format("delta").mode("overwrite").save(f"{work}/{name.replace(' ', '_').replace('>', '')}")
                else:
                    step["rows"] = canon(spark.sql(sql).collect())
                step["wall"].append(time.time() - t)
                step["cpu"].append(cpu() - c)
                print(f"  {a.one:<9} run {i + 1} {name:<18} {step['wall'][-1]:7.2f} s", file=sys.stderr, flush=True)
        if a.one != "sail":  # which streams no Delta tables and trains no models
            out["figures"] = {}
            if "stream" in a.chapters:
                out["figures"] |= chapters.stream(spark, work + "/loans", f"{RUN}/stream-{a.one}", spark.table("loans").count())
            if "model" in a.chapters:
                out["figures"] |= chapters.model(spark)
    finally:
        out["peak"] = engine.meter.peak
        with open(f"{RUN}/{a.one}.json", "w") as f:
            json.dump(out, f)
        engine.close()


def table(results):
    names = list(results)
    base = results[names[0]]
    print(f"\n{'step':<20}" + "".join(f"{n + ' s (cpu)':>20}" for n in names) + "".join(f"{n + ' / ' + names[0]:>20}" for n in names[1:]))
    for step in base["steps"]:
        med = {n: statistics.median(r["steps"][step]["wall"]) for n, r in results.items()}
        cpu = {n: statistics.median(r["steps"][step]["cpu"]) for n, r in results.items()}
        print(f"{step:<20}" + "".join(f"{med[n]:>12.2f} ({cpu[n]:.2f})" + " " * max(0, 5 - len(f'{cpu[n]:.2f}')) for n in names)
              + "".join(f"{med[n] / med[names[0]]:>20.1f}" for n in names[1:]))
        answers = {json.dumps(r["steps"][step].get("rows")) for r in results.values()}
        if len(answers) > 1:
            print(f"  the engines' answers to {step!r} differ")
    for title, key, scale in (("start to result", "first", 1), ("peak memory, GiB", "peak", 2 ** 30)):
        v = {n: r[key] / scale for n, r in results.items()}
        print(f"{title:<20}" + "".join(f"{v[n]:>12.2f}        " for n in names) + "".join(f"{v[n] / v[names[0]]:>20.1f}" for n in names[1:]))
    print(f"\nload average {os.getloadavg()[0]:.1f}; medians of {len(next(iter(base['steps'].values()))['wall'])} runs")


def figures(results):
    """The chapters' figures, of the engines that have them."""
    names = [n for n, r in results.items() if r.get("figures")]
    if not names:
        return
    rows = list(dict.fromkeys(k for n in names for k in results[n]["figures"]))
    base = results[names[0]]["figures"]
    print(f"\n{'':<34}" + "".join(f"{n:>14}" for n in names) + "".join(f"{n + ' / ' + names[0]:>24}" for n in names[1:]))
    for row in rows:
        v = {n: results[n]["figures"].get(row) for n in names}
        ratio = [f"{v[n] / base[row]:>24.1f}" if row.endswith(", s") and v[n] and base.get(row) else " " * 24 for n in names[1:]]
        print(f"{row:<34}" + "".join(f"{'':>14}" if v[n] is None else f"{v[n]:>14,.3f}" for n in names) + "".join(ratio))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=2_000_000)
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--engines", default="millrace,sail,spark")
    p.add_argument("--only", default="")
    p.add_argument("--chapters", default="stream,model", help="which of the long steps to run; empty: none")
    p.add_argument("--one", help=argparse.SUPPRESS)
    p.add_argument("--data", help="a folder of Parquet files to use instead of generated loans")
    a = p.parse_args()
    os.makedirs(RUN, exist_ok=True)
    if a.one == "sklearn":
        with open(f"{RUN}/sklearn.json", "w") as f:
            json.dump({"engine": "sklearn", "figures": chapters.sklearn(a.data)}, f)
        return
    if a.one:
        return one(a)
    if not a.data:
        a.data = f"{RUN}/loans-{a.rows}"
        if not os.path.isdir(a.data):
            subprocess.run([f"{CACHE}/venv-bench/bin/python", ROOT + "/examples/generate_loans.py", a.data + ".tmp", "--rows", str(a.rows), "--files", "8"], check=True)
            os.replace(a.data + ".tmp", a.data)
    results = {}
    engines = a.engines.split(",") + (["sklearn"] if "model" in a.chapters else [])
    for engine in engines:
        r = subprocess.run([f"{CACHE}/venv-{ENVIRONMENT[engine]}/bin/python", os.path.abspath(__file__), "--one", engine, "--data", a.data,
                            "--runs", str(a.runs), "--only", a.only, "--chapters", a.chapters])
        if r.returncode == 0:
            results[engine] = json.load(open(f"{RUN}/{engine}.json"))
        else:
            print(f"{engine} did not finish (exit code {r.returncode}); its messages are above or in {RUN}/{engine}.log")
    sql = {n: r for n, r in results.items() if r.get("steps")}
    if sql:
        table(sql)
    figures(results)


if __name__ == "__main__":
    main()
