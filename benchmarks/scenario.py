"""One supervision model on simulated records of unseen seeds: every arm, every ablation.

`python -m benchmarks.scenario MODEL` writes docs/evaluation/MODEL.md and a picture beside
it. Seeds 504 to 506 are kept for these pages, later ones for a model that was changed after
its page was seen; rules, features, simulations and the weight of rules were chosen while
looking at others (7 to 12, 101 to 103, 201 to 203, 501 to 503, 601 to 603, 611 to 613).
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import pages
from benchmarks.ablations import ABLATIONS
from configs.loading import load_model
from configs.settings import PACKAGE_MODELS, Settings, silence_telemetry
from training.evaluation import arms, jeffreys, precision_at, ranking_quality
from training.plots import plot_arms

UNITS, SEEDS = 3_000, (504, 505, 506)
SEEDS_OF = {"vehicle_insurance": (507, 508, 509)}
LABELS = Path("truth") / "units.csv"
MISSED = 0.1  # of a kind: with so few or fewer of it, the rules hardly show it
THREE = ("rules", "score", "fused")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--no-ablations", action="store_true")
    given = parser.parse_args()
    given.seeds = given.seeds or list(SEEDS_OF.get(given.model, SEEDS))
    results = [_one_seed(given.model, given.units, seed) for seed in given.seeds]
    ablated = (
        {} if given.no_ablations else _ablated(given.model, given.units, given.seeds[0])
    )
    page = list(_page(given, results, ablated))
    pages.write(given.model, page)
    plot_arms(
        _pooled(results, results[0]["capacity"]), pages.FOLDER / f"{given.model}.png"
    )


def _one_seed(model: str, units: int, seed: int) -> dict[str, Any]:
    """Simulate, train, score and compare, in a home of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return measured(
            model, Path(folder), _simulated(model, units, seed, Path(folder))
        )


def _simulated(model: str, units: int, seed: int, folder: Path) -> Path:
    from training.simulation import simulator

    data = folder / "data"
    simulator(model)(units=units, seed=seed, out=data)
    return data


def measured(model: str, folder: Path, data: Path) -> dict[str, Any]:
    """Scores with all arms and labels of one delivery, and what it took."""
    from flows.evaluate import money_of, with_arms, with_baselines
    from flows.frozen import frozen_run
    from flows.job import new_job
    from flows.pipeline import make_list, prepare
    from flows.publish import publish_list
    from flows.train import train
    from serving import queries

    settings = Settings(home=folder)
    silence_telemetry(settings)
    started = time.process_time()
    job = new_job(model, str(data), settings)
    prepare(job)
    train(job, promote=True)
    trained = time.process_time()
    make_list(job)
    run = queries.run(publish_list(job).run_id)
    scored = time.process_time()
    scores = with_baselines(
        pd.read_parquet(settings.published / run.scores_path), settings, run
    )
    labels = _labels(model, data, PACKAGE_MODELS, scores)
    frozen = frozen_run(model, settings, run.id)
    return {
        "scores": with_arms(scores, labels, frozen),
        "labels": labels,
        "money": money_of(frozen),
        "capacity": frozen.model.spec.review.weekly_capacity,
        "train": trained - started,
        "list": scored - trained,
    }


def scored(
    model: str,
    folder: Path,
    data: Path,
    models: Path = PACKAGE_MODELS,
    as_of: Any = None,
) -> dict[str, Any]:
    """Scores and labels alone, by a model fitted on the delivery; nothing is published."""
    from flows.frames import flags_frame, matrix_frame
    from flows.job import new_job
    from flows.pipeline import prepare
    from training.fusion import Rule
    from training.model import LeadScorer

    settings = Settings(home=folder, models=models)
    silence_telemetry(settings)
    job = new_job(model, str(data), settings, as_of)
    prepare(job)
    with job.opened() as catalog:
        X, H = matrix_frame(catalog, job.model), flags_frame(catalog)
    rules = tuple(Rule(r.code, r.layer, r.precision) for r in job.model.rules)
    scorer = LeadScorer(rules, seed=job.model.spec.detectors.seed).fit(X, H)
    scores = scorer.score(X, H)
    families = {c.name: c.family for c in job.model.known.features}
    own = [n for n in X.columns if families.get(n) in OWN_FAMILIES]
    labels = _labels(model, data, models, scores)
    return {"scores": scores, "labels": labels, "matrix": X[own]}


def _labels(model: str, data: Path, models: Path, scores: pd.DataFrame) -> pd.DataFrame:
    from flows.evaluate import read_labels

    labels = read_labels(load_model(model, models), data / LABELS, "")
    return labels[labels["unit_id"].isin(scores["unit_id"])]


# Features of a unit's own row and its looked-up columns; all others count other rows.
OWN_FAMILIES = {"columns", "levels", "derive", "peers"}


def _ablated(model: str, units: int, seed: int) -> dict[str, dict[str, Any]]:
    """The first seed again, with one thing taken away each time."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        data = _simulated(model, units, seed, Path(folder))
        for number, (name, run) in enumerate(ABLATIONS.items()):
            found[name] = run(scored, model, Path(folder) / str(number), data)
    return found


def _page(
    given: argparse.Namespace,
    results: list[dict[str, Any]],
    ablated: dict[str, dict[str, Any]],
) -> Iterator[str]:
    model, capacity = given.model, results[0]["capacity"]
    shares = [float(r["labels"]["label"].mean()) for r in results]
    yield f"# {model}: simulated records\n"
    yield (
        f"Generated by `python -m benchmarks.scenario {model}` (`make bench`): "
        f"{given.units:,} simulated units for each of the seeds "
        f"{', '.join(map(str, given.seeds))}, {np.mean(shares):.1%} planted fraud, "
        f"{pages.machine()}. The records are simulated; rules and simulation come from the "
        "same description of the fraud, so the figures compare the arms and do not predict "
        "precision on real records. No arm sees the truth but `arm_best_rule` (the single "
        "rule that did best) and `arm_oracle`. `score_pyod_*` are PyOD's detectors with "
        "their own defaults on the same features.\n"
    )
    yield f"![precision of every arm at {capacity}]({model}.png)\n"
    yield "## Does the fused order win?\n"
    by_arm = {k: _by_arm(results, given.seeds, k) for k in (capacity, 5 * capacity)}
    for k, table in by_arm.items():
        yield from verdict(table, _kinds(results, "typology", k), k)
    last = 5 * capacity
    chance = min(1.0, last / given.units)
    yield from missed(_kinds(results, "typology", last), last, chance)
    yield from alike(_kinds(results, "hard_negative", last), last)
    yield ""
    for k, table in by_arm.items():
        yield f"\n## Planted fraud in the first {k}\n"
        yield from pages.table(table)
    yield f"\n## Planted kinds in the first {5 * capacity} (found of all, all seeds)\n"
    yield from pages.table(_kinds(results, "typology", 5 * capacity))
    yield f"\n## Honest look-alikes in the first {5 * capacity} (all seeds)\n"
    yield from pages.table(_kinds(results, "hard_negative", 5 * capacity))
    yield f"\n## Rings met and money at stake found in the first {5 * capacity}\n"
    yield from pages.table(_rings_and_money(results, 5 * capacity))
    if ablated:
        yield f"\n## What each part is worth (seed {given.seeds[0]})\n"
        yield from pages.table(_ablations(results[0], ablated, capacity))
    yield "\n## Time\n"
    yield (
        "CPU seconds from delivered tables to a registered model: "
        f"{_list(results, 'train')}; from there to a published list: "
        f"{_list(results, 'list')}.\n"
    )


def verdict(table: pd.DataFrame, kinds: pd.DataFrame, k: int) -> Iterator[str]:
    """Fused against the rules and every single detector at k, and why where it loses.

    Args:
        table: arm and found; kinds: typology, rules, score, fused; of the same k.
    """
    found = table.set_index("arm")["found"].astype(int)
    singles = [a for a in found.index if a.startswith("score_") and a != "score_pridit"]
    best = found[singles].idxmax()
    rivals = {"the rules alone": "rules", "the best single detector": best}
    for name, other in rivals.items():
        difference = found["fused"] - found[other]
        how = (
            "as many as"
            if not difference
            else "more than"
            if difference > 0
            else "fewer than"
        )
        yield (
            f"- At {k} fused finds {found['fused']} of {found['arm_oracle']} possible, "
            f"{how} {name} (`{other}`: {found[other]})."
        )
    lost = kinds[kinds["fused"] < kinds["score"]]
    if found["fused"] < max(found["score"], found[best]) and len(lost):
        named = ", ".join(
            f"{r.typology} ({r.score} against {r.fused})" for r in lost.itertuples()
        )
        yield (
            f"- Why: rules lift whoever has a hit, honest or not, above fraud that no rule "
            f"catches. The detectors alone show more of {named}."
        )


def missed(kinds: pd.DataFrame, k: int, chance: float) -> Iterator[str]:
    """Of the kinds that the rules show least of, what the other orders show.

    Args:
        kinds: typology, rules, score, fused, planted, of the first k.
        chance: share of a kind that k units drawn at random would hold.
    """
    for kind in kinds[kinds["rules"] <= MISSED * kinds["planted"]].itertuples():
        yield (
            f"- Of `{kind.typology}`, which the rules hardly show ({kind.rules} of "
            f"{kind.planted} at {k}), the detectors show {kind.score}, fused "
            f"{kind.fused}; chance {chance * kind.planted:.1f}."
        )


def alike(kinds: pd.DataFrame, k: int) -> Iterator[str]:
    """Honest look-alikes that fused shows, against the rules alone.

    Args:
        kinds: hard_negative, rules, fused, of the first k.
    """
    fused, rules = int(kinds["fused"].sum()), int(kinds["rules"].sum())
    how = "fewer than" if fused < rules else "not fewer than"
    line = f"- The first {k} of fused hold {fused} honest look-alikes, {how} the rules' {rules}"
    more = kinds[kinds["fused"] > kinds["rules"]]
    if fused >= rules and len(more):
        named = (
            f"{r.hard_negative} ({r.fused} against {r.rules})"
            for r in more.itertuples()
        )
        line += ": the detectors take them for fraud: " + ", ".join(named)
    yield line + "."


def _by_arm(results: list[dict[str, Any]], seeds: list[int], k: int) -> pd.DataFrame:
    rows = []
    for arm in arms(results[0]["scores"]):
        found = _each(results, arm, k)
        hits, precision, low, high = _together(found)
        row: dict[str, Any] = {"arm": arm}
        row |= {f"seed {s}": f["hits"] for s, f in zip(seeds, found, strict=False)}
        row |= {"found": hits, "precision": precision}
        row |= {"95 %": f"{low:.2f} to {high:.2f}"}
        row |= {"recall": np.mean([f["recall"] for f in found])}
        row |= {"lift over rules": np.nan, "AP": np.mean([f["ap"] for f in found])}
        rows.append(row)
    table = pd.DataFrame(rows)
    rules = table.loc[table["arm"] == "rules", "found"].iloc[0]
    table["lift over rules"] = table["found"] / max(rules, 1)
    return table.sort_values(["found", "AP"], ascending=False, ignore_index=True)


def _each(results: list[dict[str, Any]], arm: str, k: int) -> list[dict[str, Any]]:
    return [_at(result, arm, k) for result in results if arm in result["scores"]]


def _together(found: list[dict[str, Any]]) -> tuple[int, float, float, float]:
    """Hits, precision and its interval, the seeds added up."""
    hits, judged = sum(f["hits"] for f in found), sum(f["judged"] for f in found)
    return (hits, hits / judged, *jeffreys(hits, judged))


def _at(result: dict[str, Any], arm: str, k: int) -> dict[str, Any]:
    kept = ["unit_id", *({"rules", arm})]
    scores = result["scores"][kept]
    found = precision_at(scores, result["labels"], (k,)).set_index("arm").loc[arm]
    quality = ranking_quality(scores, result["labels"]).set_index("arm").loc[arm]
    return {
        "hits": int(found["hits"]),
        "judged": int(found["judged"]),
        "recall": float(found["recall"]),
        "ap": float(quality["average_precision"]),
    }


def _pooled(results: list[dict[str, Any]], k: int) -> pd.DataFrame:
    """What `plot_arms` draws, the seeds added up."""
    rows = []
    for arm in arms(results[0]["scores"]):
        rows.append((arm, k, *_together(_each(results, arm, k))[1:]))
    columns = ["arm", "k", "precision", "precision_low", "precision_high"]
    return pd.DataFrame(rows, columns=columns)


def _kinds(results: list[dict[str, Any]], column: str, k: int) -> pd.DataFrame:
    """Rows: kinds; columns: how many the three orders hold, and all there are."""
    parts = []
    for result in results:
        joined = result["scores"].merge(result["labels"], on="unit_id")
        joined = joined[joined[column].fillna("") != ""]
        counts = {
            arm: joined[joined[f"rank_{arm}"] <= k].groupby(column).size()
            for arm in THREE
        }
        parts.append(pd.DataFrame({**counts, "planted": joined.groupby(column).size()}))
    every = sorted(set().union(*(p.index for p in parts)))
    total = sum(p.reindex(every).fillna(0) for p in parts)
    return pd.DataFrame(total).astype(int).rename_axis(column).reset_index()


def _rings_and_money(results: list[dict[str, Any]], k: int) -> pd.DataFrame:
    from training.arms import money_found, ring_coverage

    rows = []
    for arm in THREE:
        rings = [
            ring_coverage(r["scores"], r["labels"], [arm], k).iloc[0] for r in results
        ]
        row: dict[str, Any] = {"arm": arm}
        row |= {"rings": sum(x["rings"] for x in rings)}
        row |= {"met": sum(x["found"] for x in rings)}
        row |= {"mean share of a ring": np.mean([x["mean_share"] for x in rings])}
        if all(r["money"] is not None for r in results):
            money = [
                money_found(r["scores"], r["labels"], r["money"], [arm], k).iloc[0]
                for r in results
            ]
            row |= {"share of the money": np.mean([x["share"] for x in money])}
        rows.append(row)
    return pd.DataFrame(rows)


def _ablations(
    whole: dict[str, Any], ablated: dict[str, dict[str, Any]], capacity: int
) -> pd.DataFrame:
    """Fused and score with all, and with one thing taken away."""
    rows = []
    for name, result in {"all": whole, **ablated}.items():
        row: dict[str, Any] = {"without": "nothing" if name == "all" else name}
        for k in (capacity, 5 * capacity):
            for arm in ("fused", "score"):
                at = _at(result, arm, k) if arm in result["scores"] else None
                row[f"{arm} in {k}"] = at["hits"] if at else ""
        row["planted"] = int(result["labels"]["label"].sum())
        rows.append(row)
    return pd.DataFrame(rows)


def _list(results: list[dict[str, Any]], name: str) -> str:
    return ", ".join(f"{result[name]:.0f}" for result in results)


if __name__ == "__main__":
    main()
