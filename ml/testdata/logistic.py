"""Fits logistic regressions on data/lending_club.csv with Spark and writes what came out to logistic.json.

    python ml/testdata/logistic.py sc://HOST:PORT > ml/testdata/logistic.json

The server must be Spark itself, run where it can read this repository's files. The features are plain columns, so that a test can make
them again: NUMBERS as they are, then 0 or 1 for each of FLAGS, then a column that is always 3.
"""
import json
import os
import sys

from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession, functions as F

HERE = os.path.dirname(os.path.abspath(__file__))
CSV = os.path.normpath(os.path.join(HERE, "..", "..", "data", "lending_club.csv"))
NUMBERS = ["funded_amnt", "int_rate", "annual_inc", "delinq_2yrs", "inq_last_6mths", "revol_util", "acc_now_delinq", "open_il_6m",
           "open_il_12m", "open_il_24m", "total_bal_il", "all_util", "inq_fi", "inq_last_12m", "delinq_amnt", "num_il_tl",
           "total_il_high_credit_limit"]
FLAGS = [("term", "term_60"), ("sub_grade", "A1"), ("sub_grade", "C4"), ("emp_length", "emp_ge_10"),
         ("addr_state", "CA"), ("addr_state", "NY"), ("addr_state", "TX")]
CASES = {
    "article": dict(maxIter=10, regParam=0.1, elasticNetParam=0.5),
    "article-weak": dict(maxIter=10, regParam=0.01, elasticNetParam=0.5),
    "plain": dict(),
    "plain-10": dict(maxIter=10),
    "ridge": dict(maxIter=10, regParam=0.1),
    "ridge-weak": dict(maxIter=10, regParam=0.01),
    "ridge-raw": dict(maxIter=20, regParam=0.1, standardization=False),
    "lasso": dict(maxIter=10, regParam=0.01, elasticNetParam=1.0),
    "lasso-strong": dict(maxIter=10, regParam=0.1, elasticNetParam=1.0),
    "net-raw": dict(maxIter=10, regParam=0.01, elasticNetParam=0.5, standardization=False),
    "net-no-intercept": dict(maxIter=10, regParam=0.01, elasticNetParam=0.5, fitIntercept=False),
    "no-intercept": dict(maxIter=15, fitIntercept=False),
    "weights": dict(maxIter=10, regParam=0.01, elasticNetParam=0.5, weightCol="weight"),
    "weights-plain": dict(maxIter=30, weightCol="weight"),
    "one-step": dict(maxIter=1, regParam=0.01, elasticNetParam=0.5),
    "no-step": dict(maxIter=0),
    "long": dict(maxIter=100, regParam=0.01, elasticNetParam=0.5),
    "two-classes-softmax": dict(maxIter=10, regParam=0.01, family="multinomial"),
    "three-classes": dict(maxIter=10, labelCol="status"),
    "three-classes-net": dict(maxIter=10, labelCol="status", regParam=0.01, elasticNetParam=0.5),
    "three-classes-raw": dict(maxIter=10, labelCol="status", regParam=0.05, standardization=False, fitIntercept=False),
}


def loans(spark):
    df = spark.read.csv("file://" + CSV, header=True, inferSchema=True)
    flags = [F.when(F.col(c) == v, 1.0).otherwise(0.0).alias(f"{c}_{v}") for c, v in FLAGS]
    df = df.select("*", *flags, F.lit(3.0).alias("three"),
                   F.when(F.col("Class") == "bad", 1.0).otherwise(0.0).alias("label"),
                   F.when(F.col("verification_status") == "Verified", 2.0).when(F.col("verification_status") == "Source_Verified", 1.0)
                   .otherwise(0.0).alias("status"),
                   (F.col("inq_last_6mths") % 3).cast("double").alias("weight"))
    inputs = NUMBERS + [f"{c}_{v}" for c, v in FLAGS] + ["three"]
    return VectorAssembler(inputCols=inputs, outputCol="features").transform(df).cache()


def main():
    spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
    df = loans(spark)
    out = {"numbers": NUMBERS, "flags": FLAGS, "rows": df.count(), "cases": []}
    for name, params in CASES.items():
        m = LogisticRegression(**params).fit(df)
        case = {"name": name, "params": params, "numClasses": m.numClasses, "coefficients": m.coefficientMatrix.toArray().tolist(),
                "intercepts": m.interceptVector.toArray().tolist(), "history": list(m.summary.objectiveHistory),
                "iterations": m.summary.totalIterations, "accuracy": m.summary.accuracy}
        if m.numClasses == 2:
            case["areaUnderROC"] = m.summary.areaUnderROC
        rows = m.transform(df.limit(3)).select("rawPrediction", "probability", "prediction").collect()
        case["predictions"] = [[r[0].toArray().tolist(), r[1].toArray().tolist(), r[2]] for r in rows]
        out["cases"].append(case)
    json.dump(out, sys.stdout, indent=1)
    spark.stop()


main()
