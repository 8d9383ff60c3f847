"""Days and weeks of the office, which begin at its own midnight."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
from django.utils import timezone

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def midnight(day: date) -> datetime:
    """When a day begins."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def days_of(at: Numbers) -> Counts:
    """The ordinal of the day on which each moment (seconds since 1970) lies."""
    if not len(at):
        return np.empty(0, dtype=np.int64)
    first, last = (_local(moment).toordinal() for moment in (at.min(), at.max()))
    begins = [
        midnight(date.fromordinal(day)).timestamp() for day in range(first, last + 1)
    ]
    return first + np.searchsorted(np.array(begins), at, side="right") - 1


def _local(at: float) -> date:
    return timezone.localtime(datetime.fromtimestamp(at, UTC)).date()


def mondays_of(at: Numbers) -> Counts:
    """The ordinal of the Monday of each moment's week."""
    days = days_of(at)
    return days - (days - 1) % 7  # the first day of the calendar is a Monday


def months_of(at: Numbers) -> Counts:
    """The month of each moment, counted from January of the year 0."""
    days, place = np.unique(days_of(at), return_inverse=True)
    found = [date.fromordinal(int(day)) for day in days]
    months = np.array([d.year * 12 + d.month - 1 for d in found], dtype=np.int64)
    return months[place]


def month(number: int) -> date:
    """The first day of a month as `months_of` counts them."""
    return date(number // 12, number % 12 + 1, 1)


def weeks(first: date, now: datetime) -> list[tuple[date, datetime]]:
    """Each week's Monday and end, from that of the first day until now."""
    found: list[tuple[date, datetime]] = []
    week, today = monday(first), timezone.localtime(now)
    while week <= today.date():
        found.append((week, min(midnight(week + timedelta(days=7)), today)))
        week += timedelta(days=7)
    return found
