"""The benchmark's two long steps: a Delta -> Delta stream, and the cross-validation of a model. Each gives figures by name."""
import glob
import json
import os
import shutil
import statistics
import time

CATEGORIES = ["term", "home_ownership", "purpose", "addr_state", "verification_status"]
NUMBERS = ["loan_amnt", "emp_length_n", "annual_inc", "dti", "delinq_2yrs", "revol_util", "total_acc", "int_rate_n", "inq_last_6mths", "open_acc"]
FOLDS = 5
LOANS = """select loan_amnt, annual_inc, dti, delinq_2yrs, inq_last_6mths, open_acc, total_acc, revol_util,
  cast(regexp_replace(int_rate, '%', '') as double) as int_rate_n,
  case when emp_length = 'n/a' then 0 when emp_length = '< 1 year' then 0 when emp_length = '10+ years' then 10
    else cast(substring(emp_length, 1, 1) as double) end as emp_length_n,
  term, home_ownership, purpose, addr_state, verification_status, case when loan_status = 'Fully Paid' then 0.0 else 1.0 end as label
from loans where annual_inc is not null and dti is not null and id < 983000"""


class Log:
    """A sink's log, read as it grows, by one who knows nothing of the engine."""

    def __init__(self, path):
        self.path, self.version, self.rows = path, 0, 0

    def read(self):
        while os.path.exists(f := f"{self.path}/_delta_log/{self.version:020d}.json"):
            with open(f) as lines:
                adds = [json.loads(line)["add"] for line in lines if line.startswith('{"add"')]
            self.rows += sum(json.loads(a["stats"])["numRecords"] for a in adds if a.get("stats"))
            self.version += 1
        return self.rows

    def until(self, rows, limit=300):
        """The moment at which the sink's log had so many rows."""
        end = time.time() + limit
        while self.read() < rows:
            if time.time() > end:
                raise TimeoutError(f"{self.path} has {self.rows} of {rows} rows after {limit} s")
            time.sleep(0.002)
        return written(self.path, self.version - 1)


def written(path, version):
    """The moment at which a version's file was written."""
    return os.stat(f"{path}/_delta_log/{version:020d}.json").st_mtime


def stream(spark, loans, folder, total, commits=20, gap=0.7):
    """Start-up, latency from a foreign writer's commit to the sink's visible one, and the speed of a backlog.

    loans is a Delta table of total rows; folder is for the tables that are made."""
    import pyarrow.parquet as pq
    from deltalake import DeltaTable, write_deltalake
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    batch = pq.read_table(sorted(glob.glob(loans + "/**/*.parquet", recursive=True))[0]).slice(0, 100)

    def start(source, sink, **trigger):
        w = spark.readStream.format("delta").load(source).writeStream.format("delta").option("checkpointLocation", f"{folder}/checkpoint-{sink}")
        return (w.trigger(**trigger) if trigger else w).start(f"{folder}/{sink}")

    write_deltalake(folder + "/source", batch)
    log, began = Log(folder + "/sink"), time.time()
    query = start(folder + "/source", "sink")
    found = {"stream: start, s": log.until(100) - began}
    waits = []
    for i in range(commits):
        time.sleep(gap)
        write_deltalake(folder + "/source", batch, mode="append")
        waits.append(log.until(100 * (i + 2)) - written(folder + "/source", i + 1))
    query.stop()
    waits.sort()
    found["stream: commit to commit p50, s"] = statistics.median(waits)
    found["stream: commit to commit p90, s"] = waits[int(0.9 * len(waits))]
    log, began = Log(folder + "/backlog"), time.time()
    query = start(loans, "backlog", availableNow=True)
    found["stream: backlog, s"] = log.until(total) - began
    query.awaitTermination(60)
    assert DeltaTable(folder + "/backlog").to_pyarrow_dataset().count_rows() == total
    return found


def model(spark):
    """The cross-validation on the view loans: seconds to prepare, to search, and what it found."""
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.evaluation import BinaryClassificationEvaluator
    from pyspark.ml.feature import OneHotEncoder, StandardScaler, StringIndexer, VectorAssembler
    from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
    began = time.time()
    frame = spark.sql(LOANS).cache()
    train, test = frame.randomSplit([0.8, 0.2], seed=7)
    train = train.cache()
    rows = frame.count(), train.count()
    prepared = time.time()
    stages = [StringIndexer(inputCols=CATEGORIES, outputCols=[c + "_i" for c in CATEGORIES], handleInvalid="keep"),
              OneHotEncoder(inputCols=[c + "_i" for c in CATEGORIES], outputCols=[c + "_v" for c in CATEGORIES]),
              VectorAssembler(inputCols=NUMBERS, outputCol="numbers"), StandardScaler(inputCol="numbers", outputCol="scaled"),
              VectorAssembler(inputCols=["scaled"] + [c + "_v" for c in CATEGORIES], outputCol="features")]
    lr = LogisticRegression(maxIter=10, elasticNetParam=0.5)
    auc = BinaryClassificationEvaluator()
    search = CrossValidator(estimator=Pipeline(stages=stages + [lr]), estimatorParamMaps=ParamGridBuilder().addGrid(lr.regParam, [0.1, 0.01]).build(),
                            evaluator=auc, numFolds=FOLDS, seed=7)
    fitted = search.fit(train)
    searched = time.time()
    score = auc.evaluate(fitted.transform(test))
    return {"model: rows": rows[0], "model: prepare, s": prepared - began, "model: cross-validation, s": searched - prepared,
            "model: AUC of the best": max(fitted.avgMetrics), "model: AUC on the rest": score}


def sklearn(loans):
    """The same search by scikit-learn, with its stochastic solver, on both cores; loans is a folder of Parquet files."""
    import pandas as pd
    import pyarrow.dataset as ds
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GridSearchCV, train_test_split
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    began = time.time()
    frame = ds.dataset(loans).to_table(filter=ds.field("id") < 983000).to_pandas()
    frame = frame[frame.annual_inc.notna() & frame.dti.notna()]
    frame["int_rate_n"] = frame.int_rate.str.rstrip("%").astype(float)
    frame["emp_length_n"] = pd.to_numeric(frame.emp_length.replace({"n/a": "0", "< 1 year": "0", "10+ years": "10"}).str.extract(r"(\d+)")[0])
    label = (frame.loan_status != "Fully Paid").astype(float)
    train, test, y_train, y_test = train_test_split(frame[NUMBERS + CATEGORIES], label, test_size=0.2, random_state=7)
    prepared = time.time()
    pipe = Pipeline([("columns", ColumnTransformer([("n", StandardScaler(with_mean=False), NUMBERS), ("c", OneHotEncoder(handle_unknown="ignore"), CATEGORIES)])),
                     ("lr", LogisticRegression(solver="saga", l1_ratio=0.5, max_iter=10))])
    # Spark's objective is the mean loss plus regParam x penalty; scikit-learn's C is 1 / (rows x regParam).
    n = len(train) * (FOLDS - 1) / FOLDS
    search = GridSearchCV(pipe, {"lr__C": [1 / (n * r) for r in (0.1, 0.01)]}, cv=FOLDS, scoring="roc_auc", n_jobs=2).fit(train, y_train)
    searched = time.time()
    return {"model: rows": len(frame), "model: prepare, s": prepared - began, "model: cross-validation, s": searched - prepared,
            "model: AUC of the best": float(search.best_score_), "model: AUC on the rest": roc_auc_score(y_test, search.predict_proba(test)[:, 1])}
