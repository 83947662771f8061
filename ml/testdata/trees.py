"""Fits gradient-boosted trees on data/lending_club.csv with Spark and writes what came out to trees.json.

    python ml/testdata/trees.py sc://HOST:PORT > ml/testdata/trees.json

The server must be Spark itself, run where it can read this repository's files and where this program can read its own. The features are
NUMBERS as they are, then the place of emp_length in its labels (a nominal attribute), then one-hot vectors of ONE_HOT (binary ones). All
rows are in one partition, so that sums do not depend on the order of partitions.
"""
import glob
import json
import os
import sys
import tempfile

import pyarrow.parquet as pq
from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier
from pyspark.ml.feature import OneHotEncoder, StringIndexer, VectorAssembler
from pyspark.sql import SparkSession, functions as F

HERE = os.path.dirname(os.path.abspath(__file__))
CSV = os.path.normpath(os.path.join(HERE, "..", "..", "data", "lending_club.csv"))
NUMBERS = ["funded_amnt", "int_rate", "annual_inc", "delinq_2yrs", "inq_last_6mths", "revol_util", "open_il_6m", "total_bal_il", "all_util", "inq_fi"]
ONE_HOT = ["term", "verification_status", "addr_state"]
CASES = {
    "plain": dict(maxIter=5, maxDepth=4, seed=42),
    "article": dict(maxIter=20, maxDepth=4, seed=42),
    "deep": dict(maxIter=3, maxDepth=7, seed=42, maxBins=20, stepSize=0.3),
    "limits": dict(maxIter=4, maxDepth=5, seed=42, minInstancesPerNode=40, minInfoGain=0.004, minWeightFractionPerNode=0.01),
    "weights": dict(maxIter=4, maxDepth=4, seed=42, weightCol="weight"),
    "stump": dict(maxIter=2, maxDepth=0, seed=42),
}


def loans(spark):
    df = spark.read.csv("file://" + CSV, header=True, inferSchema=True).coalesce(1)
    df = df.withColumn("label", F.when(F.col("Class") == "bad", 1.0).otherwise(0.0))
    df = df.withColumn("weight", (F.col("inq_last_6mths") % 3).cast("double") + 0.5)
    names = ONE_HOT + ["emp_length"]
    index = StringIndexer(inputCols=names, outputCols=[c + "_index" for c in names])
    encode = OneHotEncoder(inputCols=[c + "_index" for c in ONE_HOT], outputCols=[c + "_vector" for c in ONE_HOT])
    assemble = VectorAssembler(inputCols=NUMBERS + ["emp_length_index"] + [c + "_vector" for c in ONE_HOT], outputCol="features")
    made = Pipeline(stages=[index, encode, assemble]).fit(df)
    labels = {name: list(of) for name, of in zip(names, made.stages[0].labelsArray)}
    return made.transform(df).cache(), labels


def rows(folder, part):
    return [row for f in sorted(glob.glob(os.path.join(folder, part, "*.parquet"))) for row in pq.read_table(f).to_pylist()]


def describe(model, df, scratch):
    """The model's trees as they are saved: for each a list of nodes in preorder."""
    folder = os.path.join(scratch, model.uid)
    model.write().overwrite().save(folder)
    trees = [[] for _ in model.trees]
    for row in sorted(rows(folder, "data"), key=lambda r: (r["treeID"], r["nodeData"]["id"])):
        n = row["nodeData"]
        trees[row["treeID"]].append([n["prediction"], n["impurity"], n["impurityStats"], n["rawCount"], n["gain"], n["leftChild"], n["rightChild"],
                                     n["split"]["featureIndex"], n["split"]["leftCategoriesOrThreshold"], n["split"]["numCategories"]])
    some = model.transform(df.limit(20)).select("rawPrediction", "probability", "prediction").collect()
    return {"trees": trees, "weights": model.treeWeights, "importances": model.featureImportances.toArray().tolist(),
            "totalNumNodes": model.totalNumNodes, "errors": model.evaluateEachIteration(df),
            "predictions": [[r[0].toArray().tolist(), r[1].toArray().tolist(), r[2]] for r in some]}


def main():
    spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
    df, labels = loans(spark)
    out = {"numbers": NUMBERS, "oneHot": ONE_HOT, "labels": labels, "rows": df.count(), "cases": []}
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o777)
        for name, params in CASES.items():
            model = GBTClassifier(**params).fit(df)
            out["cases"].append({"name": name, "params": params, **describe(model, df, scratch)})
            if name == "plain":
                out["debug"] = model.toDebugString
    json.dump(out, sys.stdout, separators=(",", ":"))
    print()
    spark.stop()


main()
