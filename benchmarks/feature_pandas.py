"""The features of the benchmark by hand in pandas."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

_CLASS = "vehicle_class_is_"
_EXACT = pd.ArrowDtype(pa.decimal128(28, 8))
_COVERED = (
    ("court_cases", "claim_no", "claim_no"),
    ("appraisals", "claim_no", "claim_no"),
    ("repair_bills", "claim_no", "claim_no"),
    ("policies", "_key_plate", "_key_plate"),
    ("social_insurance", "_key_claimant_id", "_key_person_id"),
    ("persons", "_key_claimant_id", "_key_person_id"),
)


def write_features(
    cores: Path, as_of: datetime, out: Path, kinds: Mapping[str, str]
) -> None:
    """Write the feature matrix, ordered by unit, with these columns (name -> kind)."""
    claims = _claims(cores, as_of)
    for keys, found in (*_own(claims), *_others(cores, as_of, claims)):
        claims = claims.merge(found, how="left", on=keys)
    claims = claims.assign(**_late(claims))
    for source, own, other in _COVERED:
        keys = _core(cores, source, as_of, [other])[other].dropna().unique()
        claims[f"coverage_{source}"] = claims[own].isin(keys)
    types = {n: "boolean" if k == "boolean" else "float64" for n, k in kinds.items()}
    matrix = claims[["claim_no", *kinds]].astype(types)
    matrix.insert(1, "as_of", as_of)
    matrix = matrix.rename(columns={"claim_no": "unit_id"}).sort_values("unit_id")
    matrix.to_parquet(out, index=False)


def _core(
    cores: Path, source: str, as_of: datetime, columns: list[str]
) -> pd.DataFrame:
    rows = pd.read_parquet(
        cores / f"core_{source}.parquet", columns=[*columns, "_known_at"]
    )
    return rows[rows["_known_at"].isna() | (rows["_known_at"] <= as_of)]


def _newest(
    cores: Path, source: str, as_of: datetime, keys: list[str], take: list[str]
) -> pd.DataFrame:
    """These columns of the newest row of each key."""
    wanted = list(dict.fromkeys([*keys, *take, "_file", "_line"]))
    rows = _core(cores, source, as_of, wanted).dropna(subset=keys)
    if source == "appraisals":
        rows = rows[rows["kind"] == "vehicle"]
    order = ["_known_at", "_file", "_line"]
    rows = rows.sort_values(order, ascending=[False, True, True])
    return rows.drop_duplicates(keys)[list(dict.fromkeys([*keys, *take]))]


_LOOKUPS: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    (
        "court_cases",
        {"claim_no": "claim_no"},
        {"filed": "filed", "agent_phone": "agent_phone", "_key_agent_phone": "agent"},
    ),
    (
        "appraisals",
        {"claim_no": "claim_no"},
        {
            "agency": "agency",
            "_key_agency": "agency_key",
            "commissioned_by": "commissioned_by",
            "objected": "objected",
            "kind": "_kind",
        },
    ),
    ("assignments", {"claim_no": "claim_no"}, {"assigned_date": "assigned_date"}),
    (
        "accidents",
        {"_key_plate_a": "_key_plate", "time": "accident_time"},
        {
            "responsibility_a": "responsibility",
            "kind": "accident_kind",
            "driver_a_id": "driver_a",
            "_key_driver_a_id": "driver",
            "driver_b_id": "driver_b",
        },
    ),
    ("policies", {"policy_no": "policy_no"}, {"start_date": "policy_start"}),
    ("policies", {"_key_plate": "_key_plate"}, {"vehicle_value": "vehicle_value"}),
    ("companies", {"_key_name": "_key_shop"}, {"uscc": "by_name"}),
    ("companies", {"_key_former_name": "_key_shop"}, {"uscc": "by_former_name"}),
)
_OF_CLAIMS = [
    "claim_no", "policy_no", "report_time", "accident_time", "insurer", "plate",
    "vehicle_class", "claimant_id", "payee_account", "shop", "shop_uscc", "impact_part",
    "injury", "loss_assessed", "assessed_amount", "claimed_amount", "place_grid",
    "_key_plate", "_key_claimant_id", "_key_claimant_phone", "_key_shop",
]  # fmt: skip


def _claims(cores: Path, as_of: datetime) -> pd.DataFrame:
    """The claims with what other departments know of them, and what follows from it."""
    claims = _core(cores, "claims", as_of, _OF_CLAIMS).drop(columns="_known_at")
    for source, keys, take in _LOOKUPS:
        found = _newest(cores, source, as_of, list(keys), list(take))
        found = found.rename(columns=keys | take)
        # pandas would join unknown keys with one another; none are left on the right.
        claims = claims.merge(found, how="left", on=list(keys.values()))
    for flag in ("loss_assessed", "objected", "injury"):
        claims[flag] = claims[flag].astype("boolean")
    firms = (claims[c] for c in ("by_name", "by_former_name", "shop"))
    code = claims["shop_uscc"]
    for other in firms:
        code = code.fillna(other)
    ratio = claims["claimed_amount"] / _nonzero(claims["assessed_amount"])
    party = (claims["commissioned_by"] == "party").astype("boolean")
    party[claims["commissioned_by"].isna()] = pd.NA
    return claims.assign(
        shop_code=code,
        is_litigated=claims["filed"].notna(),
        is_assigned=claims["assigned_date"].notna(),
        is_unassessed_party=(~claims["loss_assessed"] & party)
        .fillna(False)
        .astype(bool),
        is_blameless=_equals(claims["responsibility"], "none"),
        is_small=_known(claims["claimed_amount"] < 3000, claims["claimed_amount"]),
        claimed_ratio=ratio,
        capped=_exact(ratio.clip(upper=10).fillna(10.0)),
        claimed_log=np.log(claims["claimed_amount"] + 1),
    )


def _exact(values: pd.Series) -> pd.Series:
    """As decimals, whose sums do not depend on the order of the rows."""
    return values.astype(pd.ArrowDtype(pa.float64())).astype(_EXACT)


def _nonzero(values: pd.Series) -> pd.Series:
    return values.where(values != 0)


def _known(flags: pd.Series, values: pd.Series) -> pd.Series:
    """Flags as 0 and 1, NaN where the value is unknown."""
    return flags.astype("float64").where(values.notna())


def _equals(values: pd.Series, level: str) -> pd.Series:
    return _known(values == level, values)


def _own(claims: pd.DataFrame) -> list[tuple[list[str], pd.DataFrame]]:
    """Keys and aggregates of the claims that share them; windows by the claim."""

    def by(
        keys: list[str], **wanted: tuple[str, str]
    ) -> tuple[list[str], pd.DataFrame]:
        return keys, claims.groupby(keys, sort=False).agg(**wanted).reset_index()

    mean, distinct = "mean", "nunique"
    agency = by(
        ["agency_key"],
        agency_claims_count=("claim_no", "size"),
        agency_claims_objected_share=("objected", mean),
        agency_claims_shops=("shop_code", distinct),
        agency_claims_ratio_mean=("capped", "sum"),
    )
    shop = by(
        ["shop_code"],
        shop_claims_count=("claim_no", "size"),
        shop_claims_litigated=("is_litigated", "sum"),
        shop_claims_litigated_share=("is_litigated", mean),
        shop_claims_assigned_share=("is_assigned", mean),
        shop_claims_unassessed_share=("is_unassessed_party", mean),
        shop_claims_ratio_mean=("capped", "sum"),
        shop_claims_agencies=("agency", distinct),
        shop_claims_agents=("agent_phone", distinct),
    )
    for (_, found), name in ((agency, "agency_claims"), (shop, "shop_claims")):
        total = found[f"{name}_ratio_mean"].astype("float64")
        found[f"{name}_ratio_mean"] = total / found[f"{name}_count"]
    return [
        agency,
        shop,
        by(
            ["_key_claimant_id"],
            claimant_claims_insurers=("insurer", distinct),
            claimant_claims_vehicles=("plate", distinct),
            claimant_claims_shops=("shop_code", distinct),
            claimant_claims_suits=("is_litigated", "sum"),
        ),
        by(
            ["_key_plate"],
            vehicle_claims_drivers=("driver_a", distinct),
            vehicle_claims_claimants=("claimant_id", distinct),
        ),
        by(
            ["driver"],
            driver_claims_vehicles=("plate", distinct),
            driver_claims_insurers=("insurer", distinct),
            driver_claims_parts=("impact_part", distinct),
            driver_claims_counterparties=("driver_b", distinct),
        ),
        by(
            ["payee_account"],
            payee_account_claims_claimants=("claimant_id", distinct),
            payee_account_claims_count=("claim_no", "size"),
            payee_account_claims_litigated_share=("is_litigated", mean),
        ),
        by(
            ["_key_claimant_phone"],
            claimant_phone_claims_claimants=("claimant_id", distinct),
        ),
        by(
            ["place_grid"],
            place_grid_claims_count=("claim_no", "size"),
            place_grid_claims_blameless_share=("is_blameless", mean),
        ),
        by(["shop_code", "agency_key"], shop_agency_litigated=("is_litigated", "sum")),
        by(["shop_code", "agent"], shop_agent_litigated=("is_litigated", "sum")),
        *_windows(claims),
    ]


def _windows(claims: pd.DataFrame) -> list[tuple[list[str], pd.DataFrame]]:
    """What lies within some days on both sides of the accident."""
    far = pd.Timedelta(days=365)
    claimant = _around(claims, claims, "_key_claimant_id", far)
    vehicle = _around(claims, claims, "_key_plate", pd.Timedelta(days=90))
    driver = _around(claims, claims, "driver", far)
    near = driver[driver["_apart"] <= pd.Timedelta(days=90)]

    def shares(pairs: pd.DataFrame, days: int) -> pd.DataFrame:
        return pairs.groupby("claim_no", sort=False).agg(
            **{
                f"driver_claims_count_{days}d": ("_apart", "size"),
                f"driver_claims_blameless_share_{days}d": ("is_blameless", "mean"),
                f"driver_claims_small_share_{days}d": ("is_small", "mean"),
            }
        )

    found = [
        claimant.groupby("claim_no", sort=False).agg(
            claimant_claims_count_365d=("_apart", "size"),
            claimant_claims_litigated_365d=("is_litigated", "sum"),
        ),
        vehicle.groupby("claim_no", sort=False).agg(
            vehicle_claims_count_90d=("_apart", "size")
        ),
        shares(driver, 365),
        shares(near, 90),
    ]
    return [(["claim_no"], frame.reset_index()) for frame in found]


def _around(
    claims: pd.DataFrame, rows: pd.DataFrame, key: str, span: pd.Timedelta
) -> pd.DataFrame:
    """Pairs of a claim and a row of its key within the span of its accident."""
    left = claims[["claim_no", key, "accident_time"]].dropna(subset=[key])
    left = left.rename(columns={"accident_time": "_own"})
    measured = ["accident_time", "is_litigated", "is_blameless", "is_small"]
    taken = [key, *(column for column in measured if column in rows)]
    pairs = left.merge(rows[taken].dropna(subset=[key]), on=key)
    pairs["_apart"] = (pairs["accident_time"] - pairs["_own"]).abs()
    return pairs[pairs["_apart"] <= span]


def _others(
    cores: Path, as_of: datetime, claims: pd.DataFrame
) -> list[tuple[list[str], pd.DataFrame]]:
    """Keys and aggregates of the rows of other departments."""
    columns = ["claim_no", "price", "labour"]
    bills = _core(cores, "repair_bills", as_of, columns)
    price = bills["price"]
    bills["round"] = _known(np.floor(price / 100) * 100 == price, price)
    bills["labour_exact"] = _exact(bills["labour"])
    lines = bills.groupby("claim_no", sort=False).agg(
        lines=("price", "size"),
        _labour=("labour_exact", "sum"),
        _labours=("labour", "count"),
        claim_repair_bills_price_max=("price", "max"),
        claim_repair_bills_round_share=("round", "mean"),
    )
    mean = lines["_labour"].astype("float64") / _nonzero(lines["_labours"])
    lines["claim_repair_bills_labour_mean"] = mean
    columns = ["_key_driver_a_id", "time", "responsibility_a"]
    accidents = _core(cores, "accidents", as_of, columns)
    accidents["is_blameless"] = _equals(accidents["responsibility_a"], "none")
    names = {"_key_driver_a_id": "driver", "time": "accident_time"}
    pairs = _around(
        claims, accidents.rename(columns=names), "driver", pd.Timedelta(days=365)
    )
    driven = pairs.groupby("claim_no", sort=False).agg(
        accidents=("_apart", "size"),
        driver_accidents_blameless_share_365d=("is_blameless", "mean"),
    )
    ties = {"_key_person_id": "_key_claimant_id", "_key_employer_uscc": "shop_code"}
    paid = _core(cores, "social_insurance", as_of, list(ties)).rename(columns=ties)
    quarters = paid.groupby(list(ties.values()), sort=False).size()
    return [
        (["claim_no"], lines.drop(columns=["_labour", "_labours"]).reset_index()),
        (["claim_no"], driven.reset_index()),
        (list(ties.values()), quarters.rename("quarters").reset_index()),
    ]


def _late(claims: pd.DataFrame) -> dict[str, pd.Series]:
    """The columns of the matrix that need others of them."""
    hour, at = claims["accident_time"].dt.hour, claims["accident_time"]
    tied = claims["_key_claimant_id"].notna() & claims["shop_code"].notna()
    suits = claims["shop_claims_litigated"]
    levels = ("private", "taxi", "ride_hailing", "freight", "fleet")
    return {
        "is_single_car": _equals(claims["accident_kind"], "single"),
        "is_night": (hour >= 22) | (hour < 5),
        "claimed_to_value": (
            claims["claimed_amount"] / _nonzero(claims["vehicle_value"])
        ).mask(claims["injury"].fillna(False)),
        "days_to_report": _days(at, claims["report_time"]),
        "days_to_assignment": _days(at, claims["assigned_date"]),
        "days_to_suit": _days(at, claims["filed"]),
        "days_since_policy": _days(claims["policy_start"], at),
        "claim_repair_bills_lines": claims["lines"].fillna(0),
        "driver_accidents_count_365d": claims["accidents"]
        .fillna(0)
        .where(claims["driver"].notna()),
        "claimant_paid_by_shop_quarters": claims["quarters"].fillna(0).where(tied),
        "closed_pair": claims["shop_agency_litigated"] / _nonzero(suits),
        "claimed_log_robust_z_impact_peers": _robust_z(claims),
        **{_CLASS + v: _equals(claims["vehicle_class"], v) for v in levels},
    }


def _days(start: pd.Series, end: pd.Series) -> pd.Series:
    return (end.dt.floor("s") - start.dt.floor("s")).dt.total_seconds() / 86_400


def _robust_z(claims: pd.DataFrame) -> pd.Series:
    """How far the claimed sum lies from that of claims of like cars, impacts, injuries."""
    value = claims["claimed_log"]
    peers = [
        claims[name].astype("object").fillna("(unknown)")
        for name in ("vehicle_class", "impact_part", "injury")
    ]
    grouped = value.groupby(peers)
    size, median = grouped.transform("count"), grouped.transform("median")
    weight = (size / (size + 20)).where(size >= 20, 0.0)
    deviation = (value - median).abs()
    spread = deviation.groupby(peers)
    mad = spread.transform("median")
    total = _exact(deviation).groupby(peers).transform("sum").astype("float64")
    scale = (mad * 1.4826).where(mad > 0, total / size * 1.2533)
    whole = (value - value.median()).abs()
    mean = float(Decimal(_exact(whole).sum())) / whole.count() * 1.2533
    scale_all = whole.median() * 1.4826 if whole.median() > 0 else mean
    centre = weight * median + (1 - weight) * value.median()
    z = (value - centre) / _nonzero(weight * scale + (1 - weight) * scale_all)
    return (z * 20).round() / 20
