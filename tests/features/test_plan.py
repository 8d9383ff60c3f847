"""Between which steps the units are computed: never too late, and never too much."""

from itertools import pairwise

import pytest

from configs.loading import load_model, model_names
from configs.settings import PACKAGE_MODELS
from features.known import Known
from features.plan import computed_before
from features.reads import reads
from tests.factories import AS_OF, model

AMPLE, SHORT = 10**12, None  # bytes of memory
MOST = {AMPLE: 28, SHORT: 16}


class Memory:
    """An engine that says how much memory it has."""

    def __init__(self, size: int | None) -> None:
        self._size = size

    def memory(self) -> int | None:
        return self._size


def joins(step, size):
    if step.coverage:
        return len(step.coverage.sources)
    return 2 if step.lookup and size is SHORT else 1


def building(known):
    """The steps that make columns, with their numbers."""
    steps = enumerate(known.spec.features)
    return [(number, step) for number, step in steps if step.columns is None]


def too_late(known: Known, size: int | None, cuts: frozenset[int]) -> bool:
    """Whether a query joins too much, or a step reads what its own query makes."""
    made, steps = known.model.known.made, building(known)
    bounds = sorted({steps[0][0], *cuts, len(known.spec.features)})
    for start, end in pairwise(bounds):
        query = [(number, step) for number, step in steps if start <= number < end]
        held = sum(joins(step, size) for _, step in query)
        if held > MOST[size] and len(query) > 1:
            return True
        for number, step in query:
            columns = reads(step, known)
            if columns is None and number != start:
                return True
            if any(made.get(name, -1) >= start for name in columns or ()):
                return True
    return False


@pytest.mark.parametrize("size", [AMPLE, SHORT])
@pytest.mark.parametrize("name", model_names(PACKAGE_MODELS))
def test_units_are_computed_in_time_and_no_more_than_needed(name, size):
    """Where memory is short as early as can be, as there are fewer columns to write."""
    known = Known(load_model(name, PACKAGE_MODELS), {}, AS_OF, units=1)
    cuts = computed_before(known, Memory(size))
    assert not too_late(known, size, cuts)
    numbers = [number for number, _ in building(known)]
    for before, cut in pairwise(numbers):
        if cut in cuts:
            others = cuts - {cut}
            assert too_late(known, size, others)
            if size is SHORT:
                assert before in cuts or too_late(known, size, others | {before})


def test_of_a_register_those_rows_are_read_that_the_units_ask_for():
    """By a key that was looked up itself: it has to be there before the register is."""
    steps = [
        {"lookup": {"of": "visits", "by": "claimant", "take": {"where_to": "place"}}},
        {
            "lookup": {
                "of": "visits",
                "by": "where_to",
                "as": "place",
                "take": {"cost_there": "cost"},
            }
        },
    ]
    loaded = model(*steps)
    small = Known(loaded, {}, AS_OF)
    large = Known(loaded, {}, AS_OF, registers=frozenset({"visits"}))
    assert computed_before(small, Memory(AMPLE)) == frozenset()
    assert computed_before(large, Memory(AMPLE)) == frozenset({1})


def test_a_model_without_steps_computes_nothing_in_between():
    known = Known(model({"columns": ["amount"]}), {}, AS_OF)
    assert computed_before(known, Memory(AMPLE)) == frozenset()
