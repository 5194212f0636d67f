"""Plain text for a terminal, a mail or a console: a line per job, failures again at the end."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nlargest
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final, Literal
from unicodedata import east_asian_width

from holdall.exports.cleaning import line_text, terminal_text
from holdall.exports.logs import log_text, wants_log
from holdall.exports.moments import duration, moment, readable
from holdall.exports.pieces import gathered
from holdall.exports.verdict import verdict
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.exports.job import JobView
    from holdall.exports.view import DeviceView, SessionView

_LABEL_WIDTH: Final = max(len(outcome.label) for outcome in Outcome)
_INDENT: Final = " " * 4
_NARROWEST: Final = 20
_FILLER: Final = "\0"  # which no line of a report has
_COLOURS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "32",
    Outcome.FAIL: "1;31",
    Outcome.CRASH: "1;35",
    Outcome.UNDECIDED: "33",
    Outcome.NONE: "33",
}
_BAR: Final = f"{_INDENT}| "


@dataclass(frozen=True)
class Options:
    """What the text holds.

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
    width: int = 0
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
        for line in _head(view):
            sink.write(_fitted(line, options))
        total, done = view.job_count, 0
        devices = view.devices
        for device in devices:
            if len(devices) > 1:
                sink.write(_device_heading(device).encode())
            for job in view.jobs(device_id=device.id):
                for line in _job(job, options):
                    sink.write(_fitted(line, options))
                if wants_log(options.logs, job):
                    for piece in gathered(map(str.encode, _log_of(job))):
                        sink.write(piece)
                done += 1
                if done % 100 == 0:
                    context.progress(done, total)
        for line in _foot(view, options):
            sink.write(_fitted(line, options))


def _fitted(line: str, options: Options) -> bytes:
    """Return *line* in as many lines as it takes, those after the first one indented."""
    if not options.width or len(columns := _columns(line)) <= options.width:
        return line.encode()
    indent = f"{line[: len(line) - len(line.lstrip(' '))]}{_INDENT}"
    parts = wrap(
        columns.rstrip("\n"),
        max(options.width, _NARROWEST),
        subsequent_indent=indent,
        drop_whitespace=True,
        break_on_hyphens=False,
    )
    return ("\n".join(parts).replace(_FILLER, "") + "\n").encode()


def _columns(line: str) -> str:
    """Return *line* with a filler behind each character that takes two columns."""
    if line.isascii():
        return line
    return "".join(f"{each}{_FILLER}" if east_asian_width(each) in "WF" else each for each in line)


def _painted(label: str, job: JobView, options: Options) -> str:
    """Return *label* in the colour of how *job* stands, if there are to be colours."""
    if options.color != "always":
        return label
    colour = _COLOURS.get(Outcome.UNDECIDED if job.in_flight else job.outcome, "2")
    return f"\x1b[{colour}m{label}\x1b[0m"


def _head(view: SessionView) -> Iterator[str]:
    yield f"{line_text(view.title)}\n"
    yield f"session  {line_text(view.session_id)}\n"
    yield f"created  {readable(moment(view.created))}\n"
    for plan in view.plans:
        yield f"plan     {_named(plan.name, plan.id)}\n"
    for device in view.devices:
        yield f"device   {_named(device.description, device.id)}\n"
    if view.unsaved:
        yield f"unsaved  {view.unsaved} events are not stored yet\n"
    yield "\n"


def _device_heading(device: DeviceView) -> str:
    heading = _named(device.description, device.id)
    return f"\n{heading}\n{'-' * len(heading)}\n"


def _named(name: str, its_id: str) -> str:
    return (
        f"{line_text(name)} ({line_text(its_id)})"
        if name not in {"", its_id}
        else line_text(its_id)
    )


def _job(job: JobView, options: Options) -> Iterator[str]:
    yield _line(job, options)
    if job.skip_reason and options.comments:
        yield f"{_INDENT}reason: {line_text(job.skip_reason)}\n"
    if job.comments and options.comments:
        yield f"{_INDENT}comment: {line_text(job.comments)}\n"
    if job.attempt_count > 1 and options.history:
        history = ", ".join(attempt.label for attempt in job.attempts)
        yield f"{_INDENT}{job.attempt_count} attempts: {history}\n"


def _log_of(job: JobView) -> Iterator[str]:
    yield from _log(log_text(job.io_log()))
    if job.last.io_log_dropped:
        yield f"{_INDENT}({job.last.io_log_dropped:,} bytes more were not kept)\n"


def _line(job: JobView, options: Options) -> str:
    time = f"  {duration(job.duration)}" if job.duration is not None else ""
    label = _painted(job.label, job, options) + " " * (_LABEL_WIDTH - len(job.label))
    return f"{label}  {_named(job.summary, job.id)}{time}\n"


def _log(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the text of a log with a bar in front of each line."""
    before = _BAR
    for piece in pieces:
        body = terminal_text(piece).removesuffix("\n")
        yield before + body.replace("\n", f"\n{_BAR}")
        before = f"\n{_BAR}" if piece.endswith("\n") else ""
    yield "\n"


def _slowest(view: SessionView, number: int) -> Iterator[str]:
    timed = (job for job in view.jobs() if job.duration)
    found = nlargest(number, timed, key=lambda job: job.duration or 0.0)
    if found:
        yield "\nslowest\n"
    for job in found:
        yield f"{_INDENT}{duration(job.duration):>11}  {_named(job.summary, job.id)}\n"


def _foot(view: SessionView, options: Options) -> Iterator[str]:
    yield from _slowest(view, max(options.slowest, 0))
    parts = [f"{each.number} {each.label}" for each in view.tallies]
    jobs = f"{view.job_count} {'job' if view.job_count == 1 else 'jobs'}"
    yield f"\n{jobs} in {duration(view.duration)}: {', '.join(parts) or 'nothing to show'}\n"
    several = len(view.devices) > 1
    for job in view.jobs():
        if job.outcome.failed or job.in_flight:
            device = f"{line_text(job.device_id)}: " if several else ""
            label = _painted(job.label, job, options)
            yield f"{_INDENT}{label}: {device}{_named(job.summary, job.id)}\n"
    found = verdict(view)
    yield f"verdict: {found.word}\n"
    for reason in found.reasons:
        yield f"{_INDENT}{line_text(str(reason))}\n"


if TYPE_CHECKING:
    _: type[Exporter] = TextExporter
