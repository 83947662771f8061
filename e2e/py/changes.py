"""changes.py change|deltars-check|spark-check DIR [REMOTE]: rows changed by DELETE, UPDATE and MERGE, in SQL and by the DeltaTable API, and the change data
feed of it, read back by delta-rs and Spark."""
import json
import os
import sys

import sessions

KINDS = {"plain": {}, "vectors": {"delta.enableDeletionVectors": "true"}, "feed": {"delta.enableChangeDataFeed": "true"},
         "all": {"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true"}}


def tables(folder):
    return [(f"{kind}{'_parted' if parted else ''}", properties, parted) for kind, properties in KINDS.items() for parted in (False, True)]


def check(found, want, what):
    assert found == want, f"{what}: {len(found)} rows, not {len(want)}: {[x for x in found if x not in want][:3]} {[x for x in want if x not in found][:3]}"


def change(s, folder):
    from delta.tables import DeltaTable
    from pyspark.sql import functions as F
    for name, properties, parted in tables(folder):
        path = f"{folder}/{name}"
        listed = ", ".join(f"'{k}'='{v}'" for k, v in {"delta.checkpointInterval": "4", **properties}.items())
        s.sql(f"CREATE TABLE changes_{name} (id BIGINT, k STRING, v INT, at TIMESTAMP) USING delta {'PARTITIONED BY (k)' if parted else ''} "
              f"LOCATION '{path}' TBLPROPERTIES ({listed})")
        s.range(0, 40_000, 1, 4).select("id", F.concat(F.lit("k"), F.col("id") % 3).alias("k"), F.col("id").cast("int").alias("v"),
                                        F.timestamp_seconds(F.col("id")).alias("at")).write.format("delta").mode("append").save(path)
        rows = {i: [f"k{i % 3}", i] for i in range(40_000)}
        t = DeltaTable.forPath(s, path)

        t.delete("id % 10 = 3")
        rows = {i: r for i, r in rows.items() if i % 10 != 3}
        n = s.sql(f"UPDATE delta.`{path}` SET v = v + 1 WHERE id BETWEEN 100 AND 299").collect()[0][0]
        assert n == sum(100 <= i < 300 for i in rows), n
        rows = {i: [k, v + 1] if 100 <= i < 300 else [k, v] for i, (k, v) in rows.items()}
        t.update(F.col("v") % 1000 == 7, {"v": F.lit(-1)})
        rows = {i: [k, -1] if v % 1000 == 7 else [k, v] for i, (k, v) in rows.items()}

        source = s.range(39_990, 40_010).select("id", F.lit("new").alias("k"), F.lit(5).alias("v"), F.timestamp_seconds(F.lit(0)).alias("at"))
        (t.alias("t").merge(source.alias("s"), "t.id = s.id").whenMatchedDelete("s.id % 2 = 0").whenMatchedUpdateAll()
         .whenNotMatchedInsertAll("s.id < 40005").whenNotMatchedInsert(values={"id": "s.id", "v": "0"})
         .whenNotMatchedBySourceUpdate("t.id < 5", {"v": "t.v + 1000000"}).whenNotMatchedBySourceDelete("t.id = 9").execute())
        for i in range(39_990, 40_010):
            if i not in rows:
                rows[i] = ["new", 5] if i < 40_005 else [None, 0]
            elif i % 2 == 0:
                del rows[i]
            else:
                rows[i] = ["new", 5]
        for i in range(5):
            if i in rows:
                rows[i][1] += 1_000_000
        del rows[9]
        try:
            s.sql(f"MERGE INTO delta.`{path}` t USING (SELECT 1L id UNION ALL SELECT 1L) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 0").collect()
            raise AssertionError("two source rows changed one row")
        except Exception as e:
            assert "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE" in str(e), e
        s.sql(f"DELETE FROM delta.`{path}` WHERE k = 'k2'")
        rows = {i: r for i, r in rows.items() if r[0] != "k2"}
        s.sql(f"INSERT INTO delta.`{path}` REPLACE WHERE id >= 39000 SELECT id, 'again', 1, NULL FROM range(39000, 39010)")
        rows = {i: r for i, r in rows.items() if i < 39_000} | {i: ["again", 1] for i in range(39_000, 39_010)}

        want = sorted([i, *r] for i, r in rows.items())
        check(sorted([r.id, r.k, r.v] for r in s.read.format("delta").load(path).collect()), want, path)
        history = s.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()
        assert [h.operation for h in history] == ["WRITE", "DELETE", "MERGE", "UPDATE", "UPDATE", "DELETE", "WRITE", "CREATE TABLE"], history
        assert history[2].operationMetrics["numTargetRowsInserted"] == "11", history[2]
        with open(f"{folder}/{name}.json", "w") as f:
            json.dump(want, f)
        if "feed" in name or "all" in name:
            check(replayed(s, path), want, f"the feed of {path}")


TRACKED = [[1, 1, 1, 1], [2, 1, 2, 1], [3, 7, 3, 5], [4, 2, 4, 2], [5, 3, 5, 3], [6, 1, 6, 1], [7, 1, 7, 1], [8, 1, 8, 1], [9, 1, 9, 1]]


def track(s, folder):
    """Tables that track rows: id, v, the row's identifier and the version that wrote it last are TRACKED."""
    for vectors in ("true", "false"):
        t = "tracked_" + vectors
        s.sql(f"CREATE TABLE {t} (id BIGINT, v INT) USING delta LOCATION '{folder}/{t}' TBLPROPERTIES ('delta.enableRowTracking' = 'true', "
              f"'delta.enableDeletionVectors' = '{vectors}')")
        for text in (f"INSERT INTO {t} SELECT id, 1 FROM range(0, 10, 1, 1)", f"UPDATE {t} SET v = 2 WHERE id IN (3, 4)",
                     f"MERGE INTO {t} USING (SELECT 5L i UNION ALL SELECT 50L) ON id = i WHEN MATCHED THEN UPDATE SET v = 3 WHEN NOT MATCHED THEN INSERT (id) VALUES (i)",
                     f"DELETE FROM {t} WHERE id = 0", f"UPDATE {t} SET v = 7 WHERE id = 3", f"OPTIMIZE {t}"):
            s.sql(text)


def check_tracked(s, folder):
    for vectors in ("true", "false"):
        rows = s.sql(f"SELECT id, v, _metadata.row_id, _metadata.row_commit_version FROM delta.`{folder}/tracked_{vectors}`").collect()
        found = sorted([*r] for r in rows if r.id != 50)
        check(found, TRACKED, f"rows that are tracked, vectors {vectors}")
        new = [r for r in rows if r.id == 50][0]
        assert new.row_id >= 10 and new.row_commit_version == 3, new


def replayed(s, path):
    """The rows to which the table's change data feed leads."""
    feed = s.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 0).load(path)
    return replay([(r._commit_version, r._change_type, r.id, r.k, r.v) for r in feed.collect()], path)


def replay(changes, path):
    rows = {}
    for version, kind, i, k, v in sorted(changes, key=lambda c: (c[0], c[1] not in ("delete", "update_preimage"))):
        if kind in ("delete", "update_preimage"):
            assert rows.pop(i) == [k, v], f"{path}: version {version}: {kind} of {i}"
        else:
            assert rows.setdefault(i, [k, v]) == [k, v], f"{path}: version {version}: {kind} of {i}"
    return sorted([i, *r] for i, r in rows.items())


def main():
    step, folder = sys.argv[1:3]
    os.environ["TZ"] = "UTC"
    if step == "change":
        s = sessions.connect(sys.argv[3])
        change(s, folder)
        track(s, folder)
        return
    s = sessions.classic() if step == "spark-check" else None
    if s:
        check_tracked(s, folder)
    for name, properties, _ in tables(folder):
        path = f"{folder}/{name}"
        with open(path + ".json") as f:
            want = json.load(f)
        if s:
            check(sorted([r.id, r.k, r.v] for r in s.read.format("delta").load(path).collect()), want, path)
            if "feed" in name or "all" in name:
                check(replayed(s, path), want, f"the feed of {path}")
            if name not in ("vectors", "all_parted"):
                continue
            n = s.sql(f"DELETE FROM delta.`{path}` WHERE id < 50").collect()[0][0]  # Spark changes what was changed here
            assert n == sum(r[0] < 50 for r in want), n
            continue
        if "delta.enableDeletionVectors" in properties:
            continue  # which its reader for Arrow refuses; Spark checks them
        from deltalake import DeltaTable
        table = DeltaTable(path)
        check(sorted([r["id"], r["k"], r["v"]] for r in table.to_pyarrow_table(columns=["id", "k", "v"]).to_pylist()), want, path)
        if "feed" in name:
            import pyarrow as pa
            feed = pa.table(table.load_cdf(starting_version=0)).to_pylist()
            check(replay([(r["_commit_version"], r["_change_type"], r["id"], r["k"], r["v"]) for r in feed], path), want, f"the feed of {path}")


if __name__ == "__main__":
    main()
    sessions.leave()
