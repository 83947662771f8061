"""The models: who will not pay back? A cross-validated logistic regression, gradient-boosted trees beside it, the better one chosen.

Everything that was tried is noted in a Journal (tracking.py), which brings it to MLflow.
"""
import os

import numpy as np
import pyspark
from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier, LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import OneHotEncoder, StandardScaler, StringIndexer, VectorAssembler
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import functions as F

from story import must

CATEGORIES = ["term", "verification_status", "emp_length", "addr_state"]
NUMBERS = ["funded_amnt", "int_rate", "annual_inc", "delinq_2yrs", "inq_last_6mths", "revol_util", "open_il_6m", "total_bal_il", "all_util", "inq_fi"]
FOLDS = 5
# Older clients check the column of folds by a function in Python, which not every engine runs.
FOLDED = {"foldCol": "fold"} if pyspark.__version__ >= "4.1" else {"seed": 42}


class Noted(BinaryClassificationEvaluator):
    """An evaluator that remembers what it found, in the order in which a cross-validation asks: fold by fold, each with all parameters."""

    def evaluate(self, dataset, params=None):
        value = super().evaluate(dataset, params)
        self.found.append(value)
        return value


class Models:
    """The chapter's steps over one clean table."""

    def __init__(self, lake, silver, journal, split=None):
        self.lake, self.silver, self.journal = lake, silver, journal
        self.split_of = split or lake  # the lake that has the loans to train on and to judge by
        self.spark, self.story = lake.spark, lake.story
        self.auc = BinaryClassificationEvaluator()
        self.published = "not asked for"

    def tell(self):
        """All steps of the chapter, in one run of the journal."""
        with self.journal.run("loan default") as self.run:
            if self.split_of is self.lake:
                self.story.step("label, split 80:20, one fold number for each loan -> Gold tables", self.split)
            self.story.step("the loans to train on and to judge by are kept in memory", self.load)
            self.story.step(f"CrossValidator: {FOLDS} folds x 2 of LogisticRegression", self.regression)
            self.story.step("the best one's ROC", self.curve)
            self.story.step("GBTClassifier on the same loans", self.trees)
            self.story.step("the better by AUC predicts; dollars by label and prediction", self.predict)
            self.story.step("the model is saved and scores the same elsewhere", self.save)

    def split(self):
        loans = self.lake.read(self.silver).na.drop(subset=NUMBERS + CATEGORIES)
        loans = loans.withColumn("label", F.col("bad_loan").cast("double"))
        loans = loans.withColumn("fold", F.pmod(F.hash(*NUMBERS, *CATEGORIES), F.lit(FOLDS)))
        train, valid = loans.randomSplit([0.8, 0.2], seed=42)
        self.lake.save(train, "gold_train")
        self.lake.save(valid, "gold_valid")
        return f"{len(loans.columns)} columns"

    def load(self):
        lake = self.split_of
        self.train, self.valid = lake.read("gold_train").cache(), lake.read("gold_valid").cache()
        counts = [f.count() for f in (self.train, self.valid)]
        version = lake.version("gold_train")
        self.run.params(train=counts[0], valid=counts[1], delta_table=lake.path("gold_train"), delta_version=version)
        return f"{counts[0]:,} to train on (version {version} of gold_train), {counts[1]:,} to judge by"

    def features(self):
        index = StringIndexer(inputCols=CATEGORIES, outputCols=[c + "_index" for c in CATEGORIES], handleInvalid="keep")
        encode = OneHotEncoder(inputCols=[c + "_index" for c in CATEGORIES], outputCols=[c + "_vector" for c in CATEGORIES])
        assemble = VectorAssembler(inputCols=NUMBERS + [c + "_vector" for c in CATEGORIES], outputCol="features")
        return [index, encode, assemble]

    def regression(self):
        scaler = StandardScaler(inputCol="features", outputCol="scaledFeatures")
        lr = LogisticRegression(maxIter=10, elasticNetParam=0.5, featuresCol="scaledFeatures")
        grid = ParamGridBuilder().addGrid(lr.regParam, [0.1, 0.01]).build()
        noted = Noted()
        noted.found = []
        search = CrossValidator(estimator=Pipeline(stages=self.features() + [scaler, lr]), estimatorParamMaps=grid, evaluator=noted,
                                numFolds=FOLDS, **FOLDED)
        fitted = search.fit(self.train)
        self.glm, lr = fitted.bestModel, fitted.bestModel.stages[-1]
        found = np.reshape(noted.found, (FOLDS, len(grid)))
        self.note_grid(grid, found)
        self.scores = {"glm": self.auc.evaluate(self.glm.transform(self.valid))}
        self.coefficients, self.intercept = lr.coefficients.toArray().tolist(), lr.intercept
        self.averages = [float(v) for v in fitted.avgMetrics]
        return (f"AUC {', '.join(f'{v:.4f}' for v in fitted.avgMetrics)}; on loans that it has not seen {self.scores['glm']:.4f}; "
                f"{np.count_nonzero(self.coefficients)} of {len(self.coefficients)} coefficients are not 0")

    def note_grid(self, grid, found):
        """A nested run for each point of the grid and fold."""
        for k, point in enumerate(grid):
            values = {p.name: v for p, v in point.items()}
            for fold in range(FOLDS):
                with self.journal.run(f"{', '.join(f'{n}={v}' for n, v in values.items())}, fold {fold}", parent=self.run) as nested:
                    nested.params(model="LogisticRegression", fold=fold, maxIter=10, elasticNetParam=0.5, **values)
                    nested.metrics(auc=found[fold][k])

    def curve(self):
        summary = self.glm.stages[-1].summary
        roc = summary.roc.toPandas()
        must(roc.iloc[0].tolist() == [0, 0] and roc.iloc[-1].tolist() == [1, 1], "the ROC does not go from (0, 0) to (1, 1)")
        area = float(np.trapezoid(roc["TPR"], roc["FPR"]))
        must(abs(area - summary.areaUnderROC) < 1e-3, f"the area under the ROC is {area} and the summary says {summary.areaUnderROC}")
        self.train_auc = summary.areaUnderROC
        self.run.metrics(glm_train_auc=summary.areaUnderROC, glm_valid_auc=self.scores["glm"])
        self.run.figure(draw_roc(roc, summary.areaUnderROC), "roc.png")
        return f"{len(roc)} points, area {summary.areaUnderROC:.4f} in training"

    def trees(self):
        gbt = GBTClassifier(featuresCol="features", maxIter=20, maxDepth=4, seed=42)
        self.gbt = Pipeline(stages=self.features() + [gbt]).fit(self.train)
        self.scores["gbt"] = self.auc.evaluate(self.gbt.transform(self.valid))
        self.run.metrics(gbt_valid_auc=self.scores["gbt"])
        heavy = np.argsort(-self.gbt.stages[-1].featureImportances.toArray())[:2]
        return f"AUC {self.scores['gbt']:.4f}; most important: features {', '.join(map(str, heavy))}"

    def predict(self):
        self.best = max(self.scores, key=self.scores.get)
        model = {"glm": self.glm, "gbt": self.gbt}[self.best]
        self.predicted = model.transform(self.valid)
        money = self.predicted.groupBy("label", "prediction").agg(F.sum("net").alias("sum_net")).orderBy("label", "prediction").toPandas()
        self.money = money.values.tolist()
        self.run.tags(best=self.best)
        self.run.table(money, "dollars.csv")
        self.run.figure(draw_money(money), "dollars.png")
        return f"{self.best}; " + ", ".join(f"{label:.0f} as {guess:.0f}: ${net:,.0f}" for label, guess, net in self.money)

    def save(self):
        """The saved model, read without any cluster, gives the same probabilities."""
        import scoring
        folder = self.lake.path("models/" + self.best)
        {"glm": self.glm, "gbt": self.gbt}[self.best].write().overwrite().save(folder)
        rows = self.predicted.select(*CATEGORIES, *NUMBERS, "probability", "prediction").toPandas()
        raw = rows[CATEGORIES + NUMBERS].astype(dict.fromkeys(NUMBERS, float))
        here = scoring.Pipeline(folder).predict(raw)
        worst = float(np.abs(here["probability"] - rows["probability"].map(lambda v: v[1])).max())
        must(worst < 1e-9 and (here["prediction"] == rows["prediction"]).all(), f"the saved model predicts otherwise, by up to {worst}")
        self.run.model(folder, raw.head(100), rows["probability"].head(100).map(lambda v: float(v[1])).tolist())
        self.expected = here.head(100)
        return f"{os.path.relpath(folder, self.lake.folder)}; {len(rows):,} loans scored without a cluster, largest difference {worst:.0e}"

    def publish(self, server, patience=0):
        """Sends the journal to MLflow, loads the model from there and has it predict again."""
        ids = self.journal.send(server, patience)
        self.published = f"{len(ids)} runs" if ids else "it did not answer; the runs are kept"
        if ids is None:
            return self.published
        import mlflow
        import pandas as pd
        run = ids[self.run.note["key"]]
        loaded = mlflow.pyfunc.load_model(f"runs:/{run}/model")
        example = pd.read_parquet(os.path.join(self.run.folder, "example.parquet"))
        must(np.allclose(loaded.predict(example)["probability"], self.expected["probability"], rtol=0, atol=1e-12),
             "the model that MLflow gave back predicts otherwise")
        client = mlflow.MlflowClient()
        nested = client.search_runs([client.get_run(run).info.experiment_id], f"tags.`mlflow.parentRunId` = '{run}'")
        files = [f.path for f in client.list_artifacts(run)]
        must(len(nested) == 2 * FOLDS and {"roc.png", "dollars.png"} <= set(files), f"MLflow has {len(nested)} nested runs and {files}")
        return f"run {run}, {len(nested)} nested runs, {', '.join(files)}; the loaded model predicts the same"


def axes(title, x, y):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib.figure import Figure
    figure = Figure(figsize=(5, 4))
    a = figure.add_subplot()
    a.set(title=title, xlabel=x, ylabel=y)
    a.spines[["top", "right"]].set_visible(False)
    return figure, a


def draw_roc(roc, area):
    figure, a = axes(f"ROC, area {area:.3f}", "false positive rate", "true positive rate")
    a.plot(roc["FPR"], roc["TPR"], color="#1f6f8b")
    a.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1, linestyle="--")
    return figure


def draw_money(money):
    figure, a = axes("net dollars by label and prediction", "", "dollars")
    names = [f"{'bad' if label else 'good'}\nas {'bad' if guess else 'good'}" for label, guess in zip(money["label"], money["prediction"])]
    a.bar(names, money["sum_net"], color=["#1f6f8b" if v >= 0 else "#c0504d" for v in money["sum_net"]])
    return figure
