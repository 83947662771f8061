"""logistic.py cases|save|load FOLDER [REMOTE]: logistic regression as JSON. cases: fits, summaries and errors, of which Spark's answers are in
../testdata/logistic.json; save: two models and an estimator into FOLDER; load: what these say. Without REMOTE in a local session of Spark."""
import json
import sys

import sessions
from pyspark.ml.classification import LogisticRegression, LogisticRegressionModel
from pyspark.ml.linalg import Vectors as V, VectorUDT
from pyspark.sql.types import DoubleType, StructField, StructType

NAN, INF = float("nan"), float("inf")
LOANS = [(0.0, V.dense(1.0, 2.0)), (1.0, V.dense(2.0, 1.0)), (0.0, V.dense(1.0, 1.0)), (1.0, V.sparse(2, [0], [3.0])), (1.0, V.dense(1.0, 1.5))]
TWO = StructType([StructField("label", DoubleType()), StructField("features", VectorUDT())])
WEIGHTED = ["label", "features", "w"]

# name: (rows, columns, parameters)
CASES = {
    "plain": (LOANS, TWO, dict(maxIter=3, regParam=0.1)),
    "label null": (LOANS + [(None, V.dense(1.0, 2.0))], TWO, {}),
    "label nan": (LOANS + [(NAN, V.dense(1.0, 2.0))], TWO, {}),
    "label negative": (LOANS + [(-1.0, V.dense(1.0, 2.0))], TWO, {}),
    "label large": (LOANS + [(100.0, V.dense(1.0, 2.0))], TWO, {}),
    "label fraction": (LOANS + [(0.5, V.dense(1.0, 2.0))], TWO, {}),
    "label text": ([("a", V.dense(1.0, 2.0))], ["label", "features"], {}),
    "label boolean": ([(True, V.dense(1.0, 2.0))], ["label", "features"], {}),
    "label int": ([(0, V.dense(1.0, 2.0)), (1, V.dense(1.0, 3.0))], ["label", "features"], dict(maxIter=2)),
    "label missing": (LOANS, ["l", "features"], {}),
    "vector null": (LOANS + [(1.0, None)], TWO, {}),
    "vector nan": (LOANS + [(1.0, V.dense(NAN, 2.0))], TWO, {}),
    "vector infinite": (LOANS + [(1.0, V.sparse(2, [1], [INF]))], TWO, {}),
    "vector array": ([(0.0, [1.0, 2.0])], ["label", "features"], {}),
    "vector missing": (LOANS, ["label", "f"], {}),
    "weight missing": (LOANS, TWO, dict(weightCol="w")),
    "weight negative": ([(0.0, V.dense(1.0, 2.0), 1.0), (1.0, V.dense(2.0, 1.0), -1.0)], WEIGHTED, dict(weightCol="w")),
    "weight null": ([(0.0, V.dense(1.0, 2.0), 1.0), (1.0, V.dense(2.0, 1.0), None)], WEIGHTED, dict(weightCol="w")),
    "weight zero": ([(0.0, V.dense(1.0, 2.0), 0.0), (1.0, V.dense(2.0, 1.0), 0.0)], WEIGHTED, dict(weightCol="w")),
    "weight text": ([(0.0, V.dense(1.0, 2.0), "1")], WEIGHTED, dict(weightCol="w")),
    "weights": ([(0.0, V.dense(1.0, 2.0), 2), (1.0, V.dense(2.0, 1.0), 1), (1.0, V.dense(1.0, 1.0), 3)], WEIGHTED, dict(weightCol="w", maxIter=3)),
    "empty": ([], TWO, {}),
    "only class 0": ([(0.0, V.dense(1.0, 2.0)), (0.0, V.dense(1.0, 3.0))], TWO, {}),
    "only class 1": ([(1.0, V.dense(1.0, 2.0)), (1.0, V.dense(1.0, 3.0))], TWO, {}),
    "only class 2": ([(2.0, V.dense(1.0, 2.0)), (2.0, V.dense(1.0, 3.0))], TWO, {}),
    "only class 0, no intercept": ([(0.0, V.dense(1.0, 2.0)), (0.0, V.dense(1.0, 3.0))], TWO, dict(fitIntercept=False, maxIter=3)),
    "only class 0, softmax": ([(0.0, V.dense(1.0, 2.0)), (0.0, V.dense(1.0, 3.0))], TWO, dict(family="multinomial")),
    "a class without rows": (LOANS + [(3.0, V.dense(1.0, 2.0))], TWO, dict(maxIter=2)),
    "three classes, thresholds": (LOANS + [(2.0, V.dense(1.0, 2.5))], TWO, dict(maxIter=2, thresholds=[0.2, 0.5, 0.3])),
    "binomial of three": (LOANS + [(2.0, V.dense(1.0, 2.0))], TWO, dict(family="binomial")),
    "thresholds of three": (LOANS, TWO, dict(thresholds=[0.2, 0.3, 0.5])),
    "threshold": (LOANS, TWO, dict(maxIter=3, regParam=0.1, threshold=0.7)),
    "no probabilities": (LOANS, TWO, dict(maxIter=3, regParam=0.1, rawPredictionCol="", probabilityCol="")),
    "no margins": (LOANS, TWO, dict(maxIter=3, regParam=0.1, rawPredictionCol="")),
    "column there": (LOANS, TWO, dict(predictionCol="label")),
    "constant feature": ([(y, V.dense(7.0, x[1] if x.size == 2 else 0.0)) for y, x in LOANS], TWO, dict(maxIter=4)),
    "sparse coefficients": ([(y, V.dense(list(x) + [0.0] * 6)) for y, x in LOANS], TWO, dict(maxIter=4, regParam=0.1, elasticNetParam=1.0)),
}


def show(v):
    """A vector, matrix, row or list as JSON."""
    if isinstance(v, (list, tuple)):
        return [show(x) for x in v]
    if isinstance(v, (float, int, str, bool)) or v is None:
        return repr(v) if isinstance(v, float) and (v != v or v in (INF, -INF)) else v
    if hasattr(v, "toArray"):
        return [type(v).__name__, show(v.toArray().tolist())]
    return str(v)


def summary(s, binary):
    names = ["labels", "accuracy", "truePositiveRateByLabel", "falsePositiveRateByLabel", "precisionByLabel", "recallByLabel", "weightedPrecision",
             "weightedRecall", "weightedTruePositiveRate", "weightedFalsePositiveRate", "labelCol", "weightCol", "featuresCol"]
    out = {n: show(getattr(s, n)) for n in names}
    out["f"] = show([s.fMeasureByLabel(0.5), s.weightedFMeasure(), s.weightedFMeasure(2.0)])
    if binary:
        out["areaUnderROC"] = s.areaUnderROC
        for n in ["roc", "pr", "precisionByThreshold", "recallByThreshold", "fMeasureByThreshold"]:
            frame = getattr(s, n)
            out[n] = [frame.schema.simpleString(), show([tuple(r) for r in frame.collect()])]
    return out


def case(spark, rows, schema, params):
    df = spark.createDataFrame(rows, schema)
    m = LogisticRegression(**params).fit(df)
    s = m.summary
    made = m.transform(df)
    softmax = params.get("family") == "multinomial" or m.numClasses > 2
    curves = m.numClasses == 2 or not softmax  # Spark's curves fail where a probability has one value only
    out = {"coefficients": show(m.coefficientMatrix), "intercepts": show(m.interceptVector), "classes": m.numClasses, "features": m.numFeatures,
           "history": show(list(s.objectiveHistory)), "iterations": s.totalIterations, "summary": summary(s, curves),
           "evaluated": summary(m.evaluate(df), curves), "hasSummary": m.hasSummary,
           "schema": [[f.name, f.dataType.simpleString(), f.nullable, f.metadata] for f in made.schema.fields],
           "rows": show([tuple(r) for r in made.collect()]), "predictions": s.predictions.count(),
           "one": [show(m.predict(V.dense(1.0, 2.0))), show(m.predictRaw(V.dense(1.0, 2.0))), show(m.predictProbability(V.dense(1.0, 2.0)))]
           if m.numFeatures == 2 else None}
    if not softmax:
        out["single"] = [show(m.coefficients), show(m.intercept)]
    return out


def failure(e):
    text = str(e).split("\n")[0].split(" SQLSTATE")[0]
    for cut in ("LogisticRegression_", "LogisticRegressionModel_"):
        if cut in text:
            text = text.split(cut)[0]
    return ["error", type(e).__name__, getattr(e, "getCondition", lambda: None)(), text]


def cases(spark, _):
    out = {}
    for name, (rows, schema, params) in CASES.items():
        try:
            out[name] = case(spark, rows, schema, params)
        except Exception as e:  # what it is, is the answer
            out[name] = failure(e)
    return out


def save(spark, folder):
    df = spark.createDataFrame([(y, V.dense(list(x) + [0.0] * 6)) for y, x in LOANS], TWO)
    estimators = {"two": LogisticRegression(maxIter=4, regParam=0.2, elasticNetParam=1.0, threshold=0.4),
                  "softmax": LogisticRegression(maxIter=3, family="multinomial", thresholds=[0.3, 0.7])}
    for name, e in estimators.items():
        e.fit(df).write().overwrite().save(f"{folder}/{name}")
        e.write().overwrite().save(f"{folder}/{name}-estimator")
    return load(spark, folder)


def load(spark, folder):
    out = {}
    df = spark.createDataFrame([(V.dense(list(x) + [0.0] * 6),) for _, x in LOANS], StructType([StructField("features", VectorUDT())]))
    for name in ("two", "softmax"):
        m = LogisticRegressionModel.load(f"{folder}/{name}")
        e = LogisticRegression.load(f"{folder}/{name}-estimator")
        out[name] = [show(m.coefficientMatrix), show(m.interceptVector), m.numClasses, m.hasSummary, m.getMaxIter(), m.getFamily(),
                     show([tuple(r) for r in m.transform(df).collect()]), e.getMaxIter(), e.getRegParam(), e.getFamily()]
    return out


if __name__ == "__main__":
    session = sessions.connect(sys.argv[3]) if len(sys.argv) > 3 else sessions.classic()
    print(json.dumps({"cases": cases, "save": save, "load": load}[sys.argv[1]](session, sys.argv[2]), indent=1, sort_keys=True))
    sessions.leave()
