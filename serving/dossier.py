"""What a console shows of explained leads: files that are kept with a run.

Their columns are `configs.tables.DOSSIER`. Values stand in them unmasked; who reads them
here masks what is sensitive before it leaves the server.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.settings import Settings
from configs.tables import DOSSIER
from serving.leads.models import Run

Rows = list[dict[str, Any]]


_SMALL = 4 << 20  # bytes up to which a file is kept in memory


@lru_cache(maxsize=12)
def _kept(path: str, _changed: int) -> pa.Table:
    """A small file; a page asks several times, and a published file never changes."""
    return pq.read_table(path, use_threads=False)


@dataclass(frozen=True, slots=True)
class Dossier:
    """The files of one run; a file that it does not have reads as empty."""

    files: dict[str, Any]  # Run.files
    settings: Settings

    def rows(self, unit_id: str) -> Rows:
        """Source rows of a lead as delivered, each with its place and times."""
        return self._read("rows", "unit_id", [unit_id])

    def likes(self, unit_id: str) -> Rows:
        """The units most like a lead, the most alike first."""
        found = self._read("likes", "unit_id", [unit_id])
        return sorted(found, key=lambda row: row["position"])

    def nodes(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """Nodes by key; those that the run does not know are left out."""
        return {row["key"]: row for row in self._read("nodes", "key", keys)}

    def node_of_unit(self, unit_id: str) -> dict[str, Any] | None:
        """The node that is this unit."""
        return next(iter(self._read("nodes", "unit_id", [unit_id])), None)

    def ties(self, keys: Collection[str]) -> Rows:
        """All ties of these nodes, each seen from them."""
        return self._read("ties", "node", keys)

    def units_of(self, key: str) -> Rows:
        """Units, and their roles, that are tied to a node: of all units of the run."""
        return self._read("tokens", "key", [key])

    def units_tied_to(self, keys: Collection[str]) -> Rows:
        """The same of several nodes at once."""
        return self._read("tokens", "key", keys)

    def doubts(self) -> Rows:
        """The links that a person should judge, the most doubtful first."""
        found: Rows = self._table("doubts").to_pylist()
        return found

    def _read(self, name: str, column: str, values: Collection[str]) -> Rows:
        if name not in self.files or not values:
            return []
        wanted = pc.field(column).isin(pa.array(list(values), pa.string()))
        path = self.settings.published / self.files[name]["path"]
        if path.stat().st_size > _SMALL:
            found: Rows = pq.read_table(path, filters=wanted).to_pylist()
        else:
            found = _kept(str(path), path.stat().st_mtime_ns).filter(wanted).to_pylist()
        return found

    def _table(self, name: str) -> pa.Table:
        if name not in self.files:
            return pa.table({column: [] for column in DOSSIER[name]})
        return pq.read_table(self.settings.published / self.files[name]["path"])


def dossier(run: Run) -> Dossier:
    """The files of a published run of the installation."""
    return Dossier(run.files, Settings())
