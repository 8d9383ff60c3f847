"""Tables as the bytes of a workbook, or in a database."""

import io

import pandas as pd
import sqlalchemy

from tests.flows.office import Delivery


def excel_bytes(table: pd.DataFrame) -> bytes:
    """A workbook with one sheet."""
    file = io.BytesIO()
    table.to_excel(file, index=False, engine="openpyxl")
    return file.getvalue()


def into_database(delivery: Delivery, url: str) -> None:
    engine = sqlalchemy.create_engine(url)
    for name in ("payments", "persons", "visits"):
        getattr(delivery, name).to_sql(name, engine, index=False)
    engine.dispose()
