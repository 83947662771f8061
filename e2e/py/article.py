"""article.py REMOTE FOLDER: the statements of the article that are not in the scenario, spelled as they are there."""
import sys

import sessions

spark = sessions.connect(sys.argv[1])
path = sys.argv[2] + "/loans"
spark.createDataFrame([("IA", 3, 5.0), ("CA", 7, 1.0), ("NY", 1, 9.0), ("IA", 2, 5.5)], "addr_state string, count long, amount double") \
    .write.format("delta").mode("overwrite").save(path)
spark.sql(f"CREATE TABLE loan_by_state_delta USING delta LOCATION '{path}'")

rows = spark.sql("""
SELECT addr_state, SUM(`count`) AS loans
FROM loan_by_state_delta
GROUP BY addr_state""").collect()
assert {tuple(r) for r in rows} == {("IA", 5), ("CA", 7), ("NY", 1)}, rows

# The alias has the column's name: the order is that of the sum.
rows = spark.sql("""
-- Review current loans within the `loan_by_state_delta` Delta Lake table
SELECT addr_state, sum(`amount`) AS amount
FROM loan_by_state_delta
GROUP BY addr_state
ORDER BY sum(`amount`)
DESC LIMIT 10""").collect()
assert [tuple(r) for r in rows] == [("IA", 10.5), ("NY", 9.0), ("CA", 1.0)], rows

loans = spark.sql("select addr_state, cast(rand(10)*count as bigint) as count, cast(rand(10) * 10000 * count as double) as amount from loan_by_state_delta")
assert loans.count() == 4 and loans.columns == ["addr_state", "count", "amount"]
assert [r.version for r in spark.sql("DESCRIBE HISTORY loan_by_state_delta").collect()] == [0]
assert spark.sql("SELECT * FROM loan_by_state_delta VERSION AS OF 0").count() == 4
spark.sql("DROP TABLE loan_by_state_delta")
assert spark.read.format("delta").load(path).count() == 4, "dropping a name dropped the files"
print("as the article shows")
