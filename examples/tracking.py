#!/usr/bin/env python3
"""Experiments that reach MLflow even if its server is away: runs are written down on disk first and then sent.

    runs = Journal(folder)
    with runs.run("cross-validation") as run:
        run.params(regParam=0.01), run.metrics(auc=0.72), run.figure(matplotlib_figure, "roc.png")
        with runs.run("fold 1", parent=run) as nested: ...
    runs.send("http://127.0.0.1:5000")            # None and one warning if it cannot be reached; nothing is lost

By hand, later:  tracking.py FOLDER --to http://127.0.0.1:5000
Sending again what has been sent changes nothing: a run is found on the server by its key.
"""
import argparse
import contextlib
import json
import os
import shutil
import sys
import time
import uuid

EXPERIMENT = "lending club"
KEY = "journal.key"  # the tag by which a run that was sent is found


class Run:
    """What one run has noted; kept as run.json with its files beside it."""

    def __init__(self, folder, name, parent):
        self.folder = folder
        self.note = {"key": os.path.basename(folder), "name": name, "parent": parent.note["key"] if parent else None, "start": now(),
                     "params": {}, "metrics": {}, "tags": {}, "model": None}
        os.makedirs(os.path.join(folder, "files"))

    def params(self, **values):
        self.note["params"].update({k: str(v) for k, v in values.items()})

    def metrics(self, **values):
        self.note["metrics"].update({k: float(v) for k, v in values.items()})

    def tags(self, **values):
        self.note["tags"].update({k: str(v) for k, v in values.items()})

    def figure(self, figure, name):
        figure.savefig(os.path.join(self.folder, "files", name), dpi=110, bbox_inches="tight")

    def table(self, frame, name):
        """A pandas frame as a CSV file."""
        frame.to_csv(os.path.join(self.folder, "files", name), index=False)

    def model(self, pipeline, example, expected):
        """The folder of a saved PipelineModel, a few rows that it can score, and the probabilities that the cluster gave them."""
        shutil.copytree(pipeline, os.path.join(self.folder, "pipeline"), ignore=shutil.ignore_patterns("*.crc", "_SUCCESS"))
        example = example.copy()
        example.attrs = {}  # Spark Connect's clients keep a query's metrics there, which do not go into a file
        example.to_parquet(os.path.join(self.folder, "example.parquet"))
        with open(os.path.join(self.folder, "expected.json"), "w", encoding="utf-8") as f:
            json.dump(expected, f)
        self.note["model"] = "pipeline"

    def close(self, status):
        self.note.update(end=now(), status=status)
        path = os.path.join(self.folder, "run.json")
        with open(path + ".tmp", "w", encoding="utf-8") as f:
            json.dump(self.note, f, indent=1)
        os.replace(path + ".tmp", path)


def now():
    return int(time.time() * 1000)


class Journal:
    """A folder of runs."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, exist_ok=True)

    @contextlib.contextmanager
    def run(self, name, parent=None):
        run = Run(os.path.join(self.folder, uuid.uuid4().hex), name, parent)
        try:
            yield run
        except BaseException:
            run.close("FAILED")
            raise
        run.close("FINISHED")

    def notes(self):
        """All finished runs, parents before their children."""
        found = []
        for key in os.listdir(self.folder):
            path = os.path.join(self.folder, key, "run.json")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    found.append(json.load(f))
        return sorted(found, key=lambda n: (n["parent"] is not None, n["start"]))

    def send(self, server, patience=0):
        """Brings all runs to an MLflow server, which has so many seconds to start answering; the runs' ids there by key, or None."""
        try:
            reach(server, patience)
            ids = Sender(self.folder, server).all(self.notes())
        except Exception as e:  # whatever the server or the network says: the runs stay where they are
            print(f"warning: MLflow at {server} did not take the runs ({str(e).splitlines()[0][:160]}). They are kept; send them with\n"
                  f"  {sys.executable} {os.path.abspath(__file__)} {self.folder} --to {server}", flush=True)
            return None
        return ids


def reach(server, patience):
    """An error if nobody answers in time: MLflow's own client would try again for minutes."""
    import urllib.request
    end = time.time() + patience
    while True:
        try:
            with urllib.request.urlopen(server.rstrip("/") + "/health", timeout=5) as answer:
                return answer.read()
        except OSError:
            if time.time() > end:
                raise
        time.sleep(0.2)


class Sender:
    """Writes runs to a server."""

    def __init__(self, folder, server):
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        import mlflow
        self.mlflow, self.folder = mlflow, folder
        mlflow.set_tracking_uri(server)
        self.experiment = mlflow.set_experiment(EXPERIMENT).experiment_id
        self.client = mlflow.MlflowClient()

    def all(self, notes):
        """The runs' ids on the server, by key."""
        ids = {}
        for note in notes:
            ids[note["key"]] = self.one(note, ids.get(note["parent"]))
        return ids

    def one(self, note, parent):
        found = self.client.search_runs([self.experiment], f"tags.`{KEY}` = '{note['key']}'")
        if found and found[0].info.status != "RUNNING":
            return found[0].info.run_id
        if found:  # sent in part
            self.client.delete_run(found[0].info.run_id)
        tags = {**note["tags"], KEY: note["key"], "mlflow.runName": note["name"]}
        if parent:
            tags["mlflow.parentRunId"] = parent
        run = self.client.create_run(self.experiment, note["start"], tags, note["name"]).info.run_id
        from mlflow.entities import Metric, Param
        self.client.log_batch(run, [Metric(k, v, note["end"], 0) for k, v in note["metrics"].items()],
                              [Param(k, v) for k, v in note["params"].items()])
        files = os.path.join(self.folder, note["key"], "files")
        if os.listdir(files):
            self.client.log_artifacts(run, files)
        if note["model"]:
            self.model(run, os.path.join(self.folder, note["key"]))
        self.client.set_terminated(run, note["status"], note["end"])
        return run

    def model(self, run, folder):
        import pandas as pd
        from mlflow.models import infer_signature
        example = pd.read_parquet(os.path.join(folder, "example.parquet"))
        here = os.path.dirname(os.path.abspath(__file__))
        sys.path.insert(0, here)
        import scoring
        answer = scoring.Pipeline(os.path.join(folder, "pipeline")).predict(example)
        with self.mlflow.start_run(run_id=run):
            self.mlflow.pyfunc.log_model(name="model", python_model=os.path.join(here, "scoring_model.py"), code_paths=[os.path.join(here, "scoring.py")],
                                         artifacts={"pipeline": os.path.join(folder, "pipeline")}, signature=infer_signature(example, answer),
                                         pip_requirements=["numpy", "pandas", "pyarrow"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder")
    p.add_argument("--to", required=True, metavar="URL", help="the MLflow server")
    a = p.parse_args()
    if not os.path.isdir(a.folder):
        sys.exit(f"tracking: {a.folder} is not a folder of runs")
    sent = Journal(a.folder).send(a.to)
    if sent is None:
        sys.exit(1)
    print(f"{len(sent)} runs are in the experiment '{EXPERIMENT}' of {a.to}")


if __name__ == "__main__":
    main()
