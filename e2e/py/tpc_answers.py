"""Makes the data of TPC-H or TPC-DS with DuckDB, and writes its queries with DuckDB's answers.

    python tpc_answers.py {tpch|tpcds} SCALE DIR

DIR gets TABLE.parquet for each table, and queries.json: a list of {name, sql, unlimited, limit, rows, limited}. "rows" are the
answer's rows without the final LIMIT, "limited" those with it; a value is null, a bool, a string, or {"n": number as text}. It runs in the environment that `make
.cache/venv-duckdb/ready` makes.
"""

import datetime
import decimal
import json
import os
import re
import sys

import duckdb
import duckdb_ext

LIMIT = re.compile(r"\blimit\s+(\d+)\s*;?\s*$", re.I)
# Spark rounds doubles as they are written, DuckDB as they are stored: 1.025 is 1.03 here and 1.02 there.
ROUNDED = re.compile(r"round\((\(ss_qty\*1\.00\)/\(coalesce\(ws_qty,0\)\+coalesce\(cs_qty,0\)\)),2\)", re.I)
# As Spark sorts nulls.
NULLS = "SET default_null_order = 'nulls_first_on_asc_last_on_desc'"


def plain(v):
    if v is None or isinstance(v, bool):
        return v
    if isinstance(v, (int, float, decimal.Decimal)):
        return {"n": str(v)}
    if isinstance(v, (datetime.date, datetime.datetime)):
        return v.isoformat(" ") if isinstance(v, datetime.datetime) else v.isoformat()
    return str(v)


def answer(c, sql):
    return [[plain(v) for v in row] for row in c.execute(sql).fetchall()]


def main(suite, scale, out):
    c = duckdb_ext.init(duckdb.connect())
    c.execute("PRAGMA threads=2")
    c.execute("LOAD " + suite)
    c.execute("CALL %s(sf=%s)" % ({"tpch": "dbgen", "tpcds": "dsdgen"}[suite], scale))
    c.execute(NULLS)
    os.makedirs(out, exist_ok=True)
    for (table,) in c.execute("SHOW TABLES").fetchall():
        columns = ", ".join(
            '"%s"' % name for name, *_ in c.execute('DESCRIBE "%s"' % table).fetchall()
        )
        c.execute("COPY (SELECT %s FROM %s) TO '%s/%s.parquet'" % (columns, table, out, table))
    queries = []
    for nr, sql in c.execute("SELECT query_nr, query FROM %s_queries() ORDER BY 1" % suite).fetchall():
        sql = sql.strip().rstrip(";").strip()
        limit = LIMIT.search(sql)
        q = {"name": "q%02d" % nr, "sql": sql, "unlimited": LIMIT.sub("", sql), "limit": int(limit.group(1)) if limit else None}
        for name, text in (("rows", q["unlimited"]), ("limited", sql)):
            q[name] = answer(c, ROUNDED.sub(r"round(CAST(\1 AS DECIMAL(30, 12)),2)", text) if suite == "tpcds" and nr == 78 else text)
        queries.append(q)
    with open(os.path.join(out, "queries.json"), "w") as f:
        json.dump(queries, f)
    c.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)
