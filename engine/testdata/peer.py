"""Answers SQL with DuckDB: a line of JSON {"sql": TEXT} in, a line {"types": [TEXT, …], "rows": [[TEXT, …], …]} or {"error": TEXT} out.

Values are written as take.py writes Spark's. The extensions of TPC can be loaded where they are installed.
"""

import datetime
import decimal
import json
import math
import sys

import duckdb

try:
    import duckdb_ext
except ImportError:
    duckdb_ext = None


def text(v):
    if v is None:
        return "NULL"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        return "nan" if math.isnan(v) else repr(v)
    if isinstance(v, str):
        return v.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("|", "\\|") or "''"
    if isinstance(v, (bytes, bytearray)):
        return "x" + v.hex()
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, datetime.datetime):
        return v.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".")
    if isinstance(v, datetime.date):
        return v.isoformat()
    if isinstance(v, list):
        return "[" + ", ".join(map(text, v)) + "]"
    if isinstance(v, dict):
        return "{" + ", ".join(map(text, v.values())) + "}"
    return str(v)


def main():
    c = duckdb.connect()
    if duckdb_ext:
        c = duckdb_ext.init(c)
    c.execute("PRAGMA threads=1")
    c.execute("SET TimeZone='UTC'")
    for line in sys.stdin:
        try:
            rows = c.execute(json.loads(line)["sql"]).fetchall()
            types = [str(d[1]) for d in c.description or []]
            out = {"types": types, "rows": [[text(v) for v in r] for r in rows]}
        except duckdb.Error as e:
            out = {"error": str(e)}
        print(json.dumps(out), flush=True)


if __name__ == "__main__":
    main()
