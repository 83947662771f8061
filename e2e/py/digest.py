"""digest.py --connect REMOTE LAKE | --deltars LAKE | --spark LAKE: one line for each table: rows, columns, and a hash of all values."""
import hashlib
import os
import sys

import sessions


def canon(v):
    if v is None:
        return "null"
    if isinstance(v, float):
        return f"{v:.9g}"
    return str(v)


def digest(name, columns, rows):
    order = sorted(range(len(columns)), key=lambda i: columns[i])
    total = 0
    count = 0
    for row in rows:
        text = "\x1f".join(canon(row[i]) for i in order)
        total = (total + int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")) % 2 ** 64
        count += 1
    print(f"digest {name} {count} {','.join(columns[i] for i in order)} {total:016x}", flush=True)


def arrow_rows(table):
    for batch in table.to_batches():
        yield from zip(*(c.to_pylist() for c in batch.columns))


def main():
    mode, lake = sys.argv[1], sys.argv[-1]
    session = None
    for name in sorted(os.listdir(lake)):
        path = os.path.join(lake, name)
        if not os.path.isdir(os.path.join(path, "_delta_log")):
            continue  # checkpoints, saved models
        if mode == "--deltars":
            from deltalake import DeltaTable
            t = DeltaTable(path).to_pyarrow_table()
        else:
            session = session or (sessions.connect(sys.argv[2]) if mode == "--connect" else sessions.classic())
            t = session.read.format("delta").load(path).toArrow()
        digest(name, t.column_names, arrow_rows(t))


if __name__ == "__main__":
    main()
    sessions.leave()
