"""What a run says of its supervision model, so that a console needs no declaration."""

from collections.abc import Iterable

from configs.common_words import common_words
from configs.loading import LoadedModel
from configs.presented import peers_of
from configs.privacy import excluded_columns
from configs.schema import ColumnSpec, ModelSpec, SourceSpec
from configs.spec import Text
from flows.catalog import Catalog
from flows.figures import distributions, histograms, hot_spots
from flows.job import Job
from flows.score import SCORED_BY
from serving.about import (
    About,
    ColumnAbout,
    FeatureAbout,
    ReviewAbout,
    SourceAbout,
    Words,
)


def about(job: Job, catalog: Catalog) -> About:
    """The declaration in a few words, and how the units of the run were distributed."""
    model = job.model
    said = About(
        unit=_words([model.spec.unit.title]),
        review=_review(model.spec, catalog),
        sources={n: _source(model.spec, s) for n, s in model.spec.sources.items()},
        features=_features(model, catalog),
        scores=histograms(catalog),
        spots=hot_spots(model, catalog),
    )
    columns = model.known.columns
    if model.spec.unit.office is not None:
        said["office"] = _words([columns[model.spec.unit.office].meaning])
    peers = peers_of(model.spec, model.known)
    if peers is not None:
        said["peers"] = _words([columns[name].meaning for name in peers.within])
    return said


def _words(texts: Iterable[Text]) -> Words:
    told = list(texts)
    return Words(en=" and ".join(t.en for t in told), zh="、".join(t.zh for t in told))


def _review(spec: ModelSpec, catalog: Catalog) -> ReviewAbout:
    # As much is drawn as the model asks for that scored, but no less than declared.
    taught = catalog.load_json(SCORED_BY)["explore_share"]
    return ReviewAbout(
        weekly_capacity=spec.review.weekly_capacity,
        explore_share=max(spec.review.explore_share, taught),
        second_review=list(spec.review.second_review),
    )


def _source(spec: ModelSpec, source: SourceSpec) -> SourceAbout:
    dropped = excluded_columns(spec, source)
    return SourceAbout(
        en=source.title.en,
        zh=source.title.zh,
        department_en=source.department.en,
        department_zh=source.department.zh,
        columns={
            name: _column(name, column)
            for name, column in source.columns.items()
            if name not in dropped
        },
    )


def _column(name: str, column: ColumnSpec) -> ColumnAbout:
    header = column.header or ""
    # What a department calls its column serves where it is no ASCII name.
    common = common_words(name)
    delivered = common.zh if header.isascii() else header
    words = column.meaning or Text(en=common.en, zh=delivered)
    return ColumnAbout(
        en=words.en, zh=words.zh, type=column.type, sensitive=column.sensitive
    )


def _features(model: LoadedModel, catalog: Catalog) -> dict[str, FeatureAbout]:
    figures = distributions(model, catalog)
    return {
        column.name: FeatureAbout(
            en=column.meaning.en,
            zh=column.meaning.zh,
            unit=column.unit,
            family=column.family,
            missing=figures[column.name].missing,
            deciles=figures[column.name].deciles,
        )
        for column in model.known.features
    }
