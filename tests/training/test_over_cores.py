import time

import pytest

from training.over_cores import over_cores


@pytest.mark.parametrize("threads", [0, 1, 2, 7])
def test_results_come_in_the_order_of_the_parts(threads):
    def work(part: int) -> int:
        time.sleep(0.002 if part % 3 == 0 else 0)
        return part * part

    assert list(over_cores(work, range(40), threads)) == [n * n for n in range(40)]
    assert list(over_cores(work, [], threads)) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_parts_are_read_than_are_worked_on(threads):
    read = []

    def parts():
        for part in range(30):
            read.append(part)
            yield part

    for done, _ in enumerate(over_cores(abs, parts(), threads), 1):
        assert len(read) <= done + threads


def test_an_error_ends_the_work():
    seen = []

    def work(part: int) -> int:
        seen.append(part)
        return 1 // (part - 2)

    with pytest.raises(ZeroDivisionError):
        list(over_cores(work, range(1000), threads=2))
    assert len(seen) < 10
