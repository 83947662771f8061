#!/usr/bin/env python3
"""TPC-H and pieces of it, side by side on the same Delta tables: wall and CPU seconds of every query, answers compared with DuckDB's.

    tpch.py [--scale 1] [--runs 3] [--engines millrace,sail,duckdb,polars,datafusion,spark] [--only q01,q21,join] [--workers 2]
    tpch.py --spread 1,2,4        millrace alone with so many workers on the same two cores
    tpch.py --memory 0,512MiB     millrace alone with so much memory for a worker (0: what it takes by itself)

Prints the medians, their ratios to millrace (above 1: millrace was faster), the geometric mean and the worst query, the CPU seconds of all queries, the
peak memory of the engine's processes, and the time from the engine's start to its first result. Results are kept in .run/bench/.
"""
import argparse
import datetime
import decimal
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from engines import CACHE, ENGINES, ENVIRONMENT, ROOT, RUN

TABLES = ["lineitem", "orders", "partsupp", "part", "customer", "supplier", "nation", "region"]
# name: (SQL, whether its rows are written to a table)
PIECES = {
    "scan": ("select sum(l_extendedprice) as s from lineitem where l_extendedprice > 50000", False),
    "groups": ("select count(*) as n, max(s) as m from (select l_orderkey, sum(l_quantity) as s from lineitem group by l_orderkey) as g", False),
    "join": ("select count(*) as n, sum(o_totalprice) as s, sum(l_quantity) as q from orders join lineitem on o_orderkey = l_orderkey", False),
    "sort": ("select l_extendedprice, l_orderkey, l_linenumber, l_shipdate from lineitem order by l_extendedprice, l_orderkey, l_linenumber", True),
    "write": ("select * from lineitem", True),
}
QUERIES = {os.path.basename(f)[:-4]: (open(f).read(), False) for f in sorted(glob.glob(os.path.join(ROOT, "bench", "tpch", "q*.sql")))}


def encode(v):
    """A value as JSON, by kind: exact numbers, floating ones, everything else as text."""
    if v is None or isinstance(v, bool):
        return ["", str(v)]
    if isinstance(v, (int, decimal.Decimal)):
        d = decimal.Decimal(v)
        return ["exact", format(d.normalize(), "f"), max(0, -d.as_tuple().exponent)]
    if isinstance(v, float):
        return ["float", v]
    if isinstance(v, datetime.datetime):
        v = v.date()
    return ["", str(v)]


def agree(a, b):
    """Exact values must be equal. Where an engine computes in floating point, what it gives must round to the other's."""
    if a[0] == b[0] != "float":
        return a[1] == b[1]
    if "" in (a[0], b[0]):
        return False
    x, y = float(a[1]), float(b[1])
    unit = max([10.0 ** -v[2] for v in (a, b) if v[0] == "exact"], default=0)
    return abs(x - y) <= 1e-9 * max(abs(x), abs(y)) + 0.5001 * unit


def order(row):
    return [f"{float(v[1]):.5g}" if v[0] in ("float", "exact") else v[1] for v in row]


def same(a, b):
    """Whether two answers have the same rows, whatever the order of rows that tie."""
    a, b = sorted(a, key=order), sorted(b, key=order)
    return len(a) == len(b) and all(len(r) == len(s) and all(map(agree, r, s)) for r, s in zip(a, b))


def one(a):
    """Run the queries on one engine; the results go to its file."""
    shutil.rmtree(RUN + "/cluster", ignore_errors=True)
    work = f"{RUN}/tpch-{a.one}"
    engine = ENGINES[a.one](a.one, a.workers, a.memory)
    out = {"engine": a.one, "queries": {}}
    try:
        engine.view("nation", f"{a.data}/delta/nation")
        assert int(engine.rows("select count(*) as n from nation")[0][0]) == 25
        out["first"] = time.time() - engine.began
        for t in TABLES:
            engine.view(t, f"{a.data}/delta/{t}")
        for i in range(a.runs):
            for name, (sql, writes) in (QUERIES | PIECES).items():
                if a.only and name not in a.only.split(","):
                    continue
                q = out["queries"].setdefault(name, {"wall": [], "cpu": []})
                if "error" not in q:
                    run(engine, q, sql, f"{work}/{name}" if writes else None)
                    print(f"  {a.one:<10} run {i + 1} {name:<7}", q.get("error") or f"{q['wall'][-1]:7.3f} s {q['cpu'][-1]:7.2f} s of CPU", file=sys.stderr, flush=True)
        if hasattr(engine, "session") and not a.only:
            out["select 1"] = statistics.median(timed(lambda: engine.rows("select 1"))[0] for _ in range(100 if a.one != "spark" else 20))
    finally:
        out["peak"] = engine.meter.peak
        with open(a.out, "w") as f:
            json.dump(out, f)
        engine.close()
        shutil.rmtree(work, ignore_errors=True)
    os._exit(0)  # some engines' threads do not end with the interpreter


def timed(call):
    t = time.time()
    result = call()
    return time.time() - t, result


def run(engine, q, sql, target):
    cpu, rows = engine.cpu(), None
    try:
        if target:
            shutil.rmtree(target, ignore_errors=True)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            wall, _ = timed(lambda: engine.write(sql, target))
        else:
            wall, rows = timed(lambda: engine.rows(sql))
    except BaseException as x:  # a panic of Rust is no Exception
        if isinstance(x, KeyboardInterrupt):
            raise
        q["error"] = f"{type(x).__name__}: {x}"[:300]
        return
    q["wall"].append(wall)
    q["cpu"].append(engine.cpu() - cpu)
    if rows is not None:
        q["rows"] = [[encode(v) for v in r] for r in rows]


def median(result, query, key):
    v = result["queries"].get(query, {})
    return statistics.median(v[key]) if v.get(key) and "error" not in v else None


def table(results, reference):
    names = list(results)
    base = results[names[0]]
    print(f"\n{'query':<8}" + "".join(f"{n + ' s (cpu)':>22}" for n in names) + "".join(f"{n + ' / ' + names[0]:>22}" for n in names[1:]))
    for q in base["queries"]:
        cells, ratios = "", ""
        for n in names:
            wall, cpu = median(results[n], q, "wall"), median(results[n], q, "cpu")
            cells += f"{'failed':>22}" if wall is None else f"{wall:>14.3f} ({cpu:5.2f})"
        for n in names[1:]:
            ours, theirs = median(base, q, "wall"), median(results[n], q, "wall")
            ratios += f"{'':>22}" if not ours or not theirs else f"{theirs / ours:>22.2f}"
        print(f"{q:<8}" + cells + ratios)
        for n in names:
            mine, known = results[n]["queries"].get(q, {}), (reference or {"queries": {}})["queries"].get(q, {})
            if "rows" in mine and "rows" in known and not same(mine["rows"], known["rows"]):
                print(f"  {n}'s answer to {q} differs from {reference['engine']}'s")
            if "error" in mine:
                print(f"  {n}: {mine['error']}")
    summary(results, names, base)


def summary(results, names, base):
    print()
    tpch = [q for q in base["queries"] if q in QUERIES and all(median(results[n], q, "wall") for n in names)]
    lines = []
    if tpch:
        walls = {n: [median(results[n], q, "wall") for q in tpch] for n in names}
        lines.append((f"sum of {len(tpch)}, s", {n: sum(w) for n, w in walls.items()}))
        lines.append(("geometric mean, s", {n: statistics.geometric_mean(w) for n, w in walls.items()}))
        lines.append(("their CPU, s", {n: sum(median(results[n], q, "cpu") for q in tpch) for n in names}))
    lines.append(("start to result, s", {n: results[n].get("first") for n in names}))
    lines.append(("peak memory, GiB", {n: results[n]["peak"] / 2 ** 30 for n in names}))
    lines.append(("select 1, ms", {n: results[n]["select 1"] * 1000 if "select 1" in results[n] else None for n in names}))
    for title, v in lines:
        print(f"{title:<22}" + "".join(f"{'':>14}" if v[n] is None else f"{v[n]:>14.3f}" for n in names)
              + "".join(f"{'':>22}" if not v[n] or not v[names[0]] else f"{v[n] / v[names[0]]:>22.2f}" for n in names[1:]))
    for n in names[1:]:
        if tpch:
            worst = max(tpch, key=lambda q: median(base, q, "wall") / median(results[n], q, "wall"))
            print(f"worst against {n}: {worst}, {median(base, worst, 'wall') / median(results[n], worst, 'wall'):.2f} times its time")
    print(f"load average {os.getloadavg()[0]:.1f}")


def launch(a, engine, out, workers, memory=""):
    r = subprocess.run([f"{CACHE}/venv-{ENVIRONMENT[engine]}/bin/python", os.path.abspath(__file__), "--one", engine, "--data", a.data, "--out", out,
                        "--runs", str(a.runs), "--only", a.only, "--workers", str(workers), "--memory", memory], check=False)
    if r.returncode != 0 or not os.path.exists(out):
        print(f"{engine} did not finish (exit code {r.returncode})")
        return None
    with open(out) as f:
        return json.load(f)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--scale", default="1")
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--engines", default="millrace,sail,duckdb,polars,datafusion,spark")
    p.add_argument("--only", default="")
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--spread", default="")
    p.add_argument("--memory", default="")
    p.add_argument("--kept", action="store_true", help="take the results of engines other than millrace from the last run")
    p.add_argument("--one", help=argparse.SUPPRESS)
    p.add_argument("--data", help=argparse.SUPPRESS)
    p.add_argument("--out", help=argparse.SUPPRESS)
    a = p.parse_args()
    os.makedirs(RUN, exist_ok=True)
    if a.one:
        return one(a)
    a.data = f"{CACHE}/bench/tpch-{a.scale}"
    subprocess.run([f"{CACHE}/venv-peers/bin/python", os.path.join(ROOT, "bench", "prepare_tpch.py"), a.scale, a.data], check=True)
    results = {}
    if a.spread:
        for n in map(int, a.spread.split(",")):
            results[f"{n} workers"] = launch(a, "millrace", f"{RUN}/tpch-{n}-workers.json", n)
    for m in filter(None, a.memory.split(",")):
        results["unlimited" if m == "0" else m] = launch(a, "millrace", f"{RUN}/tpch-{m}-memory.json", a.workers, "" if m == "0" else m)
    if results:
        results = {k: r for k, r in results.items() if r}
        return table(results, next(iter(results.values()))) if results else None
    for engine in a.engines.split(","):
        out = f"{RUN}/tpch-{a.scale}-{engine}.json"
        if a.kept and engine != "millrace" and os.path.exists(out):
            with open(out) as f:
                results[engine] = json.load(f)
        elif r := launch(a, engine, out, a.workers):
            results[engine] = r
    if results:
        table(results, results.get("duckdb"))


if __name__ == "__main__":
    main()
