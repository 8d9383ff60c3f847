"""Auction deliveries: same seed same bytes, truth apart, look-alikes that look alike."""

import hashlib
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest

from training.simulation import judicial_auction
from training.simulation.auction_aftermath import GAP
from training.simulation.delivery import TRUTH_NOTE

UNITS, SEED = 1000, 11
CHINESE_TABLES = {"lots", "companies"}
TRUTH = ["round_id", "fraud", "typology", "ring_id", "hard_negative", "amount"]


class Auctions:
    """One delivery, its tables as texts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def table(self, name: str) -> pd.DataFrame:
        [path] = self.folder.glob(f"{name}.*")
        if path.suffix == ".parquet":
            return pd.read_parquet(path).astype(str)
        encoding = "gb18030" if name in CHINESE_TABLES else "utf-8"
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding=encoding)

    @cached_property
    def truth(self) -> pd.DataFrame:
        path = self.folder / "truth/units.csv"
        return pd.read_csv(path, dtype=str, keep_default_na=False)

    @cached_property
    def rounds(self) -> pd.DataFrame:
        rounds = self.table("rounds").merge(self.truth, on="round_id")
        return rounds.merge(self.table("lots"), on="lot_id", suffixes=("", "_of_lot"))

    def of(self, name: str) -> pd.DataFrame:
        """The rounds of one typology or one kind of honest look-alike."""
        rounds = self.rounds
        return rounds[(rounds["typology"] == name) | (rounds["hard_negative"] == name)]

    @cached_property
    def bidders(self) -> pd.DataFrame:
        return self.table("bidders")


def simulated(folder: Path) -> dict[str, int]:
    return judicial_auction.simulate(units=UNITS, seed=SEED, out=folder)


@pytest.fixture(scope="module")
def auctions(tmp_path_factory: pytest.TempPathFactory) -> Auctions:
    folder = tmp_path_factory.mktemp("auctions")
    simulated(folder)
    return Auctions(folder)


def number(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values)


def test_the_same_seed_gives_the_same_bytes(auctions: Auctions, tmp_path: Path) -> None:
    simulated(tmp_path)
    first, again = (_digests(folder) for folder in (auctions.folder, tmp_path))
    assert first == again


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_too_few_units_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units=999"):
        judicial_auction.simulate(units=999, seed=1, out=tmp_path)


def test_the_truth_names_every_unit_once_and_stands_apart(auctions: Auctions) -> None:
    assert list(auctions.truth.columns) == TRUTH
    assert auctions.truth["round_id"].is_unique
    assert len(auctions.rounds) == len(auctions.truth) == UNITS
    for path in auctions.folder.glob("*.*"):
        assert path.name == "SIMULATED.txt" or "truth" not in path.name
    note = (auctions.folder / "truth/README.txt").read_text(encoding="utf-8")
    assert note == TRUTH_NOTE.format(units="auction rounds")


def test_every_scheme_and_every_look_alike_is_planted(auctions: Auctions) -> None:
    planted = set(auctions.truth["typology"]) - {""}
    assert planted == set(judicial_auction.TYPOLOGIES)
    honest = set(auctions.truth["hard_negative"]) - {""}
    assert honest == set(judicial_auction.HARD_NEGATIVES)
    assert set(judicial_auction.DOCUMENTED_VICTIMS) <= honest
    assert judicial_auction.CAUGHT_BY_RULES in planted
    assert judicial_auction.CAUGHT_BY_NO_RULE in planted


def test_rates_are_those_of_the_brief(auctions: Auctions) -> None:
    share = auctions.truth["typology"].value_counts() / UNITS
    assert share["procedural_breach"] == pytest.approx(0.03, abs=0.006)
    assert 0.05 < number(auctions.truth["fraud"]).mean() < 0.10
    honest = auctions.truth["hard_negative"].value_counts().drop("") / UNITS
    assert honest.between(0.005, 0.025).all()
    assert not (
        (auctions.truth["fraud"] == "1") & (auctions.truth["hard_negative"] != "")
    ).any()


def test_bidders_come_in_the_crowds_of_the_brief(auctions: Auctions) -> None:
    bids = auctions.table("bids").groupby("round_id")["code"].nunique()
    crowd = auctions.rounds["round_id"].map(bids).fillna(0)
    assert (crowd == 0).mean() == pytest.approx(0.35, abs=0.06)
    assert (crowd == 1).mean() == pytest.approx(0.30, abs=0.06)
    assert (crowd > 5).mean() == pytest.approx(0.10, abs=0.04)


def test_bids_rise_inside_the_bidding_time_and_end_at_the_price(
    auctions: Auctions,
) -> None:
    bids = auctions.table("bids").assign(amount=lambda b: number(b["amount"]))
    bids = bids.merge(auctions.table("rounds"), on="round_id")
    assert (bids["bid_time"] > bids["start_time"]).all()
    assert (bids["bid_time"] < bids["end_time"]).all()
    ordered = bids.sort_values(["round_id", "bid_time", "amount"])
    later = ordered["round_id"] == ordered["round_id"].shift()
    assert (ordered["amount"].diff()[later] > 0).all()
    assert not (ordered["code"] == ordered["code"].shift())[later].any()
    top = ordered.groupby("round_id").tail(1)
    assert (top["amount"] == number(top["price"])).all()


def test_numbers_and_order_say_nothing_of_the_truth(auctions: Auctions) -> None:
    rounds = auctions.table("rounds")
    assert rounds["start_time"].is_monotonic_increasing
    fraud = number(auctions.rounds["fraud"])
    for digits in (
        auctions.rounds["round_id"].str[-2:],
        auctions.rounds["lot_id"].str[1:],
    ):
        assert abs(number(digits).corr(fraud)) < 0.12
    lots = auctions.table("lots")
    assert lots["posted_date"].is_monotonic_increasing


def test_one_court_is_silent_for_three_months(auctions: Auctions) -> None:
    settled = set(auctions.table("settlements")["round_id"])
    sold = auctions.rounds[auctions.rounds["status"] == "sold"]
    lost = sold[~sold["round_id"].isin(settled)]
    assert len(lost)
    assert set(lost["court"]) == {"嵊州市人民法院"}
    assert lost["end_time"].str[:10].between(str(GAP[0]), str(GAP[1])).all()


def test_the_evading_ring_keeps_clear_of_what_rules_count(auctions: Auctions) -> None:
    ring = auctions.of(judicial_auction.CAUGHT_BY_NO_RULE)
    ratio = number(ring["price"]) / number(ring["appraisal"])
    assert ratio.between(0.77, 0.84).all()
    assert (ring["start_time"] >= "2023-07-01").all()
    entered = auctions.bidders[auctions.bidders["round_id"].isin(ring["round_id"])]
    each = entered.groupby("round_id")
    assert (each["deposit_account"].nunique() == each.size()).all()
    bids = auctions.table("bids")["round_id"].value_counts()
    assert (ring["round_id"].map(bids) == 2).all()
    pairs = entered[entered["rank"].isin(["1", "2"])].groupby("round_id")["bidder_name"]
    assert pairs.agg(frozenset).value_counts().max() < 4


def test_members_of_the_evading_ring_meet_again(auctions: Auctions) -> None:
    ring = auctions.of(judicial_auction.CAUGHT_BY_NO_RULE)
    entered = auctions.bidders[auctions.bidders["round_id"].isin(ring["round_id"])]
    assert entered["phone"].str[-11:].value_counts().max() >= 2


def test_every_procedural_breach_breaks_a_written_number(auctions: Auctions) -> None:
    rows = auctions.of(judicial_auction.CAUGHT_BY_RULES)
    first = (rows["round_no"] == "一拍").to_numpy()
    start, appraisal = number(rows["start_price"]), number(rows["appraisal"])
    deposit = number(rows["deposit"]) / start
    notice = pd.to_datetime(rows["start_time"]) - pd.to_datetime(rows["notice_time"])
    length = pd.to_datetime(rows["end_time"]) - pd.to_datetime(rows["start_time"])
    immovable = rows["asset"].isin(["住宅", "商铺", "厂房", "土地"])
    need = immovable.map({True: 30, False: 15})
    broken = (
        (first & (start < 0.7 * appraisal))
        | (notice < pd.to_timedelta(need, unit="D"))
        | (length < pd.Timedelta(hours=24))
        | ~deposit.between(0.0495, 0.2005)
        | (rows["docs_published"].str.count("、") < 5)
        | (rows["tax_by"] == "买受人承担")
        | (number(rows["prior_claims"]) > start)
    )
    assert broken[first].all()
    assert (~first).any()


@pytest.mark.parametrize(
    "name", ["rural_single_bidder", "neighbour_buys", "co_owner_priority"]
)
def test_honest_sales_without_contest_end_at_the_start_price(
    auctions: Auctions, name: str
) -> None:
    rows = auctions.of(name)
    assert (number(rows["price"]) == number(rows["start_price"])).all()


def test_two_investors_meet_as_often_as_rotating_winners(auctions: Auctions) -> None:
    rounds = auctions.of("two_investors")["round_id"]
    met = auctions.bidders[auctions.bidders["round_id"].isin(rounds)]
    assert met["deposit_account"].value_counts().head(2).min() >= 4


def test_couples_share_a_hand_in_some_table(auctions: Auctions) -> None:
    rounds = auctions.of("couple_one_network")["round_id"]
    rows = auctions.bidders[auctions.bidders["round_id"].isin(rounds)]
    each = rows.groupby("round_id")
    shared = each["deposit_account"].nunique() < each.size()
    phones = rows.assign(phone=rows["phone"].str.replace(r"\D|^\+86", "", regex=True))
    shared |= phones.groupby("round_id")["phone"].nunique() < each.size()
    assert shared.mean() > 0.4


@pytest.mark.parametrize("name", judicial_auction.DOCUMENTED_VICTIMS)
def test_victims_paid_what_the_market_asks(auctions: Auctions, name: str) -> None:
    rows = auctions.of(name)
    known = rows[rows["market_estimate"] != ""]
    ratio = number(known["price"]) / number(known["market_estimate"])
    assert ratio.median() > 0.85
    assert (rows["fraud"] == "0").all()


def test_refused_loans_look_like_strategic_default(auctions: Auctions) -> None:
    rounds = auctions.of("loan_refused")["round_id"]
    settled = auctions.table("settlements")
    rows = settled[settled["round_id"].isin(rounds)]
    assert (rows["defaulted"] == "是").all()
    assert rows["payer_id"].str[:17].value_counts().max() >= 2


def test_stolen_identities_are_filed_online_before_the_sale(auctions: Auctions) -> None:
    rows = auctions.of("stolen_identity_victim")
    roles = auctions.table("company_roles")
    filed = roles[(roles["channel"] == "online") & (roles["share"] == "0.20")]
    both = rows.merge(filed, left_on="buyer_id", right_on="person_id")
    assert both["round_id"].nunique() >= 0.7 * len(rows)
    assert (both["from_date"] < both["start_time"].str[:10]).all()


def test_devices_are_known_for_a_random_part_of_rounds_only(auctions: Auctions) -> None:
    asked = set(auctions.table("bidder_devices")["round_id"])
    entered = auctions.rounds[
        auctions.rounds["round_id"].isin(auctions.bidders["round_id"])
    ]
    share = entered["round_id"].isin(asked).groupby(entered["fraud"]).mean()
    assert share["0"] == pytest.approx(0.3, abs=0.06)
    assert share["1"] == pytest.approx(0.3, abs=0.2)
