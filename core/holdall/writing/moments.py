"""Moments and durations as reports write them, the same in every time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from holdall.languages import ENGLISH, decimal

if TYPE_CHECKING:
    from holdall.languages import Catalog


_TWO_DIGITS: Final = tuple(f"{number:02}" for number in range(60))  # of each moment of each job
_LAST: Final = 253_402_300_799.0  # the end of the year 9999, past which datetime can't go


def moment(seconds: float) -> datetime:
    """Return *seconds* since 1970 as an aware moment in UTC, whole seconds, whatever they are."""
    return datetime.fromtimestamp(int(min(max(seconds, 0.0), _LAST)), UTC)


def iso(when: datetime) -> str:
    """Return a moment in UTC as `2026-01-31T12:00:00Z`."""
    return f"{when.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def iso_milliseconds(seconds: float) -> str:
    """Return *seconds* since 1970 as `2026-01-31T12:00:00.125Z`."""
    if not 0.0 <= seconds <= _LAST:
        seconds = min(max(seconds, 0.0), _LAST)
    minute, rest = divmod(round(seconds * 1000), 60_000)
    digits = f"{_TWO_DIGITS[minute % 60]}:{_TWO_DIGITS[rest // 1000]}.{rest % 1000:03}"
    return f"{_hour(minute // 60)}:{digits}Z"


@lru_cache(maxsize=64)  # jobs follow each other, and a calendar takes longer than all the rest
def _hour(number: int) -> str:
    """Return the hour of that number since 1970 as `2026-01-31T12`."""
    return datetime.fromtimestamp(number * 3600, UTC).isoformat()[:13]


def readable(when: datetime) -> str:
    """Return a moment in UTC for people: `2026-01-31 12:00:00 UTC`."""
    return f"{iso(when)[:-1].replace('T', ' ')} UTC"


def duration(seconds: float | None, catalog: Catalog = ENGLISH) -> str:
    """Return *seconds* for people: `0.25 s`, `12.0 s`, `3 min 05 s`, `2 h 03 min`, or nothing."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{decimal(seconds, 2, catalog)} s"
    if seconds < 60:
        return f"{decimal(seconds, 1, catalog)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"
