"""What the engine promises of files: the rows of each in an order that nothing moves."""

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.catalog import CELLS, MOST_ROWS, Limits, opened


def test_sorted_tables_follow_each_other_in_one_file_also_with_spilling(tmp_path):
    """600,000 rows are several row groups; the engine writes them with two threads."""
    number = np.random.default_rng(3).permutation(600_000)
    words = pa.array([f"{n:0>100}" for n in number])
    mixed = pa.table({"a": number, "of": number // 120_000, "word": words})
    with opened(tmp_path, Limits(memory="150MB", threads=2)) as catalog:
        catalog.register("mixed", mixed)
        parts = []
        for part in range(5):
            own = catalog.named("mixed").filter(ibis._["of"] == part).order_by("a")
            parts.append(catalog.keep(own, f"part_{part}"))
        catalog.write(catalog.following(parts, ["a"]), "whole")
    found = pq.read_table(tmp_path / "whole.parquet", columns=["a"])["a"]
    assert np.array_equal(found.to_numpy(), np.arange(600_000))


def test_a_wide_table_is_written_in_smaller_groups_which_threads_hold(tmp_path):
    """A group of all columns times 122,880 rows would leave no memory to its query."""
    columns = {f"c{number}": np.arange(150_000) for number in range(100)}
    with opened(tmp_path, Limits(threads=2)) as catalog:
        wide = catalog.register("wide", pa.table(columns))
        catalog.write(wide, "wide")
        catalog.write(wide.select("c0"), "narrow")
    groups = pq.ParquetFile(tmp_path / "wide.parquet").metadata
    assert groups.row_group(0).num_rows * 100 <= CELLS
    narrow = pq.ParquetFile(tmp_path / "narrow.parquet").metadata
    assert narrow.row_group(0).num_rows == MOST_ROWS


def test_a_view_is_defined_once_and_reads_what_its_table_is_now(tmp_path):
    with opened(tmp_path) as catalog:
        seen = []
        for number in (1, 2):
            own = catalog.register("own", pa.table({"a": [number]}))

            def doubled(table=own):
                seen.append(table)
                return table.mutate(b=table["a"] * 2)

            assert catalog.rows(catalog.view("doubled", doubled)) == [
                {"a": number, "b": 2 * number}
            ]
            catalog.drop("own")
    assert len(seen) == 1
