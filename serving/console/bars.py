"""Small pictures of numbers: shares, bars to either side of a line, a line of ranks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 420
SPARK_WIDTH, SPARK_HEIGHT = 220, 48
_EDGE = 6


def percent(share: float) -> str:
    """A share in whole per cent; what is not all or nothing never reads as such."""
    text = f"{share * 100:.0f}"
    if text == "100" and share < 1:
        return "99.9" if share < 0.9995 else ">99.9"
    return "<1" if text == "0" and share > 0 else text


def above(share: float) -> int:
    """Above so many per cent of others, rounded down: nobody is above all of them."""
    return min(math.floor(share * 100), 99)


@dataclass(frozen=True, slots=True)
class Bar:
    text: str
    value: float
    x: float
    width: float

    @property
    def raises(self) -> bool:
        return self.value >= 0

    @property
    def signed(self) -> str:
        return f"{self.value:+.2f}".replace("-", "−")


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars from a zero line; `zero` is its x."""

    bars: tuple[Bar, ...]
    zero: float
    width: int


def bars(values: Sequence[tuple[str, float]]) -> Bars:
    """One bar for each text and value, in their order."""
    low = min([0.0, *(value for _, value in values)])
    high = max([0.0, *(value for _, value in values)])
    scale = (WIDTH - 2 * _EDGE) / ((high - low) or 1.0)
    zero = _EDGE - low * scale
    drawn = tuple(
        Bar(
            text=text,
            value=value,
            x=round(min(zero, zero + value * scale), 1),
            width=round(max(abs(value) * scale, 1.0), 1),
        )
        for text, value in values
    )
    return Bars(drawn, round(zero, 1), WIDTH)


@dataclass(frozen=True, slots=True)
class Spark:
    """Ranks in the order of time: rank 1 stands on top."""

    points: str
    dots: tuple[tuple[float, float, int], ...]
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def spark(ranks: Sequence[int]) -> Spark:
    low, high = min(ranks), max(ranks)
    across = (SPARK_WIDTH - 2 * _EDGE) / max(len(ranks) - 1, 1)
    down = (SPARK_HEIGHT - 2 * _EDGE) / ((high - low) or 1)
    dots = tuple(
        (round(_EDGE + n * across, 1), round(_EDGE + (rank - low) * down, 1), rank)
        for n, rank in enumerate(ranks)
    )
    return Spark(" ".join(f"{x},{y}" for x, y, _rank in dots), dots)
