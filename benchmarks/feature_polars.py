"""The features of the benchmark by hand in Polars: lazy, and collected by streaming."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

DAY = 86_400
_CLASS = "vehicle_class_is_"
_EXACT = pl.Decimal(38, 8)


def write_features(
    cores: Path, as_of: datetime, out: Path, kinds: Mapping[str, str]
) -> None:
    """Write the feature matrix, ordered by unit, with these columns (name -> kind)."""
    claims = _claims(cores, as_of).collect(engine="streaming").lazy()
    joined = claims
    for keys, found in (*_own(claims), *_others(cores, as_of, claims)):
        joined = joined.join(found, on=keys, how="left")
    joined = joined.with_columns(**_peers())
    shown = joined.select(**_shown(as_of, kinds))
    shown.sort("unit_id").sink_parquet(out, engine="streaming")


def _core(cores: Path, source: str, as_of: datetime) -> pl.LazyFrame:
    rows = pl.scan_parquet(cores / f"core_{source}.parquet")
    return rows.filter(pl.col("_known_at").is_null() | (pl.col("_known_at") <= as_of))


def _newest(
    rows: pl.LazyFrame, keys: dict[str, str], take: dict[str, str]
) -> pl.LazyFrame:
    """These columns of the newest row of each key."""
    names = list(keys)
    rows = rows.select(
        **{key: pl.col(column) for key, column in keys.items()},
        **{name: pl.col(column) for name, column in take.items()},
        _known=pl.col("_known_at"),
        _file=pl.col("_file"),
        _line=pl.col("_line"),
    ).drop_nulls(names)
    order = rows.sort(
        ["_known", "_file", "_line"], descending=[True, False, False], nulls_last=True
    )
    first = order.unique(names, keep="first", maintain_order=False)
    return first.select(*names, *take)


def _claims(cores: Path, as_of: datetime) -> pl.LazyFrame:
    """The claims with what other departments know of them, and what follows from it."""
    appraisals = _core(cores, "appraisals", as_of).filter(pl.col("kind") == "vehicle")
    companies = _core(cores, "companies", as_of)
    policies = _core(cores, "policies", as_of)
    takes: tuple[tuple[pl.LazyFrame, dict[str, str], dict[str, str]], ...] = (
        (
            _core(cores, "court_cases", as_of),
            {"claim_no": "claim_no"},
            {
                "filed": "filed",
                "agent_phone": "agent_phone",
                "agent": "_key_agent_phone",
            },
        ),
        (
            appraisals,
            {"claim_no": "claim_no"},
            {
                "agency": "agency",
                "agency_key": "_key_agency",
                "commissioned_by": "commissioned_by",
                "objected": "objected",
            },
        ),
        (
            _core(cores, "assignments", as_of),
            {"claim_no": "claim_no"},
            {"assigned_date": "assigned_date"},
        ),
        (
            _core(cores, "accidents", as_of),
            {"_key_plate": "_key_plate_a", "accident_time": "time"},
            {
                "responsibility": "responsibility_a",
                "accident_kind": "kind",
                "driver_a": "driver_a_id",
                "driver": "_key_driver_a_id",
                "driver_b": "driver_b_id",
            },
        ),
        (policies, {"policy_no": "policy_no"}, {"policy_start": "start_date"}),
        (policies, {"_key_plate": "_key_plate"}, {"vehicle_value": "vehicle_value"}),
        (companies, {"_key_shop": "_key_name"}, {"uscc_by_name": "uscc"}),
        (companies, {"_key_shop": "_key_former_name"}, {"uscc_by_former_name": "uscc"}),
    )
    claims = _core(cores, "claims", as_of)
    for rows, keys, take in takes:
        claims = claims.join(_newest(rows, keys, take), on=list(keys), how="left")
    ratio = pl.col("claimed_amount") / _nonzero("assessed_amount")
    return claims.with_columns(
        shop_code=pl.coalesce(
            "shop_uscc", "uscc_by_name", "uscc_by_former_name", "shop"
        ),
        is_litigated=pl.col("filed").is_not_null(),
        is_assigned=pl.col("assigned_date").is_not_null(),
        is_unassessed_party=(
            ~pl.col("loss_assessed") & (pl.col("commissioned_by") == "party")
        ).fill_null(False),
        is_blameless=pl.col("responsibility") == "none",
        is_small=pl.col("claimed_amount") < 3000,
        claimed_ratio=ratio,
        capped=pl.min_horizontal(ratio, 10.0).cast(_EXACT),
        claimed_log=(pl.col("claimed_amount") + 1).log(),
    )


def _nonzero(column: str) -> pl.Expr:
    return pl.when(pl.col(column) != 0).then(pl.col(column))


def _mean(column: str) -> pl.Expr:
    return pl.col(column).sum().cast(pl.Float64) / pl.col(column).count()


def _own(claims: pl.LazyFrame) -> list[tuple[list[str], pl.LazyFrame]]:
    """Keys and aggregates of the claims that share them; windows by the claim."""

    def by(keys: list[str], **aggregates: pl.Expr) -> tuple[list[str], pl.LazyFrame]:
        return keys, claims.drop_nulls(keys).group_by(keys).agg(**aggregates)

    def distinct(column: str) -> pl.Expr:
        return pl.col(column).drop_nulls().n_unique()

    litigated = pl.col("is_litigated").sum()
    return [
        by(
            ["_key_claimant_id"],
            claimant_claims_insurers=distinct("insurer"),
            claimant_claims_vehicles=distinct("plate"),
            claimant_claims_shops=distinct("shop_code"),
            claimant_claims_suits=litigated,
        ),
        by(
            ["_key_plate"],
            vehicle_claims_drivers=distinct("driver_a"),
            vehicle_claims_claimants=distinct("claimant_id"),
        ),
        by(
            ["driver"],
            driver_claims_vehicles=distinct("plate"),
            driver_claims_insurers=distinct("insurer"),
            driver_claims_parts=distinct("impact_part"),
            driver_claims_counterparties=distinct("driver_b"),
        ),
        by(
            ["payee_account"],
            payee_account_claims_claimants=distinct("claimant_id"),
            payee_account_claims_count=pl.len(),
            payee_account_claims_litigated_share=pl.col("is_litigated").mean(),
        ),
        by(
            ["_key_claimant_phone"],
            claimant_phone_claims_claimants=distinct("claimant_id"),
        ),
        by(
            ["place_grid"],
            place_grid_claims_count=pl.len(),
            place_grid_claims_blameless_share=pl.col("is_blameless").mean(),
        ),
        by(
            ["shop_code"],
            shop_claims_count=pl.len(),
            shop_claims_litigated=litigated,
            shop_claims_litigated_share=pl.col("is_litigated").mean(),
            shop_claims_assigned_share=pl.col("is_assigned").mean(),
            shop_claims_unassessed_share=pl.col("is_unassessed_party").mean(),
            shop_claims_ratio_mean=_mean("capped"),
            shop_claims_agencies=distinct("agency"),
            shop_claims_agents=distinct("agent_phone"),
        ),
        by(["shop_code", "agency_key"], shop_agency_litigated=litigated),
        by(["shop_code", "agent"], shop_agent_litigated=litigated),
        by(
            ["agency_key"],
            agency_claims_count=pl.len(),
            agency_claims_objected_share=pl.col("objected").mean(),
            agency_claims_shops=distinct("shop_code"),
            agency_claims_ratio_mean=_mean("capped"),
        ),
        *_windows(claims),
        _spreads(claims),
    ]


def _windows(claims: pl.LazyFrame) -> list[tuple[list[str], pl.LazyFrame]]:
    """What lies within some days on both sides of the accident."""
    claimant = _around(claims, claims, "_key_claimant_id", 365).agg(
        claimant_claims_count_365d=pl.len(),
        claimant_claims_litigated_365d=pl.col("is_litigated").sum(),
    )
    vehicle = _around(claims, claims, "_key_plate", 90).agg(
        vehicle_claims_count_90d=pl.len()
    )
    near = (pl.col("_at") - pl.col("_own")).abs() <= 90 * DAY
    blameless, small = pl.col("is_blameless"), pl.col("is_small")
    driver = _around(claims, claims, "driver", 365).agg(
        driver_claims_count_90d=near.sum(),
        driver_claims_count_365d=pl.len(),
        driver_claims_blameless_share_90d=blameless.filter(near).mean(),
        driver_claims_blameless_share_365d=blameless.mean(),
        driver_claims_small_share_90d=small.filter(near).mean(),
        driver_claims_small_share_365d=small.mean(),
    )
    return [(["claim_no"], found) for found in (claimant, vehicle, driver)]


def _around(
    claims: pl.LazyFrame, rows: pl.LazyFrame, key: str, days: int
) -> "pl.lazyframe.group_by.LazyGroupBy":
    """The rows of each claim's key within `days` of its accident, by claim."""
    left = claims.select("claim_no", key, _own=pl.col("accident_time").dt.epoch("s"))
    right = rows.select(
        key, "is_litigated", "is_blameless", "is_small",
        _at=pl.col("accident_time").dt.epoch("s"),
    )  # fmt: skip
    pairs = left.drop_nulls(key).join(right.drop_nulls(key), on=key)
    near = (pl.col("_at") - pl.col("_own")).abs() <= days * DAY
    return pairs.filter(near).group_by("claim_no")


def _spreads(claims: pl.LazyFrame) -> tuple[list[str], pl.LazyFrame]:
    """Median and spread of a claim's peers, by kind of car, impact, injury, and of all."""
    keys, value = ["vehicle_class", "impact_part", "injury"], pl.col("claimed_log")
    known = claims.select(*keys, "claimed_log").filter(value.is_not_null())
    centred = known.with_columns(
        _n=pl.len().over(keys), _median=value.median().over(keys), _all=value.median()
    ).with_columns(
        _d=(value - pl.col("_median")).abs(), _d_all=(value - pl.col("_all")).abs()
    )
    found = centred.with_columns(_scale_all=_scale("_d_all")).group_by(keys).agg(
        _n=pl.col("_n").first(), _median=pl.col("_median").first(),
        _all=pl.col("_all").first(), _scale=_scale("_d"),
        _scale_all=pl.col("_scale_all").first(),
    )  # fmt: skip
    return keys, found


def _scale(deviation: str) -> pl.Expr:
    value = pl.col(deviation)
    mean = value.cast(_EXACT).sum().cast(pl.Float64) / value.count()
    mad = value.median()
    return pl.when(mad > 0).then(mad * 1.4826).otherwise(mean * 1.2533)


def _peers() -> dict[str, pl.Expr]:
    size = pl.col("_n").cast(pl.Float64)
    weight = pl.when(size >= 20).then(size / (size + 20)).otherwise(0.0)
    centre = weight * pl.col("_median") + (1 - weight) * pl.col("_all")
    scale = weight * pl.col("_scale") + (1 - weight) * pl.col("_scale_all")
    z = (pl.col("claimed_log") - centre) / pl.when(scale != 0).then(scale)
    return {"claimed_log_robust_z_impact_peers": (z * 20).round() / 20}


def _others(
    cores: Path, as_of: datetime, claims: pl.LazyFrame
) -> list[tuple[list[str], pl.LazyFrame]]:
    """Keys and aggregates of the rows of other departments."""
    bills = _core(cores, "repair_bills", as_of).drop_nulls("claim_no")
    price = pl.col("price")
    lines = bills.group_by("claim_no").agg(
        lines=pl.len(),
        claim_repair_bills_labour_mean=pl.col("labour")
        .cast(_EXACT)
        .sum()
        .cast(pl.Float64)
        / pl.col("labour").count(),
        claim_repair_bills_price_max=price.max(),
        claim_repair_bills_round_share=((price / 100).floor() * 100 == price).mean(),
    )
    accidents = _core(cores, "accidents", as_of).select(
        driver="_key_driver_a_id",
        accident_time="time",
        is_blameless=pl.col("responsibility_a") == "none",
        is_litigated=pl.lit(None),
        is_small=pl.lit(None),
    )
    driven = _around(claims, accidents, "driver", 365).agg(
        accidents=pl.len(),
        driver_accidents_blameless_share_365d=pl.col("is_blameless").mean(),
    )
    paid = _core(cores, "social_insurance", as_of).select(
        _key_claimant_id="_key_person_id", shop_code="_key_employer_uscc"
    )
    quarters = (
        paid.drop_nulls().group_by(paid.collect_schema().names()).agg(quarters=pl.len())
    )
    return [
        (["claim_no"], lines),
        (["claim_no"], driven),
        (["_key_claimant_id", "shop_code"], quarters),
        *(_found(cores, as_of, *one) for one in _COVERED),
    ]


_COVERED = (
    ("court_cases", "claim_no", "claim_no"),
    ("appraisals", "claim_no", "claim_no"),
    ("repair_bills", "claim_no", "claim_no"),
    ("policies", "_key_plate", "_key_plate"),
    ("social_insurance", "_key_claimant_id", "_key_person_id"),
    ("persons", "_key_claimant_id", "_key_person_id"),
)


def _found(
    cores: Path, as_of: datetime, source: str, own: str, other: str
) -> tuple[list[str], pl.LazyFrame]:
    """The keys that a source has rows of."""
    keys = _core(cores, source, as_of).select(pl.col(other).alias(own)).drop_nulls()
    return [own], keys.unique().with_columns(pl.lit(True).alias(f"coverage_{source}"))


def _days(start: str, end: str) -> pl.Expr:
    seconds = pl.col(end).dt.epoch("s") - pl.col(start).dt.epoch("s")
    return seconds / DAY


def _shown(as_of: datetime, kinds: Mapping[str, str]) -> dict[str, pl.Expr]:
    """The columns of the matrix, in the dictionary's order."""
    hour = pl.col("accident_time").dt.hour()
    both = pl.col("_key_claimant_id").is_not_null() & pl.col("shop_code").is_not_null()
    made = {
        "is_single_car": pl.col("accident_kind") == "single",
        "is_night": (hour >= 22) | (hour < 5),
        "claimed_to_value": pl.when(pl.col("injury").not_().fill_null(True)).then(
            pl.col("claimed_amount") / _nonzero("vehicle_value")
        ),
        "days_to_report": _days("accident_time", "report_time"),
        "days_to_assignment": _days("accident_time", "assigned_date"),
        "days_to_suit": _days("accident_time", "filed"),
        "days_since_policy": _days("policy_start", "accident_time"),
        "claim_repair_bills_lines": pl.col("lines").fill_null(0),
        "driver_accidents_count_365d": pl.when(pl.col("driver").is_not_null()).then(
            pl.col("accidents").fill_null(0)
        ),
        "claimant_paid_by_shop_quarters": pl.when(both).then(
            pl.col("quarters").fill_null(0)
        ),
        "closed_pair": pl.col("shop_agency_litigated")
        / _nonzero("shop_claims_litigated"),
        **{
            name: pl.col("vehicle_class") == name.removeprefix(_CLASS)
            for name in kinds
            if name.startswith(_CLASS)
        },
        **{
            f"coverage_{source}": pl.col(f"coverage_{source}").fill_null(False)
            for source, _, _ in _COVERED
        },
    }
    features = {
        name: made.get(name, pl.col(name)).cast(
            pl.Boolean if kind == "boolean" else pl.Float64
        )
        for name, kind in kinds.items()
    }
    return {"unit_id": pl.col("claim_no"), "as_of": pl.lit(as_of), **features}
