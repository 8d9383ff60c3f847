"""Look-alikes of leads as the console shows them: one sentence each, in both languages."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from configs.tables import LIKES
from flows.look_alikes import NODE, LookAlike, SharedPoint

POINTS_NAMED, FEATURES_NAMED = 3, 2  # of a sentence; more is not read
NOTHING = ("alike in many small things", "多项轻微特征相近")


def like_rows(found: Mapping[str, Sequence[LookAlike]]) -> pa.Table:
    """LIKES: by unit, the most alike first."""
    rows = [
        {
            "unit_id": unit_id,
            "position": position,
            "other": one.unit_id,
            "how": one.how,
            "likeness": one.overall,
            "text_en": in_english(one),
            "text_zh": in_chinese(one),
        }
        for unit_id, near in sorted(found.items())
        for position, one in enumerate(near, 1)
    ]
    types = {name: pa.type_for_alias(kind) for name, kind in LIKES.items()}
    return pa.Table.from_pylist(rows, schema=pa.schema(types))


def in_english(one: LookAlike) -> str:
    """`both tied to phone 139*** (3 units); both fired V3, V6; claimed amount: ...`."""
    parts = []
    if one.how == NODE and one.points:
        named = [f"{p.kind_en} {p.label} ({p.units} units)" for p in _named(one)]
        parts.append(f"both tied to {', '.join(named)}")
    if one.rules:
        parts.append(f"both fired {', '.join(one.rules)}")
    parts += [feature.text_en for feature in one.features[:FEATURES_NAMED]]
    return "; ".join(parts) or NOTHING[0]


def in_chinese(one: LookAlike) -> str:
    """The same, as `in_english`."""
    parts = []
    if one.how == NODE and one.points:
        named = [f"{p.kind_zh}{p.label}（{p.units}个对象）" for p in _named(one)]
        parts.append(f"均关联{'、'.join(named)}")
    if one.rules:
        parts.append(f"均触发规则{'、'.join(one.rules)}")
    parts += [feature.text_zh for feature in one.features[:FEATURES_NAMED]]
    return "；".join(parts) or NOTHING[1]


def _named(one: LookAlike) -> list[SharedPoint]:
    return one.points[:POINTS_NAMED]
