"""A supervision model with one thing taken away: what it finds then says what it is worth."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from configs.common import with_common
from configs.settings import PACKAGE_MODELS

Result = dict[str, Any]
Measure = Callable[..., Result]
MIDDLE = datetime(2024, 3, 31)
FAR = 1_000_000


def without_linking(measure: Measure, model: str, folder: Path, data: Path) -> Result:
    """Detectors alone, on a unit's columns and what is derived of them, no rules.

    What is derived may lean on a looked-up column of another table.
    """
    from training.ensemble import Ensemble
    from training.preprocess import Preprocessor

    found = measure(model, folder, data)
    X = found["matrix"]
    preprocessor = Preprocessor().fit(X)
    matrix = preprocessor.transform(X)
    ensemble = Ensemble(0).fit(matrix)
    scores = ensemble.ranked(ensemble.member_scores(matrix))["score"]
    kept = found["scores"][["unit_id", "rules"]]
    own = pd.DataFrame({"unit_id": X.index.astype(str), "score": scores})
    return {**found, "scores": kept.merge(own, on="unit_id", validate="one_to_one")}


def exact_ids(measure: Measure, model: str, folder: Path, data: Path) -> Result:
    """Records are one person only where identity numbers are equal as normalised."""

    def take_away(spec: dict[str, Any]) -> None:
        for entity in spec.get("entities", {}).values():
            for role in entity["from"]:
                role.pop("match", None)

    return _changed(measure, model, folder, data, take_away)


def no_rarity(measure: Measure, model: str, folder: Path, data: Path) -> Result:
    """A point that half the county shares ties as much as a rare one."""

    def take_away(spec: dict[str, Any]) -> None:
        for kind in spec.get("associations", {}).get("kinds", {}).values():
            kind["hub"] = 20 * kind.get("hub", 100)

    return _changed(measure, model, folder, data, take_away)


def no_as_of(measure: Measure, model: str, folder: Path, data: Path) -> Result:
    """Units known by a day in the window, scored with rows posted after it, too."""
    honest = measure(model, folder / "honest", data, as_of=MIDDLE)
    leaked = measure(model, folder / "leaked", data)
    then = honest["scores"]["unit_id"]
    return {
        **leaked,
        "scores": leaked["scores"][leaked["scores"]["unit_id"].isin(then)],
        "labels": leaked["labels"][leaked["labels"]["unit_id"].isin(then)],
    }


def as_of(measure: Measure, model: str, folder: Path, data: Path) -> Result:
    """The same units as they were scored on that day: what `no_as_of` compares with."""
    return measure(model, folder, data, as_of=MIDDLE)


def _changed(
    measure: Measure,
    model: str,
    folder: Path,
    data: Path,
    take_away: Callable[[dict[str, Any]], None],
) -> Result:
    models = folder / "models"
    shutil.copytree(PACKAGE_MODELS / model, models / model)
    path = models / model / "model.yaml"
    spec = with_common(path, yaml.safe_load(path.read_text("utf-8")))
    take_away(spec)
    path.write_text(yaml.safe_dump(spec, allow_unicode=True, sort_keys=False), "utf-8")
    return measure(model, folder / "home", data, models=models)


ABLATIONS: dict[str, Callable[[Measure, str, Path, Path], Result]] = {
    "histories, ties and texts": without_linking,
    "inexact links": exact_ids,
    "limits on hubs": no_rarity,
    f"rows after {MIDDLE:%Y-%m-%d} (its own units)": as_of,
    "the as-of rule (the same units)": no_as_of,
}
