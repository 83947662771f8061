"""Makes arrow-V.orc (V: the version of the file) and the rows that they hold, arrow.txt, as the package rows shows them.

    python make.py
"""

import datetime
import decimal
import json
import random

import pyarrow as pa
import pyarrow.orc

random.seed(5)
N = 700
EPOCH = datetime.datetime(1970, 1, 1)


def some(value, nulls=0.1):
    return [None if random.random() < nulls else value(i) for i in range(N)]


COLUMNS = {
    "id": (pa.int64(), list(range(N))),
    "far": (pa.int64(), [random.randint(-(2**63), 2**63 - 1) for _ in range(N)]),
    "patched": (pa.int64(), [random.randint(0, 100) if random.random() > 0.02 else random.randint(0, 10**12) for _ in range(N)]),
    "up": (pa.int64(), [i * 3 + random.randint(0, 2) for i in range(N)]),
    "down": (pa.int32(), [-i * 5 for i in range(N)]),
    "short": (pa.int16(), some(lambda i: i % 100)),
    "byte": (pa.int8(), some(lambda i: i % 256 - 128, 0.3)),
    "float": (pa.float32(), some(lambda i: i / 4)),
    "double": (pa.float64(), some(lambda i: -i / 7)),
    "word": (pa.string(), some(lambda i: "k%d" % (i % 50))),
    "text": (pa.string(), some(lambda i: "ü%d" % random.randint(0, 10**9))),
    "empty": (pa.string(), [""] * N),
    "nothing": (pa.string(), [None] * N),
    "bin": (pa.binary(), some(lambda i: bytes(range(i % 9)))),
    "bool": (pa.bool_(), some(lambda i: i % 3 == 0)),
    "dec": (pa.decimal128(12, 2), some(lambda i: decimal.Decimal(random.randint(-(10**9), 10**9)).scaleb(-2))),
    "wide": (pa.decimal128(38, 10), some(lambda i: decimal.Decimal(random.randint(-(10**30), 10**30)).scaleb(-10, decimal.Context(40)))),
    "date": (pa.date32(), some(lambda i: datetime.date(1900, 1, 1) + datetime.timedelta(days=i * 40))),
    "time": (pa.timestamp("us"), some(lambda i: datetime.datetime(1971, 1, 1) + datetime.timedelta(microseconds=i * 987654321234))),
    "moment": (pa.timestamp("us", tz="UTC"), some(lambda i: datetime.datetime(1971, 1, 1) + datetime.timedelta(milliseconds=i * 987654321))),
    "list": (pa.list_(pa.int32()), some(lambda i: [None if j % 3 == 1 else j for j in range(i % 5)])),
    "words": (pa.list_(pa.string()), some(lambda i: ["x%d" % (j % 3) for j in range(i % 4)])),
    "map": (pa.map_(pa.string(), pa.int64()), some(lambda i: [("k%d" % j, j) for j in range(i % 3)])),
    "struct": (
        pa.struct([("a", pa.int64()), ("b", pa.struct([("c", pa.string())]))]),
        some(lambda i: {"a": i, "b": None if i % 4 == 0 else {"c": "x%d" % (i % 7)}}),
    ),
    "deep": (pa.list_(pa.struct([("z", pa.list_(pa.int32()))])), some(lambda i: [None if j == 2 else {"z": [i, j]} for j in range(i % 4)])),
}


def shown(v):
    if isinstance(v, dict):
        return [shown(x) for x in v.values()]
    if isinstance(v, (list, tuple)):
        return [shown(x) for x in v]
    if isinstance(v, bytes):
        return v.hex()
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, datetime.datetime):
        return (v - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(v, datetime.date):
        return (v - EPOCH.date()).days
    if isinstance(v, float) and v == int(v):
        return int(v)
    return v


table = pa.table({name: pa.array(values, kind) for name, (kind, values) in COLUMNS.items()})
for version, codec, threshold in ("0.11", "zlib", 0.5), ("0.12", "zstd", 0.5), ("0.12", "snappy", 0), ("0.12", "lz4", 0), ("0.11", "uncompressed", 0):
    pyarrow.orc.write_table(
        table, "arrow-%s-%s.orc" % (version, codec), file_version=version, compression=codec, stripe_size=15000, row_index_stride=200, batch_size=100, dictionary_key_size_threshold=threshold
    )
with open("arrow.txt", "w") as out:
    for row in zip(*(values for _, values in COLUMNS.values())):
        out.write(json.dumps(shown(list(row)), ensure_ascii=False, separators=(",", ":")) + "\n")
