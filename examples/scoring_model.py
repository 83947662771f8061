"""The MLflow model of a saved pipeline: its one artifact is the pipeline's folder."""
import mlflow
import scoring


class SavedPipeline(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.pipeline = scoring.Pipeline(context.artifacts["pipeline"])

    def predict(self, context, model_input, params=None):
        return self.pipeline.predict(model_input)


mlflow.models.set_model(SavedPipeline())
