"""ml.py (--connect REMOTE | --spark) LOANS DIR OWN [OTHER]: fits and applies Spark ML's feature classes to real loans and evaluates scores.
What comes out is printed as one line of JSON. Fitted models are saved under DIR/OWN; those under DIR/OTHER are loaded and applied."""
import json
import sys

import sessions
from pyspark.ml import Pipeline
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator, RegressionEvaluator
from pyspark.ml.feature import (
    Binarizer, Bucketizer, Imputer, ImputerModel, IndexToString, MaxAbsScaler, MaxAbsScalerModel, MinMaxScaler, MinMaxScalerModel, Normalizer,
    OneHotEncoder, OneHotEncoderModel, PolynomialExpansion, QuantileDiscretizer, SQLTransformer, StandardScaler, StandardScalerModel,
    StringIndexer, StringIndexerModel, VectorAssembler)
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.linalg import SparseVector
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import functions as F

WORDS = ["term", "sub_grade", "addr_state", "verification_status", "emp_length"]
NUMBERS = ["funded_amnt", "int_rate", "annual_inc", "delinq_2yrs", "inq_last_6mths", "revol_util", "open_il_6m", "total_bal_il", "all_util"]


def plain(v):
    """A value as JSON has it. Vectors show their form and all of their values."""
    if hasattr(v, "toArray"):
        return ["sparse" if isinstance(v, SparseVector) else "dense", [repr(float(x)) if x != x else float(x) for x in v.toArray()]]
    if isinstance(v, float) and v != v:
        return "NaN"
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return v


def rows(df, *columns):
    out = df.orderBy("id").select(*columns).limit(60).collect()
    return [[plain(v) for v in r] for r in out]


def metadata(df, column):
    return df.schema[column].metadata.get("ml_attr", {})


def loans(s, path):
    df = s.read.option("header", True).option("inferSchema", True).csv(path).coalesce(1)
    df = df.withColumn("id", F.monotonically_increasing_id())
    return df.withColumn("gap", F.when(F.col("id") % 7 == 0, F.lit(None)).when(F.col("id") % 11 == 0, F.lit(float("nan"))).otherwise(F.col("int_rate")))


def pipeline(df):
    index = StringIndexer(inputCols=WORDS + ["Class"], outputCols=[c + "_i" for c in WORDS] + ["label"], handleInvalid="keep")
    encode = OneHotEncoder(inputCols=[c + "_i" for c in WORDS], outputCols=[c + "_o" for c in WORDS])
    assemble = VectorAssembler(inputCols=[c + "_o" for c in WORDS] + NUMBERS, outputCol="raw")
    scale = StandardScaler(inputCol="raw", outputCol="features", withMean=True)
    return Pipeline(stages=[index, encode, assemble, scale]).fit(df)


def estimators():
    return {
        "minmax": (MinMaxScaler(inputCol="raw", outputCol="o", min=-1.0), MinMaxScalerModel),
        "maxabs": (MaxAbsScaler(inputCol="raw", outputCol="o"), MaxAbsScalerModel),
        "imputer": (Imputer(inputCols=["gap", "annual_inc"], outputCols=["o", "p"], missingValue=float("nan")), ImputerModel),
        "imputer median": (Imputer(inputCol="gap", outputCol="o", strategy="median", relativeError=0.0), ImputerModel),
        "imputer mode": (Imputer(inputCol="gap", outputCol="o", strategy="mode"), ImputerModel)}


def transformers():
    inf = float("inf")
    return {
        "labels": IndexToString(inputCol="label", outputCol="o"),
        "normalizer": Normalizer(inputCol="raw", outputCol="o", p=1.0),
        "binarizer": Binarizer(inputCol="int_rate", outputCol="o", threshold=12.5),
        "binarizer vector": Binarizer(inputCol="raw", outputCol="o", threshold=0.5),
        "bucketizer": Bucketizer(inputCol="gap", outputCol="o", splits=[-inf, 8.0, 15.0, inf], handleInvalid="keep"),
        "polynomial": PolynomialExpansion(inputCol="term_o", outputCol="o", degree=3),
        "sql": SQLTransformer(statement="SELECT *, int_rate * 2 AS o FROM __THIS__ WHERE int_rate > 10")}


def features(df, out, answers, own):
    fitted = {}
    for name, (estimator, _) in estimators().items():
        fitted[name] = estimator.fit(out)
        fitted[name].write().overwrite().save(own + "/" + name.replace(" ", "_"))
        answers[name] = rows(fitted[name].transform(out), "o")
    for name, t in transformers().items():
        t.write().overwrite().save(own + "/" + name.replace(" ", "_"))
        again = type(t).load(own + "/" + name.replace(" ", "_"))
        got = again.transform(out)
        answers[name] = [rows(got, "o"), metadata(got, "o") if name != "sql" else None]
    splits = QuantileDiscretizer(inputCol="gap", outputCol="o", numBuckets=4, relativeError=0.0, handleInvalid="skip").fit(df)
    answers["quantiles"] = [str(x) for x in splits.getSplits()]
    arrays = out.select("id", vector_to_array("raw").alias("a"), vector_to_array("raw", "float32").alias("f"))
    answers["arrays"] = rows(arrays.select("id", "a", "f", array_to_vector("a").alias("v")), "a", "f", "v")


def evaluations(out):
    scored = out.withColumn("score", F.col("int_rate").cast("double")).withColumn("prediction", (F.col("int_rate") > 15).cast("double"))
    binary = lambda **k: BinaryClassificationEvaluator(**{**dict(rawPredictionCol="score"), **k}).evaluate(scored)
    answers = {"roc": binary(), "pr": binary(metricName="areaUnderPR"), "every score": binary(numBins=0), "by income": binary(rawPredictionCol="income"),
               "weighted": binary(weightCol="funded_amnt")}
    for m in ["f1", "accuracy", "weightedPrecision", "weightedRecall", "weightedFalsePositiveRate", "fMeasureByLabel", "hammingLoss"]:
        answers[m] = MulticlassClassificationEvaluator(metricName=m).evaluate(scored)
    for m in ["rmse", "mse", "r2", "mae", "var"]:
        answers[m] = RegressionEvaluator(metricName=m, weightCol="int_rate").evaluate(scored)
    return answers


def validation(out):
    """Cross-validation over given folds: the metric does not hang on the model, so that it is the same wherever rows lie."""
    scaler = StandardScaler(inputCol="raw", outputCol="scaled")
    grid = ParamGridBuilder().addGrid(scaler.withMean, [False, True]).build()
    judge = BinaryClassificationEvaluator(rawPredictionCol="income")
    folded = out.withColumn("fold", (F.col("id") % 3).cast("int"))
    model = CrossValidator(estimator=scaler, estimatorParamMaps=grid, evaluator=judge, numFolds=3, foldCol="fold").fit(folded)
    return list(model.avgMetrics)


def errors(s, out):
    cases = {
        "unseen": lambda: StringIndexer(inputCol="term", outputCol="o").fit(out.where("term = 'term_36'")).transform(out).collect(),
        "null": lambda: VectorAssembler(inputCols=["gap"], outputCol="o").transform(out).collect(),
        "no column": lambda: VectorAssembler(inputCols=["nope"], outputCol="o").transform(out).collect(),
        "text": lambda: VectorAssembler(inputCols=["term"], outputCol="o").transform(out).collect(),
        "again": lambda: StringIndexer(inputCol="term", outputCol="term_i").fit(out),
        "parameter": lambda: StringIndexer(inputCol="term", outputCol="o", handleInvalid="never").fit(out),
        "no rows": lambda: StandardScaler(inputCol="raw", outputCol="o").fit(out.limit(0)),
        "no vector": lambda: StandardScaler(inputCol="int_rate", outputCol="o").fit(out)}
    return {name: raised(f) for name, f in cases.items()}


def raised(f):
    try:
        f()
    except Exception as e:
        name = type(e).__name__
        return "SparkException" if name == "Py4JJavaError" else name  # a failed job, as a client in the JVM's own process sees it
    return "nothing"


def main():
    engine, rest = sys.argv[1], sys.argv[2:]
    s = sessions.connect(rest.pop(0)) if engine == "--connect" else sessions.classic()
    path, folder, own, *other = rest
    df = loans(s, path)
    model = pipeline(df)
    out = model.transform(df).withColumn("income", F.col("annual_inc").cast("double"))
    answers = {"labels of words": model.stages[0].labelsArray, "sizes": model.stages[1].categorySizes, "mean": plain(model.stages[3].mean),
               "std": plain(model.stages[3].std), "rows": rows(out, "label", "addr_state_o", "raw", "features"),
               "metadata": [metadata(out, c) for c in ["label", "term_i", "term_o", "raw", "features"]]}
    own = folder + "/" + own
    classes = [StringIndexerModel, OneHotEncoderModel, VectorAssembler, StandardScalerModel]
    for i, stage in enumerate(model.stages):
        stage.write().overwrite().save(f"{own}/stage{i}")
    features(df, out, answers, own)
    answers["evaluations"] = evaluations(out)
    answers["folds"] = validation(out)
    answers["errors"] = errors(s, out)
    for o in other:
        loaded = df
        for i, k in enumerate(classes):
            loaded = k.load(f"{folder}/{o}/stage{i}").transform(loaded)
        answers["rows of the other's"] = rows(loaded, "label", "addr_state_o", "raw", "features")
        for name, (_, k) in estimators().items():
            answers[name + " of the other's"] = rows(k.load(f"{folder}/{o}/{name.replace(' ', '_')}").transform(out), "o")
        for name, t in transformers().items():
            answers[name + " of the other's"] = rows(type(t).load(f"{folder}/{o}/{name.replace(' ', '_')}").transform(out), "o")
    print("answers " + json.dumps(answers), flush=True)
    sessions.leave()


main()
