"""interop.py deltars-write|spark-write|connect-append|deltars-check|spark-check DIR [REMOTE]: tables that three engines share."""
import datetime
import decimal
import os
import sys

import pyarrow as pa

import sessions

DAY = datetime.date(2020, 2, 29)
MOMENT = datetime.datetime(2021, 3, 4, 5, 6, 7, 891011, tzinfo=datetime.timezone.utc)


def rows(first, n):
    return [{"id": i, "name": None if i % 7 == 0 else f"n{i}", "price": i / 4, "small": i % 100, "flag": i % 2 == 0, "day": DAY,
             "at": MOMENT, "amount": decimal.Decimal(i) / 100, "long_amount": decimal.Decimal(i) * 10 ** 20, "part": "ab"[i % 2]}
            for i in range(first, first + n)]


SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("price", pa.float64()), ("small", pa.int32()), ("flag", pa.bool_()),
                    ("day", pa.date32()), ("at", pa.timestamp("us", tz="UTC")), ("amount", pa.decimal128(10, 2)),
                    ("long_amount", pa.decimal128(38, 2)), ("part", pa.string())])
DDL = ("id long, name string, price double, small int, flag boolean, day date, at timestamp, amount decimal(10,2), "
       "long_amount decimal(38,2), part string")


def tables(folder):
    return sorted(os.path.join(folder, d) for d in os.listdir(folder))


def expect(found, n, path):
    want = {r["id"]: r for r in rows(0, n)}
    assert len(found) == n, f"{path}: {len(found)} rows, not {n}"
    for r in found:
        w = want[r["id"]]
        for k, v in w.items():
            got = r[k]
            if isinstance(got, datetime.datetime) and got.tzinfo is None:
                got = got.replace(tzinfo=datetime.timezone.utc)
            assert got == v, f"{path}: row {r['id']}: {k} is {got!r}, not {v!r}"


def main():
    step, folder = sys.argv[1:3]
    os.environ["TZ"] = "UTC"
    if step == "deltars-write":
        from deltalake import write_deltalake
        data = pa.Table.from_pylist(rows(0, 100), SCHEMA)
        write_deltalake(folder + "/deltars", data)
        write_deltalake(folder + "/deltars_partitioned", data, partition_by=["part"])
    elif step == "spark-write":
        s = sessions.classic()
        frame = s.createDataFrame([tuple(r.values()) for r in rows(0, 100)], DDL)
        frame.write.format("delta").save(folder + "/spark")
        frame.write.format("delta").partitionBy("part").save(folder + "/spark_partitioned")
    elif step == "connect-append":
        s = sessions.connect(sys.argv[3])
        s.conf.set("spark.sql.session.timeZone", "UTC")
        for path in tables(folder):
            expect([r.asDict() for r in s.read.format("delta").load(path).collect()], 100, path)
            s.createDataFrame([tuple(r.values()) for r in rows(100, 50)], DDL).write.format("delta").mode("append").save(path)
            expect([r.asDict() for r in s.read.format("delta").load(path).collect()], 150, path)
        frame = s.createDataFrame([tuple(r.values()) for r in rows(0, 150)], DDL)
        frame.write.format("delta").save(folder + "/ours")
        frame.write.format("delta").partitionBy("part").save(folder + "/ours_partitioned")
    elif step == "deltars-check":
        from deltalake import DeltaTable
        for path in tables(folder):
            expect(DeltaTable(path).to_pyarrow_table().to_pylist(), 150, path)
    elif step == "spark-check":
        s = sessions.classic()
        for path in tables(folder):
            expect([r.asDict() for r in s.read.format("delta").load(path).collect()], 150, path)
            s.createDataFrame([tuple(r.values()) for r in rows(150, 1)], DDL).write.format("delta").mode("append").save(path)
            expect([r.asDict() for r in s.read.format("delta").load(path).collect()], 151, path)


if __name__ == "__main__":
    main()
    sessions.leave()
