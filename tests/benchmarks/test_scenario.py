"""What a scenario's page says in words is what its tables hold."""

import pandas as pd

from benchmarks.scenario import alike, missed

KINDS = pd.DataFrame(
    [("ring", 2, 18, 9, 20), ("paper", 19, 3, 19, 20)],
    columns=["typology", "rules", "score", "fused", "planted"],
)


def test_a_kind_that_rules_hardly_show_stands_beside_chance():
    (line,) = missed(KINDS, 200, 0.1)
    assert line == (
        "- Of `ring`, which the rules hardly show (2 of 20 at 200), the detectors show 18, "
        "fused 9; chance 2.0."
    )


def test_more_look_alikes_than_the_rules_have_are_named():
    honest = KINDS.rename(columns={"typology": "hard_negative"})
    (line,) = alike(honest, 200)
    assert "hold 28 honest look-alikes, not fewer than the rules' 21" in line
    assert line.endswith("ring (9 against 2).")
    fewer = honest.assign(rules=honest["fused"], fused=honest["rules"])
    assert list(alike(fewer, 200)) == [
        "- The first 200 of fused hold 21 honest look-alikes, fewer than the rules' 28."
    ]
