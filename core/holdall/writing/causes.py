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
from holdall.writing.cleaning import line_text, strip_escapes, terminal_text
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
_TRACEBACK: Final = "Traceback (most recent call last):"
_HEADING: Final = re.compile(r"[A-Z]+:?|self = .*|.*:")  # what stands above a message
_COUNTED: Final = re.compile(r"contains \d+ failed subtests?")  # as pytest says it
_FEW: Final = 3  # words of a line that says too little alone
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


def causes_of(view: SessionView, *, output: bool = True) -> list[Cause]:
    """Return why jobs went wrong: blockers first, then what is known, then the most jobs.

    Memory is bounded by the number of different causes, of which `CAUSES_MAX` are told apart.

    Args:
        output: As that of `cause_of`.
    """
    found: dict[tuple[Outcome | None, str], _Found] = {}
    others: _Found | None = None
    silence = view.catalog.gettext(_NO_WORDS)
    for number, job in enumerate(view.jobs()):
        if not job.went_wrong:
            continue
        words = cause_of(job, view.catalog, output=output)
        key = (None if job.in_flight else job.counts_as, _masked(words, job, view.catalog))
        one = found.get(key)
        if one is None and len(found) < CAUSES_MAX:
            one = found[key] = _Found(job, words, key[1], is_said=words != silence)
        elif one is None:
            text = view.catalog.gettext(_OTHERS)
            one = others = others or _Found(job, text, text, is_said=False)
        one.add(number, job, words, view.catalog)
    in_order = sorted(found.values(), key=_Found.rank)
    return [one.cause() for one in (*in_order, *((others,) if others else ()))]


def cause_of(job: JobView, catalog: Catalog = ENGLISH, *, output: bool = True) -> str:
    """Return one line that says best why *job* went wrong; it is never empty.

    That is what its comments say first; of a traceback of Python, the error at its end. Else
    it is a part of the job that went wrong, the last line that was written to standard error, the
    last one that was written at all, or the exit code.

    Args:
        output: Whether lines of the job's output may be shown.
    """
    if job.in_flight or job.outcome is not job.counts_as:
        return job.label  # nobody knows how it ends, or expected that it passes
    words = _said(job.comments)
    if (not words or _COUNTED.fullmatch(words)) and (parts := _of_parts(job)):
        return parts[:_LONGEST]
    if words:
        return words[:_LONGEST]
    if output and job.io_log_size:
        errors = (record for record in job.io_log() if record.stream == "stderr")
        if lines := last_lines(errors, 1) or last_lines(job.io_log(), 1):
            return line_text(lines[0])[:_LONGEST]
    if job.return_code is not None:
        return catalog.gettext(_EXIT_CODE).format(code=job.return_code)
    return catalog.gettext(_NO_WORDS)


def _said(comments: str) -> str:
    """Return the first line of *comments* that says something, and the next if it is short.

    The next is none of it if it stands below a heading of its own.
    """
    raw = [line for line in strip_escapes(comments).splitlines() if line.strip()]
    if any(line.startswith(_TRACEBACK) for line in raw):
        raw = [line for line in raw if not line.startswith((_TRACEBACK, " ", "\t"))][-1:] or raw
    lines = [line_text(line) for line in raw]
    first = next((place for place, text in enumerate(lines) if not _HEADING.fullmatch(text)), None)
    if first is None:
        return lines[0] if lines else ""
    text, behind = lines[first], lines[first + 1 : first + 2]
    if behind and len(text.split()) <= _FEW and not _HEADING.fullmatch(behind[0]):
        return f"{text.rstrip(':')}: {behind[0]}"
    return text


def _of_parts(job: JobView) -> str:
    """Return the first part of *job* that went wrong, and why; nothing if none did."""
    for part in job.subtests:
        if part.outcome.failed:
            why = _said(part.message or "")
            return line_text(f"{part.name}: {why}" if why else part.name)
    for measured in job.measurements:
        if measured.outcome is not None and measured.outcome.failed:
            return line_text(f"{measured.name}: {measured.value} {measured.unit}")
    return ""


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
    """Return what a terminal would be left with, in printable characters; nothing of blanks."""
    if line.isprintable():  # as most are: with nothing that moves, or shows nothing
        return line.rstrip()
    parts = (terminal_text(part).rstrip() for part in reversed(strip_escapes(line).split("\r")))
    return next((part for part in parts if part.strip()), "")


def _masked(words: str, job: JobView, catalog: Catalog) -> str:
    """Return *words* with what varies masked; of an exit code, the number is the message."""
    if job.return_code is not None and words == catalog.gettext(_EXIT_CODE).format(
        code=job.return_code
    ):
        return words
    return _VARYING.sub(lambda match: "…" if match["path"] else "#", words)


class _Found:
    """A cause while its jobs are counted."""

    __slots__ = (
        "_count",
        "_is_blocker",
        "_is_said",
        "_jobs",
        "_label",
        "_numbers",
        "_outcome",
        "_texts",
    )

    def __init__(self, job: JobView, words: str, masked: str, *, is_said: bool) -> None:
        self._label = job.label
        self._outcome = None if job.in_flight else job.counts_as
        self._texts = (words, masked)
        self._is_said = is_said
        self._count = 0
        self._is_blocker = False
        self._jobs: list[JobName] = []
        self._numbers: list[int] = []

    def add(self, number: int, job: JobView, words: str, catalog: Catalog) -> None:
        """Count *job*, which is the one of that *number* in the session."""
        own, masked = self._texts
        if words != own:
            self._texts = (masked, masked)
        self._count += 1
        if self._outcome is None and not job.in_flight:  # of other causes, which may differ
            self._outcome, self._label = job.counts_as, job.label
        elif self._outcome is not None and self._label != job.label:
            self._label = catalog.gettext(self._outcome.label)  # what they have in common
        self._is_blocker |= job.certification_status == "blocker"
        if len(self._jobs) < EXAMPLES:
            self._jobs.append(JobName(job.device_id, job.id))
            self._numbers.append(number)

    def rank(self) -> tuple[bool, bool, int, int, int]:
        """Return what causes are put in order by."""
        return (
            not self._is_blocker,
            not self._is_said,
            -self._count,
            ORDER.index(self._outcome),
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
