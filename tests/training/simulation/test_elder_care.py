"""Elder care: equal bytes, agreed headers, and planted firms that hide among honest ones."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.simulation.elder_care import (
    CAUGHT_BY_NO_RULE,
    CAUGHT_BY_RULES,
    simulate,
)
from training.simulation.elder_fraud import SCHEMES
from training.simulation.elder_honest import HARD_NEGATIVES, VICTIMS
from training.simulation.elder_plants import Scheme

UNITS, SEED = 1000, 12
CHINESE_FILES = ("elder_firms.csv", "complaints.csv", "companies.csv")
HEADERS = {
    "elder_firms.csv": (
        "uscc line filed permit_no beds staff bed_fee opened account prepaid_reported "
        "posted_date"
    ),
    "brands.csv": "uscc brand posted_date",
    "contracts.parquet": (
        "ct_no uscc payer_token age_band signed kind amount months promised_rate "
        "payee_account sales_phone posted_date"
    ),
    "contract_forms.csv": "uscc sales_phone form posted_date",
    "refunds.csv": "uscc asked_date amount outcome posted_date",
    "stays.csv": "uscc month residents posted_date",
    "subsidies.csv": "uscc month residents_paid amount posted_date",
    "service_income.csv": "uscc month income posted_date",
    "custody.csv": "uscc day required held posted_date",
    "bank_days.csv.gz": (
        "account day in_count in_amount in_old_share out_count out_amount "
        "out_private_share cash_share posted_date"
    ),
    "bank_requests.csv": "uscc interest_share within_7_days_share posted_date",
    "ads.csv": "uscc brand date channel text posted_date",
    "events.csv": "uscc brand date place attendees gifts posted_date",
    "complaints.csv": "complaint_no uscc brand date origin text posted_date",
    "arrears.csv": "uscc month kind amount posted_date",
    "closed_raisers.csv": "person_id name phone closed_date posted_date",
}


class Elder:
    """Tables of one delivery as texts, read once each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table = cache(self._read)

    def _read(self, name: str) -> pd.DataFrame:
        if name.endswith(".parquet"):
            return pd.read_parquet(self.folder / name)
        code = "gb18030" if name in CHINESE_FILES else "utf-8"
        return pd.read_csv(
            self.folder / name, dtype=str, keep_default_na=False, encoding=code
        )

    def firms(self) -> pd.DataFrame:
        """Firms with their truth."""
        firms = self.table("elder_firms.csv")
        firms = firms.assign(uscc=firms["uscc"].str.upper())
        return firms.merge(self.table("truth/units.csv"), on="uscc", validate="1:1")

    def of(self, kind: str) -> pd.DataFrame:
        firms = self.firms()
        return firms[(firms["typology"] == kind) | (firms["hard_negative"] == kind)]

    def contracts(self, kind: str) -> pd.DataFrame:
        sold = self.table("contracts.parquet")
        sold = sold[sold["signed"] >= pd.Timestamp("2024-01-01").date()]
        return sold.merge(self.of(kind), on="uscc", suffixes=("", "_firm"))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@pytest.fixture(scope="module")
def elder(tmp_path_factory: pytest.TempPathFactory) -> Elder:
    out = tmp_path_factory.mktemp("elder")
    simulate(units=UNITS, seed=SEED, out=out)
    return Elder(out)


@pytest.fixture(scope="module")
def truth(elder: Elder) -> pd.DataFrame:
    return elder.table("truth/units.csv")


def test_equal_seeds_give_equal_bytes(elder: Elder, tmp_path: Path) -> None:
    simulate(units=UNITS, seed=SEED, out=tmp_path)
    assert digests(tmp_path) == digests(elder.folder)


def test_too_few_units_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units=999"):
        simulate(units=999, seed=SEED, out=tmp_path)


def test_a_prefecture_with_too_few_companies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more people"):
        simulate(units=UNITS, seed=SEED, out=tmp_path, people=5000)


@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_those_agreed(elder: Elder, name: str) -> None:
    assert list(elder.table(name).columns) == HEADERS[name].split()


def test_every_kind_is_planted(truth: pd.DataFrame) -> None:
    assert set(truth["typology"]) == {kind.name for kind in SCHEMES} | {""}
    honest = {kind.name for kind in (*HARD_NEGATIVES, *VICTIMS)}
    assert set(truth["hard_negative"]) == honest | {""}
    assert {CAUGHT_BY_RULES, CAUGHT_BY_NO_RULE} <= set(truth["typology"])


@pytest.mark.parametrize(
    "kind", [*SCHEMES, *HARD_NEGATIVES, *VICTIMS], ids=lambda kind: kind.name
)
def test_planted_at_the_stated_rate(truth: pd.DataFrame, kind: Scheme) -> None:
    wanted = max(kind.minimum, round(kind.share * UNITS))
    found = (truth["typology"] == kind.name) | (truth["hard_negative"] == kind.name)
    assert found.sum() == pytest.approx(wanted, abs=kind.sizes[1] - 1)


def test_truth_marks_fraud_alone_with_ring_and_amount(truth: pd.DataFrame) -> None:
    fraud = truth["fraud"] == "1"
    assert (fraud == (truth["typology"] != "")).all()
    assert (fraud == (truth["ring_id"] != "")).all()
    assert not (fraud & (truth["hard_negative"] != "")).any()
    assert (fraud == (truth["amount"].astype(float) > 0)).all()


def test_order_and_numbers_tell_nothing(elder: Elder) -> None:
    firms = elder.firms()
    fraud = (firms["fraud"] == "1").to_numpy()
    for values in (
        np.arange(len(firms)),
        firms["uscc"].str[8:].rank().to_numpy(),
        firms["permit_no"].rank().to_numpy(),
    ):
        rank = pd.Series(values).rank().to_numpy()
        gap = rank[fraud].mean() / len(rank) - 0.5
        assert abs(gap) < 4 * (12 * fraud.sum()) ** -0.5


def test_nothing_is_posted_after_the_last_day(elder: Elder) -> None:
    for name in HEADERS:
        assert elder.table(name)["posted_date"].astype(str).max() <= "2024-12-31"


def test_one_department_is_silent_for_three_months(elder: Elder) -> None:
    companies = elder.table("companies.csv")
    silent = companies.loc[companies["uscc"].str[2:8] == "330683", "uscc"]
    stays = elder.table("stays.csv")
    months = stays.loc[stays["uscc"].isin(silent), "month"]
    assert not months.between("2023-06", "2023-08").any()
    assert (months == "2023-05").any()
    assert (months == "2023-09").any()


def test_clients_are_tokens_and_never_in_a_register(elder: Elder) -> None:
    tokens = elder.table("contracts.parquet")["payer_token"]
    assert tokens.str.fullmatch(r"T\d{10}").all()
    asked = elder.table("persons.parquet")["person_id"]
    known = set(elder.table("company_roles.csv")["person_id"])
    known |= set(elder.table("social_insurance.csv.gz")["person_id"])
    known |= set(elder.table("companies.csv")["legal_rep_id"])
    known |= set(elder.table("closed_raisers.csv")["person_id"])
    assert asked.isin(known).mean() > 0.95


def test_card_sellers_have_more_contracts_than_beds(elder: Elder) -> None:
    sold = elder.contracts(CAUGHT_BY_RULES)
    firms = sold.groupby("uscc").agg(sold=("ct_no", "size"), beds=("beds", "first"))
    assert (firms["sold"] / firms["beds"].astype(int)).min() > 2
    assert sold["promised_rate"].between(0.06, 0.15).mean() > 0.7


def test_evading_brands_stay_below_the_limits(elder: Elder) -> None:
    sold = elder.contracts(CAUGHT_BY_NO_RULE)
    assert sold["promised_rate"].isna().all()
    assert (sold["amount"] < 50_000).mean() > 0.95
    assert (sold["months"] <= 12).all()
    firms = sold.groupby("uscc").agg(sold=("ct_no", "size"), beds=("beds", "first"))
    assert (firms["sold"] / firms["beds"].astype(int)).max() < 2


def test_padding_homes_are_paid_for_more_than_live_there(elder: Elder) -> None:
    both = elder.table("subsidies.csv").merge(
        elder.table("stays.csv"), on=["uscc", "month"]
    )
    numbers = both[["residents_paid", "residents"]].astype(float)
    both = both.assign(**numbers).groupby("uscc")[list(numbers)].mean()
    ratio = both["residents_paid"] / both["residents"]
    padded = elder.of("subsidy_padding")["uscc"]
    assert ratio.reindex(padded).min() > 1.15
    assert ratio.drop(padded).median() == pytest.approx(1, abs=0.02)


def test_sound_community_takes_large_sums_into_custody(elder: Elder) -> None:
    assert elder.contracts("sound_ccrc")["amount"].median() > 30_000
    held = elder.table("custody.csv")
    held = held[held["uscc"].isin(elder.of("sound_ccrc")["uscc"])]
    assert (held["held"].astype(float) >= held["required"].astype(float) * 0.99).all()


def test_charity_home_lectures_like_a_sales_team(elder: Elder) -> None:
    events = elder.table("events.csv")
    events = events[events["gifts"] == "是"].assign(uscc=events["uscc"].str.upper())
    counts = events["uscc"].value_counts()
    charity = counts.reindex(elder.of("charity_home")["uscc"]).fillna(0)
    assert charity.median() > 3 * counts.median()


def test_price_dispute_is_a_wave_about_prices(elder: Elder) -> None:
    told = elder.table("complaints.csv")
    told = told[told["uscc"].str.upper().isin(elder.of("price_dispute")["uscc"])]
    recent = told[told["date"] >= "2024-10-01"]
    assert len(recent) > 0.5 * len(told)
    assert recent["text"].str.contains("退款|退还|虚假").mean() < 0.55


def test_honest_chain_shares_phone_and_form_like_a_ring(elder: Elder) -> None:
    forms = elder.table("contract_forms.csv")
    forms = forms.assign(
        phone=forms["sales_phone"].str.replace(r"^\+86|-", "", regex=True)
    )
    chain = forms[forms["uscc"].isin(elder.of("honest_chain")["uscc"])]
    assert chain["phone"].nunique() < len(chain) / 2
    assert chain["form"].nunique() == chain["phone"].nunique()


def test_former_employee_once_worked_for_a_raiser(elder: Elder) -> None:
    roles = elder.table("company_roles.csv")
    raisers = set(elder.table("closed_raisers.csv")["person_id"].str.upper())
    roles = roles[roles["uscc"].isin(elder.of("former_employee")["uscc"])]
    staff = roles[roles["role"] == "manager"]
    assert staff["person_id"].str.upper().isin(raisers).mean() > 0.7


def test_rumour_empties_a_sound_home_that_pays_back(elder: Elder) -> None:
    homes = elder.of("rumour_run")
    days = elder.table("bank_days.csv.gz").merge(homes[["account"]], on="account")
    days = days[days["day"] >= "2024-10-15"]
    out, came = (days[name].astype(float).sum() for name in ("out_amount", "in_amount"))
    assert out > 2.5 * came
    asked = elder.table("refunds.csv")
    asked = asked[asked["uscc"].isin(homes["uscc"])]
    assert (asked["outcome"] == "paid").all()


def test_stolen_identity_ties_an_honest_owner_to_a_shell(elder: Elder) -> None:
    roles, firms = elder.table("company_roles.csv"), elder.firms()
    victims = set(elder.of("stolen_identity")["uscc"])
    shells = set(firms.loc[firms["fraud"] == "1", "uscc"])
    roles = roles.assign(person_id=roles["person_id"].str.upper())
    owners = roles[roles["uscc"].isin(victims) & (roles["role"] == "legal_rep")]
    misused = roles[roles["uscc"].isin(shells) & (roles["channel"] == "online")]
    assert owners["person_id"].isin(misused["person_id"]).mean() > 0.6
