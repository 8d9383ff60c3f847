"""What the engine promises: an order of rows that nothing moves, and room for arrays."""

import gc
import weakref

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.catalog import CELLS, MOST_ROWS, Limits, opened

USED = "SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()"
LIMIT = "SELECT parse_formatted_bytes(current_setting('memory_limit'))"


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


def test_the_engine_makes_room_for_a_function_on_arrays(tmp_path):
    """Both would hold what the engine may hold, and the machine would have to have twice."""
    held, allowed = [], 400_000_000

    def sums(rows: pa.Table) -> dict[str, pa.Table]:
        held.append((*catalog.fetch(LIMIT)[0], *catalog.fetch(USED)[0]))
        return {"sums": pa.table({"a": [rows["a"].to_numpy().sum()]})}

    with opened(tmp_path, Limits(memory="400MB")) as catalog:
        other = catalog.register("other", pa.table({"b": np.arange(30_000_000)}))
        rows = catalog.register("rows", pa.table({"a": np.arange(12_000_000)}))
        (found,) = catalog.rows(catalog.computed(sums, rows)["sums"])
        assert found["a"] == sum(range(12_000_000))
        # 12 million numbers take 96 MB; three times as much is left to the function.
        ((limit, used),) = held
        assert limit == pytest.approx(allowed - 3 * 96e6, rel=0.05)
        assert used <= limit
        assert catalog.fetch(LIMIT)[0][0] == pytest.approx(allowed, rel=0.01)
        (total,) = catalog.rows(other.aggregate(b=other["b"].sum()))
        assert total["b"] == sum(range(30_000_000))


def test_the_engine_may_hold_as_much_again_after_a_function_that_failed(tmp_path):
    def fails(rows: pa.Table) -> dict[str, pa.Table]:
        raise ArithmeticError(len(rows))

    with opened(tmp_path, Limits(memory="400MB")) as catalog:
        rows = catalog.register("rows", pa.table({"a": np.arange(10_000_000)}))
        for _ in range(20):
            with pytest.raises(ArithmeticError):
                catalog.computed(fails, rows)
        assert catalog.fetch(LIMIT)[0][0] == pytest.approx(4e8, rel=0.01)


def test_arrays_that_a_function_leaves_in_a_cycle_are_given_back(tmp_path):
    """As Numba does when it compiles: linking ten million claims left 2 GB so."""
    left = []

    def leaves(rows: pa.Table) -> dict[str, pa.Table]:
        array = rows["a"].to_numpy().copy()
        cycle: list[object] = [array]
        cycle.append(cycle)
        left.append(weakref.ref(array))
        return {"n": pa.table({"n": [len(array)]})}

    with opened(tmp_path) as catalog:
        rows = catalog.register("rows", pa.table({"a": np.arange(15_000_000)}))
        gc.disable()
        try:
            catalog.computed(leaves, rows)
        finally:
            gc.enable()
    assert left[0]() is None
