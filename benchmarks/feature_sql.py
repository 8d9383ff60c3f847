"""The features of the benchmark as one script in DuckDB's SQL, `feature_script.sql`."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from configs.settings import Settings

SCRIPT = Path(__file__).with_name("feature_script.sql")


def write_features(
    cores: Path, as_of: datetime, out: Path, _: Mapping[str, str]
) -> None:
    """Write the feature matrix, ordered by unit; the script knows its columns."""
    with duckdb.connect() as con:
        con.execute(f"SET temp_directory = '{out.parent / 'spill'}'")
        if limit := Settings().memory:
            con.execute(f"SET memory_limit = '{limit}'")
        execute(con, cores, as_of)
        con.execute(f"COPY (FROM feature_matrix ORDER BY unit_id) TO '{out}'")


def execute(con: duckdb.DuckDBPyConnection, cores: Path, as_of: datetime) -> None:
    """Run the script; its tables are in the connection then."""
    con.execute("SET enable_progress_bar = false")
    con.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
    for path in sorted(cores.glob("core_*.parquet")):
        con.execute(f"CREATE VIEW {path.stem} AS FROM '{path}'")
    con.execute(SCRIPT.read_text(encoding="utf-8"))
