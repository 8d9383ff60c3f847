"""Scores of real records whose outcomes are kept apart, and how well they may do.

`python -m benchmarks.real_scores --out DIR` writes DIR/carclaims/scores.parquet,
DIR/illegal_fundraising/scores.parquet and DIR/auctions/{italy,america,brazil}/scores.parquet
(unit_id, score; higher = sooner), and docs/evaluation/real_data.md with the validation on the
outcomes that are given. The data are looked for in LEADLINE_SHARED_DATA (../shared/data).
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from benchmarks import real_auctions, real_claims, real_firms
from benchmarks.real_learner import (
    LEARNERS,
    Detectors,
    Known,
    crossed,
    leadline,
    with_unknown,
)
from benchmarks.real_page import write_page
from training.folds import group_folds
from training.preprocess import Vector

DATA = Path(os.environ.get("LEADLINE_SHARED_DATA", "../shared/data"))
SEED, FIRST = 0, 100
LAST_LABELLED_QUARTER = 7  # October to December 1995, counted from 0 in 1994
FIRM_FOLDS, TENDER_FOLDS = 5, 10


@dataclass(frozen=True, slots=True)
class Report:
    """One validation: its title and one row of figures a learner."""

    title: str
    rows: pd.DataFrame


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--out", type=Path, required=True, metavar="DIR")
    arguments.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    given = arguments.parse_args()
    reports: list[Report] = []
    with threadpool_limits(1):
        for name in given.sets:
            reports += SETS[name](given.out)
    if given.sets == list(SETS):
        write_page([(r.title, r.rows) for r in reports])
    else:
        for report in reports:
            print(f"{report.title}\n{report.rows.to_string(index=False)}")  # noqa: T201


def carclaims(out: Path) -> Iterator[Report]:
    """Fitted in time order; the scores are of 1996, learnt from 1994 and 1995."""
    table = real_claims.claims(DATA)
    features = real_claims.claim_features(table)
    y = table[real_claims.LABEL].to_numpy(np.float64)
    quarter = table["quarter"].to_numpy()
    last = LAST_LABELLED_QUARTER
    spans = {
        "learnt to September 1995, the last quarter of 1995": (
            quarter < last,
            quarter == last,
        ),
        "learnt from 1994, the year 1995": (
            quarter < 4,
            (quarter >= 4) & (quarter <= last),
        ),
    }
    for title, (learnt, scored) in spans.items():
        known = _claims_known(features, y, learnt)
        rows = np.flatnonzero(learnt), np.flatnonzero(scored)
        found = {n: f(known, *rows, SEED) for n, f in LEARNERS.items()}
        yield Report(f"carclaims: {title}", _figures(found, y[rows[1]]))
    learnt, wanted = quarter <= last, np.flatnonzero(quarter > last)
    known = _claims_known(features, y, learnt)
    scores = leadline(known, np.flatnonzero(learnt), wanted, SEED)
    _write(out / "carclaims", table[real_claims.KEY].iloc[wanted], scores)


def illegal_fundraising(out: Path) -> Iterator[Report]:
    """Five folds of the firms with an outcome; the scores are of all others."""
    matrix, flags = real_firms.product_matrix(DATA)
    y = real_firms.firm_labels(DATA).loc[matrix.index].to_numpy()
    told = real_firms.told(matrix, flags)
    authority = real_firms.authorities(matrix.index)
    unknown = with_unknown(matrix)
    folds = _stratified(y)
    variants = {
        "the model's features": [unknown],
        "and the authority": [unknown, authority],
    }
    for title, more in variants.items():
        known = Known(
            np.column_stack([told.inputs, *more]).astype(np.float32),
            told.base,
            pd.concat([matrix, *more[1:]], axis=1).to_numpy(np.float64),
            y,
        )
        found = {n: crossed(f, known, folds, SEED) for n, f in LEARNERS.items()}
        labelled = folds >= 0
        shown = {n: s[labelled] for n, s in found.items()}
        figures = _figures(shown, y[labelled], folds[labelled])
        yield Report(f"illegal_fundraising: {title}", figures)
    wanted = np.flatnonzero(np.isnan(y))
    scores = leadline(known, np.flatnonzero(~np.isnan(y)), wanted, SEED)
    _write(out / "illegal_fundraising", matrix.index[wanted], scores)


def auctions(out: Path) -> Iterator[Report]:
    """Each tender scored by a model that saw none of its outcomes, as validation needs it."""
    for country in real_auctions.COUNTRIES:
        table = real_auctions.auctions(DATA, country)
        features = real_auctions.auction_features(table)
        y = table[real_auctions.LABEL].to_numpy(np.float64)
        told = Detectors(SEED).fit(features).tell(features)
        known = Known(*told, features.to_numpy(np.float64), y)
        tender = table[real_auctions.TENDER].to_numpy()
        folds = group_folds(tender, TENDER_FOLDS, SEED)
        found = {n: crossed(f, known, folds, SEED) for n, f in LEARNERS.items()}
        yield Report(f"auctions, {country}", _figures(found, y))
        units = real_auctions.bid_ids(table)
        _write(out / "auctions" / country, units, found["Leadline"], tender=tender)


def _claims_known(
    features: pd.DataFrame, y: Vector, learnt: npt.NDArray[np.bool_]
) -> Known:
    """Detectors fitted on the claims that are learnt from, not on later ones."""
    detectors = Detectors(SEED).fit(features[learnt])
    return Known(*detectors.tell(features), features.to_numpy(np.float64), y)


def _stratified(y: Vector) -> npt.NDArray[np.int64]:
    """The fold of each labelled row, -1 for the others."""
    labelled = np.flatnonzero(~np.isnan(y))
    folds = np.full(len(y), -1)
    split = StratifiedKFold(FIRM_FOLDS, shuffle=True, random_state=SEED)
    for fold, (_, out) in enumerate(split.split(labelled, y[labelled])):
        folds[labelled[out]] = fold
    return folds


def _figures(
    found: dict[str, Vector],
    y: Vector,
    folds: npt.NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """One row a learner: AUC, AP, precision in the first 100; by fold too where asked."""
    rows = []
    for name, scores in found.items():
        row = {"learner": name, "auc": _auc(y, scores), "ap": _ap(y, scores)}
        if folds is not None:
            parts = [folds == fold for fold in range(int(folds.max()) + 1)]
            row["auc by fold"] = float(np.mean([_auc(y[p], scores[p]) for p in parts]))
            row["ap by fold"] = float(np.mean([_ap(y[p], scores[p]) for p in parts]))
        first = np.argsort(-scores, kind="stable")[:FIRST]
        row["precision at 100"] = float(y[first].mean())
        rows.append(row | {"rows": len(y), "positive": int(y.sum())})
    return pd.DataFrame(rows)


def _auc(y: Vector, scores: Vector) -> float:
    return float(roc_auc_score(y, scores))


def _ap(y: Vector, scores: Vector) -> float:
    return float(average_precision_score(y, scores))


def _write(
    folder: Path, units: pd.Index | pd.Series, scores: Vector, **more: Vector
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame({"unit_id": np.asarray(units), "score": scores, **more})
    frame.to_parquet(folder / "scores.parquet", index=False)


SETS = {
    "carclaims": carclaims,
    "illegal_fundraising": illegal_fundraising,
    "auctions": auctions,
}

if __name__ == "__main__":
    main()
