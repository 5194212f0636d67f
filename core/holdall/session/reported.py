"""What a job reported besides its exit code, kept within bounds, and what it makes of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdall.results import Measurement, Outcome, Subtest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.results import Attachment, JobResult

MOST_ENTRIES: Final = 10_000
"""Subtests and measurements that are kept of one attempt; those behind are judged and counted."""

MOST_TEXT: Final = 4 * 2**20
"""Characters of their names and messages that are kept of one attempt."""

_MOST_SHOWN: Final = 5
_MOST_COMMENTS: Final = 16 * 1024


class Reported:
    """Subtests, measurements, attachments and comments, as they come in.

    A pass is no pass if a subtest failed, a measurement is out of its limits, or what the job
    reported could not be read.
    """

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        """Begin with nothing.

        Args:
            mask: Masks what is secret in a text: here texts are cut, and half a secret would
                get past the mask of the whole result.
        """
        self._mask: Final = mask
        self._subtests: list[Subtest] = []
        self._measurements: list[Measurement] = []
        self._attachments: list[Attachment] = []
        self._said: list[str] = []
        self._said_size = 0
        self._text = 0
        self._dropped = 0
        self._is_in_doubt = False
        self._failures = _FirstOf("failures")
        self._problems = _FirstOf("problems")

    def add(self, entry: Subtest | Measurement) -> None:
        """Judge an entry, and keep it if there is room."""
        entry = _masked(entry, self._mask)
        if entry.outcome is not None and entry.outcome.failed:
            self._failures.add(_failure(entry))
        self._text += len(entry.name)
        if isinstance(entry, Subtest):
            self._text += len(entry.message or "")
        elif isinstance(entry.value, str):
            self._text += len(entry.value)
        kept = len(self._subtests) + len(self._measurements)
        if kept >= MOST_ENTRIES or self._text > MOST_TEXT:
            self._dropped += 1
        elif isinstance(entry, Subtest):
            self._subtests.append(entry)
        else:
            self._measurements.append(entry)

    def attach(self, attachment: Attachment) -> None:
        """Keep a file."""
        self._attachments.append(attachment)

    def say(self, text: str) -> None:
        """Keep a comment."""
        text = self._mask(text)
        room = _MOST_COMMENTS - self._said_size
        self._said_size += len(text)
        if room <= 0:
            self._problems.add(f"comments beyond {_MOST_COMMENTS:,} characters are not kept")
        elif len(text) > room:
            self._said.append(f"{text[:room]}...")
        else:
            self._said.append(text)

    def blame(self, problem: str) -> None:
        """Note what can't be kept, and why."""
        self._problems.add(_cut(self._mask(problem), _LONGEST_PROBLEM))

    def doubt(self, problem: str) -> None:
        """Note why it is not known what the job reported: a pass is none then."""
        self._is_in_doubt = True
        self.blame(problem)

    def within(self, result: JobResult) -> JobResult:
        """Return *result* with what was reported; a pass that this contradicts is a fail."""
        outcome = result.outcome
        if outcome is Outcome.PASS and self._failures:
            outcome = Outcome.FAIL
        elif outcome is Outcome.PASS and self._is_in_doubt:
            outcome = Outcome.ERROR
        own = () if result.comments is None else (result.comments,)
        told = (*own, *self._failures, *self._said, *self._problems, *self._counted())
        return msgspec.structs.replace(
            result,
            outcome=outcome,
            comments="; ".join(told) or None,
            subtests=(*result.subtests, *self._subtests),
            measurements=(*result.measurements, *self._measurements),
            attachments=(*result.attachments, *self._attachments),
        )

    def _counted(self) -> Iterator[str]:
        if self._dropped:
            yield f"{self._dropped:,} more subtests and measurements are judged and not kept"


class _FirstOf:
    """The first texts of many, and how many there were."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._texts: dict[str, None] = {}
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._texts)

    def __iter__(self) -> Iterator[str]:
        yield from self._texts
        if self._more:
            yield f"and {self._more:,} more {self._noun}"

    def add(self, text: str) -> None:
        if text in self._texts:
            return
        if len(self._texts) < _MOST_SHOWN:
            self._texts[text] = None
        else:
            self._more += 1


def _failure(entry: Subtest | Measurement) -> str:
    """Return in one line what speaks against a pass."""
    if isinstance(entry, Measurement):
        return _beyond(entry)
    message = " ".join((entry.message or "").split())
    words = f"the subtest {_cut(entry.name)!r} {_ENDED[entry.outcome]}"
    return f"{words}: {_cut(message)}" if message else words


def _beyond(entry: Measurement) -> str:
    value = entry.value
    measured = f"{_cut(entry.name)} {_with_unit(value, entry.unit)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if entry.lower is not None and value < entry.lower:
            return f"{measured} is below {_with_unit(entry.lower, entry.unit)}"
        if entry.upper is not None and value > entry.upper:
            return f"{measured} is above {_with_unit(entry.upper, entry.unit)}"
    return f"{measured} failed"


def _with_unit(value: float | str, unit: str) -> str:
    if isinstance(value, float):
        shown = f"{value:.12g}"
    else:
        shown = _cut(str(value).lower() if isinstance(value, bool) else str(value))
    return f"{shown} {_cut(unit)}".rstrip()


def _masked(entry: Subtest | Measurement, mask: Callable[[str], str]) -> Subtest | Measurement:
    """Return an entry whose texts are masked, and then cut if they are huge."""
    fields = ("name", "message") if isinstance(entry, Subtest) else ("name", "unit", "value")
    changes: dict[str, Any] = {}
    for field in fields:
        text = getattr(entry, field)
        if isinstance(text, str):
            shown = _cut(mask(text), _LONGEST_TEXT)
            if shown != text:
                changes[field] = shown
    return msgspec.structs.replace(entry, **changes) if changes else entry


def _cut(text: str, most: int = 200) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


_LONGEST_TEXT: Final = 64 * 1024
_LONGEST_PROBLEM: Final = 1000
_ENDED: Final = {
    Outcome.FAIL: "failed",
    Outcome.CRASH: "crashed",
    Outcome.ERROR: "could not be performed",
}
