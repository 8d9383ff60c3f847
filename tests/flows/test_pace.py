"""How much time is left: what a person who waits for a long run is told."""

from flows.pace import AGAIN, Pace, in_words


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def run(file, steps):
    """Steps with their seconds, played on a clock; what was said before each."""
    clock = Clock()
    pace, said = Pace(file, clock), []
    for step, seconds in steps:
        said.append(pace.begins(step))
        clock.now += seconds
    pace.done()
    return said


def test_a_first_run_promises_nothing(tmp_path):
    assert run(tmp_path / "t.json", [("reading", 5), ("scoring", 5)]) == [None, None]


def test_a_second_run_goes_by_the_first(tmp_path):
    steps = [("reading", 60), ("linking", 30), ("scoring", 10)]
    run(tmp_path / "t.json", steps)
    assert run(tmp_path / "t.json", steps) == [100, 40, 10]


def test_twice_the_rows_double_what_is_left(tmp_path):
    run(tmp_path / "t.json", [("reading", 10), ("scoring 1,000 units", 50)])
    said = run(tmp_path / "t.json", [("reading", 20), ("scoring 2,000 units", 100)])
    assert said == [60, 100]


def test_what_a_step_has_taken_already_is_not_left_again(tmp_path):
    steps = [("scoring", 40), ("scored 1 of 3", 20), ("scored 2 of 3", 20)]
    run(tmp_path / "t.json", [*steps, ("publishing", 10)])
    said = run(tmp_path / "t.json", [*steps, ("publishing", 10)])
    assert said == [90, 50, 30, 10]


def test_a_resumed_run_forgets_no_time_of_what_it_skipped(tmp_path):
    file = tmp_path / "t.json"
    run(file, [("reading", 60), ("linking", 30), ("scoring", 10)])
    run(file, [(f"reading{AGAIN}", 0), (f"linking{AGAIN}", 0), ("scoring", 20)])
    assert run(file, [("reading", 60), ("linking", 30)]) == [110, 50]


def test_a_run_that_fails_teaches_nothing(tmp_path):
    pace = Pace(tmp_path / "t.json")
    pace.begins("reading")
    assert not (tmp_path / "t.json").exists()


def test_a_broken_memory_is_as_good_as_none(tmp_path):
    (tmp_path / "t.json").write_text('{"reading": ')
    assert run(tmp_path / "t.json", [("reading", 1)]) == [None]


def test_words_for_people():
    assert in_words(None) == ""
    assert in_words(30) == "less than a minute left"
    assert in_words(754) == "about 13 min left"
    assert in_words(9000) == "about 2.5 h left"
