"""Classes of confirmed leads: cases that are alike, found without naming any of them.

Average linkage (Sokal and Michener 1958) on one minus the likeness, cut where the members
of two clusters are less than `ALIKE` like each other on average: a cut that a person can
check, and that does not move with the number of cases. It agrees with planted kinds as
well as HDBSCAN of the cases does (docs/evaluation/classes.md), and better than the number
of clusters with the best silhouette (seeds 7 and 9).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import AgglomerativeClustering

from configs.errors import LeadlineError
from training.likeness import Traits, pairwise
from training.preprocess import Vector
from training.traits import Members, Positions

ALIKE = 0.4
MOST_LEADS = 2_000  # pairs of them are compared, 32 MB


@dataclass(frozen=True, slots=True)
class Classes:
    """Confirmed leads by class.

    Attributes:
        classes: of at least two cases, those of most cases first; rows are of the leads.
        single: rows of the leads whose case is like no other.
        similarity: leads x leads.
    """

    classes: tuple[Members, ...]
    single: Positions
    similarity: Vector

    def centre(self, members: Members) -> int:
        """The lead that is most like the others of its class, a case counting once."""
        inside = self.similarity[np.ix_(members.rows, members.rows)]
        return int(members.rows[np.argmax(inside @ members.weights)])


def find_classes(traits: Traits, cases: Positions) -> Classes:
    """Group the leads; the same for the same leads in any order.

    A ring is one case: a cluster that holds a single case is no class.

    Args:
        traits: of the confirmed leads.
        cases: of each lead the number of its case: that of its ring, or one of its own.

    Raises:
        LeadlineError: there are too many leads to compare them pair by pair.
    """
    if len(traits) > MOST_LEADS:
        raise LeadlineError(
            f"{len(traits):,} confirmed leads are too many to be compared pair by pair; "
            f"at most {MOST_LEADS:,}: take those of one period"
        )
    similarity = pairwise(traits)
    label = _clusters(similarity)
    found = [_members(label == one, cases) for one in np.unique(label)]
    several = [members for members in found if members.case_count > 1]
    several.sort(key=lambda m: (-m.case_count, -len(m.rows), int(m.rows[0])))
    alone = [members.rows for members in found if members.case_count == 1]
    single = np.sort(np.concatenate(alone)) if alone else np.zeros(0, dtype=np.intp)
    return Classes(tuple(several), single, similarity)


def case_numbers(namings: Sequence[pd.Series]) -> Positions:
    """The case of each lead: leads that bear one name in any of the namings are one case.

    A ring has another name in each run; who stands in it links the names.

    Args:
        namings: one name per lead each, null where it stands alone; at least one.
    """
    leads = len(namings[0])
    ties = []
    for names in namings:
        number = pd.factorize(names)[0]  # -1 for null
        known = np.flatnonzero(number >= 0)
        shape = (leads, int(number.max(initial=-1)) + 1)
        there = np.ones(len(known), dtype=np.int64)
        ties.append(sparse.csr_array((there, (known, number[known])), shape=shape))
    together = sparse.hstack(ties, format="csr")
    found = connected_components(together @ together.T, directed=False)[1]
    return np.asarray(found, dtype=np.intp)


def _clusters(similarity: Vector) -> Positions:
    if len(similarity) < 2:
        return np.zeros(len(similarity), dtype=np.intp)
    linkage = AgglomerativeClustering(
        n_clusters=None,
        metric="precomputed",
        linkage="average",
        distance_threshold=1.0 - ALIKE,
    )
    return np.asarray(linkage.fit_predict(1.0 - similarity), dtype=np.intp)


def _members(inside: np.ndarray, cases: Positions) -> Members:
    rows = np.flatnonzero(inside)
    return Members(rows, cases[rows])
