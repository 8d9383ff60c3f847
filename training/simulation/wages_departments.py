"""Tables of administrators and arbitration bodies: claims, bankruptcies, cases."""

import numpy as np
import pandas as pd

from training.simulation import dirt, identifiers, names, written
from training.simulation.sampling import (
    Ints,
    Rng,
    Texts,
    Times,
    between,
    chance,
    days,
    distinct,
    lognormal,
    pick,
    texts,
)
from training.simulation.wages_claims import NO_DAY, column, debtor_column, flags
from training.simulation.wages_world import FIRST_DAY, World, surnames, towns

# One district's arbitration commission delivered nothing for these months.
GAP_DISTRICT = names.DISTRICTS.index("嵊州市")
GAP = (np.datetime64("2023-06-01"), np.datetime64("2023-08-31"))
LAST_POSTED = np.datetime64("2024-12-31")
DOCUMENTS = ("contract", "payslip", "bank", "iou")
OTHER_CASES = 0.5  # cases of other employers, per claim
NO_TOWN_RATE = 0.08
ID_KINDS = (*dirt.ID_KINDS, (0.06, dirt.masked_id))
FIRMS = ("天越", "正大", "明泽", "中汇", "越光", "同济")
HEADS = (
    "今欠{name}工资款人民币{sum}元整，",
    "兹有本单位拖欠员工{name}劳动报酬合计{sum}元，",
    "欠条：{name}在厂做工期间应得工钱{sum}元尚未给付，",
    "经双方结算，尚欠{name}工资共{sum}元未付清，",
    "本人确认尚未发放{name}的工资，总额为{sum}元，",
    "现欠到{name}人工费{sum}元，经核对无误，",
)
MIDDLES = (
    "因资金周转困难暂时无法支付，",
    "由于货款没有收回一时不能兑现，",
    "上述款项系历月累计所欠，账目已当面对清，",
    "鉴于公司目前经营不善账户被冻结，",
    "此款包含加班补贴在内，双方均无异议，",
    "考虑到企业停产歇业的实际情况，",
)
TAILS = (
    "定于年底之前一次性付清，特立此据。",
    "待资产处置以后优先偿还，以此为凭。",
    "承诺分两期归还，逾期愿承担法律责任。",
    "具体付款时间另行协商，立字为证。",
    "落款处由负责人签名并按手印为准。",
    "如有争议由所在地仲裁部门处理，此据。",
)


def numbered(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Claims in the order in which they were listed, under numbers without order."""
    rows = rows.sort_values("listed", kind="stable", ignore_index=True)
    number = identifiers.padded(distinct(rng, len(rows), 10**8), 8)
    serial = identifiers.padded(distinct(rng, len(world.debtors), 10**4), 4)
    world.debtors["bk_no"] = _bankruptcy_numbers(world, serial)
    return rows.assign(claim_id="ZQ" + number)


def _bankruptcy_numbers(world: World, serial: Texts) -> Texts:
    year = world.debtors["accepted"].to_numpy().astype("datetime64[Y]").astype(str)
    return np.asarray("（" + year.astype(object) + "）浙06破" + serial + "号")


def arbitration_rows(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Cases of the claims and of other employers, numbered by the day of filing."""
    own = rows[flags(rows, "arbitrated")]
    company = debtor_column(world, own, "company")
    mine = pd.DataFrame(
        {
            "claim": own.index.to_numpy(),
            "person": column(own, "person"),
            "company": company,
            "filed": own["filed"].to_numpy(),
            "closed": own["closed"].to_numpy(),
            "close_kind": own["close_kind"].to_numpy(),
            "body": column(own, "body"),
            "claimed": own["amount"].to_numpy(),
            "cut": own["cut"].to_numpy(),
            "cut_reason": flags(own, "cut_reason"),
        }
    )
    both = pd.concat([mine, _elsewhere(rng, world, len(rows))], ignore_index=True)
    both = both.iloc[rng.permutation(len(both))].sort_values("filed", kind="stable")
    both = both.reset_index(drop=True)
    year = both["filed"].to_numpy().astype("datetime64[Y]").astype(str).astype(object)
    running = np.cumsum(between(rng, 1, 4, len(both))).astype(str).astype(object)
    return both.assign(arb_no="（" + year + "）浙06劳人仲" + running + "号")


def _elsewhere(rng: Rng, world: World, claims: int) -> pd.DataFrame:
    """Disputes with employers that are not bankrupt, some people with several."""
    size = round(claims * OTHER_CASES)
    population = world.population
    people = rng.choice(np.flatnonzero(population.adults()), size)
    filed = FIRST_DAY + days(between(rng, 0, 1040, size))
    award = chance(rng, size, 0.55)
    lasts = np.where(award, between(rng, 25, 60, size), between(rng, 0, 28, size))
    return pd.DataFrame(
        {
            "claim": -1,
            "person": people,
            "company": rng.integers(0, len(population.companies), size),
            "filed": filed,
            "closed": filed + days(lasts),
            "close_kind": np.where(award, "award", "mediation"),
            "body": chance(rng, size, 0.15) * 1,
            "claimed": np.round(lognormal(rng, 24_000, 0.8, size), 2),
            "cut": np.where(chance(rng, size, 0.4), 1.0, rng.uniform(0.3, 1, size)),
            "cut_reason": chance(rng, size, 0.3),
        }
    )


def arbitration_table(rng: Rng, world: World, cases: pd.DataFrame) -> pd.DataFrame:
    """arbitrations.csv, without the silent district's months."""
    district = world.population.companies["district"].to_numpy()[cases["company"]]
    filed = cases["filed"].to_numpy()
    silent = (district == GAP_DISTRICT) & (filed >= GAP[0]) & (filed <= GAP[1])
    cases = cases[~silent].reset_index(drop=True)
    size, person = len(cases), column(cases, "person")
    companies, persons = world.population.companies, world.population.persons
    where = texts(names.DISTRICTS)[district[~silent]]
    ends = texts(["劳动人事争议仲裁委员会", "人民调解委员会"])
    rep = companies["legal_rep"].to_numpy(np.int64)[cases["company"]]
    codes = companies["uscc"].to_numpy(dtype=object)[cases["company"]]
    ids = persons["person_id"].to_numpy(dtype=object)
    closed = cases["closed"].to_numpy()
    reasons = np.where(cases["cut_reason"], "当事人自愿减让，确有生活困难", "")
    posted = np.minimum(closed + days(between(rng, 3, 25, size)), LAST_POSTED)
    return pd.DataFrame(
        {
            "arb_no": cases["arb_no"].to_numpy(dtype=object),
            "body": where + ends[column(cases, "body")],
            "filed": written.iso_dates(cases["filed"].to_numpy()),
            "heard": written.iso_dates(closed - days(between(rng, 0, 2, size))),
            "closed": written.iso_dates(closed),
            "close_kind": cases["close_kind"].to_numpy(dtype=object),
            "claimant_id": dirt.soiled(rng, ids[person], dirt.COURT_ID_KINDS),
            "employer_uscc": dirt.blanked(rng, codes, dirt.USCC_MISSING_RATE),
            "employer_rep_id": dirt.soiled(rng, ids[rep], dirt.ID_KINDS),
            "claimed": written.money(cases["claimed"].to_numpy()),
            "recognised": written.money((cases["claimed"] * cases["cut"]).to_numpy()),
            "reduction_reason": np.where(cases["cut"] < 1, reasons, ""),
            "posted_date": written.iso_dates(posted),
        }
    )


def claim_table(
    rng: Rng, world: World, rows: pd.DataFrame, cases: pd.DataFrame
) -> pd.DataFrame:
    """wage_claims.csv as administrators list them."""
    persons, size = world.population.persons, len(rows)
    person = column(rows, "person")
    heard = flags(rows, "arbitrated")
    address = persons["address"].to_numpy(dtype=object)[person]
    phone = persons["phone"].to_numpy(dtype=object)[column(rows, "phone_of")]
    account = persons["account"].to_numpy(dtype=object)[column(rows, "account_of")]
    name = persons["name"].to_numpy(dtype=object)[person]
    ids = persons["person_id"].to_numpy(dtype=object)[person]
    in_wan = chance(rng, size, dirt.WAN_RATE)
    amount = rows["amount"].to_numpy(dtype=float)
    town = towns(world.population).to_numpy(dtype=object)[person]
    listed = rows["listed"].to_numpy()
    return pd.DataFrame(
        {
            "claim_id": rows["claim_id"].to_numpy(dtype=object),
            "bk_no": dirt.soiled(
                rng, debtor_column(world, rows, "bk_no"), dirt.CASE_KINDS
            ),
            "name": dirt.soiled(rng, name, dirt.NAME_KINDS),
            "person_id": dirt.soiled(rng, ids, ID_KINDS),
            "phone": dirt.soiled(rng, phone, dirt.PHONE_KINDS),
            "address": dirt.soiled(rng, address, dirt.ADDRESS_KINDS),
            "account": account,
            "family_name": surnames(world.population).to_numpy(dtype=object)[person],
            "township": dirt.blanked(rng, town, NO_TOWN_RATE),
            "post": rows["post"].to_numpy(dtype=object),
            "period_from": written.iso_dates(rows["start"].to_numpy()),
            "period_to": written.iso_dates(rows["end"].to_numpy()),
            "months": column(rows, "months"),
            "monthly": written.money(rows["monthly"].to_numpy(dtype=float)),
            "kind": rows["kind"].to_numpy(dtype=object),
            "amount": written.money(np.where(in_wan, amount / 10_000, amount)),
            "evidence": _evidence(rows),
            "iou_date": written.iso_dates(rows["iou_day"].to_numpy()),
            "iou_amount": rows["iou_amount"].to_numpy(dtype=float),
            "iou_text": _iou_texts(rows, name),
            "basis_no": _basis(rng, rows, cases),
            **_agents(rng, world, rows),
            "listed_by": np.where(heard, "award", "admin"),
            "filed_date": written.iso_dates(
                np.where(heard, rows["filed"].to_numpy(), NO_DAY)
            ),
            "listed_date": written.iso_dates(listed),
            "posted_date": written.iso_dates(listed + days(between(rng, 1, 5, size))),
        }
    )


def _evidence(rows: pd.DataFrame) -> Texts:
    bits = column(rows, "docs")
    table = [
        ";".join(name for place, name in enumerate(DOCUMENTS) if code >> place & 1)
        for code in range(16)
    ]
    close = rows["close_kind"].to_numpy(dtype=object)
    basis = np.where(flags(rows, "arbitrated"), ";" + close, "")
    return np.asarray(texts(table)[bits] + basis, dtype=object)


def _iou_texts(rows: pd.DataFrame, name: Texts) -> Texts:
    style = column(rows, "style")
    parts = HEADS, MIDDLES, TAILS
    head, middle, tail = (
        texts(part)[style // 6**place % 6] for place, part in enumerate(parts)
    )
    total = rows["iou_amount"].fillna(0).astype(int).astype(str).astype(object)
    filled = [
        text.format(name=who, sum=amount)
        for text, who, amount in zip(head, name, total, strict=True)
    ]
    return np.where(style >= 0, texts(filled) + middle + tail, "")


def _basis(rng: Rng, rows: pd.DataFrame, cases: pd.DataFrame) -> Texts:
    basis = np.full(len(rows), "", dtype=object)
    mine = cases[cases["claim"] >= 0]
    basis[mine["claim"].to_numpy()] = mine["arb_no"].to_numpy()
    return dirt.soiled(rng, basis, dirt.CITED_CASE_KINDS)


def _agents(rng: Rng, world: World, rows: pd.DataFrame) -> dict[str, Texts]:
    agent: Ints = column(rows, "agent")
    persons = world.population.persons
    has = agent >= 0
    name = persons["name"].to_numpy(dtype=object)[agent]
    phone = persons["phone"].to_numpy(dtype=object)[agent]
    return {
        "agent_name": np.where(has, name, ""),
        "agent_phone": np.where(has, dirt.soiled(rng, phone, dirt.PHONE_KINDS), ""),
    }


def bankruptcy_table(rng: Rng, world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """bankruptcies.csv of the courts, in order of acceptance."""
    total = rows.groupby("debtor")["amount"].sum()
    debtors = world.debtors.assign(total=total).fillna({"total": 0.0})
    debtors = debtors.sort_values("accepted", kind="stable")
    size = len(debtors)
    codes = world.population.companies["uscc"].to_numpy(dtype=object)
    firm = pick(rng, FIRMS, size)
    accepted = debtors["accepted"].to_numpy()
    return pd.DataFrame(
        {
            "bk_no": debtors["bk_no"].to_numpy(dtype=object),
            "uscc": codes[debtors["company"]],
            "petition": written.iso_dates(debtors["petition"].to_numpy()),
            "accepted": written.iso_dates(accepted),
            "administrator": firm + pick(rng, ("律师事务所", "会计师事务所"), size),
            "stop_production": written.iso_dates(_stop(debtors)),
            "assets": debtors["assets"].to_numpy(),
            "priority_total": written.money(
                debtors["total"].to_numpy() * rng.uniform(1.0, 1.25, size)
            ),
            "ordinary_rate": np.round(rng.beta(2, 12, size), 4),
            "distribution": written.iso_dates(debtors["distribution"].to_numpy()),
            "posted_date": written.iso_dates(accepted + days(between(rng, 1, 9, size))),
        }
    )


def _stop(debtors: pd.DataFrame) -> Times:
    return np.where(debtors["stop_known"], debtors["stop"].to_numpy(), NO_DAY)


def claims_settled(rows: pd.DataFrame) -> pd.DataFrame:
    """Closings before the day on which the claim was listed."""
    closed = np.minimum(rows["closed"].to_numpy(), rows["listed"].to_numpy())
    return rows.assign(closed=closed)
