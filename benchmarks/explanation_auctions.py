"""Real bids through a declared model, with bids planted that are odd among peers or tied oddly.

Each country's bids are delivered twice: as what is scored, and as participations that tie
bidders to tenders. A bid that is odd among its peers has an amount that is ordinary among all
bids, but not in its tender (Italy) or year (America). A bidder that is tied oddly takes part in
three times as many tenders as any other, in tenders of its own.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.real_auctions import DISCOUNT, TENDER, auctions
from configs.loading import load_model
from configs.settings import Settings

MODEL = "bids"
PER_KIND, BEYOND, LEAST_PEERS = 100, 5.0, 20
COLUMNS = {
    "italy": {
        "site": "Site",
        "capital": "Capital",
        "estimate": "Pre-Tender Estimate (PTE)",
    },
    "america": {"adjusted": "Bid_value_inflation_raw_milk_price_adjusted_bid"},
}
SCREENS = ("Number_bids", "CV", "SPD", "DIFFP", "RD", "KURT", "SKEW", "KSTEST")
AMOUNT = {"italy": DISCOUNT, "america": "Bid_value_without_inflation"}
PEERS = {"italy": TENDER, "america": "Date"}
PEER_FEATURE = "amount_robust_z_peers"
YAML = """
id: bids
title: {{en: Bids, zh: 投标}}
unit: {{name: bid, title: {{en: bid, zh: 投标}}, source: bids, key: bid_id}}
sources:
  bids:
    table: bids
    title: {{en: Bids, zh: 投标}}
    department: {{en: procurement, zh: 采购部门}}
    key: bid_id
    columns:
      bid_id: {{type: id}}
      bidder: {{type: id}}
      peer_group: {{type: string}}
      amount: {{type: number}}
{columns}
  participations:
    table: participations
    title: {{en: Participations, zh: 参与}}
    department: {{en: procurement, zh: 采购部门}}
    columns:
      bidder: {{type: id}}
      tender: {{type: id}}
entities:
  bidder:
    from:
      - {{source: bids, id: bidder, role: bidder}}
      - {{source: participations, id: bidder, role: taking_part}}
associations:
  kinds:
    bidder: {{title: {{en: bidder, zh: 投标人}}, hub: 100000}}
    tender: {{title: {{en: tender, zh: 标的}}, hub: 100000}}
  ties:
    - {{source: participations, of: {{bidder: taking_part}}, with: {{tender: tender}}}}
features:
  - columns: [{names}]
  - peers: {{value: amount, within: peer_group, shrink: 0}}
  - network: {{of: bidder, kind: bidder, stats: [degree, counterparties, core_number]}}
"""


@dataclass(frozen=True, slots=True)
class Bids:
    """Features of all bids, and which of the planted bids each kind has."""

    features: pd.DataFrame
    planted: dict[str, list[str]]
    culprits: dict[str, frozenset[str]]  # by kind, the features that were made odd


def bids(data: Path, country: str, seed: int) -> Bids:
    """Plant, deliver, and build the features as a nightly run does."""
    rng = np.random.default_rng(seed)
    table = _delivered(auctions(data, country), country)
    ties = table[["bidder", "tender"]].drop_duplicates()
    order = rng.permutation(len(table))
    peers = _plant_peers(table, order, rng)
    rest = order[~np.isin(order, peers)]
    network, ties = _plant_network(table, ties, rest[:PER_KIND])
    features = _built(table, ties, country)
    networked = [name for name in features if name.startswith("bidder_")]
    ids = table["bid_id"].to_numpy()
    return Bids(
        features,
        {"peers": ids[peers].tolist(), "network": ids[network].tolist()},
        {"peers": frozenset({PEER_FEATURE}), "network": frozenset(networked)},
    )


def _delivered(table: pd.DataFrame, country: str) -> pd.DataFrame:
    named = {name: table[header] for name, header in COLUMNS[country].items()}
    screens = {name.lower(): table[name] for name in SCREENS}
    known = {
        "bid_id": [f"b{i:06d}" for i in range(len(table))],
        "bidder": table["Competitors"].astype(str),
        "tender": table[TENDER].astype(str),
        "peer_group": table[PEERS[country]].astype(str),
        "amount": table[AMOUNT[country]].astype(float),
    }
    return pd.DataFrame(known | named | screens)


def _plant_peers(
    table: pd.DataFrame, order: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Amounts between the 5th and 95th percentile of all, 5 deviations off their peers'."""
    groups = table.groupby("peer_group")["amount"]
    median = groups.transform("median").to_numpy()
    spread = (table["amount"] - median).abs().groupby(table["peer_group"])
    deviation = 1.4826 * spread.transform("median").to_numpy()
    usable = (groups.transform("size").to_numpy() >= LEAST_PEERS) & (deviation > 0)
    low, high = table["amount"].quantile([0.05, 0.95])
    drawn = rng.uniform(low, high, len(table))
    odd = usable & (np.abs(drawn - median) >= BEYOND * deviation)
    chosen = order[odd[order]][:PER_KIND]
    table.loc[chosen, "amount"] = drawn[chosen]
    return chosen


def _plant_network(
    table: pd.DataFrame, ties: pd.DataFrame, chosen: np.ndarray
) -> tuple[np.ndarray, pd.DataFrame]:
    """Each chosen bid gets a bidder of its own, who takes part far more than any other."""
    count = 3 * int(ties.groupby("bidder").size().max())
    names = [f"planted{i}" for i in range(len(chosen))]
    table.loc[chosen, "bidder"] = names
    more = pd.DataFrame(
        {
            "bidder": np.repeat(names, count),
            "tender": [f"{name}-{i}" for name in names for i in range(count)],
        }
    )
    return chosen, pd.concat([ties, more], ignore_index=True)


def _built(table: pd.DataFrame, ties: pd.DataFrame, country: str) -> pd.DataFrame:
    from flows.frames import matrix_frame
    from flows.job import new_job
    from flows.pipeline import prepare

    names = [*COLUMNS[country], *(name.lower() for name in SCREENS)]
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), models=Path(home) / "models")
        folder, data = settings.models / MODEL, settings.home / "data"
        folder.mkdir(parents=True)
        data.mkdir()
        columns = "\n".join(f"      {name}: {{type: number}}" for name in names)
        text = YAML.format(columns=columns, names=", ".join(names))
        (folder / "model.yaml").write_text(text, encoding="utf-8")
        (folder / "rules.yaml").write_text("rules: []\n", encoding="utf-8")
        (folder / "cases.yaml").write_text("cases: []\n", encoding="utf-8")
        table.drop(columns="tender").to_csv(data / "bids.csv", index=False)
        ties.to_csv(data / "participations.csv", index=False)
        job = new_job(MODEL, str(data), settings)
        prepare(job)
        with job.opened() as catalog:
            return matrix_frame(catalog, load_model(MODEL, settings.models))
