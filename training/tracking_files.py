"""The files of a logged model: how they are written, told apart from others and opened."""

import hashlib
import importlib.metadata
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

import configs
import training
from configs.errors import StoreError
from training.drift import feature_stats
from training.model import LeadScorer
from training.records import TrainingRun

Column = ColSpec | TensorSpec  # what an MLflow schema is made of
ARTIFACTS = "artifacts"  # MLflow's name of the folder with a model's own files
REQUIREMENTS = (
    "mlflow",
    "matplotlib",
    "numpy",
    "pandas",
    "pyod",
    "scikit-learn",
    "skops",
)
# MLflow runs this file to build the model; it holds no state and no pickle.
MODEL_CODE = """\
from mlflow.models import set_model

from training.tracking_files import ScoringModel

set_model(ScoringModel())
"""
# Files that come to stand beside a model's when it is read: MLflow notes under which name
# it was downloaded, Python what it has compiled.
_BY_READING = {"registered_model_meta", "__pycache__"}


class ScoringModel(PythonModel):
    """The model as any MLflow client sees it: a table in, a table of scores out."""

    def load_context(self, context: Any) -> None:
        self.scorer = LeadScorer.load(Path(context.artifacts["scorer"]))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: Any = None
    ) -> pd.DataFrame:
        """Scores in the order of the input rows (feature columns and rule flags)."""
        # Row numbers stand in for unit ids: a signature carries no index.
        rows = model_input.set_axis(_row_ids(len(model_input)))
        scorer = self.scorer
        scores = scorer.score(rows[scorer.features], rows[scorer.rule_codes])
        ordered = scores.set_index("unit_id").loc[rows.index]
        return ordered.drop(columns="as_of").set_axis(model_input.index)


def log_model(run: TrainingRun, folder: Path) -> str:
    """Log the model with code, signature and files to the active run; its URI.

    Args:
        folder: an empty one for the files, until MLflow has copied them.
    """
    files = _written(run, folder)
    code = folder / "model_code.py"
    code.write_text(MODEL_CODE, "utf-8")
    with warnings.catch_warnings():
        # The signature is written by hand; an example row would be a person's record.
        warnings.filterwarnings(
            "ignore", message=".*input example", category=UserWarning
        )
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(code),
            artifacts={name: str(path) for name, path in files.items()},
            # The packages travel along, so any process can load the model.
            code_paths=[str(Path(str(p.__file__)).parent) for p in (configs, training)],
            signature=_signature(run.scorer, run.scores),
            # Inferring them would start a second interpreter: ten seconds.
            pip_requirements=[
                f"{p}=={importlib.metadata.version(p)}" for p in REQUIREMENTS
            ],
        )
    return str(info.model_uri)


def _written(run: TrainingRun, folder: Path) -> dict[str, Path]:
    """The model's own files, by their name in MLflow."""
    folder.mkdir(exist_ok=True)
    scorer = folder / "scorer.skops"
    run.scorer.save(scorer)
    texts = {
        "feature_stats": feature_stats(run.features),
        "linkage": dict(run.linkage),
        "declaration": dict(run.declaration),
    }
    for name, content in texts.items():
        text = json.dumps(content, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text, "utf-8")
    return {"scorer": scorer} | {name: folder / f"{name}.json" for name in texts}


def files_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files below a logged model's folder.

    Files that only reading the model adds are left out.
    """
    total = hashlib.sha256()
    for name, path in sorted(_files(folder)):
        total.update(f"{name}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and _BY_READING.isdisjoint(inside.parts):
            yield inside.as_posix(), path


def changed_code(folder: Path) -> list[str]:
    """Our Python files that are not, or no longer, as they were logged with the model."""
    then = _sources(folder / "code")
    now = _sources(Path(str(training.__file__)).parents[1])
    return sorted(n for n in then | now if then.get(n) != now.get(n))


def _sources(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for package in (configs, training)
        for path in (root / package.__name__).rglob("*.py")
    }


def local_folder(uri: str) -> Path:
    """The folder of a logged model's files; StoreError when they cannot be read."""
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except (MlflowException, OSError) as error:
        raise StoreError(f"{uri}: its files cannot be read ({error})") from error


def opened_scorer(folder: Path) -> LeadScorer:
    """The scorer of a logged model."""
    return LeadScorer.load(folder / ARTIFACTS / "scorer.skops")


def read_json(folder: Path, name: str) -> Any:
    """What the model keeps under `name`: feature_stats, linkage or declaration."""
    return json.loads((folder / ARTIFACTS / f"{name}.json").read_text("utf-8"))


def _signature(scorer: LeadScorer, scores: pd.DataFrame) -> ModelSignature:
    """Features as doubles, rule flags as booleans; ranks and scores come back."""
    inputs: list[Column] = [ColSpec(DataType.double, name) for name in scorer.features]
    inputs += [ColSpec(DataType.boolean, code) for code in scorer.rule_codes]
    outputs: list[Column] = [
        ColSpec(DataType.long if name.startswith("rank_") else DataType.double, name)
        for name in scores.columns
        if name not in {"unit_id", "as_of"}
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _row_ids(count: int) -> list[str]:
    width = len(str(count))
    return [f"{i:0{width}d}" for i in range(count)]
