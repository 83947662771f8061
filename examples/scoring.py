"""Score rows with a pipeline that pyspark.ml saved, without a cluster: numpy, pandas and pyarrow are enough.

    model = Pipeline(folder)           # what PipelineModel.write().save(folder) has made
    model.predict(pandas_rows)         # a frame of the columns probability (of class 1) and prediction

Classes: StringIndexerModel, OneHotEncoderModel, VectorAssembler, StandardScalerModel, LogisticRegressionModel (two classes),
GBTClassificationModel.
"""
import glob
import json
import os

import numpy as np
import pandas as pd
import pyarrow.parquet as pq


class Stage:
    """One saved stage: its parameters, and its data as a list of rows."""

    def __init__(self, folder):
        self.folder = folder
        [text] = glob.glob(os.path.join(folder, "metadata", "part-*"))
        with open(text, encoding="utf-8") as f:
            self.meta = json.load(f)
        self.name = self.meta["class"].rsplit(".", 1)[-1]
        self.params = {**self.meta["defaultParamMap"], **self.meta["paramMap"]}

    def rows(self, part="data"):
        files = sorted(glob.glob(os.path.join(self.folder, part, "*.parquet")))
        return [row for f in files for row in pq.read_table(f).to_pylist()]

    def columns(self):
        """The names of what the stage reads and of what it makes."""
        p = self.params
        return p.get("inputCols") or [p["inputCol"]], p.get("outputCols") or [p["outputCol"]]


def vector(v):
    """A dense array of a saved vector."""
    if v["type"] == 1:
        return np.array(v["values"])
    out = np.zeros(v["size"])
    out[v["indices"]] = v["values"]
    return out


def matrix(m):
    """A dense array of a saved matrix."""
    lines = (m["numRows"], m["numCols"]) if m["isTransposed"] else (m["numCols"], m["numRows"])
    if m["type"] == 1:
        out = np.array(m["values"]).reshape(lines)
    else:
        out = np.zeros(lines)
        for line, (lo, hi) in enumerate(zip(m["colPtrs"], m["colPtrs"][1:])):
            out[line, m["rowIndices"][lo:hi]] = m["values"][lo:hi]
    return out if m["isTransposed"] else out.T


class Pipeline:
    """A saved PipelineModel."""

    def __init__(self, folder):
        stages = glob.glob(os.path.join(folder, "stages", "*"))
        self.stages = [Stage(s) for s in sorted(stages, key=lambda s: int(os.path.basename(s).split("_")[0]))]
        unknown = sorted({s.name for s in self.stages} - set(STEPS))
        if unknown:
            raise ValueError(f"{folder} has stages that cannot be scored here: {', '.join(unknown)}")

    def predict(self, rows):
        columns = {name: rows[name].to_numpy() for name in rows.columns}
        for stage in self.stages:
            STEPS[stage.name](stage, columns)
        return pd.DataFrame({"probability": columns["probability"], "prediction": columns["prediction"]}, index=rows.index)


def index(stage, columns):
    """Labels to their places; unknown ones come last where handleInvalid is keep."""
    ins, outs = stage.columns()
    [data] = stage.rows()
    for name, out, labels in zip(ins, outs, data["labelsArray"]):
        place = {label: float(i) for i, label in enumerate(labels)}
        found = np.array([place.get(None if v is None else str(v), np.nan) for v in columns[name]])
        if np.isnan(found).any():
            if stage.params["handleInvalid"] != "keep":
                raise ValueError(f"column {name} has labels that were not seen in training")
            found = np.where(np.isnan(found), len(labels), found)
        columns[out] = found


def encode(stage, columns):
    ins, outs = stage.columns()
    [data] = stage.rows()
    for name, out, size in zip(ins, outs, data["categorySizes"]):
        columns[out] = np.eye(size)[:, : size - 1 if stage.params["dropLast"] else size][columns[name].astype(int)]


def assemble(stage, columns):
    ins, [out] = stage.columns()
    parts = [np.asarray(columns[name], float) for name in ins]
    columns[out] = np.column_stack(parts)
    if np.isnan(columns[out]).any():
        raise ValueError("a feature is null or NaN")


def scale(stage, columns):
    [name], [out] = stage.columns()
    [data] = stage.rows()
    x = columns[name]
    if stage.params["withMean"]:
        x = x - vector(data["mean"])
    if stage.params["withStd"]:
        std = vector(data["std"])
        x = x * np.divide(1.0, std, out=np.zeros_like(std), where=std != 0)
    columns[out] = x


def logistic(stage, columns):
    [data] = stage.rows()
    if data["isMultinomial"]:
        raise ValueError("a multinomial logistic regression cannot be scored here")
    margin = columns[stage.params["featuresCol"]] @ matrix(data["coefficientMatrix"])[0] + vector(data["interceptVector"])[0]
    columns["probability"] = 1 / (1 + np.exp(-margin))
    columns["prediction"] = (columns["probability"] > stage.params["threshold"]).astype(float)


def boosted(stage, columns):
    """The weighted sum of the trees' predictions is half of the log-odds."""
    x = columns[stage.params["featuresCol"]]
    weights = {row["_1"]: row["_3"] for row in stage.rows("treesMetadata")}
    trees = {}
    for row in stage.rows():
        trees.setdefault(row["treeID"], {})[row["nodeData"]["id"]] = row["nodeData"]
    margin = np.zeros(len(x))
    for tree, nodes in sorted(trees.items()):
        descend(nodes, 0, x, np.arange(len(x)), margin, weights[tree])
    columns["probability"] = 1 / (1 + np.exp(-2 * margin))
    columns["prediction"] = (margin > 0).astype(float)


def descend(nodes, at, x, members, margin, weight):
    """Adds the predictions of a tree for the rows that have come to a node."""
    node = nodes[at]
    if node["leftChild"] < 0:
        margin[members] += weight * node["prediction"]
        return
    split = node["split"]
    values = x[members, split["featureIndex"]]
    if split["numCategories"] < 0:
        left = values <= split["leftCategoriesOrThreshold"][0]
    else:
        left = np.isin(values, split["leftCategoriesOrThreshold"])
    descend(nodes, node["leftChild"], x, members[left], margin, weight)
    descend(nodes, node["rightChild"], x, members[~left], margin, weight)


STEPS = {"StringIndexerModel": index, "OneHotEncoderModel": encode, "VectorAssembler": assemble, "StandardScalerModel": scale,
         "LogisticRegressionModel": logistic, "GBTClassificationModel": boosted}
