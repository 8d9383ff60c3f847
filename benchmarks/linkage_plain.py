"""Plain Splink with fixed settings, as its own tutorials have them for these sets.

Febrl 3, Febrl 4 and fake_1000 follow the tutorials of the same name ("Deduplicating the
febrl3 dataset", "Linking the febrl4 datasets", "Evaluation when you have fully labelled
data"); the others are in the same manner for their columns. Values are the delivered
texts there; the Chinese registers and the tax forms come in Leadline's normal forms.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

logging.getLogger("splink").setLevel(logging.ERROR)
LOWEST = 0.001  # pairs below are of no interest to anybody


@dataclass(frozen=True, slots=True)
class Plain:
    """What a script with Splink states for one record set."""

    comparisons: Callable[[], list[Any]]
    block: tuple[Any, ...]
    train: tuple[Any, ...]
    certain: tuple[Any, ...]  # rules that hold for true pairs almost alone
    recall: float  # of those rules, as guessed by the tutorial
    max_pairs: float = 1e6
    seed: int = 2
    prepare: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows


def _febrl_comparisons(close: list[int]) -> list[Any]:
    common = {"term_frequency_adjustments": True}
    postcode = cl.ExactMatch("postcode").configure(**common)
    if len(close) > 1:
        postcode = cl.DamerauLevenshteinAtThresholds("postcode", close).configure(
            **common
        )
    names = [cl.NameComparison("given_name"), cl.NameComparison("family_name")]
    if len(close) > 1:
        names = [name.configure(**common) for name in names]
    birth = cl.DateOfBirthComparison(
        "birth",
        input_is_string=True,
        datetime_format="%Y%m%d",
        invalid_dates_as_null=True,
    )
    number = cl.DamerauLevenshteinAtThresholds("soc_sec_id", close)
    street = cl.ExactMatch("street_number").configure(**common)
    return [*names, birth, number, street, postcode]


def _fake_comparisons() -> list[Any]:
    return [
        cl.ForenameSurnameComparison("given_name", "family_name"),
        cl.DateOfBirthComparison(
            "birth", input_is_string=True, datetime_format="%Y-%m-%d"
        ),
        cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        cl.EmailComparison("email"),
    ]


def _chinese_comparisons() -> list[Any]:
    """Levenshtein distance 1 on names of two or three characters, a masked-number key."""
    name = cl.CustomComparison(
        output_column_name="name",
        comparison_levels=[
            cll.NullLevel("name"),
            cll.ExactMatchLevel("name", term_frequency_adjustments=True),
            cll.LevenshteinLevel("name", 1),
            cll.ElseLevel(),
        ],
    )
    number = cl.CustomComparison(
        output_column_name="id",
        comparison_levels=[
            cll.NullLevel("id"),
            cll.ExactMatchLevel("id"),
            cll.CustomLevel("id_key_l = id_key_r", "masked number agrees"),
            cll.LevenshteinLevel("id", 2),
            cll.ElseLevel(),
        ],
    )
    return [
        name,
        number,
        cl.LevenshteinAtThresholds("birth", [1]),
        cl.ExactMatch("phone"),
        cl.JaroWinklerAtThresholds("address", [0.95, 0.88]),
    ]


def _tax_comparisons() -> list[Any]:
    common = {"term_frequency_adjustments": True}
    return [
        cl.NameComparison("given_name").configure(**common),
        cl.NameComparison("family_name").configure(**common),
        cl.ExactMatch("middle_initial"),
        cl.DateOfBirthComparison(
            "birth", input_is_string=True, datetime_format="%Y-%m-%d"
        ),
        cl.DamerauLevenshteinAtThresholds("ssn", [1, 2]),
    ]


_SWAPPED = "l.given_name = r.family_name and l.family_name = r.given_name"
_FEBRL_SURE = (
    block_on("soc_sec_id"),
    block_on("given_name", "family_name", "birth"),
)
FEBRL3 = Plain(
    lambda: _febrl_comparisons([2]),
    block=tuple(
        map(block_on, ("soc_sec_id", "given_name", "family_name", "birth", "postcode"))
    ),
    train=(block_on("birth"), block_on("postcode")),
    certain=(*_FEBRL_SURE, f"{_SWAPPED} and l.birth = r.birth"),
    recall=0.9,
)
FEBRL4 = Plain(
    lambda: _febrl_comparisons([1, 2]),
    block=(
        block_on("given_name", "family_name"),
        _SWAPPED,
        block_on("birth"),
        block_on("soc_sec_id"),
        block_on("state", "address_1"),
        block_on("street_number", "address_1"),
        block_on("postcode"),
    ),
    train=(block_on("birth"), block_on("postcode")),
    certain=_FEBRL_SURE,
    recall=0.8,
)
FAKE = Plain(
    _fake_comparisons,
    block=tuple(map(block_on, ("given_name", "family_name", "birth", "email"))),
    train=(
        block_on("birth"),
        block_on("email"),
        block_on("given_name", "family_name"),
    ),
    certain=(
        "l.given_name = r.given_name and levenshtein(r.birth, l.birth) <= 1",
        "l.family_name = r.family_name and levenshtein(r.birth, l.birth) <= 1",
        "l.given_name = r.given_name and levenshtein(r.family_name, l.family_name) <= 2",
        "l.email = r.email",
    ),
    recall=0.7,
    seed=5,
)
CHINESE = Plain(
    _chinese_comparisons,
    block=(
        block_on("id"),
        block_on("id_key"),
        block_on("phone"),
        block_on("name", "birth"),
        block_on("birth", "address"),
        block_on("name", "address"),
    ),
    train=(block_on("phone"), block_on("name", "birth")),
    certain=(block_on("id"), block_on("name", "birth")),
    recall=0.6,
    max_pairs=2e6,
    seed=1,
    prepare=lambda rows: rows.assign(id_key=rows["id"].str[:6] + rows["id"].str[-4:]),
)
TAX = Plain(
    _tax_comparisons,
    block=(
        block_on("ssn"),
        block_on("given_name", "family_name"),
        block_on("birth", "family_name"),
        block_on("birth", "given_name"),
    ),
    train=(block_on("birth"), block_on("given_name", "family_name")),
    certain=(block_on("ssn"), block_on("given_name", "family_name", "birth")),
    recall=0.8,
)
NO_BIRTH = Plain(
    lambda: [c for c in _tax_comparisons() if c.create_output_column_name() != "birth"],
    block=(
        block_on("ssn"),
        block_on("given_name", "family_name"),
        block_on("family_name", "middle_initial"),
        block_on("given_name", "middle_initial"),
    ),
    train=(block_on("ssn"), block_on("given_name", "family_name")),
    certain=(block_on("ssn"), block_on("given_name", "middle_initial", "family_name")),
    recall=0.8,
)
SCRIPTS = {
    "febrl4": FEBRL4,
    "febrl": FEBRL3,
    "fake": FAKE,
    "chinese": CHINESE,
    "w2": TAX,
    "nobirth": NO_BIRTH,
}


def script_for(name: str) -> Plain:
    """The script of a record set, by how its name begins."""
    return next(plain for start, plain in SCRIPTS.items() if name.startswith(start))


def plain_pairs(records: pd.DataFrame, across: bool, plain: Plain) -> pd.DataFrame:
    """Scored pairs of a script with Splink.

    Args:
        records: `row` (a number), `source` and the attributes, null where not known.
        across: link the sources to each other; else look for duplicates in all rows.

    Returns:
        `left`, `right` (rows), `probability` and `weight` (log2 of the odds).
    """
    linker = _linker(records, across, plain)
    training = linker.training
    training.estimate_probability_two_random_records_match(
        list(plain.certain), recall=plain.recall
    )
    training.estimate_u_using_random_sampling(
        max_pairs=plain.max_pairs, seed=plain.seed
    )
    for rule in plain.train:
        training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True
        )
    pairs = linker.inference.predict(threshold_match_probability=LOWEST)
    return pairs.query_sql(
        "select row_l as left, row_r as right, match_probability as probability, "
        "match_weight as weight, cast(match_key as integer) as rule from {this}"
    ).as_pandas_dataframe()


def _linker(records: pd.DataFrame, across: bool, plain: Plain) -> Linker:
    api = DuckDBAPI()
    settings = SettingsCreator(
        unique_id_column_name="row",
        link_type="link_only" if across else "dedupe_only",
        comparisons=plain.comparisons(),
        blocking_rules_to_generate_predictions=list(plain.block),
    )
    parts = [part for _, part in records.groupby("source")] if across else [records]
    frames = [api.register(plain.prepare(part)) for part in parts]
    return Linker(frames, settings, log_level=None)
