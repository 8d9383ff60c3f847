"""The aggregates of the benchmark that Featuretools can express, made by it.

It does not work with pandas 3, so `feature_contest` runs this file by an interpreter of its
own, with PACKAGES. It has no lookups of the newest row and no medians of peers: what is
taken are the histories of claims, those that end at the run's date and those around the
date of each claim, which are windows that end so many days after it (`cutoff_time`,
`training_window`). It is given the claims as the SQL script derives them, so that only its
own work is measured.
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
# Feature -> the same, and days on each side of the claim's own date.
AROUND = {
    "claimant_claims_count_365d": ("claimant", "COUNT", "", 365),
    "claimant_claims_litigated_365d": ("claimant", "SUM", "litigated", 365),
    "vehicle_claims_count_90d": ("vehicle", "COUNT", "", 90),
    "driver_claims_count_90d": ("driver", "COUNT", "", 90),
    "driver_claims_count_365d": ("driver", "COUNT", "", 365),
    "driver_claims_blameless_share_90d": ("driver", "MEAN", "blameless", 90),
    "driver_claims_blameless_share_365d": ("driver", "MEAN", "blameless", 365),
    "driver_claims_small_share_90d": ("driver", "MEAN", "small", 90),
    "driver_claims_small_share_365d": ("driver", "MEAN", "small", 365),
}
AT = "accident_time"
NUMBERS = ("litigated", "blameless", "small")
_DAY = 86_400  # seconds


def write_features(cores: Path, out: Path) -> None:
    """Write `unit_id` and the columns of WANTED and AROUND, ordered by unit."""
    import featuretools as ft
    import pandas as pd

    claims = pd.read_parquet(cores / CLAIMS)
    entities: Any = ft.EntitySet("claims")
    entities = entities.add_dataframe(
        dataframe_name="claims",
        dataframe=claims,
        index="claim_no",
        time_index=AT,
        logical_types=_types(claims),
    )
    keys = {name: wanted[0] for name, wanted in (WANTED | AROUND).items()}
    for key in dict.fromkeys(keys.values()):
        entities = entities.normalize_dataframe(
            "claims", f"by_{key}", key, make_time_index=False
        )
    ended = [_feature(ft, entities, *wanted) for wanted in WANTED.values()]
    parts = [ft.calculate_feature_matrix(ended, entities).set_axis([*WANTED], axis=1)]
    parts += [
        _around(ft, entities, claims, length)
        for length in dict.fromkeys(wanted[3] for wanted in AROUND.values())
    ]
    found = pd.concat(parts, axis="columns").astype("float64")
    # Featuretools counts the rows without a key as one group.
    for name, key in keys.items():
        unknown = claims.set_index("claim_no")[key].isna().reindex(found.index)
        found[name] = found[name].mask(unknown)
    found.rename_axis("unit_id").sort_index().reset_index().to_parquet(out, index=False)


def _around(ft: Any, entities: Any, claims: Any, length: int) -> Any:
    """The features of windows of `length` days on each side of a claim's date."""
    import pandas as pd

    wanted = {name: one[:3] for name, one in AROUND.items() if one[3] == length}
    features = [_feature(ft, entities, *one) for one in wanted.values()]
    ends = claims[AT] + pd.Timedelta(days=length)
    # The window's first second belongs to it; Featuretools begins after that.
    window = ft.Timedelta(2 * length * _DAY + 1, "s")
    found = ft.calculate_feature_matrix(
        features,
        entities,
        cutoff_time=pd.DataFrame({"claim_no": claims["claim_no"], "time": ends}),
        training_window=window,
    )
    return found.set_axis([*wanted], axis="columns")


def _types(claims: Any) -> dict[str, str]:
    return {
        name: "Double" if name in NUMBERS else "Categorical"
        for name in claims
        if name not in ("claim_no", AT)
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
