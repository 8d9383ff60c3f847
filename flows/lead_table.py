"""The LEADS table: the listed units with what heads them, who reviews them, their peers."""

from functools import reduce
from typing import Any

import ibis
from ibis.expr.types import Table, Value

from configs.loading import LoadedModel
from configs.presented import peers_of
from configs.privacy import MASK
from configs.schema import ModelSpec
from configs.tables import LEADS
from configs.vocabulary import COVERAGE
from features.builders.peers import peer_percentiles
from features.contracts import conform


def listed_units(model: LoadedModel, scores: Table, *others: Table) -> Table:
    """`unit_id` of the scored units that become leads: the first ones of any order.

    Args:
        others: tables with the `unit_id` of units that are listed whatever their rank:
            those drawn for review, and all members of the groups.
    """
    orders = ("rank_fused", "rank_score", "rank_rules")
    best = ibis.least(*(scores[order] for order in orders))
    first = scores.filter(best <= model.spec.review.listed)
    named = [
        table.select(table["unit_id"].cast("string")) for table in (first, *others)
    ]
    return reduce(lambda a, b: a.union(b), named).distinct()


def lead_table(
    model: LoadedModel, units: Table, scores: Table, listed: Table, members: Table
) -> Table:
    """The LEADS of a run, in no order; who is set beside whom is told of all its units.

    Args:
        units: as the features were built for them, with every declared column.
        listed: as `listed_units` finds them.
        members: GROUP_MEMBERS of the run.
    """
    spec, first = model.spec, units.semi_join(listed, "unit_id")
    about = _about(model, first)
    grouped = members.select("unit_id", "group_id")
    ranked = scores.semi_join(listed, "unit_id")
    joined = ranked.inner_join(about, "unit_id").left_join(grouped, "unit_id")
    joined = joined.drop("unit_id_right")
    found_by = _found_by(joined, spec.review.weekly_capacity)
    leads = joined.mutate(found_by=found_by)
    return conform(_with_bands(_with_percentile(leads, model, units, scores)), LEADS)


def _about(model: LoadedModel, units: Table) -> Table:
    spec = model.spec
    return units.select(
        "unit_id",
        title=_title(spec, units),
        money=units[spec.unit.money] if spec.unit.money else ibis.null("float64"),
        silent=_silent(model, units),
        office=_office(spec, units),
    )


def _title(spec: ModelSpec, units: Table) -> Value:
    """The columns that head a lead; sensitive ones are masked here already."""
    declared = spec.sources[spec.unit.source].columns
    parts = [_masked(units[c], declared[c].sensitive) for c in spec.unit.show]
    if not parts:
        return units["unit_id"]
    joined = ibis.literal(" · ").join(parts)
    # What is not known of the unit leaves no gap.
    whole = joined.re_replace("^( · )+|( · )+$", "").re_replace("( · ){2,}", " · ")
    return whole.nullif("").fill_null(units["unit_id"])


def _masked(column: Any, sensitive: bool) -> Value:
    text = column.cast("string").fill_null("")
    if not sensitive:
        return text
    return ibis.ifelse(text == "", text, text.substr(0, 1) + MASK)


def _silent(model: LoadedModel, units: Table) -> Value:
    """Names of the sources that hold nothing about the unit."""
    flags = [c.name for c in model.known.features if c.family == "coverage"]
    if not flags:
        return ibis.literal("")
    missing = [
        ibis.ifelse(units[name], ibis.null("string"), name.removeprefix(COVERAGE))
        for name in flags
    ]
    return ibis.literal(",").join(missing)


def _office(spec: ModelSpec, units: Table) -> Value:
    """The office that reviews the unit; unknown where the data do not say."""
    if spec.unit.office is None:
        return ibis.null("string")
    return units[spec.unit.office].cast("string").strip().nullif("")


def _found_by(rows: Table, capacity: int) -> Value:
    """Which orders alone would have shown the unit within one week's capacity."""
    by_rules = (rows["rank_rules"] <= capacity) & (rows["rules"] > 0)
    by_score = rows["rank_score"] <= capacity
    return ibis.cases(
        (by_rules & by_score, "both"),
        (by_rules, "rules"),
        (by_score, "score"),
        else_="neither",
    )


def _with_percentile(
    leads: Table, model: LoadedModel, units: Table, scores: Table
) -> Table:
    """Where a unit's score stands among its peers; unknown without enough of them."""
    peers = peers_of(model.spec, model.known)
    if peers is None:
        return leads.mutate(peer_percentile=ibis.null("float64"))
    # Names of their own: a column of the units may be called like one of the leads.
    shared = {f"_peers_{n}": units[name] for n, name in enumerate(peers.within)}
    beside = units.select("unit_id", **shared)
    scored = scores.select("unit_id", "score").inner_join(beside, "unit_id")
    found = peer_percentiles(scored, tuple(shared), "score", peers.min_size)
    joined = leads.left_join(found, "unit_id")
    return joined.rename(peer_percentile="percentile").drop("unit_id_right")


def _with_bands(leads: Table) -> Table:
    """Bands are unknown where the model has not been calibrated on reviews."""
    missing = {"band_low", "band_high"} - set(leads.columns)
    return leads.mutate(**{name: ibis.null("float64") for name in sorted(missing)})
