"""Which units to review next: the newest list, moved by all that was concluded since.

Nothing is registered and the published list stays as it is: an analyst may ask after
every answer. What the next list is ordered by is learnt by `flows.learn`.
"""

from dataclasses import dataclass

import numpy as np

from configs.loading import load_model
from configs.settings import Settings
from flows.job import Progress
from flows.learn import read_lessons, refitted, scores_of, version_of
from serving import queries
from serving.connect import open_store
from serving.records import RunRecord


@dataclass(frozen=True, slots=True)
class NextLead:
    """A unit to open: `position` in the order asked for, `rank_fused` as published."""

    position: int
    unit_id: str
    rank_fused: int
    rules: list[str]


@dataclass(frozen=True, slots=True)
class NextLeads:
    """What to open of a list, and how many reviews say so."""

    run: RunRecord
    confirmed: int
    excluded: int
    leads: list[NextLead]


def next_leads(
    name: str, settings: Settings, progress: Progress, number: int
) -> NextLeads:
    """The `number` open units of the newest list to review next.

    They are spread out: each is chosen as if those before it would be excluded, the less
    so the more was confirmed (`training.spread`).

    Raises:
        StoreError: no list was published, or its version or frozen files changed.
    """
    model = load_model(name, settings.models)
    open_store(settings)
    run = queries.latest_run(name)
    progress("reading the newest list and the dispositions")
    scorer = version_of(run, model, settings).scorer
    of_list = queries.listed_units(run.id)
    lessons = read_lessons(model, settings, run, scorer, of_list)
    scores = scores_of(run, settings, lessons.features.index)
    X, H, y = lessons.features, lessons.flags, lessons.y
    reviewed = int((~np.isnan(y)).sum())
    progress(f"learning from {reviewed:,} reviewed units")
    learnt = refitted(scorer, lessons, scores) if reviewed else scorer
    listed = X.index.isin(of_list)  # others cannot be decided on
    today = np.flatnonzero(~lessons.earlier & listed)
    told = learnt.tell(X.iloc[today], H.iloc[today], scores)
    places = today[learnt.next_reviews(told, y[today], number)]
    ranks = scores.set_index("unit_id")["rank_fused"]
    fired = H.iloc[places].fillna(False).to_numpy(dtype=np.bool_)
    codes = np.asarray(H.columns, dtype=object)
    return NextLeads(
        run,
        confirmed=int((y == 1).sum()),
        excluded=int((y == 0).sum()),
        leads=[
            NextLead(n, str(unit), int(ranks[unit]), codes[row].tolist())
            for n, (unit, row) in enumerate(zip(X.index[places], fired, strict=True), 1)
        ],
    )
