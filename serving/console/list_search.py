"""What somebody typed into the search of a list, and which filter it becomes.

What may be a person's number, phone, plate or account never stands in an address, where
logs and the browser's history keep it: it becomes a token, or nothing.
"""

import re
from collections.abc import Iterator

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from configs.settings import Settings
from serving.console.list_few import TOGETHER
from serving.console.list_filter import LONGEST, LeadFilter
from serving.console.list_rows import source_title
from serving.dossier import dossier
from serving.leads.models import Lead, Run
from serving.tokens import key_of, plain_value, token

_PERSONAL = re.compile(
    r"""(
    \+?\d{7,}            # phones, accounts, numbers of persons of any country
    | \d{14,17}[\dX]     # identity card
    | [0-9A-Z]{18}       # unified social credit code
    | [\u4e00-\u9fff][A-Z][0-9A-Z]{5,6}[\u4e00-\u9fff]?  # plate
    | [A-Z]{1,2}\d{6,9}  # passport and the like
    )""",
    re.VERBOSE,
)


def asked_for(seen: QuerySet[Lead], run: Run, typed: str) -> dict[str, str]:
    """The filter that a search becomes, by name; nothing when nothing is found.

    A unit that starts so wins over a group of that name, and this over words of a title.

    Args:
        seen: the leads of the run that the user may see; others are as if they were not.
    """
    text = " ".join(typed.split())[:LONGEST]
    if not text or "\x00" in text:
        return {}
    found = _token_of(seen, run, text)
    if found:
        return {"token": found}
    personal = looks_personal(text)
    for begin in dict.fromkeys((text, plain_value(text))):
        if _has_unit(seen, begin) and not personal:
            return {"unit": begin}
        if seen.filter(group_id=begin).exists():
            return {"group": begin}
    return {} if personal else {"words": text}


def looks_personal(text: str) -> bool:
    """Is this, typed in whatever way, the form of what identifies a person?"""
    plain = re.sub(r"[-–.()/·]", "", plain_value(text))
    return _PERSONAL.fullmatch(plain) is not None


def lead_of(seen: QuerySet[Lead], typed: str) -> int | None:
    """The lead whose unit has exactly this id."""
    exact = {" ".join(typed.split()), plain_value(typed)}
    leads = seen.filter(unit_id__in=exact)
    return leads.values_list("id", flat=True).first()


def _token_of(seen: QuerySet[Lead], run: Run, text: str) -> str | None:
    """The token of the first kind of node that a unit in sight is tied to."""
    key = key_of(Settings())
    units: dict[str, list[str]] = {token(key, k, text): [] for k in sorted(run.kinds)}
    for row in dossier(run).units_tied_to(list(units)):
        units[row["key"]].append(row["unit_id"])
    for found, tied in units.items():
        if tied and seen.filter(unit_id__in=tied[:TOGETHER]).exists():
            return found
    return None


def _has_unit(seen: QuerySet[Lead], begin: str) -> bool:
    leads = seen.filter(unit_id__startswith=begin)
    if connection.vendor == "sqlite":  # whose LIKE uses no index
        leads = leads.filter(unit_id__gte=begin, unit_id__lt=f"{begin}\U0010ffff")
    return leads.exists()


def said(leads: LeadFilter, lang: str, *, any_seen: bool) -> Iterator[tuple[str, str]]:
    """Each filter that is on, by name, in words.

    Args:
        any_seen: does any lead fit? What a token stands for is not told otherwise.
    """
    for name, value in leads.asked.items():
        label = leads.filters[name].label
        if name == "token":
            tied = _tied_to(leads.run, value, lang) if any_seen else f"{value[:8]}…"
            yield name, tied
        elif name == "unit":
            yield name, _("Unit begins with %(value)s") % {"value": value}
        elif name == "group":
            yield name, _("Group %(value)s") % {"value": value}
        elif name == "words":
            yield name, _("Title contains %(value)s") % {"value": value}
        else:
            yield name, f"{label}: {_shown(leads, name, value, lang)}"


def _tied_to(run: Run, key: str, lang: str) -> str:
    """The node of a token, masked where it is sensitive."""
    node = dossier(run).nodes([key]).get(key)
    kind = node["kind"] if node else _kind_of(run, key)
    title = run.kinds.get(kind, {}).get(lang, kind)
    label = node["label"] if node else f"{key[:8]}…"
    return _("Tied to %(kind)s %(label)s") % {"kind": title, "label": label}


def _kind_of(run: Run, key: str) -> str:
    return next((str(row["kind"]) for row in dossier(run).units_of(key)), "")


def _shown(leads: LeadFilter, name: str, value: object, lang: str) -> str:
    if name == "silent":
        return source_title(leads.run, str(value), lang)
    if name == "assignee":
        known = {"me": _("me"), "nobody": _("nobody")}
        return known.get(str(value), str(value))
    choices = dict(getattr(leads.form.fields[name], "choices", ()))
    return str(choices.get(value, value))
