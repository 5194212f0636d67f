"""HTML for people: one page that needs nothing else, and makes no request at all.

The verdict, the counts and the failures are plain HTML. All jobs are in one
data block, whose lines are gzip and base64: first what the table shows of each
job, then their details, `BLOCK` jobs a line, unpacked when one is opened.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, NamedTuple

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Meta

from holdall.exports.cleaning import html_text
from holdall.exports.coloured import Run, coloured
from holdall.exports.escapes import strip_escapes
from holdall.exports.moments import duration, moment, readable
from holdall.exports.verdict import verdict
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from jinja2 import Template

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.exports.job import AttemptView, JobView
    from holdall.exports.view import SessionView
    from holdall.results import Attachment

BLOCK: Final = 256
"""How many jobs have their details in one line of the data block."""

# The colour that each outcome is shown in, and is filtered by; what is not done yet is `open`.
_KINDS: Final[Mapping[Outcome, str]] = {
    Outcome.FAIL: "fail",
    Outcome.CRASH: "crash",
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
_WORDS: Final = {
    "fail": "failed",
    "crash": "crashed",
    "open": "open",
    "pass": "passed",
    "skip": "skipped",
}

_POLICY: Final = (
    "default-src 'none'; style-src '{style}'; script-src '{script}'; "
    "base-uri 'none'; form-action 'none'"
)
_PIECE: Final = 1 << 16
_NOTE: Final = 160  # characters of a comment that the table shows and searches
_GAP: Final = 0.6  # hundredths of the ring between two outcomes
_SHARED: Final = 1 << 14  # definitions remembered, to have those of the next devices once
_TEXTS: Final = ("text/", "application/json", "application/xml", "application/yaml")


@dataclass(frozen=True)
class Options:
    """What the page holds.

    Attributes:
        title: Heading of the page; the session's own title if empty.
        logs: Whose output it holds: nobody's, that of failed attempts, all.
        log_max: Characters of one attempt's output at most; what is cut is said there.
        failures_max: Failures shown above the table, and without JavaScript; more are in it.
        attachment_max: Bytes of a text attachment up to which its content is shown.
    """

    title: str = ""
    logs: Literal["none", "failed", "all"] = "failed"
    log_max: Annotated[int, Meta(ge=0)] = 1 << 16
    failures_max: Annotated[int, Meta(ge=0)] = 100
    attachment_max: Annotated[int, Meta(ge=0)] = 1 << 12


class HtmlExporter:
    """Verdict and totals, what went wrong with its output, and a table of everything."""

    summary: ClassVar[str] = "HTML, one self-contained page"
    suffix: ClassVar[str] = ".html"
    media_type: ClassVar[str] = "text/html; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the page, job by job."""
        page = _template().generate(**_names(view, context))
        for piece in _gathered(page):
            sink.write(piece.encode())


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("holdall_exporters"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = html_text
    return environment.get_template("report.html")


@cache
def _asset(name: str) -> str:
    return (files("holdall_exporters") / "templates" / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _gathered(pieces: Iterable[str]) -> Iterator[str]:
    """Yield *pieces* in larger ones."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield "".join(waiting)
            waiting.clear()
            size = 0
    yield "".join(waiting)


def _names(view: SessionView, context: ExportContext) -> dict[str, Any]:
    """Return what the template knows."""
    style, script = _asset("report.css"), _asset("elements.js") + _asset("report.js")
    options: Options = context.options
    counts = list(_counts(view))
    failed = sum(each.number for each in counts if each.kind in {"fail", "crash"})
    failed += sum(each.number for each in counts if each.label == "in flight")
    return {
        "view": view,
        "title": html_text(options.title or view.title),
        "verdict": verdict(view),
        "counts": counts,
        "kinds": _by_kind(counts),
        "share": _share(counts, view.job_count),
        "more_failures": max(0, failed - options.failures_max),
        "failed": failed,
        "created": readable(moment(view.created)),
        "modified": readable(moment(view.modified)),
        "now": readable(context.now),
        "duration": duration(view.duration or None),
        "lang": context.lang,
        "provenance": context.provenance,
        "policy": _POLICY.format(style=_digest(style), script=_digest(script)),
        "style": Markup(style),  # noqa: S704 - a file of this package
        "script": Markup(script),  # noqa: S704 - a file of this package
        "block": BLOCK,
        "failures": lambda: islice(_failures(view, options), options.failures_max),
        "data": lambda: _data(view, context),
    }


class _Count(NamedTuple):
    """One outcome in the summary, with its arc of a ring whose length is 100."""

    kind: str
    label: str
    number: int
    start: str
    length: str

    @property
    def text(self) -> str:
        return f"{self.number:,} {self.label}"


def _counts(view: SessionView) -> Iterator[_Count]:
    """Yield the outcomes; the ring shows a single failure among many as at least one hundredth."""
    tallies = view.tallies
    shares = [max(1.0, 100 * each.number / view.job_count) for each in tallies]
    scale = 100 / (sum(shares) or 1)
    gap = _GAP if len(tallies) > 1 else 0
    start = 0.0
    for (outcome, label, number), share in zip(tallies, shares, strict=True):
        length = share * scale
        kind = "open" if outcome is None else _KINDS[outcome]
        arc = max(length - gap, 0.2)
        yield _Count(kind, label, number, f"{-start:.2f}", f"{arc:.2f} {100 - arc:.2f}")
        start += length


def _by_kind(counts: Iterable[_Count]) -> list[tuple[str, str, int]]:
    """Return the kinds that occur, with the words for them and how many jobs are of each."""
    numbers = dict.fromkeys(_WORDS, 0)
    for each in counts:
        numbers[each.kind] += each.number
    return [(kind, _WORDS[kind], number) for kind, number in numbers.items() if number]


def _share(counts: Iterable[_Count], total: int) -> str:
    """Return how many of 100 jobs passed; 100 only if all did."""
    passed = sum(each.number for each in counts if each.kind == "pass")
    return f"{100 * passed // total if total else 0}%"


class _File(msgspec.Struct, omit_defaults=True):
    """An attachment."""

    name: str
    type: str
    size: int
    text: str | None = None


class _Attempt(msgspec.Struct, omit_defaults=True):
    """What is known of an attempt; the last one's outcome and duration are in its row."""

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
    """What is shown of a job when it is opened; its definition may be that of an earlier row."""

    like: int | None = None
    description: str = ""
    plugin: str = ""
    status: str = ""
    origin: str = ""
    template: str = ""
    attempts: list[_Attempt] = []


def _data(view: SessionView, context: ExportContext) -> Iterator[str]:
    """Yield the lines of the data block."""
    encode = msgspec.json.Encoder().encode
    yield from _packed(_rows(view, context, encode))
    total = view.job_count
    details = _details(view, context.options)
    for start in range(0, total, BLOCK):
        yield "\n"
        yield from _packed(_block(islice(details, BLOCK), encode))
        context.progress(total + start, 2 * total)


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


def _rows(view: SessionView, context: ExportContext, encode: Any) -> Iterator[bytes]:
    """Yield what the table shows of the jobs, then the names that its numbers stand for."""
    labels: dict[tuple[str, str, str], int] = {}
    categories: dict[str, int] = {}
    devices: dict[str, int] = {}
    jobs = view.jobs()
    total = view.job_count
    separator = b'{"rows":['
    for start in range(0, total, BLOCK):
        rows = [
            (
                labels.setdefault(_standing(job), len(labels)),
                0 if job.summary == job.id else html_text(job.summary),
                html_text(job.id),
                categories.setdefault(job.category, len(categories)),
                devices.setdefault(job.device_id, len(devices)),
                _rounded(job.duration),
                " ".join(_words(job.last))[:_NOTE] or 0,
            )
            for job in islice(jobs, BLOCK)
        ]
        yield separator + encode(rows)[1:-1]
        separator = b","
        context.progress(start, 2 * total)
    names = {
        "labels": list(labels),
        "categories": [html_text(each) for each in categories],
        "devices": [html_text(each) for each in devices],
    }
    yield (b"]," if total else b'{"rows":[],') + encode(names)[1:]


def _rounded(seconds: float | None) -> float | None:
    """Return *seconds* as `duration` shows them, which rounds other than JavaScript."""
    if seconds is None or seconds >= 60:
        return seconds and round(seconds)
    return round(seconds, 2 if seconds < 10 else 1)


def _standing(job: JobView) -> tuple[str, str, str]:
    """Return kind, label, and what the label says in brackets."""
    kind = "open" if job.in_flight else _KINDS[job.outcome]
    label, _, more = job.label.partition(" (")
    return kind, label, more.removesuffix(")")


def _words(attempt: AttemptView) -> list[str]:
    """Return the reasons and comments on an attempt, each once."""
    given = dict.fromkeys((attempt.skip_reason, attempt.comments))
    return [html_text(strip_escapes(words)) for words in given if words]


def _block(details: Iterable[_Details], encode: Any) -> Iterator[bytes]:
    separator = b"["
    for each in details:
        yield separator + encode(each)
        separator = b","
    yield b"]"


def _details(view: SessionView, options: Options) -> Iterator[_Details]:
    """Yield the details of each job; what several devices share is there once."""
    several = len(view.devices) > 1
    known: dict[int, int] = {}
    for number, job in enumerate(view.jobs()):
        details = _definition(job)
        if several:
            key = hash((job.id, *msgspec.structs.astuple(details)[1:-1]))
            if key in known:
                details = _Details(like=known[key])
            elif len(known) < _SHARED:
                known[key] = number
        details.attempts = [_attempt(attempt, options) for attempt in job.attempts]
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


def _attempt(attempt: AttemptView, options: Options) -> _Attempt:
    return _Attempt(
        kind=_KINDS[attempt.outcome],
        label=attempt.label,
        duration=_rounded(attempt.duration),
        started="" if attempt.started_at is None else readable(moment(attempt.started_at)),
        code=attempt.return_code or None,
        words=_words(attempt),
        log=_log(attempt, options),
        dropped=attempt.io_log_dropped,
        files=[_file(attempt, each, options) for each in attempt.attachments],
    )


def _log(attempt: AttemptView, options: Options) -> list[Run]:
    wanted = options.logs == "all" or (options.logs == "failed" and attempt.outcome.failed)
    if not wanted or not attempt.io_log_size:
        return []
    return coloured(attempt.io_log(), limit=options.log_max)


def _file(attempt: AttemptView, attachment: Attachment, options: Options) -> _File:
    shown = _File(html_text(attachment.name), html_text(attachment.media_type), attachment.size)
    if shown.type.startswith(_TEXTS) and attachment.size <= options.attachment_max:
        with attempt.open_attachment(attachment) as content:
            data = content.read(options.attachment_max)
        shown.text = html_text(data.decode("utf-8", "backslashreplace"))
    return shown


class _Failure(NamedTuple):
    """A job that went wrong, as it stands above the table."""

    number: int
    kind: str
    label: str
    summary: str
    id: str
    facts: list[str]
    words: list[str]
    log: list[Run]
    dropped: int


def _failures(view: SessionView, options: Options) -> Iterator[_Failure]:
    several = len(view.devices) > 1
    for number, job in enumerate(view.jobs()):
        if job.outcome.failed or job.in_flight:
            yield _Failure(
                number=number,
                kind=_standing(job)[0],
                label=job.label,
                summary=html_text(job.summary),
                id=html_text(job.id),
                facts=list(_facts(job, several=several)),
                words=_words(job.last),
                log=_log(job.last, options),
                dropped=job.last.io_log_dropped,
            )


def _facts(job: JobView, *, several: bool) -> Iterator[str]:
    """Yield what stands beside the id of a failure."""
    yield html_text(job.category)
    if several:
        yield html_text(job.device_id)
    if job.duration is not None:
        yield duration(job.duration)
    if job.return_code is not None:
        yield f"exit code {job.return_code}"
    if job.certification_status == "blocker":
        yield "blocker"
    if job.attempt_count > 1:
        history = ", ".join(attempt.label for attempt in job.attempts)
        yield f"{job.attempt_count} attempts: {history}"


if TYPE_CHECKING:
    _: type[Exporter] = HtmlExporter
