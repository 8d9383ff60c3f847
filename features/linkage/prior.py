"""How many true links there are, as the scored pairs themselves show."""

import numpy as np

from features.linkage.clusters import Floats

ROUNDS = 50
SETTLED = 1e-9


def calibrated(probability: Floats, prior: float, records: int) -> Floats:
    """Probabilities under the prior that makes them add up to the links expected.

    Expectation maximisation of the prior alone, with the weights of evidence fixed; a
    prior that was guessed for another number of records would tilt every probability.

    Args:
        probability: of the candidate pairs, scored under `prior`.
        prior: the probability that two records drawn at random are one.
        records: number of records; their pairs are the population.
    """
    population = records * (records - 1) / 2
    if not len(probability) or not population:
        return probability
    bounded = np.clip(probability, 1e-12, 1 - 1e-12)
    evidence = bounded / (1 - bounded) * (1 - prior) / prior
    for _ in range(ROUNDS):
        odds = evidence * prior / (1 - prior)
        found = float((odds / (1 + odds)).sum()) / population
        settled = abs(found - prior) <= SETTLED * population**-1
        prior = min(max(found, 1 / population), 0.5)
        if settled:
            break
    odds = evidence * prior / (1 - prior)
    return np.asarray(odds / (1 + odds))
