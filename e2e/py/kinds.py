"""kinds.py write|deltars-check|spark-check|read-on DIR [REMOTE]: a table of every kind that millrace writes, read back by delta-rs and by Spark, which also changes
rows of it, and read on by millrace. REMOTE is the cluster, or for Spark a Connect server with Delta instead of a session of this process."""
import json
import os
import sys

import sessions

V = "'delta.enableDeletionVectors'='true'"
# name: columns, what follows them, properties, statements before the common ones
KINDS = {
    "plain": ("id BIGINT, v STRING, n INT", "", "", []),
    "partitioned": ("id BIGINT, v STRING, n INT", "PARTITIONED BY (n)", "", []),
    "vectors": ("id BIGINT, v STRING, n INT", "", V, []),
    "mapping_name": ("id BIGINT, old STRING, n INT, gone DATE", "", "'delta.columnMapping.mode'='name'",
                     ["INSERT INTO {t} VALUES (1000, 'x', 0, DATE'2020-01-01')", "ALTER TABLE {t} RENAME COLUMN old TO v", "ALTER TABLE {t} DROP COLUMN gone", "DELETE FROM {t} WHERE id = 1000"]),
    "mapping_id": ("id BIGINT, v STRING, n INT", "PARTITIONED BY (n)", "'delta.columnMapping.mode'='id'", []),
    "checkpoints_v2": ("id BIGINT, v STRING, n INT", "", f"'delta.checkpointPolicy'='v2', 'delta.checkpointInterval'='3', {V}", []),
    "compacted": ("id BIGINT, v STRING, n INT", "", "'delta.checkpointInterval'='1000'", ["INSERT INTO {t} VALUES (1000, 'x', 0)", "DELETE FROM {t} WHERE id = 1000"] * 4),
    "stats_as_columns": ("id BIGINT, v STRING, n INT, d DECIMAL(20,2), at TIMESTAMP, s STRUCT<x: FLOAT, y: DATE>", "PARTITIONED BY (n)",
                         f"'delta.checkpoint.writeStatsAsStruct'='true', 'delta.checkpoint.writeStatsAsJson'='false', 'delta.checkpointInterval'='3', {V}",
                         ["INSERT INTO {t} VALUES (1000, 'x', 0, 1.5, TIMESTAMP'2020-01-01 00:00:00', named_struct('x', 1.5F, 'y', DATE'2020-01-01'))", "DELETE FROM {t} WHERE id = 1000"]),
    "feed": ("id BIGINT, v STRING, n INT", "", "'delta.enableChangeDataFeed'='true'", []),
    "widened": ("id INT, v STRING, n SMALLINT", "", "'delta.enableTypeWidening'='true'",
                ["INSERT INTO {t} VALUES (1000, 'x', 0)", "ALTER TABLE {t} ALTER COLUMN id TYPE BIGINT", "ALTER TABLE {t} ALTER COLUMN n TYPE INT", "DELETE FROM {t} WHERE id = 1000"]),
    "tracked": ("id BIGINT, v STRING, n INT", "", f"'delta.enableRowTracking'='true', {V}", []),
    "clustered": ("id BIGINT, v STRING, n INT", "CLUSTER BY (n, id)", "", []),
    "timed": ("id BIGINT, v STRING, n INT", "", "'delta.enableInCommitTimestamps'='true'", []),
    "identity": ("id BIGINT, v STRING, n INT, k BIGINT GENERATED ALWAYS AS IDENTITY", "", "", []),
    "generated": ("id BIGINT, v STRING, n INT, g BIGINT GENERATED ALWAYS AS (id * 2)", "", "", []),
    "constrained": ("id BIGINT NOT NULL, v STRING, n INT", "", "'delta.constraints.positive'='id >= 0'", []),
    "defaults": ("id BIGINT, v STRING, n INT, d INT DEFAULT 7", "", "'delta.feature.allowColumnDefaults'='supported'", []),
    "ntz": ("id BIGINT, v STRING, n INT, at TIMESTAMP_NTZ", "", "", []),
    "iceberg_v1": ("n INT, id BIGINT, v STRING", "PARTITIONED BY (n)", "'delta.enableIcebergCompatV1'='true'", []),
    "iceberg_v2": ("id BIGINT, v STRING, n INT, a ARRAY<MAP<STRING, INT>>", "", "'delta.enableIcebergCompatV2'='true'",
                   ["INSERT INTO {t} VALUES (1000, 'x', 0, array(map('k', 1)))", "DELETE FROM {t} WHERE id = 1000"]),
    "iceberg_v3": ("id BIGINT, v STRING, n INT, s STRUCT<a: ARRAY<INT>>", "", f"'delta.enableIcebergCompatV3'='true', {V}",
                   ["INSERT INTO {t} VALUES (1000, 'x', 0, named_struct('a', array(1)))", "DELETE FROM {t} WHERE id = 1000"]),
    "materialized": ("n INT, id BIGINT, v STRING", "PARTITIONED BY (n)", "'delta.enableMaterializePartitionColumnsFeature'='true'", []),
    "by_day": ("id BIGINT, v STRING, n INT, at TIMESTAMP, day DATE GENERATED ALWAYS AS (CAST(at AS DATE))", "PARTITIONED BY (day)", "",
               ["INSERT INTO {t} (id, v, n, at) VALUES (1000, 'x', 0, TIMESTAMP'2020-01-01 00:00:00')", "DELETE FROM {t} WHERE at < TIMESTAMP'2021-01-01 00:00:00'"]),
    "managed": ("id BIGINT, v STRING, n INT", "", "'delta.feature.catalogManaged'='supported'", []),
    "everything": ("id BIGINT, v STRING, n INT", "CLUSTER BY (id)", f"'delta.columnMapping.mode'='name', 'delta.enableRowTracking'='true', 'delta.enableChangeDataFeed'='true', {V}, "
                   "'delta.enableInCommitTimestamps'='true', 'delta.checkpointPolicy'='v2', 'delta.checkpointInterval'='4', 'delta.enableTypeWidening'='true'", []),
}
COMMON = ["INSERT INTO {t} (id, v, n) SELECT id, concat('v', id), CAST(id % 3 AS INT) FROM range(0, 30, 1, 2)", "UPDATE {t} SET v = 'u' WHERE id % 5 = 0", "DELETE FROM {t} WHERE id % 7 = 3",
          "MERGE INTO {t} t USING (SELECT id FROM range(25, 35)) s ON t.id = s.id WHEN MATCHED AND t.id = 26 THEN DELETE WHEN MATCHED THEN UPDATE SET v = 'm' "
          "WHEN NOT MATCHED THEN INSERT (id, v, n) VALUES (s.id, 'new', 1)", "OPTIMIZE {t}", "INSERT INTO {t} (id, v, n) VALUES (50, NULL, 2)"]
DELTARS_REFUSES = {"widened", "managed", "everything"}  # what it does not read: type widening, and catalogs
SPARK_REFUSES = {"managed"}  # by path: it asks for the catalog


def expected():
    rows = {i: ["u" if i % 5 == 0 else f"v{i}", i % 3] for i in range(30) if i % 7 != 3}
    for i in range(25, 35):
        if i == 26:
            rows.pop(i, None)
        elif i in rows:
            rows[i][0] = "m"
        else:
            rows[i] = ["new", 1]
    rows[50] = [None, 2]
    return rows


def listed(rows):
    return [[i, *rows[i]] for i in sorted(rows)]


def check(found, want, what):
    found = sorted(found)
    assert found == want, f"{what}: {len(found)} rows, not {len(want)}: {[x for x in found if x not in want][:3]} {[x for x in want if x not in found][:3]}"


def rows_of(s, path):
    return [[r.id, r.v, r.n] for r in s.sql(f"SELECT id, v, n FROM delta.`{path}`").collect()]


def write(s, folder):
    for kind, (columns, layout, properties, first) in KINDS.items():
        path, t = f"{folder}/{kind}", f"kinds_{kind}"
        s.sql(f"CREATE TABLE {t} ({columns}) USING delta {layout} LOCATION '{path}'" + (f" TBLPROPERTIES ({properties})" if properties else ""))
        for text in first + COMMON:
            s.sql(text.format(t=t)).collect()
        check(rows_of(s, path), listed(expected()), f"{kind} by millrace")


def by_deltars(folder):
    from deltalake import DeltaTable, QueryBuilder
    refused = {}
    for kind in KINDS:
        path = f"{folder}/{kind}"
        try:
            t = QueryBuilder().register("t", DeltaTable(path)).execute("select id, v, n from t").read_all()
            import pyarrow as pa
            found = [[r["id"], r["v"], r["n"]] for r in pa.table(t).to_pylist()]
        except Exception as e:  # whatever it is, it is a refusal
            refused[kind] = str(e)[:200]
            continue
        check(found, listed(expected()), f"{kind} by delta-rs")
    print("delta-rs refuses", json.dumps(refused))
    assert set(refused) == DELTARS_REFUSES, refused


def by_spark(s, folder):
    for kind in KINDS:
        path, t = f"{folder}/{kind}", f"delta.`{folder}/{kind}`"
        if kind in SPARK_REFUSES:
            continue
        try:
            check(rows_of(s, path), listed(expected()), f"{kind} by Spark")
            s.sql(f"INSERT INTO {t} (id, v, n) VALUES (60, 'spark', 0)").collect()
            s.sql(f"DELETE FROM {t} WHERE id = 50").collect()
            s.sql(f"UPDATE {t} SET v = 'spark' WHERE id = 1").collect()
            if "'delta.enableChangeDataFeed'='true'" in KINDS[kind][2]:
                feed = s.sql(f"SELECT id, v, n, sum(CASE WHEN _change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END) c FROM table_changes_by_path('{path}', 0) "
                             "GROUP BY id, v, n HAVING c <> 0").collect()
                assert all(r.c == 1 for r in feed), feed
                check([[r.id, r.v, r.n] for r in feed], listed(changed(kind)), f"the feed of {kind} by Spark")
        except AssertionError:
            raise
        except Exception as e:
            raise AssertionError(f"{kind}: {str(e)[:1000]}") from e


def changed(kind):
    rows = expected()
    if kind not in SPARK_REFUSES:
        rows[60], rows[1][0] = ["spark", 0], "spark"
        del rows[50]
    return rows


def read_on(s, folder):
    for kind in KINDS:
        path = f"{folder}/{kind}"
        check(rows_of(s, path), listed(changed(kind)), f"{kind} after Spark's changes")
        s.sql(f"INSERT INTO kinds_{kind} (id, v, n) VALUES (70, 'back', 1)").collect()
        assert len(rows_of(s, path)) == len(changed(kind)) + 1, kind


def main():
    step, folder = sys.argv[1:3]
    os.environ["TZ"] = "UTC"
    if step == "write":
        write(sessions.connect(sys.argv[3]), folder)
    elif step == "deltars-check":
        by_deltars(folder)
    elif step == "spark-check":
        by_spark(sessions.connect(sys.argv[3]) if len(sys.argv) > 3 else sessions.classic(), folder)
    elif step == "read-on":
        read_on(sessions.connect(sys.argv[3]), folder)


if __name__ == "__main__":
    main()
    sessions.leave()
