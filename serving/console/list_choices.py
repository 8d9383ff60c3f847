"""What the filters of a list offer: read once for each run, which never changes."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from serving.console.list_rows import source_title
from serving.leads.models import Lead, Run

_DAY = 24 * 3600
Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Known:
    """Of a run: its rules with their layers, and the offices of its leads."""

    rules: list[tuple[str, int, int]]  # code, layer, hits
    offices: list[str]


def choices(run: Run, offices: set[str] | None, lang: str) -> dict[str, Choices]:
    """name of a filter -> values and labels.

    Args:
        offices: that the user may see, None for all.
    """
    known = _known(run)
    seen = [name for name in known.offices if offices is None or name in offices]
    layers = sorted({layer for _code, layer, _hits in known.rules})
    return {
        # How often a rule fired is told of the whole list: not to who sees a part of it.
        "rule": [
            (code, f"{code} ({hits:,})" if offices is None else code)
            for code, _layer, hits in known.rules
        ],
        "layer": [(str(layer), layer_title(layer)) for layer in layers],
        "silent": [(name, source_title(run, name, lang)) for name in sources(run)],
        "office": [(name, name) for name in seen],
    }


def layer_title(layer: int) -> str:
    """A layer with what its rules are about."""
    titles = {1: _("scope"), 2: _("trait"), 3: _("aggregate"), 4: _("cross-table")}
    return f"{layer} {titles.get(layer, '')}".strip()


def sources(run: Run) -> list[str]:
    """The sources that a unit may have no row in, by name."""
    told = {name: about.get("units") for name, about in (run.coverage or {}).items()}
    partly = [name for name, share in told.items() if share is not None]
    return sorted(partly or {*told, *run.about.get("sources", {})})


def _known(run: Run) -> _Known:
    # The digest covers the time of publication: no two runs have the same.
    known: _Known | None = cache.get(f"list:{run.digest}")
    if known is None:
        known = _read(run)
        cache.set(f"list:{run.digest}", known, _DAY)
    return known


def _read(run: Run) -> _Known:
    rules = run.rules.filter(hits__gt=0).order_by("layer", "code")
    return _Known(list(rules.values_list("code", "layer", "hits")), list(_offices(run)))


def _offices(run: Run) -> Iterator[str]:
    """Each office once, by one step of an index each: leads are many, offices few."""
    leads: QuerySet[Lead] = Lead.objects.filter(run=run, office__isnull=False)
    found = leads.order_by("office").values_list("office", flat=True)
    office = found.first()
    while office is not None:
        yield office
        office = found.filter(office__gt=office).first()
