"""The aggregates of the benchmark that Featuretools can express, made by it.

It does not work with pandas 3, so `feature_contest` runs this file by an interpreter of its
own, with PACKAGES. It has no windows around a date of the unit, no lookups of the newest
row and no medians of peers: what is taken are the histories that end at the run's date. It
is given the claims as the SQL script derives them, so that only its own work is measured.
"""

import sys
from pathlib import Path
from typing import Any

PACKAGES = ("featuretools==1.31.0", "pandas==2.3.3", "pyarrow>=20", "setuptools<81")
CLAIMS = "claims.parquet"  # beside the cores: the derived claims
# Feature -> the key that claims share, the aggregate and the column.
WANTED = {
    "claimant_claims_insurers": ("claimant", "NUM_UNIQUE", "insurer"),
    "claimant_claims_vehicles": ("claimant", "NUM_UNIQUE", "plate"),
    "claimant_claims_shops": ("claimant", "NUM_UNIQUE", "shop_code"),
    "claimant_claims_suits": ("claimant", "SUM", "litigated"),
    "vehicle_claims_drivers": ("vehicle", "NUM_UNIQUE", "driver_a"),
    "vehicle_claims_claimants": ("vehicle", "NUM_UNIQUE", "claimant_id"),
    "payee_account_claims_claimants": ("payee_account", "NUM_UNIQUE", "claimant_id"),
    "payee_account_claims_count": ("payee_account", "COUNT", ""),
    "payee_account_claims_litigated_share": ("payee_account", "MEAN", "litigated"),
    "claimant_phone_claims_claimants": ("phone", "NUM_UNIQUE", "claimant_id"),
    "place_grid_claims_count": ("place_grid", "COUNT", ""),
    "place_grid_claims_blameless_share": ("place_grid", "MEAN", "blameless"),
    "shop_claims_count": ("shop_code", "COUNT", ""),
    "shop_claims_litigated": ("shop_code", "SUM", "litigated"),
    "shop_claims_litigated_share": ("shop_code", "MEAN", "litigated"),
    "shop_claims_agencies": ("shop_code", "NUM_UNIQUE", "agency"),
    "shop_claims_agents": ("shop_code", "NUM_UNIQUE", "agent_phone"),
}
_NUMBERS = ("litigated", "blameless")


def write_features(cores: Path, out: Path) -> None:
    """Write `unit_id` and the columns of WANTED, ordered by unit."""
    import featuretools as ft
    import pandas as pd

    claims = pd.read_parquet(cores / CLAIMS)
    entities: Any = ft.EntitySet("claims")
    entities = entities.add_dataframe(
        dataframe_name="claims",
        dataframe=claims,
        index="claim_no",
        logical_types=_types(claims),
    )
    keys = list(dict.fromkeys(key for key, _, _ in WANTED.values()))
    for key in keys:
        entities = entities.normalize_dataframe("claims", f"by_{key}", key)
    features = [_feature(ft, entities, *wanted) for wanted in WANTED.values()]
    found = ft.calculate_feature_matrix(features, entities)
    found = found.set_axis(list(WANTED), axis="columns").astype("float64")
    # Featuretools counts the rows without a key as one group.
    for name, (key, _, _) in WANTED.items():
        unknown = claims.set_index("claim_no")[key].isna().reindex(found.index)
        found[name] = found[name].mask(unknown)
    found.rename_axis("unit_id").sort_index().reset_index().to_parquet(out, index=False)


def _types(claims: Any) -> dict[str, str]:
    return {
        name: "Double" if name in _NUMBERS else "Categorical"
        for name in claims
        if name != "claim_no"
    }


def _feature(ft: Any, entities: Any, key: str, aggregate: str, column: str) -> Any:
    """The aggregate over the claims of a key, shown on each of these claims."""
    primitive = {
        "NUM_UNIQUE": ft.primitives.NumUnique,
        "COUNT": ft.primitives.Count,
        "SUM": ft.primitives.Sum,
        "MEAN": ft.primitives.Mean,
    }[aggregate]
    base = ft.Feature(entities["claims"].ww[column or "claim_no"])
    total = ft.Feature(base, parent_dataframe_name=f"by_{key}", primitive=primitive)
    return ft.Feature(total, "claims")


if __name__ == "__main__":
    write_features(Path(sys.argv[1]), Path(sys.argv[2]))
