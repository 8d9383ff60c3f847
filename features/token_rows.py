"""Which keys the units of a run are tied to, by key: TOKENS, made on numbers.

Takes 3 CPU-seconds for each 10 million rows, without the keys, and 50 bytes of memory a row
while they are sorted, those of the ties among them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from configs.tables import TOKENS
from features.adjacency import Numbers, index_type

SCHEMA = pa.schema({name: pa.string() for name in TOKENS})


@dataclass(frozen=True)
class NodeKeys:
    """What stands for nodes outside of the graph; two nodes may have one key.

    Attributes:
        nodes: their numbers.
        kinds: their kinds.
        keys: n x bytes of a key; its hexadecimal digits are what is written.
    """

    nodes: Numbers
    kinds: pa.DictionaryArray
    keys: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TokenRows:
    """TOKENS by key, unit and role, each once; made in parts, for there are many.

    Attributes:
        rows: of each its key's, unit's and role's place as one number, ascending.
        keys: distinct keys x bytes, ascending.
        kinds: of each key; of a key of two kinds the first by name.
        unit_ids: by the units' numbers, ascending.
        roles: `role_en` and `role_zh` by the role's number.
    """

    rows: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint8]
    kinds: pa.Array
    unit_ids: pa.Array
    roles: pa.Table

    @classmethod
    def made(
        cls, ties: pa.Table, units: pa.Table, named: NodeKeys, roles: pa.Table
    ) -> "TokenRows":
        """From who is tied to what.

        Args:
            ties: `unit`, `node` and `role`, all numbers; every unit is one of `units` and
                every node one of `named`.
            units: `unit` and `unit_id`.
            roles: in the order of their numbers.
        """
        units = units.sort_by("unit")
        rank, first = _ranks(named.keys)
        places = _by_number(named.nodes, rank)
        # 64 bits hold the places of 300 million units; Arrow ends with 2 GB of their ids.
        rows = places[ties["node"].to_numpy()].astype(np.int64)
        places = _by_number(units["unit"].to_numpy(), np.arange(units.num_rows))
        rows = rows * units.num_rows + places[ties["unit"].to_numpy()]
        rows = rows * roles.num_rows + ties["role"].to_numpy()
        return cls(
            _once(rows),
            named.keys[first],
            _first_kinds(named.kinds, rank, len(first)),
            units["unit_id"].combine_chunks(),
            roles,
        )

    def batches(self, at_once: int) -> pa.RecordBatchReader:
        """The rows in parts of so many."""
        starts = range(0, len(self.rows), at_once)
        parts = (self._part(self.rows[start : start + at_once]) for start in starts)
        return pa.RecordBatchReader.from_batches(SCHEMA, parts)

    def _part(self, rows: npt.NDArray[np.int64]) -> pa.RecordBatch:
        rows, role = np.divmod(rows, self.roles.num_rows)
        rank, unit = np.divmod(rows, len(self.unit_ids))
        words = self.roles.take(pa.array(role))
        columns = {
            "key": _hexadecimal(self.keys[rank]),
            "kind": self.kinds.take(pa.array(rank)),
            "unit_id": self.unit_ids.take(pa.array(unit)),
            **{name: words[name].combine_chunks() for name in ("role_en", "role_zh")},
        }
        return pa.record_batch([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _ranks(keys: npt.NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
    """Of each key its place among the distinct ones, and where each of these stands first."""
    width = keys.shape[1]
    # As texts of bytes they are compared one by one; as numbers thirty times faster.
    words = np.zeros((len(keys), -(-width // 8) * 8), dtype=np.uint8)
    words[:, :width] = keys
    numbers = words.view(">u8").astype(np.uint64)
    order = np.lexsort(numbers.T[::-1])
    ordered = numbers[order]
    new = np.ones(len(keys), dtype=np.bool_)
    np.any(ordered[1:] != ordered[:-1], axis=1, out=new[1:])
    rank = np.empty(len(keys), dtype=index_type(len(keys)))
    rank[order] = np.cumsum(new) - 1
    return rank, order[new]


def _by_number(numbers: Numbers, values: Numbers) -> Numbers:
    """Values by the numbers that they are of, for numbers that lie close together."""
    found = np.zeros(int(numbers.max(initial=0)) + 1, dtype=index_type(len(values)))
    found[numbers] = values
    return found


def _once(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """In ascending order, each once; sorts what it is given in place."""
    rows.sort()
    new = np.ones(len(rows), dtype=np.bool_)
    np.not_equal(rows[1:], rows[:-1], out=new[1:])
    return rows[new]


def _first_kinds(kinds: pa.DictionaryArray, rank: Numbers, count: int) -> pa.Array:
    """Of each rank the first kind, by name, of those that have it."""
    names = kinds.dictionary.sort()
    place = pc.index_in(kinds.dictionary, names).to_numpy().astype(np.int64)
    found = np.full(count, len(names), dtype=np.int64)
    np.minimum.at(found, rank, place[kinds.indices.to_numpy()])
    return names.take(pa.array(found))


def _hexadecimal(keys: npt.NDArray[np.uint8]) -> pa.Array:
    """Bytes as texts."""
    count, width = len(keys), 2 * keys.shape[1]
    starts = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    texts = keys.tobytes().hex().encode()
    return pa.StringArray.from_buffers(count, pa.py_buffer(starts), pa.py_buffer(texts))
