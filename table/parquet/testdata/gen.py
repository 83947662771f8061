"""Makes this folder's fixtures: pyarrow's in all its encodings, and the values that each holds as JSON lines.

usage: python gen.py (with pyarrow; and, for the spark_ files, a Spark Connect server at sc://127.0.0.1:15900)
"""
import datetime as dt
import decimal
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
N = 300


def every(k, f):
    return [None if i % k == 0 else f(i) for i in range(N)]


def columns():
    D = decimal.Decimal
    us = dt.timedelta(microseconds=1)
    utc = dt.timezone.utc
    epoch = dt.datetime(1970, 1, 1)
    return [
        (pa.field("b", pa.bool_()), every(7, lambda i: i % 3 == 0)),
        (pa.field("i8", pa.int8()), every(5, lambda i: i % 256 - 128)),
        (pa.field("i16", pa.int16()), every(5, lambda i: i * 100 - 15000)),
        (pa.field("i32", pa.int32()), every(5, lambda i: i * 10000007 % 2**31 - 2**30)),
        (pa.field("i64", pa.int64()), every(4, lambda i: i * 10**16 - 10**18)),
        (pa.field("u8", pa.uint8()), every(5, lambda i: i % 256)),
        (pa.field("u16", pa.uint16()), every(5, lambda i: i * 200)),
        (pa.field("u32", pa.uint32()), every(5, lambda i: 2**32 - 1 - i)),
        (pa.field("u64", pa.uint64()), every(5, lambda i: 2**64 - 1 - i)),
        (pa.field("f32", pa.float32()), every(3, lambda i: i / 8)),
        (pa.field("f64", pa.float64()), every(3, lambda i: i / 7)),
        (pa.field("d9", pa.decimal128(9, 2)), every(6, lambda i: (D(i - 150) / 100).quantize(D("0.01")))),
        (pa.field("d18", pa.decimal128(18, 3)), every(6, lambda i: (D(i - 150) * 10**6).quantize(D("0.001")))),
        (pa.field("d38", pa.decimal128(38, 3)), every(6, lambda i: D("%d" % ((i - 150) * 10**27) + ".125"))),
        (pa.field("date", pa.date32()), every(6, lambda i: dt.date(1969, 6, 1) + dt.timedelta(days=i * 31))),
        (pa.field("ts", pa.timestamp("us", "UTC")), every(6, lambda i: (epoch + ((i - 100) * 10**12 + 1) * us).replace(tzinfo=utc))),
        (pa.field("ntz", pa.timestamp("us")), every(6, lambda i: epoch + ((i - 100) * 10**12 + 1) * us)),
        (pa.field("ms", pa.timestamp("ms", "UTC")), every(6, lambda i: (epoch + (i - 100) * 10**12 * us).replace(tzinfo=utc))),
        (pa.field("s", pa.string()), every(4, lambda i: "str%d" % (i % 10))),
        (pa.field("u", pa.string()), ["unique text %d \u00e9" % i for i in range(N)]),
        (pa.field("bin", pa.binary()), every(9, lambda i: bytes([i % 256, 0, 255]))),
        (pa.field("fix", pa.binary(3)), every(9, lambda i: bytes([i % 256, 1, 2]))),
        (pa.field("allnull", pa.int32()), [None] * N),
        (pa.field("nn", pa.int64(), nullable=False), list(range(N))),
    ]


def nested_columns():
    st = pa.struct([("x", pa.int32()), ("y", pa.list_(pa.string()))])
    return [
        (pa.field("l", pa.list_(pa.int64())), [None if i % 5 == 0 else [None if j == 2 else i * j for j in range(i % 4)] for i in range(N)]),
        (pa.field("ll", pa.list_(pa.list_(pa.string()))), [None if i % 7 == 0 else [None if j == 1 else ["s%d" % k for k in range(j)] for j in range(i % 4)] for i in range(N)]),
        (pa.field("st", st), [None if i % 4 == 0 else {"x": None if i % 3 == 0 else i, "y": None if i % 5 == 0 else ["a%d" % i, None][: i % 3]} for i in range(N)]),
        (pa.field("m", pa.map_(pa.string(), pa.float64())), [None if i % 6 == 0 else [("k%d" % j, None if j == 1 else j / 2) for j in range(i % 4)] for i in range(N)]),
        (pa.field("ls", pa.list_(st)), [[{"x": i, "y": ["z"] * (j + 1)} for j in range(i % 3)] for i in range(N)]),
        (pa.field("id", pa.int32()), list(range(N))),
    ]


def plain(v):
    """A value as the Go test prints it."""
    if isinstance(v, bool) or v is None or isinstance(v, (int, str)):
        return v
    if isinstance(v, float):
        return v
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, dt.datetime):
        return (v.replace(tzinfo=None) - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)
    if isinstance(v, dt.date):
        return (v - dt.date(1970, 1, 1)).days
    if isinstance(v, bytes):
        return v.hex()
    if isinstance(v, tuple):
        return [plain(x) for x in v]
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, dict):
        return [plain(x) for x in v.values()]
    raise TypeError(type(v))


def write(name, cols, **options):
    schema = pa.schema([f for f, _ in cols])
    table = pa.table([pa.array(v, f.type) for f, v in cols], schema=schema)
    pq.write_table(table, os.path.join(HERE, name + ".parquet"), **options)


def main():
    flat, nested = columns(), nested_columns()
    for base, cols in (("flat", flat), ("nested", nested)):
        with open(os.path.join(HERE, base + ".jsonl"), "w") as f:
            for i in range(N):
                f.write(json.dumps([str(v[i]) if f_.name == "u64" and v[i] is not None else plain(v[i]) for f_, v in cols], ensure_ascii=False) + "\n")
    write("flat_snappy", flat, row_group_size=120, data_page_size=512)
    write("flat_plain_gzip_v2", flat, use_dictionary=False, compression="gzip", data_page_version="2.0", data_page_size=300)
    write("flat_zstd_v2", flat, compression="zstd", data_page_version="2.0", dictionary_pagesize_limit=200, data_page_size=200, write_batch_size=32)
    write("flat_none", flat, compression="none", dictionary_pagesize_limit=100, write_batch_size=16, data_page_size=100)
    write("flat_lz4", flat, compression="lz4", store_decimal_as_integer=True)
    write("flat_brotli", flat, compression="brotli")
    ints = {f.name: "DELTA_BINARY_PACKED" for f, _ in flat if f.name[0] in "iu" and f.name[1:].isdigit()}
    write("flat_delta", flat, use_dictionary=False, column_encoding={**ints, "s": "DELTA_LENGTH_BYTE_ARRAY", "u": "DELTA_BYTE_ARRAY", "f64": "BYTE_STREAM_SPLIT", "f32": "BYTE_STREAM_SPLIT", "b": "RLE"})
    write("flat_int96", flat, use_deprecated_int96_timestamps=True)
    write("nested_snappy", nested, row_group_size=130, data_page_size=256, write_batch_size=20)
    write("nested_v2", nested, use_dictionary=False, data_page_version="2.0", compression="none", data_page_size=200, write_batch_size=10)


def spark():
    """The *_spark* files: what Spark 4.2 writes of what pyarrow wrote."""
    import glob
    import shutil
    import tempfile
    from pyspark.sql import SparkSession
    session = SparkSession.builder.remote("sc://127.0.0.1:15900").getOrCreate()
    for base in ("flat", "nested"):
        rows = session.read.parquet(os.path.join(HERE, base + "_snappy.parquet")).coalesce(1)
        for name, options in ((base + "_spark", {}), (base + "_spark_v2", {"parquet.writer.version": "v2"})):
            out = tempfile.mkdtemp()
            rows.write.mode("overwrite").options(**options).parquet(out)
            shutil.copy(glob.glob(out + "/part*")[0], os.path.join(HERE, name + ".parquet"))


if __name__ == "__main__":
    main()
