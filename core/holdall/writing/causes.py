"""Causes: what went wrong, in as many words as there are different ones.

Messages that differ in numbers, addresses and paths alone say the same thing, so their
jobs stand together: twelve jobs for which there is `no such device` have one cause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from holdall.languages import ENGLISH, N_
from holdall.view.labels import ORDER
from holdall.view.verdict import EXAMPLES, JobName
from holdall.writing.cleaning import line_text, strip_escapes
from holdall.writing.logs import log_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.languages import Catalog
    from holdall.results import IOLogRecord, Outcome
    from holdall.view import JobView, SessionView

CAUSES_MAX: Final = 1000
"""How many causes are told apart; jobs with further ones are counted together."""

_EXIT_CODE: Final = N_("exit code {code}")
_NO_WORDS: Final = N_("no reason was recorded")
_OTHERS: Final = N_("other causes")

_LONGEST: Final = 200  # characters of a message that tell causes apart
_SMALL: Final = 1 << 14  # bytes of a log that is read once and looked at twice
_TAIL: Final = 1 << 13  # characters at the end of a log among which the last lines are looked for
_VARYING: Final = re.compile(
    r"(?P<path>(?<![\w/.~])~?(?:/[^\s/:;,'\"()\[\]<>|]+){2,}/?)"
    r"|\b(?:0[xX][0-9a-fA-F]+|[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?=[a-fA-F]*\d)[0-9a-fA-F]{8,})\b"
    r"|\d+(?:[.,:]\d+)*"
)


@dataclass(frozen=True, slots=True)
class Cause:
    """What went wrong in the same way for one job or for several.

    Attributes:
        text: One line for people: the words of the job, and where those of several differ
            in numbers and paths, `#` and `…` in their place. Never empty.
        label: How the first of the jobs stands, in the language of the view.
        outcome: What they count as; None stands for jobs in flight.
        count: How many jobs.
        is_blocker: Whether the certification status of any of them is `blocker`.
        jobs: The first of them, `holdall.view.verdict.EXAMPLES` at most.
        numbers: Their places among `SessionView.jobs()`, the first one's being 0.
    """

    text: str
    label: str
    outcome: Outcome | None
    count: int
    is_blocker: bool
    jobs: tuple[JobName, ...]
    numbers: tuple[int, ...]


def causes_of(view: SessionView) -> list[Cause]:
    """Return why jobs went wrong, blockers first, then by outcome and by the number of jobs.

    Memory is bounded by the number of different causes, of which `CAUSES_MAX` are told apart.
    """
    found: dict[tuple[Outcome | None, str], _Found] = {}
    others: _Found | None = None
    for number, job in enumerate(view.jobs()):
        if not job.went_wrong:
            continue
        words = cause_of(job, view.catalog)
        key = (None if job.in_flight else job.counts_as, _masked(words))
        one = found.get(key)
        if one is None and len(found) < CAUSES_MAX:
            one = found[key] = _Found(job, words, key[1])
        elif one is None:
            text = view.catalog.gettext(_OTHERS)
            one = others = others or _Found(job, text, text)
        one.add(number, job, words)
    in_order = sorted(found.values(), key=_Found.rank)
    return [one.cause() for one in (*in_order, *((others,) if others else ()))]


def cause_of(job: JobView, catalog: Catalog = ENGLISH) -> str:
    """Return one line that says best why *job* went wrong; it is never empty.

    That is the first line of its comments, else the last line that it wrote to standard
    error, else the last one that it wrote, else its exit code.
    """
    comments = (line_text(strip_escapes(line)) for line in job.comments.splitlines())
    if words := next(filter(None, comments), ""):
        return words[:_LONGEST]
    if job.io_log_size:
        is_small = job.io_log_size <= _SMALL
        records = tuple(job.io_log()) if is_small else job.io_log()
        errors = (record for record in records if record.stream == "stderr")
        if lines := last_lines(errors, 1) or last_lines(records if is_small else job.io_log(), 1):
            return lines[0][:_LONGEST]
    if job.return_code is not None:
        return catalog.gettext(_EXIT_CODE).format(code=job.return_code)
    return catalog.gettext(_NO_WORDS)


def last_lines(records: Iterable[IOLogRecord], count: int) -> list[str]:
    """Return the last *count* lines of a log that are not blank, without terminal escapes.

    Of a line that was overwritten by carriage returns, what stood there last is taken.
    A log of any size is read in pieces, and lines in its last 8 192 characters are found.
    """
    tail = ""
    for piece in log_text(records):
        tail = (tail + piece)[-_TAIL:]
    lines = (_shown(line) for line in reversed(tail.split("\n")))
    return list(islice(filter(None, lines), count))[::-1]


def _shown(line: str) -> str:
    """Return what a terminal would be left with, in printable characters."""
    overwritten = (line_text(part) for part in reversed(strip_escapes(line).split("\r")))
    return next(filter(None, overwritten), "")


def _masked(words: str) -> str:
    return _VARYING.sub(lambda match: "…" if match["path"] else "#", words)


class _Found:
    """A cause while its jobs are counted."""

    __slots__ = ("_count", "_is_blocker", "_jobs", "_label", "_numbers", "_outcome", "_texts")

    def __init__(self, job: JobView, words: str, masked: str) -> None:
        self._label = job.label
        self._outcome = None if job.in_flight else job.counts_as
        self._texts = (words, masked)
        self._count = 0
        self._is_blocker = False
        self._jobs: list[JobName] = []
        self._numbers: list[int] = []

    def add(self, number: int, job: JobView, words: str) -> None:
        """Count *job*, which is the one of that *number* in the session."""
        own, masked = self._texts
        if words != own:
            self._texts = (masked, masked)
        self._count += 1
        self._is_blocker |= job.certification_status == "blocker"
        if len(self._jobs) < EXAMPLES:
            self._jobs.append(JobName(job.device_id, job.id))
            self._numbers.append(number)

    def rank(self) -> tuple[bool, int, int, int]:
        """Return what causes are put in order by."""
        return (
            not self._is_blocker,
            ORDER.index(self._outcome),
            -self._count,
            self._numbers[0],
        )

    def cause(self) -> Cause:
        return Cause(
            text=self._texts[0],
            label=self._label,
            outcome=self._outcome,
            count=self._count,
            is_blocker=self._is_blocker,
            jobs=tuple(self._jobs),
            numbers=tuple(self._numbers),
        )
