"""TPC-H data: Parquet by tpchgen-cli, and the same rows as Delta tables by delta-rs.

    prepare_tpch.py SCALE FOLDER

Makes FOLDER/delta/<table>, each once: a table that is there is left alone. A table of several parts gets a commit for each.
"""
import glob
import os
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

PARTS = {"lineitem": 8, "orders": 4, "partsupp": 4, "part": 2, "customer": 2, "supplier": 1, "nation": 1, "region": 1}


def generate(scale, table, parts, folder):
    """Parquet files of a table, in the order of its parts."""
    tool = os.path.join(os.path.dirname(sys.executable), "tpchgen-cli")
    split = ["--parts", str(parts)] if parts > 1 else []
    subprocess.run([tool, "parquet", "-s", str(scale), "--tables", table, "--output-dir", folder, *split], check=True, stdout=subprocess.DEVNULL)
    return sorted(glob.glob(folder + "/**/*.parquet", recursive=True), key=lambda f: (len(f), f))


def append(file, table):
    """Append a Parquet file to a Delta table, with plain strings in the place of string views, which not every reader knows."""
    source = pq.ParquetFile(file)
    plain = pa.schema([pa.field(f.name, pa.string() if f.type == pa.string_view() else f.type, f.nullable) for f in source.schema_arrow])
    batches = (b.cast(plain) for b in source.iter_batches(batch_size=1 << 17))
    write_deltalake(table, pa.RecordBatchReader.from_batches(plain, batches), mode="append")


def prepare(scale, folder):
    for table, parts in PARTS.items():
        target = f"{folder}/delta/{table}"
        if os.path.isdir(target):
            continue
        print(f"preparing TPC-H {table} at scale {scale}", file=sys.stderr, flush=True)
        raw, making = f"{folder}/raw-{table}", target + ".making"
        for old in (raw, making):
            shutil.rmtree(old, ignore_errors=True)
        for file in generate(scale, table, parts, raw):
            append(file, making)
        os.rename(making, target)
        shutil.rmtree(raw)


if __name__ == "__main__":
    prepare(sys.argv[1], os.path.abspath(sys.argv[2]))
