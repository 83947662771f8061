"""step.py REMOTE STEP LAKE LOANS: run one step of the main job and print what came out, the same for every run that is right."""
import sys

from pyspark.sql import functions as F

import sessions


def digest(frame):
    r = frame.select(F.count("*"), F.sum(F.pmod(F.xxhash64(*[F.col(c) for c in frame.columns]), F.lit(1_000_003)))).first()
    return f"{r[0]} rows, digest {r[1]}"


def ingest(s, lake, loans):
    s.read.parquet(loans).write.format("delta").mode("overwrite").save(lake + "/bronze")
    return digest(s.read.format("delta").load(lake + "/bronze"))


def clean(s, lake, loans):
    f = s.read.parquet(loans)
    f = (f.withColumn("verification_status", F.trim(F.regexp_replace(f.verification_status, "Source Verified", "Verified")))
         .withColumn("net", F.round(f.total_pymnt - f.loan_amnt, 2)).withColumn("term", F.trim(F.regexp_replace(f.term, "months", "")).cast("int")))
    f.write.format("delta").mode("overwrite").save(lake + "/silver")
    return digest(s.read.format("delta").load(lake + "/silver"))


def group(s, lake, loans):
    f = s.read.parquet(loans).groupBy("addr_state").agg(F.count("*").alias("n"), F.sum("loan_amnt").alias("s"))
    return str([tuple(r) for r in f.orderBy(F.desc("n"), "addr_state").limit(10).collect()])


def many_groups(s, lake, loans):
    f = s.read.parquet(loans)
    g = f.groupBy((f.member_id % 100003).alias("k")).agg(F.sum("loan_amnt").alias("s"), F.count("*").alias("c"))
    return str(tuple(g.agg(F.count("*"), F.max("s"), F.sum("c")).first()))


def join(s, lake, loans):
    a, b = s.read.parquet(loans).alias("a"), s.read.parquet(loans).alias("b")
    j = a.join(b, F.col("a.id") == F.col("b.member_id") - 1_000_000)
    return str(tuple(j.agg(F.count("*"), F.sum("a.loan_amnt"), F.sum("b.annual_inc")).first()))


def order(s, lake, loans):
    s.read.parquet(loans).select("id", "annual_inc", "dti").orderBy("annual_inc", "id").write.format("delta").mode("overwrite").save(lake + "/sorted")
    return digest(s.read.format("delta").load(lake + "/sorted"))


def append(s, lake, loans):
    for i in range(10):
        s.range(i * 100, i * 100 + 100).write.format("delta").mode("append").save(lake + "/appended")
    return digest(s.read.format("delta").load(lake + "/appended"))


def restore(s, lake, loans):
    path = lake + "/restored"
    s.range(1000).write.format("delta").mode("overwrite").save(path)
    s.range(5000).write.format("delta").mode("overwrite").save(path)
    s.sql(f"RESTORE TABLE delta.`{path}` TO VERSION AS OF 0")
    return digest(s.read.format("delta").load(path))


def merge(s, lake, loans):
    out = []
    for vectors in ("true", "false"):
        path = f"{lake}/merged_{vectors}"
        s.sql(f"CREATE TABLE merged_{vectors} (id BIGINT, addr_state STRING, dti DOUBLE, n INT) USING delta LOCATION '{path}' "
              f"TBLPROPERTIES ('delta.enableDeletionVectors' = '{vectors}', 'delta.enableChangeDataFeed' = '{vectors}')")
        s.read.parquet(loans).select("id", "addr_state", "dti", F.lit(0).alias("n")).write.format("delta").mode("append").save(path)
        for i in range(3):
            s.sql(f"MERGE INTO delta.`{path}` t USING (SELECT id, addr_state, dti, {i} AS n FROM parquet.`{loans}` WHERE id % 7 = {i}) s ON t.id = s.id - {i} "
                  f"WHEN MATCHED AND t.id % 5 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
            s.sql(f"UPDATE delta.`{path}` SET n = n + 10 WHERE addr_state = 'CA' AND id % 3 = {i}")
            s.sql(f"DELETE FROM delta.`{path}` WHERE id % 11 = {i}")
        out.append(digest(s.read.format("delta").load(path)))
    return "; ".join(out)


STEPS = {f.__name__: f for f in (ingest, clean, group, many_groups, join, order, append, restore, merge)}

if __name__ == "__main__":
    remote, step, lake, loans = sys.argv[1:5]
    session = sessions.connect(remote)
    print("ready", flush=True)
    print(STEPS[step](session, lake, loans), flush=True)
