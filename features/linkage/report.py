"""What a person is told about a resolution: blocks, clusters, doubtful links, warnings."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import ibis
from ibis.expr.types import Table

from configs.schema import ColumnType
from features.engine import Engine, row_count
from features.linkage.engine import stem
from features.linkage.masks import masked_column
from features.linkage.names import RECORD
from features.linkage.resolve import Resolution, Subject

LARGEST = 10  # clusters shown
DOUBTFUL = 20  # links shown
Rows = list[dict[str, Any]]


def report(
    subject: Subject, records: Table, found: Resolution, engine: Engine
) -> dict[str, Any]:
    """Plain data, for the terminal and for the run's own record."""
    links, entities = found.links, found.entities
    sizes = engine.keep(_sizes(entities), f"sizes_of_{subject.name}")
    told = {
        "entity": subject.name,
        "records": row_count(entities, engine),
        "entities": row_count(sizes, engine),
        "links": _rows(
            links.group_by("decision", "how")
            .aggregate(links=links.count())
            .order_by("decision", "how"),
            engine,
        ),
        "blocks": _blocks(found, engine),
        "cluster sizes": _rows(_distribution(sizes), engine),
        "largest clusters": _rows(_largest(found, sizes), engine),
        "flagged": _rows(_flagged(entities), engine),
        "doubtful links": _rows(_doubtful(subject, records, links), engine),
        "warnings": list(found.warnings),
    }
    engine.drop(stem(sizes))
    return told


def _rows(table: Table, engine: Engine) -> Rows:
    return engine.arrow(table).to_pylist()  # type: ignore[no-any-return]


def _blocks(found: Resolution, engine: Engine) -> Rows:
    """Each rule: the pairs that it compares, and the links that it was first to bring."""
    links = found.links.filter(found.links["decision"] == "accepted")
    brought = _rows(links.group_by("found_by").aggregate(links=links.count()), engine)
    by_rule = {row["found_by"]: row["links"] for row in brought}
    return [
        {
            "blocking rule": block.name,
            "pairs": block.pairs,
            "links first found": by_rule.get(block.name, 0),
            "records left out (value too common)": block.left_out,
        }
        for block in found.blocks
    ]


def _sizes(entities: Table) -> Table:
    return entities.group_by("entity_id").aggregate(
        records=entities.count(),
        rows=entities["rows"].sum(),
        weakest=entities["probability"].min(),
        flag=entities["flag"].max(),
    )


def _distribution(sizes: Table) -> Table:
    bounds = [1, 2, 3, 5, 10, 20, 50, 100]
    size = sizes["records"]
    names = [
        (
            size.between(low, high - 1),
            str(low) if high - low == 1 else f"{low}-{high - 1}",
        )
        for low, high in pairwise(bounds)
    ]
    named = sizes.mutate(size=ibis.cases(*names, else_=f"{bounds[-1]} or more"))
    counted = named.group_by("size").aggregate(
        entities=named.count(), records=named["records"].sum(), _least=size.min()
    )
    return counted.order_by("_least").drop("_least")


def _largest(found: Resolution, sizes: Table) -> Table:
    """The largest clusters and what holds them together."""
    top = sizes.order_by(sizes["records"].desc(), "entity_id").limit(LARGEST)
    owner = found.entities.select(left="record", entity_id="entity_id")
    links = found.links.filter(found.links["decision"] == "accepted")
    tied = links.inner_join(owner.semi_join(top, "entity_id"), "left")
    held = tied.group_by("entity_id").aggregate(
        by_key=(tied["how"] == "key").sum(),
        by_match=(tied["how"] == "match").sum(),
        judged=(tied["how"] == "judged").sum(),
        weakest_link=tied["probability"].min(),
    )
    joined = top.left_join(held, "entity_id")
    shown = joined.mutate(entity=masked_column(joined["entity_id"]))
    # By the whole identifier: masked ones are often equal.
    return shown.order_by(ibis.desc("records"), "entity_id").select(
        "entity",
        "records",
        "rows",
        "by_key",
        "by_match",
        "judged",
        "weakest_link",
        "flag",
    )


def _flagged(entities: Table) -> Table:
    """Clusters that look over-merged, by what is wrong with them."""
    wrong = entities.filter(entities["flag"] != "")
    kinds = wrong.mutate(reason=wrong["flag"].re_replace("^[0-9]+ ", ""))
    return kinds.group_by("reason").aggregate(records=kinds.count()).order_by("reason")


def _doubtful(subject: Subject, records: Table, links: Table) -> Table:
    """Links between review and accept, the most probable first, both records masked."""
    doubt = links.filter(links["decision"] == "review")
    doubt = doubt.order_by(doubt["probability"].desc(), "left", "right").limit(DOUBTFUL)
    named = ends(doubt, records)
    said = named.select(RECORD, said=_said(named, subject.fields))
    both = doubt.left_join(said.rename(left=RECORD, left_says="said"), "left")
    both = both.left_join(said.rename(right=RECORD, right_says="said"), "right")
    return both.select(
        "left", "left_says", "right", "right_says", "probability", "how"
    ).order_by(ibis.desc("probability"), "left", "right")


def ends(links: Table, records: Table) -> Table:
    """The records that some links join, each once."""
    sides = [links.select(**{RECORD: links[side]}) for side in ("left", "right")]
    return records.semi_join(sides[0].union(sides[1]), RECORD)


def _said(records: Table, fields: Mapping[str, ColumnType]) -> Any:
    parts = [
        masked_column(records[name], kind).fill_null("?")
        for name, kind in fields.items()
    ]
    return ibis.literal(" · ").join(parts)
