"""Vehicle-insurance claims 1994-96 (`insurance/carclaims`): features and time order.

Left out on purpose: sex, marital status, age and age band of the policy holder; policy
number and representative; and everything that only says when (month, weeks of the month),
because the known frauds of 1994-95 came in bursts of months that do not come again.
"""

from pathlib import Path

import pandas as pd

KEY, LABEL = "PolicyNumber", "FraudFound_P"
MONTHS = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_DELAY = ("none", "1 to 7", "8 to 15", "15 to 30", "more than 30")
# Coded bands, in their order.
BANDS: dict[str, tuple[str, ...]] = {
    "VehiclePrice": (
        *("less than 20000", "20000 to 29000", "30000 to 39000"),
        *("40000 to 59000", "60000 to 69000", "more than 69000"),
    ),
    "Days_Policy_Accident": _DELAY,
    "Days_Policy_Claim": _DELAY,
    "PastNumberOfClaims": ("none", "1", "2 to 4", "more than 4"),
    "AgeOfVehicle": (
        *("new", "2 years", "3 years", "4 years", "5 years"),
        *("6 years", "7 years", "more than 7"),
    ),
    "NumberOfSuppliments": ("none", "1 to 2", "3 to 5", "more than 5"),
    "AddressChange_Claim": (
        *("no change", "under 6 months", "1 year"),
        *("2 to 3 years", "4 to 8 years"),
    ),
    "NumberOfCars": ("1 vehicle", "2 vehicles", "3 to 4", "5 to 8", "more than 8"),
    "BasePolicy": ("Liability", "Collision", "All Perils"),
    "VehicleCategory": ("Sport", "Sedan", "Utility"),
}
FLAGS = {
    "AccidentArea": "Rural",
    "Fault": "Policy Holder",
    "PoliceReportFiled": "Yes",
    "WitnessPresent": "Yes",
    "AgentType": "Internal",
}


def claims(data: Path) -> pd.DataFrame:
    """The claims as delivered, with `quarter` counted from the first of 1994."""
    table = pd.read_csv(data / "insurance" / "carclaims" / "fraud_oracle.csv")
    month = table["Month"].map({m: i for i, m in enumerate(MONTHS)})
    return table.assign(
        month=month, quarter=(table["Year"] - 1994) * 4 + month // 3
    ).reset_index(drop=True)


def claim_features(table: pd.DataFrame) -> pd.DataFrame:
    """One number per claim and feature; no label and no protected attribute is read."""
    columns: dict[str, pd.Series] = {
        name: table[name].map({band: i for i, band in enumerate(bands)})
        for name, bands in BANDS.items()
    }
    columns |= {name: table[name] == value for name, value in FLAGS.items()}
    weekday = table["DayOfWeek"].map({d: i for i, d in enumerate(DAYS)})
    columns["weekend"] = weekday >= DAYS.index("Saturday")
    columns["weeks_to_claim"] = weeks_to_claim(table)
    columns["deductible"] = table["Deductible"]
    columns["driver_rating"] = table["DriverRating"]
    # How common the make is; the name itself would be a category of its own for each.
    columns["make_share"] = table["Make"].map(table["Make"].value_counts(True))
    return pd.DataFrame(columns).astype(float)


def weeks_to_claim(table: pd.DataFrame) -> pd.Series:
    """From accident to claim in weeks, counted through the year's end; NaN if unknown."""
    claimed = table["MonthClaimed"].map({m: i for i, m in enumerate(MONTHS)})
    months = (claimed - table["month"]) % 12
    return months * 4.35 + table["WeekOfMonthClaimed"] - table["WeekOfMonth"]
