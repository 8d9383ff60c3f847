"""Tax forms against social security: clean made-up tables, soiled here with known truth.

The tables of the pseudopeople package come without noise. A payroll office has one
spelling of each worker, so dirt is drawn once for each worker and employer; rates are the
domain brief's for dirty keys, with a number that is absent as often as in court texts.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.linkage_data import RecordSet, shared_data
from configs.schema import ColumnType

FIELDS: dict[str, ColumnType] = {
    "ssn": "id",
    "given_name": "person_name",
    "middle_initial": "string",
    "family_name": "person_name",
    "birth": "date",
}
NO_BIRTH = {name: kind for name, kind in FIELDS.items() if name != "birth"}
LAST_YEAR = 2030  # later forms are left out: the figures do not change, the time does
NO_NUMBER_RATE = 0.30
WRONG_DIGIT_RATE = 0.01
BORROWED_RATE = 0.01  # the number of somebody of the same household
TYPO_RATE = 0.03  # of given and of family names
NO_MIDDLE_RATE = 0.15
NO_BIRTH_RATE = 0.02
SWAPPED_DAY_RATE = 0.02
WRONG_DAY_RATE = 0.01
PAID_AFTER_DEATH = 300  # people for whom forms go on
YEARS_PAID = 3
NAMESAKES = 150  # living workers who are called like somebody dead

Rng = np.random.Generator
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Taxes:
    """The record set, and what task B asks of its rows."""

    sample: RecordSet
    tax_year: npt.NDArray[np.int64]  # of a form; 0 for a row of social security
    death_year: npt.NDArray[np.int64]  # of a row of social security; 0 = none known
    paid_after_death: npt.NDArray[np.bool_]  # the truth of each form
    namesake: npt.NDArray[np.bool_]  # forms of the living who are called like the dead


def taxes(seed: int) -> Taxes:
    """W-2 forms to `LAST_YEAR` and all of social security, soiled with a seed."""
    rng = np.random.default_rng(seed)
    people, deaths = _social_security()
    forms = _forms()
    forms, namesakes = _with_namesakes(rng, people, forms, deaths)
    forms = pd.concat([forms, _after_death(rng, forms, deaths)], ignore_index=True)
    return _taxes(people, deaths, _soiled(rng, forms), namesakes)


def without_birth(sample: RecordSet) -> RecordSet:
    """The same records as a real W-2 form is: it has no birth date."""
    records = sample.records.drop(columns="birth")
    title = f"{sample.title}, no birth date"
    return replace(
        sample, name="nobirth", title=title, records=records, fields=dict(NO_BIRTH)
    )


def _social_security() -> tuple[pd.DataFrame, "pd.Series[int]"]:
    rows = _read("social_security", ["middle_name", "event_type", "event_date"])
    rows["middle_initial"] = rows.pop("middle_name").str[:1]
    died = rows[rows["event_type"] == "death"]
    deaths = died.set_index("person")["event_date"].dt.year
    people = rows[rows["event_type"] == "creation"]
    return people.drop(columns=["event_type", "event_date"]), deaths[
        deaths <= LAST_YEAR
    ]


def _forms() -> pd.DataFrame:
    further = ["middle_initial", "employer_id", "tax_year", "tax_form", "copy_ssn"]
    rows = _read("taxes_w2_and_1099", further)
    kept = (rows["tax_form"] == "W2") & (rows["tax_year"] <= LAST_YEAR)
    return rows[kept].drop(columns="tax_form").reset_index(drop=True)


def _read(table: str, further: list[str]) -> pd.DataFrame:
    columns = ["simulant_id", "ssn", "first_name", "last_name", "date_of_birth"]
    path = shared_data() / "pseudopeople" / f"{table}.parquet"
    rows = pd.read_parquet(path, columns=columns + further)
    texts = rows.select_dtypes("category").columns
    rows = rows.astype(dict.fromkeys(texts, "str"))
    rows["birth"] = rows.pop("date_of_birth").dt.strftime("%Y-%m-%d")
    return rows.rename(
        columns={
            "simulant_id": "person",
            "first_name": "given_name",
            "last_name": "family_name",
        }
    )


def _with_namesakes(
    rng: Rng, people: pd.DataFrame, forms: pd.DataFrame, deaths: "pd.Series[int]"
) -> tuple[pd.DataFrame, set[str]]:
    """Living workers take the names of dead ones, in both tables: others, so called."""
    living = np.setdiff1d(forms["person"].unique(), deaths.index.to_numpy())
    living = np.intersect1d(living, people["person"].to_numpy())
    alike = rng.choice(living, NAMESAKES, replace=False)
    dead = people[people["person"].isin(deaths.index)]
    models = dead.sample(NAMESAKES, random_state=int(rng.integers(2**31)))
    for name in ("given_name", "family_name"):
        new = dict(zip(alike, models[name], strict=True))
        for table in (people, forms):
            table[name] = table["person"].map(new).fillna(table[name])
    return forms, set(alike)


def _after_death(
    rng: Rng, forms: pd.DataFrame, deaths: "pd.Series[int]"
) -> pd.DataFrame:
    """The last employer goes on paying some of the dead for one to three years."""
    worked = forms[forms["person"].isin(deaths.index)]
    last = worked.sort_values("tax_year").groupby("person").tail(1)
    ended = last["person"].map(deaths)
    last = last[ended < LAST_YEAR].assign(death=ended)
    paid = last.sample(PAID_AFTER_DEATH, random_state=int(rng.integers(2**31)))
    years = rng.integers(1, YEARS_PAID + 1, len(paid))
    rows = paid.loc[paid.index.repeat(years)].copy()
    rows["tax_year"] = rows["death"] + 1 + rows.groupby(level=0).cumcount()
    return rows[rows["tax_year"] <= LAST_YEAR].drop(columns="death")


def _soiled(rng: Rng, forms: pd.DataFrame) -> pd.DataFrame:
    workers = forms.groupby(["person", "employer_id"], sort=False).ngroup()
    first = forms.groupby(workers).head(1).reset_index(drop=True)
    dirty = pd.DataFrame(
        {
            "ssn": _numbers(rng, first),
            "given_name": _mistyped(rng, first["given_name"].to_numpy(object)),
            "middle_initial": _left_out(rng, first["middle_initial"], NO_MIDDLE_RATE),
            "family_name": _mistyped(rng, first["family_name"].to_numpy(object)),
            "birth": _births(rng, first["birth"]),
        }
    )
    shown = dirty.iloc[workers.to_numpy()].reset_index(drop=True)
    return shown.assign(person=forms["person"], tax_year=forms["tax_year"])


def _left_out(rng: Rng, values: "pd.Series[str]", rate: float) -> Texts:
    return np.where(rng.random(len(values)) < rate, "", values.to_numpy(object))


def _numbers(rng: Rng, first: pd.DataFrame) -> Texts:
    shown = first["ssn"].to_numpy(object).copy()
    other = first["copy_ssn"].fillna("").to_numpy(object)
    borrowed = (rng.random(len(shown)) < BORROWED_RATE) & (other != "")
    shown[borrowed] = other[borrowed]
    wrong = np.flatnonzero(rng.random(len(shown)) < WRONG_DIGIT_RATE)
    places = rng.choice([0, 1, 2, 4, 5, 7, 8, 9, 10], len(wrong))
    digits = rng.integers(1, 10, len(wrong))
    for row, place, more in zip(wrong, places, digits, strict=True):
        text = shown[row]
        digit = str((int(text[place]) + int(more)) % 10)
        shown[row] = text[:place] + digit + text[place + 1 :]
    return _left_out(rng, pd.Series(shown), NO_NUMBER_RATE)


def _mistyped(rng: Rng, names: Texts) -> Texts:
    """A letter left out, doubled, replaced or changed with its neighbour."""
    shown = names.copy()
    for row in np.flatnonzero(rng.random(len(shown)) < TYPO_RATE):
        name = shown[row]
        place = int(rng.integers(0, max(len(name) - 1, 1)))
        letter = chr(ord("a") + int(rng.integers(26)))
        head, at, tail = name[:place], name[place], name[place + 1 :]
        kinds = (
            head + tail,
            head + at + at + tail,
            head + letter + tail,
            head + tail[:1] + at + tail[1:],
        )
        shown[row] = kinds[int(rng.integers(len(kinds)))]
    return shown


def _births(rng: Rng, births: "pd.Series[str]") -> Texts:
    year, month, day = (births.str.slice(*cut) for cut in ((0, 4), (5, 7), (8, 10)))
    swaps = (day <= "12") & (rng.random(len(births)) < SWAPPED_DAY_RATE)
    shown = births.mask(swaps, year + "-" + day + "-" + month)
    wrong = rng.random(len(births)) < WRONG_DAY_RATE
    other = pd.Series(rng.integers(1, 29, len(births))).astype(str).str.zfill(2)
    shown = shown.mask(wrong, year + "-" + month + "-" + other)
    return _left_out(rng, shown, NO_BIRTH_RATE)


def _taxes(
    people: pd.DataFrame,
    deaths: "pd.Series[int]",
    forms: pd.DataFrame,
    namesakes: set[str],
) -> Taxes:
    rows = pd.concat(
        [people.assign(source="ssa", tax_year=0), forms.assign(source="w2")],
        ignore_index=True,
    )
    entity, _ = pd.factorize(rows["person"])
    died = rows["person"].map(deaths).fillna(0).to_numpy(np.int64)
    is_form = (rows["source"] == "w2").to_numpy()
    year = rows["tax_year"].to_numpy(np.int64)
    records = rows[["source", *FIELDS]].fillna("")
    sample = RecordSet(
        "w2",
        "W-2",
        records.assign(record=np.arange(len(rows)).astype(str)),
        dict(FIELDS),
        entity.astype(np.int64),
        across=True,
        listed_once=frozenset({"ssa"}),
        normal_first=True,
    )
    return Taxes(
        sample,
        year,
        np.where(is_form, 0, died),
        is_form & (died > 0) & (year > died),
        is_form & rows["person"].isin(namesakes).to_numpy(),
    )


def conflicts(
    data: Taxes, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Which rows are forms of a year after the death of somebody they are linked to.

    Args:
        left, right: rows that are taken for one person.
    """
    flagged = np.zeros(len(data.tax_year), np.bool_)
    for form, person in ((left, right), (right, left)):
        died, year = data.death_year[person], data.tax_year[form]
        flagged[form[(died > 0) & (year > died)]] = True
    return flagged
