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

from holdall.results import Outcome
from holdall.writing import (
    LOGS_CUT,
    count_parts_left_out,
    html_text,
    moment,
    readable,
    strip_escapes,
)
from holdall_exporters.html.coloured import CUT, Run, coloured
from holdall_exporters.html.outcomes import outcome_id, tallied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from holdall.contracts import ExportContext
    from holdall.languages import Catalog
    from holdall.results import Attachment
    from holdall.view import AttemptView, JobView, SessionView

BLOCK: Final = 256
"""How many jobs have their details in one line of the data block."""

# The colour that each outcome is shown in, and is filtered by; what is not done yet is `open`.
KINDS: Final[Mapping[Outcome, str]] = {
    Outcome.FAIL: "fail",
    Outcome.CRASH: "crash",
    Outcome.ERROR: "error",
    Outcome.PASS: "pass",
    Outcome.UNDECIDED: "open",
    Outcome.NONE: "open",
    Outcome.SKIP: "skip",
    Outcome.SKIPPED_DEPENDENCY: "skip",
    Outcome.SKIPPED_RESOURCE: "skip",
    Outcome.SKIPPED_MANIFEST: "skip",
    Outcome.NOT_SUPPORTED: "skip",
    Outcome.NOT_IMPLEMENTED: "skip",
}
_NOTE: Final = 160  # characters of a comment that the table shows and searches
_SHARED: Final = 1 << 14  # definitions remembered, to have those of the next devices once
_TEXTS: Final = ("text/", "application/json", "application/xml", "application/yaml")


class Choices(Protocol):
    """Which logs the block holds, and how much of each log and attachment."""

    @property
    def logs(self) -> Literal["none", "failed", "all"]:
        """Whose output: nobody's, that of failed attempts, all."""
        ...

    @property
    def log_max(self) -> int:
        """Characters of one attempt's output."""
        ...

    @property
    def attachment_max(self) -> int:
        """Bytes of a text attachment up to which its content is held."""
        ...


class _File(msgspec.Struct, omit_defaults=True):
    """An attachment."""

    name: str
    type: str
    size: int
    text: str | None = None


class _Attempt(msgspec.Struct, omit_defaults=True):
    """One attempt; outcome and duration of the last one are in its row."""

    kind: str = ""
    label: str = ""
    duration: float | None = None
    started: str = ""
    code: int | None = None
    words: list[str] = []
    log: list[Run] = []
    dropped: int = 0
    files: list[_File] = []


class _Details(msgspec.Struct, omit_defaults=True):
    """The details of a job when it is opened; its definition may be that of an earlier row."""

    like: int | None = None
    description: str = ""
    plugin: str = ""
    status: str = ""
    origin: str = ""
    template: str = ""
    attempts: list[_Attempt] = []


def data_block(view: SessionView, choices: Choices, context: ExportContext) -> Iterator[str]:
    """Yield the lines of all jobs, in pieces; what is cut of logs is counted."""
    encode = msgspec.json.Encoder().encode
    yield from _packed(_rows(view, context.progress, encode))
    total = view.job_count
    details = _counted(_details(view, choices, context), context)
    for start in range(0, total, BLOCK):
        yield "\n"
        yield from _packed(_block(islice(details, BLOCK), encode))
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
    labels: dict[tuple[str, str, str, str, bool, str], int] = {}
    categories: dict[str, int] = {}
    devices: dict[str, int] = {}
    jobs = view.jobs()
    total = view.job_count
    begin = int(view.created)
    separator = b'{"rows":['
    for start in range(0, total, BLOCK):
        rows = [
            (
                labels.setdefault(_label(job), len(labels)),
                0 if job.summary == job.id else html_text(job.summary),
                html_text(job.id),
                categories.setdefault(job.category, len(categories)),
                devices.setdefault(job.device_id, len(devices)),
                _rounded(job.duration),
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
        "labels": list(labels),
        "outcomes": [(name, kind_of(tally.outcome), tally.label) for name, tally in tallied(view)],
        "categories": [html_text(name) for name in categories],
        "devices": [html_text(name) for name in devices],
    }
    yield (b"]," if total else b'{"rows":[],') + encode(names)[1:]


def _label(job: JobView) -> tuple[str, str, str, str, bool, str]:
    """Return the label of a job, its certification status, whether it is flaky, its outcome."""
    status = html_text(job.certification_status)
    return (*standing(job), status, job.is_flaky, outcome_id(job))


def _since(begin: int, started_at: float | None) -> float | None:
    """Return the seconds from the session's beginning, to a tenth; whole ones are shorter."""
    return None if started_at is None else round(started_at - begin, 1)


def _rounded(seconds: float | None) -> float | None:
    """Return *seconds* as `duration` shows them, which rounds other than JavaScript."""
    if seconds is None or seconds >= 60:
        return seconds and round(seconds)
    return round(seconds, 2 if seconds < 10 else 1)


def kind_of(counted: Outcome | None) -> str:
    """Return the kind of what a job counts as; None stands for one in flight."""
    return "open" if counted is None else KINDS[counted]


def standing(job: JobView) -> tuple[str, str, str]:
    """Return kind, label, and what the label says in brackets."""
    kind = kind_of(None if job.in_flight else job.counts_as)
    label, _, more = job.label.partition(" (")
    return kind, label, more.removesuffix(")")


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


def _counted(details: Iterable[_Details], context: ExportContext) -> Iterator[_Details]:
    """Yield *details*, and count the logs in them that are cut."""
    for entry in details:
        for attempt in entry.attempts:
            if any(run[0] == CUT for run in attempt.log if isinstance(run, tuple)):
                context.count(LOGS_CUT)
        yield entry


def _details(view: SessionView, choices: Choices, context: ExportContext) -> Iterator[_Details]:
    """Yield the details of each job; what several devices share is there once."""
    several = len(view.devices) > 1
    known: dict[int, int] = {}
    for number, job in enumerate(view.jobs()):
        details = _definition(job)
        count_parts_left_out(job, context)
        if several:
            key = hash((job.id, *msgspec.structs.astuple(details)[1:-1]))
            if key in known:
                details = _Details(like=known[key])
            elif len(known) < _SHARED:
                known[key] = number
        details.attempts = [_attempt(attempt, choices, view.catalog) for attempt in job.attempts]
        if details.attempts and not job.in_flight:
            last = details.attempts[-1]
            last.kind, last.label, last.duration = "", "", None
        yield details


def _definition(job: JobView) -> _Details:
    return _Details(
        description=html_text(job.description),
        plugin=html_text(job.plugin),
        status=html_text(job.certification_status),
        origin=html_text(job.origin),
        template=html_text(job.template_id),
    )


def _attempt(attempt: AttemptView, choices: Choices, catalog: Catalog) -> _Attempt:
    return _Attempt(
        kind=KINDS[attempt.outcome],
        label=attempt.label,
        duration=_rounded(attempt.duration),
        started="" if attempt.started_at is None else readable(moment(attempt.started_at)),
        code=attempt.return_code or None,
        words=notes_on(attempt),
        log=log_of(attempt, choices, catalog),
        dropped=attempt.io_log_dropped,
        files=[_file(attempt, attachment, choices) for attachment in attempt.attachments],
    )


def log_of(attempt: AttemptView, choices: Choices, catalog: Catalog) -> list[Run]:
    """Return the output of an attempt as far as it was asked for."""
    wanted = choices.logs == "all" or (choices.logs == "failed" and attempt.outcome.failed)
    if not wanted or not attempt.io_log_size:
        return []
    return coloured(attempt.io_log(), limit=choices.log_max, catalog=catalog)


def _file(attempt: AttemptView, attachment: Attachment, choices: Choices) -> _File:
    shown = _File(html_text(attachment.name), html_text(attachment.media_type), attachment.size)
    if shown.type.startswith(_TEXTS) and attachment.size <= choices.attachment_max:
        with attempt.open_attachment(attachment) as content:
            data = content.read(choices.attachment_max)
        shown.text = html_text(data.decode("utf-8", "backslashreplace"))
    return shown
