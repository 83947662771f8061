"""Checks by MLflow's own API what a server has of a scenario's runs: tracked.py URL FOLDER_OF_THE_JOURNAL"""
import json
import os
import sys
import tempfile

import mlflow
import pandas as pd

server, journal = sys.argv[1:]
mlflow.set_tracking_uri(server)
client = mlflow.MlflowClient()
runs = mlflow.search_runs(experiment_names=["lending club"], output_format="list")
tops = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
assert len(tops) == 1, f"{len(tops)} runs without a parent"
[top] = tops
nested = [r for r in runs if r.data.tags.get("mlflow.parentRunId") == top.info.run_id]
assert len(nested) == 10 and len(runs) == 11, f"{len(nested)} nested runs of {len(runs)}"
assert {(r.data.params["regParam"], r.data.params["fold"]) for r in nested} == {(p, str(f)) for p in ("0.1", "0.01") for f in range(5)}
assert all(0.4 < r.data.metrics["auc"] < 1 for r in nested)
assert {"glm_valid_auc", "gbt_valid_auc", "glm_train_auc"} <= set(top.data.metrics), top.data.metrics
assert top.data.params["delta_version"] == "0" and top.data.params["delta_table"].endswith("gold_train"), top.data.params
assert all(r.info.status == "FINISHED" for r in runs)
with tempfile.TemporaryDirectory() as folder:
    for name in ("roc.png", "dollars.png"):
        with open(client.download_artifacts(top.info.run_id, name, folder), "rb") as f:
            assert f.read(8) == b"\x89PNG\r\n\x1a\n", name
[key] = [k for k in os.listdir(journal) if os.path.exists(os.path.join(journal, k, "example.parquet"))]
example = pd.read_parquet(os.path.join(journal, key, "example.parquet"))
with open(os.path.join(journal, key, "expected.json"), encoding="utf-8") as f:
    expected = json.load(f)
got = mlflow.pyfunc.load_model(f"runs:/{top.info.run_id}/model").predict(example)["probability"].tolist()
assert max(abs(a - b) for a, b in zip(got, expected, strict=True)) < 1e-9, "the model that MLflow gives back predicts otherwise than the cluster did"
print(f"{len(runs)} runs, {len(expected)} predictions as the cluster made them")
