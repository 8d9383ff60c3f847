"""Tables as the bytes of a file."""

import io

import pandas as pd


def excel_bytes(table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    table.to_excel(file, index=False, engine="openpyxl")
    return file.getvalue()
