"""Plain text for a terminal, a mail or a console: a line per job, failures again at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar, Final, Literal, NamedTuple

from msgspec import Meta

from holdall.languages import Catalog, grouped, load_catalog
from holdall.results import Outcome
from holdall.view import verdict
from holdall.writing import (
    columns_of,
    count_parts_left_out,
    duration,
    gathered,
    line_text,
    log_text,
    moment,
    readable,
    terminal_text,
    wants_log,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.view import DeviceView, JobView, SessionView

_INDENT: Final = " " * 4
_COLOURS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "32",
    Outcome.FAIL: "1;31",
    Outcome.CRASH: "1;35",
    Outcome.ERROR: "1;34",
    Outcome.UNDECIDED: "33",
    Outcome.NONE: "33",
}
_PAINT: Final = re.compile(r"\x1b\[[\d;]*m")
_BAR: Final = f"{_INDENT}| "


@dataclass(frozen=True)
class Options:
    """Options of the text.

    Attributes:
        logs: Whose output to print under the job: nobody's, that of failed jobs, all.
        comments: Whether to print comments and reasons under the job.
        history: Whether to print how each of several attempts ended.
        slowest: How many of the slowest jobs to list at the end.
        width: Columns of a line at most; longer ones go on in the next. 0 is no limit. The
            output of jobs is left as it is.
        color: Whether to colour how jobs stand; `auto` is never, unless `holdall export` writes
            to a terminal.
    """

    logs: Literal["none", "failed", "all"] = "none"
    comments: bool = True
    history: bool = True
    slowest: int = 0
    width: Annotated[int, Meta(ge=0)] = 0
    color: Literal["auto", "always", "never"] = "auto"


class TextExporter:
    """A line per job in the order of the run list, per device if there are several."""

    summary: ClassVar[str] = "plain text, a line per job"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write head, jobs and totals; of the session no byte can steer a terminal."""
        options: Options = context.options
        if options.color == "auto" and context.color:
            options = replace(options, color="always")
        catalog = load_catalog(context.lang, "holdall_exporters")
        view = view.with_catalog(catalog)
        how = _How(
            options, catalog, max(len(catalog.gettext(outcome.label)) for outcome in Outcome)
        )
        for piece in gathered(_report(view, how, context)):
            sink.write(piece)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read every line, and see that nothing but colours of its own steers a terminal."""
        line = "\n"
        for number, data in enumerate(report, start=1):
            line = data.decode()
            plain = _PAINT.sub("", line)
            if terminal_text(plain) != plain:
                raise ValueError(f"line {number} would steer a terminal: {plain!r}")
        if not line.endswith("\n"):
            raise ValueError("it ends within a line")


def _report(view: SessionView, how: _How, context: ExportContext) -> Iterator[bytes]:
    """Yield head, jobs and totals."""
    options = how.options
    for line in _head(view):
        yield _fitted(line, options)
    total, done = view.job_count, 0
    devices = view.devices
    for device in devices:
        if len(devices) > 1:
            yield from _device_heading(device, options)
        for job in view.jobs(device_id=device.id):
            for line in _job(job, how):
                yield _fitted(line, options)
            count_parts_left_out(job, context)
            if wants_log(options.logs, job):
                yield from _log_of(job, how)
            done += 1
            if done % 100 == 0:
                context.progress(done, total)
    for line in _foot(view, options):
        yield _fitted(line, options)


class _How(NamedTuple):
    """How lines are written: the options, the catalog and the width of the labels' column."""

    options: Options
    catalog: Catalog
    label_width: int


def _fitted(line: str, options: Options) -> bytes:
    """Return *line* in as many lines as it takes, those after the first one indented."""
    if not options.width or columns_of(line) <= options.width:
        return line.encode()
    text = line.rstrip("\n")
    indent = f"{text[: len(text) - len(text.lstrip(' '))]}{_INDENT}"
    return "".join(f"{part}\n" for part in wrapped(text, options.width, indent)).encode()


def _painted(label: str, job: JobView, options: Options) -> str:
    """Return *label* in the colour of the outcome of *job*, if colours are wanted."""
    if options.color != "always":
        return label
    colour = _COLOURS.get(Outcome.UNDECIDED if job.in_flight else job.counts_as, "2")
    return f"\x1b[{colour}m{label}\x1b[0m"


def _head(view: SessionView) -> Iterator[str]:
    yield f"{line_text(view.title)}\n"
    facts = list(_facts(view))
    width = max(len(name) for name, _fact in facts)
    for name, fact in facts:
        yield f"{name:<{width}}  {fact}\n"
    yield "\n"


def _facts(view: SessionView) -> Iterator[tuple[str, str]]:
    catalog = view.catalog
    yield catalog.gettext("session"), line_text(view.session_id)
    yield catalog.gettext("created"), readable(moment(view.created))
    for plan in view.plans:
        yield catalog.gettext("plan"), _named(plan.name, plan.id)
    for device in view.devices:
        yield catalog.gettext("device"), _named(device.description, device.id)
    if view.unsaved:
        template = catalog.ngettext(
            "{count} event is not stored yet", "{count} events are not stored yet", view.unsaved
        )
        yield catalog.gettext("unsaved"), template.format(count=view.unsaved)


def _device_heading(device: DeviceView, options: Options) -> Iterator[bytes]:
    heading = _named(device.description, device.id)
    columns = columns_of(heading)
    yield b"\n"
    yield _fitted(f"{heading}\n", options)
    yield b"-" * (min(columns, options.width) if options.width else columns) + b"\n"


def _named(name: str, its_id: str) -> str:
    return (
        f"{line_text(name)} ({line_text(its_id)})"
        if name not in {"", its_id}
        else line_text(its_id)
    )


def _job(job: JobView, how: _How) -> Iterator[str]:
    options, catalog, _width = how
    yield _line(job, how)
    if job.skip_reason and options.comments:
        template = catalog.gettext("reason: {text}")
        yield f"{_INDENT}{template.format(text=line_text(job.skip_reason))}\n"
    if job.comments and options.comments:
        template = catalog.gettext("comment: {text}")
        yield f"{_INDENT}{template.format(text=line_text(job.comments))}\n"
    if job.attempt_count > 1 and options.history:
        history = ", ".join(attempt.label for attempt in job.attempts)
        template = catalog.ngettext(
            "{count} attempt: {history}", "{count} attempts: {history}", job.attempt_count
        )
        yield f"{_INDENT}{template.format(count=job.attempt_count, history=history)}\n"


def _log_of(job: JobView, how: _How) -> Iterator[bytes]:
    yield from map(str.encode, _log(log_text(job.io_log())))
    dropped = job.last.io_log_dropped
    if dropped:
        template = how.catalog.ngettext(
            "{count} byte more was not kept", "{count} bytes more were not kept", dropped
        )
        line = f"{_INDENT}({template.format(count=grouped(dropped, how.catalog))})\n"
        yield _fitted(line, how.options)


def _line(job: JobView, how: _How) -> str:
    time = f"  {duration(job.duration, how.catalog)}" if job.duration is not None else ""
    label = _painted(job.label, job, how.options) + " " * (how.label_width - len(job.label))
    return f"{label}  {_named(job.summary, job.id)}{time}\n"


def _log(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the text of a log with a bar in front of each line."""
    before = _BAR
    for piece in pieces:
        body = terminal_text(piece).removesuffix("\n")
        yield before + body.replace("\n", f"\n{_BAR}")
        before = f"\n{_BAR}" if piece.endswith("\n") else ""
    yield "\n"


def _slowest(view: SessionView, wanted: int) -> Iterator[str]:
    timed = (job for job in view.jobs() if job.duration)
    slowest = nlargest(wanted, timed, key=lambda job: job.duration or 0.0)
    if slowest:
        heading = view.catalog.gettext("slowest")
        yield f"\n{heading}\n"
    for job in slowest:
        time = duration(job.duration, view.catalog)
        yield f"{_INDENT}{time:>11}  {_named(job.summary, job.id)}\n"


def _foot(view: SessionView, options: Options) -> Iterator[str]:
    yield from _slowest(view, max(options.slowest, 0))
    catalog = view.catalog
    parts = [f"{tally.number} {tally.label}" for tally in view.tallies]
    template = catalog.ngettext(
        "{count} job in {duration}: {outcomes}",
        "{count} jobs in {duration}: {outcomes}",
        view.job_count,
    ).format(
        count=view.job_count,
        duration=duration(view.duration, catalog),
        outcomes=", ".join(parts) or catalog.gettext("nothing to show"),
    )
    yield f"\n{template}\n"
    several = len(view.devices) > 1
    for job in view.jobs():
        if job.went_wrong:
            device = f"{line_text(job.device_id)}: " if several else ""
            label = _painted(job.label, job, options)
            yield f"{_INDENT}{label}: {device}{_named(job.summary, job.id)}\n"
    session_verdict = verdict(view)
    template = catalog.gettext("verdict: {word}")
    yield f"{template.format(word=session_verdict.word)}\n"
    for reason in session_verdict.reasons:
        yield f"{_INDENT}{line_text(reason.text_in(catalog))}\n"


if TYPE_CHECKING:
    _: type[Exporter] = TextExporter
