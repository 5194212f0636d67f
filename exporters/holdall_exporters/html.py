"""HTML for people: one page that needs nothing else, not even JavaScript.

Everything that comes from the session is escaped by the template engine. The
page allows itself, by the digests in its own content security policy, exactly
its one style and its one script, and no request at all.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Meta

from holdall.exports.cleaning import html_text
from holdall.exports.escapes import strip_escapes
from holdall.exports.logs import LogChoice, head_of, log_text, wants_log
from holdall.exports.moments import duration, moment, readable
from holdall.exports.verdict import verdict
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from jinja2 import Template

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.exports.group import JobGroup
    from holdall.exports.job import JobView
    from holdall.exports.view import SessionView

# The colour that each outcome is shown in; what is not done yet is `open`.
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
_IN_FLIGHT: Final = "open"

_POLICY: Final = (
    "default-src 'none'; style-src '{style}'; script-src '{script}'; "
    "base-uri 'none'; form-action 'none'"
)
_PIECE: Final = 1 << 16


@dataclass(frozen=True)
class Options:
    """What the page holds.

    Attributes:
        logs: Whose output it holds: nobody's, that of failed jobs, all.
        log_max: Characters of one job's output at most; what is cut is said there.
    """

    logs: Literal["none", "failed", "all"] = "failed"
    log_max: Annotated[int, Meta(ge=0)] = 1 << 16


class HtmlExporter:
    """Verdict and totals, then what went wrong with its output, then a table per category."""

    summary: ClassVar[str] = "HTML, one self-contained page"
    suffix: ClassVar[str] = ".html"
    media_type: ClassVar[str] = "text/html; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the page, row by row."""
        page = _template().generate(**_names(view, context))
        for piece in _gathered(page):
            sink.write(piece.encode())


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("holdall_exporters"), autoescape=True, undefined=StrictUndefined
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
    style, script = _asset("report.css"), _asset("report.js")
    several = len(view.devices) > 1
    options: Options = context.options
    return {
        "view": view,
        "title": html_text(view.title),
        "verdict": verdict(view),
        "counts": list(_counts(view)),
        "created": readable(moment(view.created)),
        "modified": readable(moment(view.modified)),
        "now": readable(context.now),
        "duration": duration(view.duration or None),
        "lang": context.lang,
        "provenance": context.provenance,
        "policy": _POLICY.format(style=_digest(style), script=_digest(script)),
        "style": Markup(style),  # noqa: S704 - a file of this package
        "script": Markup(script),  # noqa: S704 - a file of this package
        "failures": lambda: _failures(view, options, several=several),
        "groups": lambda: _groups(view, context, several=several),
    }


class _Count(NamedTuple):
    """One outcome in the summary, with its place in a bar that is 1 000 wide."""

    kind: str
    label: str
    number: int
    start: str
    width: str

    @property
    def text(self) -> str:
        return f"{self.number} {self.label}"


def _counts(view: SessionView) -> Iterator[_Count]:
    total = view.job_count
    start = 0.0
    for outcome, label, number in view.tallies:
        width = 1000 * number / total
        kind = _IN_FLIGHT if outcome is None else _KINDS[outcome]
        yield _Count(kind, label, number, f"{start:.2f}", f"{width:.2f}")
        start += width


class _Row(NamedTuple):
    """One job, its text made safe."""

    kind: str
    label: str
    summary: str
    id: str
    duration: str
    words: list[str]
    log: str
    cut: str
    facts: tuple[str, ...] = ()  # only beside failures


class _Group(NamedTuple):
    """One table."""

    heading: str
    counts: str
    rows: Callable[[], Iterator[_Row]]


def _failures(view: SessionView, options: Options, *, several: bool) -> Iterator[_Row]:
    logs: Literal["none", "failed", "all"] = "none" if options.logs == "none" else "failed"
    for job in view.jobs():
        if job.outcome.failed or job.in_flight:
            facts = tuple(_facts(job, several=several))
            yield _row(job, options, logs=logs)._replace(facts=facts)


def _groups(view: SessionView, context: ExportContext, *, several: bool) -> Iterator[_Group]:
    total, done = view.job_count, 0
    for group in view.groups():
        heading = f"{group.category} ({group.device_id})" if several else group.category
        rows = partial(_rows, group, context.options)
        yield _Group(html_text(heading), _tally(group), rows)
        done += len(group)
        context.progress(done, total)


def _tally(group: JobGroup) -> str:
    return ", ".join(f"{each.number} {each.label}" for each in group.tallies)


def _rows(group: JobGroup, options: Options) -> Iterator[_Row]:
    """Yield the rows of a table; output stands in them only if all of it was asked for."""
    logs: Literal["none", "failed", "all"] = "all" if options.logs == "all" else "none"
    for job in group.jobs():
        yield _row(job, options, logs=logs)


def _row(job: JobView, options: Options, *, logs: LogChoice) -> _Row:
    text, cut = _log(job, options) if wants_log(logs, job) else ("", "")
    return _Row(
        kind=_IN_FLIGHT if job.in_flight else _KINDS[job.outcome],
        label=job.label,
        summary=html_text(job.summary),
        id=html_text(job.id),
        duration=duration(job.duration),
        words=list(_words(job)),
        log=text,
        cut=cut,
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


def _words(job: JobView) -> Iterator[str]:
    for words in dict.fromkeys((job.skip_reason, job.comments)):
        if words:
            yield html_text(strip_escapes(words))
    if job.attempt_count > 1:
        history = ", ".join(attempt.label for attempt in job.attempts)
        yield f"{job.attempt_count} attempts: {history}"


def _log(job: JobView, options: Options) -> tuple[str, str]:
    """Return the output of a job, and what was cut off it."""
    text, more = head_of(log_text(job.io_log()), limit=options.log_max)
    cuts = []
    if more:
        cuts.append(f"{more:,} characters more are not shown here")
    if job.last.io_log_dropped:
        cuts.append(f"{job.last.io_log_dropped:,} bytes more were not kept")
    return html_text(text), "; ".join(cuts)


if TYPE_CHECKING:
    _: type[Exporter] = HtmlExporter
