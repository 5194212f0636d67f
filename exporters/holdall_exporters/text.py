"""Plain text for a terminal, a mail or a console: a line per job, failures again at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from holdall.exports.cleaning import line_text, terminal_text
from holdall.exports.logs import LogChoice, log_text, wants_log
from holdall.exports.moments import duration, moment, readable
from holdall.exports.verdict import verdict
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.exports.job import JobView
    from holdall.exports.view import DeviceView, SessionView

_LABEL_WIDTH: Final = max(len(outcome.label) for outcome in Outcome)
_INDENT: Final = " " * 4
_BAR: Final = f"{_INDENT}| "


@dataclass(frozen=True)
class Options:
    """What the text holds.

    Attributes:
        logs: Whose output to print under the job: nobody's, that of failed jobs, all.
    """

    logs: Literal["none", "failed", "all"] = "none"


class TextExporter:
    """A line per job in the order of the run list, per device if there are several."""

    summary: ClassVar[str] = "plain text, a line per job"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write head, jobs and totals; no byte of it can steer a terminal."""
        for line in _head(view):
            sink.write(line.encode())
        total, done = view.job_count, 0
        devices = view.devices
        for device in devices:
            if len(devices) > 1:
                sink.write(_device_heading(device).encode())
            for job in view.jobs(device_id=device.id):
                sink.write("".join(_job(job, context.options.logs)).encode())
                done += 1
                if done % 100 == 0:
                    context.progress(done, total)
        for line in _foot(view):
            sink.write(line.encode())


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


def _job(job: JobView, logs: LogChoice) -> Iterator[str]:
    yield _line(job)
    if job.skip_reason:
        yield f"{_INDENT}reason: {line_text(job.skip_reason)}\n"
    if job.comments:
        yield f"{_INDENT}comment: {line_text(job.comments)}\n"
    if job.attempt_count > 1:
        history = ", ".join(attempt.label for attempt in job.attempts)
        yield f"{_INDENT}{job.attempt_count} attempts: {history}\n"
    if wants_log(logs, job):
        yield from _log(log_text(job.io_log()))
        if job.last.io_log_dropped:
            yield f"{_INDENT}({job.last.io_log_dropped:,} bytes more were not kept)\n"


def _line(job: JobView) -> str:
    time = f"  {duration(job.duration)}" if job.duration is not None else ""
    return f"{job.label:<{_LABEL_WIDTH}}  {_named(job.summary, job.id)}{time}\n"


def _log(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the text of a log with a bar in front of each line."""
    before = _BAR
    for piece in pieces:
        body = terminal_text(piece).removesuffix("\n")
        yield before + body.replace("\n", f"\n{_BAR}")
        before = f"\n{_BAR}" if piece.endswith("\n") else ""
    yield "\n"


def _foot(view: SessionView) -> Iterator[str]:
    parts = [f"{each.number} {each.label}" for each in view.tallies]
    jobs = f"{view.job_count} {'job' if view.job_count == 1 else 'jobs'}"
    yield f"\n{jobs} in {duration(view.duration)}: {', '.join(parts) or 'nothing to show'}\n"
    several = len(view.devices) > 1
    for job in view.jobs():
        if job.outcome.failed or job.in_flight:
            device = f"{line_text(job.device_id)}: " if several else ""
            yield f"{_INDENT}{job.label}: {device}{_named(job.summary, job.id)}\n"
    found = verdict(view)
    yield f"verdict: {found.word}\n"
    for reason in found.reasons:
        yield f"{_INDENT}{line_text(str(reason))}\n"


if TYPE_CHECKING:
    _: type[Exporter] = TextExporter
