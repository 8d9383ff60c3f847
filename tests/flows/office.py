"""A welfare office's delivery: three small tables with planted cases, as text."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from training.simulation.identifiers import resident_ids

MODELS = Path(__file__).parent / "models"
FIRST_DAY = date(2024, 1, 1)
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周", "伟芳娜敏静磊洋艳勇军杰娟涛明超"


@dataclass
class Delivery:
    """The tables of one delivery and, kept apart, what was planted."""

    payments: pd.DataFrame
    persons: pd.DataFrame
    visits: pd.DataFrame
    truth: pd.DataFrame = field(default_factory=pd.DataFrame)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("payments", "persons", "visits"):
            getattr(self, name).to_csv(folder / f"{name}.csv", index=False)
        (folder / "truth").mkdir(exist_ok=True)
        self.truth.to_csv(folder / "truth" / "payments.csv", index=False)
        return folder


def office(payments: int = 300, people: int = 120, seed: int = 5) -> Delivery:
    """Payments of half a year; every 25th person takes too often, three are dead."""
    rng = np.random.default_rng(seed)
    persons = _persons(people)
    payee = rng.integers(0, people, payments)
    greedy = np.arange(payments) % 25 == 0
    payee[greedy] = 0
    days = rng.integers(0, 180, payments)
    days[greedy] = 60 + np.arange(greedy.sum()) % 20
    paid = [FIRST_DAY + timedelta(int(d)) for d in days]
    amount = rng.gamma(4, 200, payments).round(2) + greedy * 4000
    table = pd.DataFrame(
        {
            "编号": [f"P{n:05d}" for n in range(payments)],
            "身份证号": persons["person_id"].to_numpy()[payee],
            "姓名": [_name(p) for p in payee],
            "电话": [f"139{5550000 + p * 7:08d}" for p in payee],
            "发放日期": [d.isoformat() for d in paid],
            "公示日期": [(d + timedelta(2)).isoformat() for d in paid],
            "金额": [f"{a:.2f}" for a in amount],
            "类别": rng.choice(["food", "rent", "medical"], payments),
            "审批日期": [(d - timedelta(5)).isoformat() for d in paid],
            "备注": [f"第{n}次，按时" for n in range(payments)],
            "性别": rng.choice(["男", "女"], payments),
        }
    )
    dead = np.isin(payee, (3, 4, 5))
    plant = np.select([greedy, dead], ["greedy", "dead"], "")
    truth = pd.DataFrame(
        {"编号": table["编号"], "fraud": (plant != "").astype(int), "plant": plant}
    )
    return Delivery(table, persons, _visits(persons, rng), truth)


def _persons(people: int) -> pd.DataFrame:
    births = np.datetime64("1950-01-01") + np.arange(people) * 100
    died = ["2023-12-01" if n in (3, 4, 5) else "" for n in range(people)]
    return pd.DataFrame(
        {
            "person_id": resident_ids(np.full(people, 330106), births),
            "household": [f"H{n // 3:04d}" for n in range(people)],
            "died": died,
            "posted": "2023-12-31",
        }
    )


def _visits(persons: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    visited = rng.integers(0, len(persons), 150)
    days = [FIRST_DAY + timedelta(int(d)) for d in rng.integers(0, 180, 150)]
    return pd.DataFrame(
        {
            "person_id": persons["person_id"].to_numpy()[visited],
            "day": [d.isoformat() for d in days],
            "posted": [(d + timedelta(1)).isoformat() for d in days],
            "seen": rng.choice(["是", "否"], 150),
        }
    )


def _name(person: int) -> str:
    return SURNAMES[person % 10] + GIVEN[person % 15] + GIVEN[person // 10 % 15]
