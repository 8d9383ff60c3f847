"""A person's word on two records, kept for the runs to come."""

import getpass
import re

from configs.errors import LeadlineError, nearest
from configs.loading import load_model
from configs.settings import Settings
from serving.connect import explained, open_store
from serving.judgements import JudgementRecord, Verdict
from serving.judgements import judge as add_judgement

DIGEST = "[0-9a-f]{20}"  # as `features.linkage.records` calls a record


def judge(
    name: str,
    settings: Settings,
    entity: str,
    records: tuple[str, str],
    verdict: Verdict,
    note: str,
) -> JudgementRecord:
    """Add a judgement on two records of an entity that the model declares.

    Raises:
        LeadlineError: no such entity, no digest of a record, nobody is known to be
            judging, or the store refuses the judgement.
    """
    declared = load_model(name, settings.models).spec.entities
    if entity not in declared:
        raise LeadlineError(f"{name}: no entity {entity!r}{nearest(entity, declared)}")
    for record in records:
        if not re.fullmatch(DIGEST, record):
            raise LeadlineError(
                f"{record!r} is no record: leadline link {name} --data DIR prints the "
                "digests of doubtful ones, 20 characters each"
            )
    open_store(settings)
    with explained(settings, "written"):
        return add_judgement(
            name, entity, records, verdict, user=judging(settings), note=note
        )


def judging(settings: Settings) -> str:
    """LEADLINE_USER, else the login name."""
    try:
        return settings.user or getpass.getuser()
    except (KeyError, OSError, ImportError) as error:
        raise LeadlineError(
            "nobody is logged in by name; say who judges in LEADLINE_USER"
        ) from error
