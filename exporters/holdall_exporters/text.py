"""Plain text for a terminal, a mail or a console: a line per job, failures again at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar, Final, Literal, NamedTuple

from msgspec import Meta

from holdall.languages import N_, grouped, load_catalog
from holdall.results import Outcome
from holdall.view import verdict
from holdall.writing import (
    cause_of,
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
    from holdall.languages import Catalog
    from holdall.view import DeviceView, JobView, SessionState, SessionView

_INDENT: Final = " " * 4
_BETWEEN: Final = "  "
_TIME_WIDTH: Final = 10  # columns of `59 min 05 s` but one; a longer one moves its own line

_PASSED: Final = N_("passed")
_SKIPPED: Final = N_("skipped")
# One word for each way in which a job stands; in capitals, what somebody has to look at.
_WORDS: Final[Mapping[Outcome | None, str]] = {
    None: N_("in flight"),
    Outcome.PASS: _PASSED,
    Outcome.FAIL: N_("FAILED"),
    Outcome.CRASH: N_("CRASHED"),
    Outcome.ERROR: N_("ERROR"),
    Outcome.UNDECIDED: N_("undecided"),
    Outcome.NONE: N_("not run"),
}
_AS_EXPECTED: Final = N_("xfailed")
_UNEXPECTEDLY: Final = N_("XPASSED")
# The outcomes whose word says all that their label does.
_PLAIN: Final = frozenset({*_WORDS, Outcome.SKIP})

_STATES: Final[Mapping[SessionState, str]] = {
    "new": N_("not started"),
    "running": N_("running"),
    "unfinished": N_("unfinished"),
}
_COLOURS: Final[Mapping[Outcome | None, str]] = {
    None: "33",
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
        width: Columns of a line at most; longer ones go on in the next. 0 is no limit, and so is
            none, unless `holdall export` writes to a terminal: then it is that one's. The output
            of jobs is left as it is.
        color: Whether to colour how jobs stand; `auto` is never, unless `holdall export` writes
            to a terminal.
    """

    logs: Literal["none", "failed", "all"] = "none"
    comments: bool = True
    history: bool = True
    slowest: Annotated[int, Meta(ge=0)] = 0
    width: Annotated[int, Meta(ge=0)] | None = None
    color: Literal["auto", "always", "never"] = "auto"


class TextExporter:
    """A line per job in the order of the run list, per device if there are several."""

    summary: ClassVar[str] = "plain text, a line per job"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write head, jobs and totals; of the session no byte can steer a terminal."""
        catalog = load_catalog(context.lang, "holdall_exporters")
        view = view.with_catalog(catalog)
        for piece in gathered(_report(view, _how(context, catalog), context)):
            sink.write(piece)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read every line, and see that nothing but colours of its own steers a terminal."""
        line = ""
        for number, data in enumerate(report, start=1):
            line = data.decode()
            plain = _PAINT.sub("", line)
            if terminal_text(plain) != plain:
                raise ValueError(f"line {number} would steer a terminal: {plain!r}")
        if not line.endswith("\n"):
            raise ValueError("it ends within a line")


class _How(NamedTuple):
    """How lines are written.

    Attributes:
        words: The words of the first column, in the language of the report.
        columns: Those of the column of words, and of what stands before the name of a job.
        width: Columns of a line at most; 0 is no limit.
    """

    options: Options
    catalog: Catalog
    words: Mapping[str, str]
    columns: tuple[int, int]
    width: int
    is_coloured: bool

    def fitted(self, line: str, indent: str = "") -> bytes:
        """Return *line* in as many lines as it takes, those after the first behind *indent*."""
        if not self.width or columns_of(line) <= self.width:
            return line.encode()
        text = line.rstrip("\n")
        indent = indent or f"{text[: len(text) - len(text.lstrip(' '))]}{_INDENT}"
        return "".join(f"{part}\n" for part in wrapped(text, self.width, indent)).encode()

    def word(self, job: JobView) -> str:
        """Return the word for how *job* stands, as wide as its column."""
        counted = None if job.in_flight else job.counts_as
        if counted is None or counted is job.outcome:
            text = _WORDS.get(counted, _SKIPPED)
        else:
            text = _AS_EXPECTED if counted is Outcome.PASS else _UNEXPECTEDLY
        word = self.words[text]
        if not self.is_coloured:
            return word.ljust(self.columns[0])
        paint = _COLOURS.get(counted, "2")
        return f"\x1b[{paint}m{word}\x1b[0m{' ' * (self.columns[0] - len(word))}"


def _how(context: ExportContext, catalog: Catalog) -> _How:
    options: Options = context.options
    known = (*_WORDS.values(), _SKIPPED, _AS_EXPECTED, _UNEXPECTEDLY)
    words = {word: catalog.gettext(word) for word in known}
    widest = max(map(len, words.values()))
    return _How(
        options,
        catalog,
        words,
        (widest, widest + _TIME_WIDTH + 2 * len(_BETWEEN)),
        context.columns if options.width is None else options.width,
        options.color == "always" or (options.color == "auto" and context.color),
    )


def _report(view: SessionView, how: _How, context: ExportContext) -> Iterator[bytes]:
    """Yield head, jobs and totals."""
    for line in _head(view):
        yield how.fitted(line)
    total, done = view.job_count, 0
    devices = view.devices
    for device in devices:
        if len(devices) > 1:
            yield from _device_heading(device, how)
        for job in view.jobs(device_id=device.id):
            yield from _job(job, how)
            count_parts_left_out(job, context)
            if wants_log(how.options.logs, job):
                yield from _log_of(job, how)
            done += 1
            if done % 100 == 0:
                context.progress(done, total)
    yield from _foot(view, how)


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
    if state := _STATES.get(view.state):
        yield catalog.gettext("state"), catalog.gettext(state)
    for plan in view.plans:
        yield catalog.gettext("plan"), _named(plan.name, plan.id)
    for device in view.devices:
        yield catalog.gettext("device"), _named(device.description, device.id)
    if view.unsaved:
        template = catalog.ngettext(
            "{count} event is not stored yet", "{count} events are not stored yet", view.unsaved
        )
        yield catalog.gettext("unsaved"), template.format(count=view.unsaved)


def _device_heading(device: DeviceView, how: _How) -> Iterator[bytes]:
    heading = _named(device.description, device.id)
    columns = columns_of(heading)
    yield b"\n"
    yield how.fitted(f"{heading}\n")
    yield b"-" * (min(columns, how.width) if how.width else columns) + b"\n"


def _named(name: str, its_id: str) -> str:
    shown = line_text(its_id)
    return f"{line_text(name)} ({shown})" if name and name != its_id else shown


def _job(job: JobView, how: _How) -> Iterator[bytes]:
    options, catalog = how.options, how.catalog
    time = duration(job.duration, catalog)
    line = f"{how.word(job)}  {time:>{_TIME_WIDTH}}  {_named(job.summary, job.id)}\n"
    yield how.fitted(line, " " * how.columns[1])
    if options.comments:
        for text in _remarks(job, catalog):
            yield how.fitted(f"{_INDENT}{text}\n")
    if job.attempt_count > 1 and options.history:
        history = ", ".join(attempt.label for attempt in job.attempts)
        template = catalog.ngettext(
            "{count} attempt: {history}", "{count} attempts: {history}", job.attempt_count
        )
        text = template.format(count=job.attempt_count, history=history)
        yield how.fitted(f"{_INDENT}{text}\n")


def _remarks(job: JobView, catalog: Catalog) -> list[str]:
    """Return what the word in front leaves out, why, and the comments."""
    remarks = []
    reason = line_text(job.skip_reason)
    if not (job.in_flight or (job.outcome in _PLAIN and job.interrupted_by is None)):
        remarks.append(f"{job.label}: {reason}" if reason else job.label)
    elif reason:
        remarks.append(catalog.gettext("reason: {text}").format(text=reason))
    if job.comments:
        comments = line_text(job.comments)
        remarks.append(catalog.gettext("comment: {text}").format(text=comments))
    return remarks


def _log_of(job: JobView, how: _How) -> Iterator[bytes]:
    yield from map(str.encode, _log(log_text(job.io_log())))
    dropped = job.last.io_log_dropped
    if dropped:
        template = how.catalog.ngettext(
            "{count} byte more was not kept", "{count} bytes more were not kept", dropped
        )
        yield how.fitted(f"{_INDENT}({template.format(count=grouped(dropped, how.catalog))})\n")


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
    several = len(view.devices) > 1
    for job in slowest:
        time = duration(job.duration, view.catalog)
        name = f"{_device(job, several=several)}{_named(job.summary, job.id)}"
        yield f"{_INDENT}{time:>{_TIME_WIDTH}}  {name}\n"


def _device(job: JobView, *, several: bool) -> str:
    """Return what stands before a job where there are several devices."""
    return f"{line_text(job.device_id)}: " if several else ""


def _foot(view: SessionView, how: _How) -> Iterator[bytes]:
    for line in _slowest(view, how.options.slowest):
        yield how.fitted(line)
    yield how.fitted(f"\n{_totals(view)}\n")
    several, catalog = len(view.devices) > 1, view.catalog
    output = how.options.logs != "none"
    for job in view.jobs():
        if job.went_wrong:
            device = _device(job, several=several)
            why = "" if job.in_flight else f" - {cause_of(job, catalog, output=output)}"
            line = f"{_INDENT}{how.word(job)}{_BETWEEN}{device}{line_text(job.id)}{why}\n"
            yield how.fitted(line, " " * (len(_INDENT) + how.columns[0] + len(_BETWEEN)))
    session_verdict = verdict(view)
    template = catalog.gettext("verdict: {word}")
    yield how.fitted(f"{template.format(word=session_verdict.word)}\n")
    for reason in session_verdict.reasons:
        yield how.fitted(f"{_INDENT}{line_text(reason.text_in(catalog))}\n")


def _totals(view: SessionView) -> str:
    """Return how many jobs there are, how long they took, and how they ended."""
    catalog = view.catalog
    parts = [f"{tally.number} {tally.label}" for tally in view.tallies]
    if flaky := view.flaky_count:
        parts.append(catalog.ngettext("{count} flaky", "{count} flaky", flaky).format(count=flaky))
    lasted, elapsed = view.duration, view.elapsed
    took = duration(lasted, catalog)
    if elapsed is not None and abs(elapsed - lasted) >= 1:  # else it says no more
        template = catalog.gettext("{duration} ({elapsed} from start to end)")
        took = template.format(duration=took, elapsed=duration(elapsed, catalog))
    return catalog.ngettext(
        "{count} job in {duration}: {outcomes}",
        "{count} jobs in {duration}: {outcomes}",
        view.job_count,
    ).format(
        count=view.job_count,
        duration=took,
        outcomes=", ".join(parts) or catalog.gettext("nothing to show"),
    )


if TYPE_CHECKING:
    _: type[Exporter] = TextExporter
