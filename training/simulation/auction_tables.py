"""What court and platform deliver of auctions: lots, rounds, bidders, bids."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, names, written
from training.simulation.auction_contests import later
from training.simulation.auction_world import (
    DOCS,
    GOODS,
    HOME,
    NOBODY,
    Stage,
)
from training.simulation.registers_wealth import looked_up
from training.simulation.sampling import (
    Ints,
    Rng,
    Texts,
    between,
    chance,
    days,
    distinct,
    texts,
)

# In the order of ASSETS and ROUNDS.
ASSET_WORDS = texts(("住宅", "商铺", "厂房", "土地", "机动车", "机器设备", "动产"))
ROUND_WORDS = texts(("一拍", "二拍", "变卖"))
DEVICE_REQUESTED = 0.3  # rounds for which the platform was asked for devices
COST_SHARE = 0.01  # of the appraisal: what the execution itself costs


@dataclass(frozen=True, slots=True)
class Delivery:
    """The staged rounds with their bids, and the numbers that departments know them by.

    Attributes:
        lot_ids: by lot; round_ids: by round; exec_nos: by lot.
    """

    stage: Stage
    entrants: pd.DataFrame
    bids: pd.DataFrame
    lot_ids: Texts
    round_ids: Texts
    exec_nos: Texts

    def buyers(self) -> Ints:
        """Who won each round, -1 where nobody did."""
        return self._won("person")

    def buying_companies(self) -> Ints:
        """For which company, -1 for none."""
        return self._won("company")

    def _won(self, column: str) -> Ints:
        held = np.full(len(self.stage.rounds), NOBODY)
        first = self.entrants[self.entrants["place"] == 0]
        held[first["round"].to_numpy()] = first[column].to_numpy()
        held[self.stage.rounds["status"].to_numpy() != "sold"] = NOBODY
        return held


def lot_numbers(rng: Rng, size: int) -> Texts:
    """Numbers of lots in no order."""
    return np.asarray("B" + identifiers.padded(distinct(rng, size, 10**7), 7))


def round_numbers(stage: Stage) -> Texts:
    """The platform's numbers run with the start of the rounds."""
    begin = stage.rounds["begin"].to_numpy()
    order = np.lexsort((stage.rounds["lot"].to_numpy(), begin))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = 700_000_000 + 37 * np.arange(1, len(order) + 1)
    return written.plain(number)


def courts(district: Ints) -> Texts:
    """The court of each district."""
    return np.asarray([f"{name}人民法院" for name in names.DISTRICTS], dtype=object)[
        district
    ]


def lot_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """lots.csv of the courts, by the day of posting."""
    stage = held.stage
    lots, companies = stage.lots, stage.population.companies
    size = len(lots)
    first = stage.rounds.groupby("lot")["notice"].min().to_numpy()
    appraised = later(rng, first, -60, -15)
    appraiser = lots["appraiser"].to_numpy(np.int64)
    code = dirt.blanked(
        rng, looked_up(companies["uscc"], appraiser), dirt.USCC_MISSING_RATE
    )
    called = companies["name"].to_numpy(dtype=object)[appraiser]
    address = lots["address"].to_numpy(dtype=object)
    appraisal = lots["appraisal"].to_numpy()
    table = pd.DataFrame(
        {
            "lot_id": held.lot_ids,
            "exec_no": dirt.soiled(rng, held.exec_nos, dirt.CITED_CASE_KINDS),
            "court": courts(lots["district"].to_numpy()),
            "officer": _officers(lots["officer"].to_numpy()),
            "asset": ASSET_WORDS[lots["asset"].to_numpy()],
            "address": dirt.soiled(rng, address, dirt.ADDRESS_KINDS),
            "area": np.where(lots["asset"] < 4, lots["area"], np.nan),
            "floor": lots["floor"].to_numpy(),
            "appraiser": dirt.soiled(rng, called, dirt.COMPANY_KINDS[:2]),
            "appraiser_uscc": dirt.soiled(rng, code, dirt.USCC_KINDS),
            "appraisal": written.money(appraisal),
            "appraisal_date": written.iso_dates(appraised),
            "market_estimate": written.money(lots["market_estimate"].to_numpy()),
            "prior_claims": written.money(lots["prior_claims"].to_numpy()),
            "execution_cost": written.money(appraisal * COST_SHARE),
            "helper_uscc": looked_up(companies["uscc"], lots["helper"]),
            "lease_claimed": written.yes_no(lots["leased"].to_numpy()),
            "lease_years": np.where(lots["leased"], lots["lease_years"], np.nan),
            "vacated": written.yes_no(lots["vacated"].to_numpy()),
            "tax_by": np.where(lots["tax_by_buyer"], "买受人承担", "各自承担"),
            "ruling_closed": written.yes_no(lots["basis_private"].to_numpy()),
            "applicant_agreed": written.yes_no(lots["agreed"].to_numpy()),
            "posted_date": written.iso_dates(first),
        }
    )
    order = np.lexsort((rng.random(size), first))
    return table.iloc[order].reset_index(drop=True)


def _officers(numbers: Ints) -> Texts:
    return np.asarray("执" + identifiers.padded(numbers * 17 % 89 + 1, 3), dtype=object)


def round_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """rounds.csv.gz of the auction platform, by number."""
    stage = held.stage
    rounds, persons = stage.rounds, stage.population.persons
    buyer = held.buyers()
    name = looked_up(persons["name"], buyer)
    end = rounds["end"].to_numpy().astype("datetime64[s]")
    table = pd.DataFrame(
        {
            "round_id": held.round_ids,
            "lot_id": held.lot_ids[rounds["lot"].to_numpy()],
            "round_no": ROUND_WORDS[rounds["number"].to_numpy()],
            "notice_time": written.iso_times(rounds["notice"].to_numpy()),
            "start_time": written.iso_times(rounds["begin"].to_numpy()),
            "end_time": written.iso_times(end),
            "start_price": written.money(rounds["start_price"].to_numpy()),
            "deposit": written.money(rounds["deposit"].to_numpy()),
            "step": written.money(rounds["step"].to_numpy()),
            "views": rounds["views"].to_numpy(),
            "watchers": rounds["watchers"].to_numpy(),
            "docs_published": _documents(stage.of_lots("docs")),
            "status": rounds["status"].to_numpy(dtype=object),
            "price": written.money(rounds["price"].to_numpy()),
            "buyer_id": dirt.soiled(
                rng, looked_up(persons["person_id"], buyer), dirt.ID_KINDS
            ),
            "buyer_name": dirt.soiled(rng, name, dirt.NAME_KINDS),
            "buyer_uscc": looked_up(
                stage.population.companies["uscc"], held.buying_companies()
            ),
            "posted_date": written.iso_dates(end + days(np.array(1))),
        }
    )
    return table.sort_values("round_id", ignore_index=True)


def _documents(flags: Ints) -> Texts:
    """The published documents, as one text."""
    listed = [
        "、".join(doc for place, doc in enumerate(DOCS) if flag >> place & 1)
        for flag in range(1 << len(DOCS))
    ]
    return np.asarray(listed, dtype=object)[flags.astype(np.int64)]


def numbered(rng: Rng, stage: Stage, entrants: pd.DataFrame) -> pd.DataFrame:
    """Entrants with the code under which each bids, in the order of their deposits."""
    size = len(entrants)
    # A code says nothing of the order; two of one round never share one.
    base = rng.permutation(9000)[np.resize(np.arange(9000), size)] + 1000
    code = "P" + identifiers.padded(base, 4)
    rows = entrants.assign(code=code, company=_bid_for(stage, entrants))
    begin = stage.rounds["begin"].to_numpy()[rows["round"].to_numpy()]
    order = np.lexsort((rows["paid"], rows["round"], begin))
    return rows.iloc[order].reset_index(drop=True)


def _bid_for(stage: Stage, entrants: pd.DataFrame) -> Ints:
    """Who runs a firm bids for it, but for homes and small goods."""
    firm = np.full(len(stage.population.persons), NOBODY)
    leads = stage.population.companies["legal_rep"].to_numpy(np.int64)
    firm[leads] = np.arange(len(leads))
    asset = stage.of_lots("asset")[entrants["round"].to_numpy()]
    own = np.isin(asset, (HOME, GOODS))
    return np.where(own, NOBODY, firm[entrants["person"].to_numpy()])


def bidder_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """bidders.csv.gz of the platform, told once a round has ended."""
    stage, rows = held.stage, held.entrants
    persons, rounds = stage.population.persons, stage.rounds
    at = rows["round"].to_numpy()
    own, final = _bids_of(held)
    person = rows["person"].to_numpy()
    end = rounds["end"].to_numpy()[at]
    place = np.where(own > 0, rows["place"].to_numpy() + 1, 0)
    phone = looked_up(persons["phone"], rows["phone_of"])
    return pd.DataFrame(
        {
            "round_id": held.round_ids[at],
            "code": rows["code"].to_numpy(dtype=object),
            "bidder_id": dirt.soiled(
                rng, looked_up(persons["person_id"], person), dirt.ID_KINDS
            ),
            "bidder_name": dirt.soiled(
                rng, looked_up(persons["name"], person), dirt.NAME_KINDS
            ),
            "bidder_uscc": looked_up(
                stage.population.companies["uscc"], rows["company"]
            ),
            "deposit_account": looked_up(persons["account"], rows["account_of"]),
            "deposit_time": written.iso_times(rows["paid"].to_numpy()),
            "round_start": written.iso_times(rounds["begin"].to_numpy()[at]),
            "phone": dirt.soiled(rng, phone, dirt.PHONE_KINDS),
            "priority": written.yes_no(rows["priority"].to_numpy()),
            "bids": own,
            "last_bid": written.money(final),
            "rank": place,
            "won": written.yes_no((place == 1) & (own > 0)),
            "posted_date": written.iso_dates(end + days(np.array(1))),
        }
    )


def _bids_of(held: Delivery) -> tuple[Ints, np.ndarray]:
    """How often each entrant bid, and the last sum."""
    keys = ["round", "place"]
    found = held.bids.groupby(keys)["amount"].agg(["size", "max"]).reset_index()
    both = held.entrants[keys].merge(found, on=keys, how="left")
    return both["size"].fillna(0).to_numpy(np.int64), both["max"].to_numpy()


def device_table(rng: Rng, held: Delivery) -> pd.DataFrame:
    """bidder_devices.csv: only for rounds for which the platform was asked."""
    asked = chance(rng, len(held.stage.rounds), DEVICE_REQUESTED)
    people = len(held.stage.population.persons)
    devices = identifiers.padded(distinct(rng, people, 10**12), 12)
    nets = distinct(rng, people, 223 * 256 * 254)
    rows = held.entrants[asked[held.entrants["round"].to_numpy()]]
    net = nets[rows["ip_of"].to_numpy()]
    parts = [net // (256 * 254) + 1, net // 254 % 256, net % 254 + 1]
    a, b, c = (written.plain(part) for part in parts)
    end = held.stage.rounds["end"].to_numpy()[rows["round"].to_numpy()]
    return pd.DataFrame(
        {
            "round_id": held.round_ids[rows["round"].to_numpy()],
            "code": rows["code"].to_numpy(dtype=object),
            "device": devices[rows["device_of"].to_numpy()],
            "ip": a + "." + b + ".17." + c,
            "obtained": written.iso_dates(later(rng, end, 10, 40)),
        }
    )


def bid_table(held: Delivery) -> pd.DataFrame:
    """bids.parquet of the platform, in order of time."""
    rounds, bids = held.stage.rounds, held.bids
    keys = ["round", "place"]
    coded = bids.merge(held.entrants[[*keys, "code"]], on=keys, how="left")
    at = bids["round"].to_numpy()
    end = rounds["end"].to_numpy()[at]
    table = pd.DataFrame(
        {
            "round_id": held.round_ids[at],
            "code": coded["code"].to_numpy(dtype=object),
            "bid_time": written.iso_times(bids["time"].to_numpy()),
            "amount": written.money(bids["amount"].to_numpy()),
            "raised": written.money(bids["raised"].to_numpy()),
            "round_end": written.iso_times(end),
            "posted_date": written.iso_dates(end + days(np.array(1))),
        }
    )
    order = np.lexsort((bids["amount"], bids["time"]))
    return table.iloc[order].reset_index(drop=True)


def asked_days(rng: Rng, moments: np.ndarray) -> np.ndarray:
    """When an answer that was asked for after each moment came in."""
    return np.asarray(
        moments.astype("datetime64[D]") + days(between(rng, 15, 60, len(moments)))
    )
