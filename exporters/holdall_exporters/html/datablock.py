"""All jobs of a session as compressed lines for a page that draws them itself.

The lines are gzip and base64. The first holds what a table shows of each job,
the others their details, `BLOCK` jobs a line, unpacked when one is opened.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

from holdall.writing import (
    LOGS_CUT,
    gathered,
    html_text,
    strip_escapes,
    wants_log,
)
from holdall_exporters.html.attached import Embedding, FileEntry, Room
from holdall_exporters.html.beside import link_to_log, links_to_files
from holdall_exporters.html.coloured import CUT, Run, coloured, plain_runs
from holdall_exporters.html.kinds import KINDS, kind_of, standing
from holdall_exporters.html.outcomes import outcome_id, tallied
from holdall_exporters.html.parts import (
    MeasurementRow,
    SubtestRow,
    measurement_rows,
    subtest_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from holdall.contracts import ExportContext
    from holdall.languages import Catalog
    from holdall.view import AttemptView, JobView, SessionView

BLOCK: Final = 256
"""How many jobs have their details in one line of the data block."""

_NOTE: Final = 160  # characters of a comment that the table shows and searches
_SMALL_LOG: Final = 1 << 16  # bytes of a log that may be looked at twice; most are smaller
_SHARED: Final = 1 << 14  # definitions remembered, to have those of the next devices once
_LAST: Final = 253_402_300_799  # the end of the year 9999, past which browsers write other years


class Choices(Room, Protocol):
    """Which logs the block holds, and how much of each log and attachment."""

    @property
    def logs(self) -> Literal["none", "failed", "all"]:
        """Whose output: nobody's, that of failed attempts, all."""
        ...

    @property
    def log_max(self) -> int:
        """Characters of one attempt's output."""
        ...


class _Attempt(msgspec.Struct, omit_defaults=True):
    """One attempt; outcome and duration of the last one are in its row.

    Attributes:
        started: Whole seconds since 1970, UTC.
        at: Where its whole output is beside the page, as a link.
    """

    kind: str = ""
    label: str = ""
    duration: float | None = None
    started: int | None = None
    code: int | None = None
    words: list[str] = []
    log: list[Run] = []
    at: str = ""
    dropped: int = 0
    measurements: list[MeasurementRow] = []
    subtests: list[SubtestRow] = []
    files: list[FileEntry] = []


class _Details(msgspec.Struct, omit_defaults=True):
    """The details of a job when it is opened; its definition may be that of an earlier row."""

    like: int | None = None
    description: str = ""
    plugin: str = ""
    status: str = ""
    origin: str = ""
    template: str = ""
    attempts: list[_Attempt] = []


def data_block(
    view: SessionView, choices: Choices, context: ExportContext, embedding: Embedding
) -> Iterator[str]:
    """Yield the lines of all jobs, in pieces; what is cut of logs is counted."""
    encode = msgspec.json.Encoder().encode
    yield from _packed(_rows(view, context.progress, encode))
    total = view.job_count
    details = _details(view, choices, context, embedding)
    for start in range(0, total, BLOCK):
        yield "\n"
        yield from _packed(gathered(_block(islice(details, BLOCK), encode)))
        context.progress(total + start, 2 * total)


def check_data_block(block: str) -> None:
    """Unpack every line of a block, and compare the number of its rows with its details.

    Raises:
        ValueError: It is not whole.
    """
    first, *others = block.strip().split("\n")
    rows = len(msgspec.json.decode(_unpacked(first), type=_Rows).rows)
    details = sum(
        len(msgspec.json.decode(_unpacked(line), type=list[_Details])) for line in others
    )
    if rows != details:
        raise ValueError(f"its data have {rows} rows, and details of {details}")


class _Rows(msgspec.Struct):
    """The first line, as far as it is checked."""

    rows: list[msgspec.Raw]


def _unpacked(line: str) -> bytes:
    try:
        return zlib.decompress(b64decode(line, validate=True), wbits=31)
    except zlib.error as error:
        raise ValueError(f"a line of its data is damaged: {error}") from error


def _packed(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield *pieces* as one gzip file in base64; neither time nor name is in it."""
    packer = zlib.compressobj(wbits=31)
    rest = b""
    for piece in pieces:
        rest += packer.compress(piece)
        whole = len(rest) - len(rest) % 3
        if whole:
            yield b64encode(rest[:whole]).decode()
            rest = rest[whole:]
    yield b64encode(rest + packer.flush()).decode()


def _rows(
    view: SessionView, progress: Callable[[int, int], object], encode: Any
) -> Iterator[bytes]:
    """Yield what the table shows of the jobs, then the names that its numbers stand for."""
    labels = _Labels()
    categories: dict[str, int] = {}
    devices: dict[str, int] = {}
    jobs = view.jobs()
    total = view.job_count
    begin = int(view.created)
    separator = b'{"rows":['
    for start in range(0, total, BLOCK):
        rows = [
            (
                labels.number(job),
                0 if job.summary == job.id else html_text(job.summary),
                html_text(job.id),
                categories.setdefault(job.category, len(categories)),
                devices.setdefault(job.device_id, len(devices)),
                rounded(job.duration),
                " ".join(notes_on(last := job.last))[:_NOTE] or 0,
                _since(begin, last.started_at),
            )
            for job in islice(jobs, BLOCK)
        ]
        yield separator + encode(rows)[1:-1]
        separator = b","
        progress(start, 2 * total)
    names = {
        "begin": begin,
        "labels": list(labels.names),
        "outcomes": [(name, kind_of(tally.outcome), tally.label) for name, tally in tallied(view)],
        "categories": [html_text(name) for name in categories],
        "devices": [html_text(name) for name in devices],
    }
    yield (b"]," if total else b'{"rows":[],') + encode(names)[1:]


class _Labels:
    """Numbers the labels of jobs: label, certification status, whether flaky, id of the outcome.

    A label is put together once; which one a job has is told by less.
    """

    def __init__(self) -> None:
        self.names: Final[dict[tuple[str, str, str, str, bool, str], int]] = {}
        self._numbers: Final[dict[tuple[object, ...], int]] = {}

    def number(self, job: JobView) -> int:
        """Return the number of the label of *job*."""
        key = (
            job.in_flight,
            job.outcome,
            job.xfail,
            job.interrupted_by,
            job.certification_status,
            job.is_flaky,
        )
        number = self._numbers.get(key)
        if number is None:
            status = html_text(job.certification_status)
            name = (*standing(job), status, job.is_flaky, outcome_id(job))
            number = self._numbers[key] = self.names.setdefault(name, len(self.names))
        return number


def _since(begin: int, started_at: float | None) -> float | None:
    """Return the seconds from the session's beginning, to a tenth; whole ones are shorter."""
    return None if started_at is None else round(started_at - begin, 1)


def rounded(seconds: float | None) -> float | None:
    """Return *seconds* as `duration` shows them, which rounds other than JavaScript."""
    if seconds is None or seconds >= 60:
        return seconds and round(seconds)
    return round(seconds, 2 if seconds < 10 else 1)


def notes_on(attempt: AttemptView) -> list[str]:
    """Return the reasons and comments on an attempt, each once."""
    if not attempt.skip_reason and not attempt.comments:  # as with most
        return []
    given = dict.fromkeys((attempt.skip_reason, attempt.comments))
    return [html_text(strip_escapes(note)) for note in given if note]


def _block(details: Iterable[_Details], encode: Any) -> Iterator[bytes]:
    separator = b"["
    for entry in details:
        yield separator + encode(entry)
        separator = b","
    yield b"]"


def _details(
    view: SessionView, choices: Choices, context: ExportContext, embedding: Embedding
) -> Iterator[_Details]:
    """Yield the details of each job; what several devices share is there once."""
    several = len(view.devices) > 1
    known: dict[int, int] = {}
    attempts = _Attempts(choices, context, view, embedding)
    for number, job in enumerate(view.jobs()):
        details = _definition(job)
        if several:
            key = hash((job.id, *msgspec.structs.astuple(details)[1:-1]))
            if key in known:
                details = _Details(like=known[key])
            elif len(known) < _SHARED:
                known[key] = number
        details.attempts = attempts.of(job)
        yield details


def _definition(job: JobView) -> _Details:
    return _Details(
        description=html_text(job.description),
        plugin=html_text(job.plugin),
        status=html_text(job.certification_status),
        origin=html_text(job.origin),
        template=html_text(job.template_id),
    )


class _Attempts:
    """Makes the entries of attempts, in the order of their jobs."""

    def __init__(
        self, choices: Choices, context: ExportContext, view: SessionView, embedding: Embedding
    ) -> None:
        self._choices: Final = choices
        self._context: Final = context
        self._catalog: Final = view.catalog
        self._several: Final = len(view.devices) > 1
        self._embedding: Final = embedding

    def of(self, job: JobView) -> list[_Attempt]:
        """Return the attempts at *job*; what its row has of the last one is not repeated."""
        entries = []
        in_row = -1 if job.in_flight else job.attempt_count - 1
        for number, attempt in enumerate(job.attempts):
            entry = self._entry(attempt)
            if number != in_row:
                entry.kind = KINDS[attempt.outcome]
                entry.label = attempt.label
                entry.duration = rounded(attempt.duration)
            if self._choices.archive:
                self._link(entry, job, attempt, number + 1)
            entries.append(entry)
        return entries

    def _link(self, entry: _Attempt, job: JobView, attempt: AttemptView, number: int) -> None:
        """Add the links to what is beside the page."""
        entry.at = link_to_log(job, attempt, number, several=self._several)
        links = links_to_files(job, attempt, number, several=self._several)
        for file, link in zip(entry.files, links, strict=True):
            file.at = link

    def _entry(self, attempt: AttemptView) -> _Attempt:
        catalog = self._catalog
        entry = _Attempt(
            started=_whole(attempt.started_at),
            code=attempt.return_code or None,
            words=notes_on(attempt),
            log=log_of(attempt, self._choices, catalog),
            dropped=attempt.io_log_dropped,
        )
        if any(run[0] == CUT for run in entry.log if isinstance(run, tuple)):
            self._context.count(LOGS_CUT)
        if attempt.measurements:
            entry.measurements = measurement_rows(attempt, catalog)
        if attempt.subtests:
            entry.subtests = subtest_rows(attempt, catalog)
        if attempt.attachments:
            entry.files = [
                self._embedding.entry(attempt, attachment, self._context)
                for attachment in attempt.attachments
            ]
        return entry


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(min(max(seconds, 0.0), _LAST))


def log_of(attempt: AttemptView, choices: Choices, catalog: Catalog) -> list[Run]:
    """Return the output of an attempt as far as it was asked for."""
    if not wants_log(choices.logs, attempt):
        return []
    limit = choices.log_max
    if attempt.io_log_size <= _SMALL_LOG:
        records = tuple(attempt.io_log())
        runs = plain_runs(records, limit)
        return coloured(records, limit=limit, catalog=catalog) if runs is None else runs
    return coloured(attempt.io_log(), limit=limit, catalog=catalog)
