"""Markdown for the summary of a CI step or the text of a check, within a budget of bytes.

What matters most comes first and stays longest: the verdict and the counts, what went wrong by
its causes with the last lines of output, the slowest jobs, all others. What has no room is
left out, and counted at the end.

Nothing of the session can become markup. Its words stand in code spans, its output in code
blocks, each behind more backticks than it has itself; there neither CommonMark nor
GitHub knows links, mentions, references, HTML, tables or emphasis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar, Final, Literal

from msgspec import Meta

from holdall.languages import N_, Catalog, grouped, load_catalog
from holdall.view import verdict
from holdall.writing import (
    causes_of,
    count_parts_left_out,
    duration,
    gathered,
    last_lines,
    line_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.view import JobView, SessionView
    from holdall.writing import Cause

_BUDGETS: Final = {"summary": 1 << 20, "check": 65_535}
_END_ROOM: Final = 1024  # bytes that the end takes at most
_NAME: Final = 100  # characters of a title or an id that stand on their own
_LINE: Final = 300  # characters of a line of output, and of any other text
_TICKS: Final = re.compile("`+")
_END: Final = re.compile(r"\n---\n\n[^\n]+`\.\n\Z")

CAUSES_LEFT_OUT: Final = N_("causes left out")
JOBS_LEFT_OUT: Final = N_("jobs left out")
NAMES_LEFT_OUT: Final = N_("names of jobs left out")


@dataclass(frozen=True)
class Options:
    """Options of the page.

    Attributes:
        place: Where it will stand: the summary of a step on GitHub, which takes 1 MiB, or the
            text of a check, which takes 65 535 bytes.
        budget: Bytes of the page at most, instead of what the place takes.
        lines: How many of the last lines of output to show of each cause.
        slowest: How many of the slowest jobs to list.
        others: Whether to list the jobs that did not go wrong.
    """

    place: Literal["summary", "check"] = "summary"
    budget: Annotated[int, Meta(ge=4096)] | None = None
    lines: Annotated[int, Meta(ge=0, le=100)] = 5
    slowest: Annotated[int, Meta(ge=0, le=1000)] = 10
    others: bool = True


class MarkdownExporter:
    """Verdict, counts, causes, slowest and other jobs, as far as there is room."""

    summary: ClassVar[str] = "Markdown within a budget, for step summaries and checks"
    suffix: ClassVar[str] = ".md"
    media_type: ClassVar[str] = "text/markdown; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the page; it never has more bytes than its budget."""
        catalog = load_catalog(context.lang, "holdall_exporters")
        page = _Page(view.with_catalog(catalog), context)
        for piece in gathered(page.pieces()):
            sink.write(piece)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read the page to its end, and see that no line of it steers a terminal."""
        text = report.read().decode()
        if not _END.search(text):
            raise ValueError("it has no end")
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.isprintable():
                shown = line_text(line)
                if shown.split() != line.split():
                    raise ValueError(f"line {number} has control characters: {shown!r}")


class _Page:
    """A page while it is written, and the room that is left on it."""

    def __init__(self, view: SessionView, context: ExportContext) -> None:
        options: Options = context.options
        self._view: Final = view
        self._context: Final = context
        self._options: Final = options
        self._catalog: Final[Catalog] = view.catalog
        self._several: Final = len(view.devices) > 1
        self._room = (options.budget or _BUDGETS[options.place]) - _END_ROOM
        self._left_out: Final[list[str]] = []

    def pieces(self) -> Iterator[bytes]:
        """Yield the page; only the head is there whatever the budget."""
        yield self._counted(self._head())
        causes = causes_of(self._view)
        lines: dict[int, list[str]] = {cause.numbers[0]: [] for cause in causes}
        most = self._options.slowest
        slowest = nlargest(max(most, 1), self._timed(lines), key=lambda job: job.duration or 0.0)
        yield from self._causes(causes, lines)
        yield self._slowest(slowest[:most])
        if self._options.others:
            yield from self._others()
        yield self._end()

    def _timed(self, lines: dict[int, list[str]]) -> Iterator[JobView]:
        """Yield the jobs that took time; add the last lines of output of those in *lines*."""
        wanted = self._options.lines
        for number, job in enumerate(self._view.jobs()):
            if number in lines and wanted and job.io_log_size:
                found = last_lines(job.io_log(), wanted)
                lines[number] = [line[:_LINE] for line in found]
            count_parts_left_out(job, self._context)
            if number % 100 == 0:
                self._context.progress(number, self._view.job_count)
            if job.duration:
                yield job

    def _counted(self, text: str) -> bytes:
        data = text.encode()
        self._room -= len(data)
        return data

    def _fitting(self, text: str) -> bytes:
        """Return *text* if there is room for it, else nothing."""
        data = text.encode()
        if len(data) > self._room:
            return b""
        self._room -= len(data)
        return data

    def _head(self) -> str:
        view, catalog = self._view, self._catalog
        session_verdict = verdict(view)
        reasons = "; ".join(reason.headline_in(catalog) for reason in session_verdict.reasons)
        count = catalog.ngettext("{count} job", "{count} jobs", view.job_count).format(
            count=grouped(view.job_count, catalog)
        )
        time = duration(view.duration, catalog)
        rows = "".join(
            f"| {tally.label} | {grouped(tally.number, catalog)} |\n" for tally in view.tallies
        )
        states = {
            "running": catalog.gettext("This session is still running."),
            "unfinished": catalog.gettext("This session has not been finished."),
        }
        state = f"{states[view.state]}\n\n" if view.state in states else ""
        flaky = view.flaky_count
        if flaky:
            template = catalog.ngettext("{count} of them flaky", "{count} of them flaky", flaky)
            time = f"{time}, {template.format(count=grouped(flaky, catalog))}"
        outcome, jobs = catalog.gettext("Outcome"), catalog.gettext("Jobs")
        columns = f"| {outcome} | {jobs} |\n|:--|--:|\n"
        table = f"{columns}{rows}\n" if rows else ""
        return (
            f"# {_code(view.title, _NAME)}\n\n{state}"
            f"**{session_verdict.word}**{f': {reasons}' if reasons else ''}\n\n"
            f"{count}, {time}\n\n{table}"
        )

    def _causes(self, causes: list[Cause], lines: Mapping[int, list[str]]) -> Iterator[bytes]:
        """Yield what went wrong, without the lines of output where there is no room for them."""
        if not causes:
            return
        heading = self._catalog.gettext("What went wrong")
        yield self._fitting(f"## {heading}\n\n")
        shown = lineless = nameless = jobs = 0
        for number, cause in enumerate(causes):
            text = self._cause(cause)
            block = _block(lines[cause.numbers[0]])
            whole = b"" if lineless else self._fitting(text + block)
            data = whole or self._fitting(text)
            if not data:
                self._room = 0  # what matters less must not take the place
                jobs = sum(other.count for other in causes[number:])
                break
            yield data
            shown += 1
            lineless += bool(block and not whole)
            nameless += cause.count - len(cause.jobs)
        if nameless:
            self._context.count(NAMES_LEFT_OUT, nameless)
        if lineless:
            template = self._catalog.ngettext(
                "the output of {count} cause", "the output of {count} causes", lineless
            )
            self._left_out.append(template.format(count=grouped(lineless, self._catalog)))
        if jobs:
            rest = len(causes) - shown
            self._context.count(CAUSES_LEFT_OUT, rest)
            catalog = self._catalog
            of_causes = catalog.ngettext("{count} cause", "{count} causes", rest)
            of_jobs = catalog.ngettext("{count} job", "{count} jobs", jobs)
            self._left_out.append(
                catalog.gettext("{causes}, of {jobs}").format(
                    causes=of_causes.format(count=grouped(rest, catalog)),
                    jobs=of_jobs.format(count=grouped(jobs, catalog)),
                )
            )

    def _cause(self, cause: Cause) -> str:
        catalog = self._catalog
        names = ", ".join(_code(self._whole_id(job.device, job.id), _LINE) for job in cause.jobs)
        more = cause.count - len(cause.jobs)
        if more:
            template = catalog.ngettext("{jobs} and {count} more", "{jobs} and {count} more", more)
            names = template.format(jobs=names, count=grouped(more, catalog))
        blocker = catalog.gettext("{label} (blocker)") if cause.is_blocker else "{label}"
        label, jobs = blocker.format(label=cause.label), catalog.gettext("Jobs: {jobs}")
        return (
            f"### {grouped(cause.count, catalog)} x {label}: "
            f"{_code(cause.text, _LINE)}\n\n{jobs.format(jobs=names)}\n\n"
        )

    def _slowest(self, jobs: list[JobView]) -> bytes:
        if not jobs:
            return b""
        heading = self._catalog.gettext("Slowest jobs")
        lines = [f"- {duration(job.duration, self._catalog)}: {self._name(job)}\n" for job in jobs]
        data = self._fitting("".join([f"## {heading}\n\n", *lines, "\n"]))
        if not data:
            template = self._catalog.ngettext(
                "the slowest job", "the {count} slowest jobs", len(jobs)
            )
            self._left_out.append(template.format(count=len(jobs)))
            self._room = 0
        return data

    def _others(self) -> Iterator[bytes]:
        """Yield a line for each job that did not go wrong."""
        catalog, view = self._catalog, self._view
        heading = catalog.gettext("Other jobs")
        more = left_out = 0
        for number, job in enumerate(view.jobs()):
            if number % 100 == 0:
                self._context.progress(number, view.job_count)
            if job.went_wrong:
                continue
            line = f"- {job.label}: {self._name(job)}{self._details(job)}\n"
            data = b"" if left_out else self._fitting(line if more else f"## {heading}\n\n{line}")
            if data:
                more += 1
                yield data
            else:
                left_out += 1
        if more:
            yield self._counted("\n")
        if left_out:
            self._context.count(JOBS_LEFT_OUT, left_out)
            template = catalog.ngettext("{count} other job", "{count} other jobs", left_out)
            self._left_out.append(template.format(count=grouped(left_out, catalog)))

    def _name(self, job: JobView) -> str:
        name = _code(self._whole_id(job.device_id, job.id), _LINE)
        return name if job.summary == job.id else f"{_code(job.summary, _LINE)} ({name})"

    def _whole_id(self, device_id: str, job_id: str) -> str:
        # Each by itself: what begins an escape sequence in one must not end in the other.
        return f"{line_text(device_id)}: {line_text(job_id)}" if self._several else job_id

    def _details(self, job: JobView) -> str:
        details = [duration(job.duration, self._catalog)] if job.duration is not None else []
        if job.is_flaky:
            details.append(self._catalog.gettext("flaky"))
        if job.skip_reason:
            details.append(_code(job.skip_reason, _LINE))
        return f", {', '.join(details)}" if details else ""

    def _end(self) -> bytes:
        """Return what was left out, and whose page it is."""
        text = ""
        if self._left_out:
            template = self._catalog.gettext("Left out, as there is no more room: {what}.")
            text = f"{template.format(what='; '.join(self._left_out))}\n\n"
        session, writer = (
            _code(self._view.session_id, _NAME),
            _code(self._context.provenance, _NAME),
        )
        return f"{text}---\n\n{session} · {writer}.\n".encode()


def _code(text: str, most: int) -> str:
    """Return *text* as a code span, whatever it is: in one line, behind enough backticks."""
    line = line_text(text)
    if len(line) > most:
        line = f"{line[: most - 1]}…"
    if "`" not in line:
        return f"`{line or ' '}`"
    fence = "`" * (max(map(len, _TICKS.findall(line))) + 1)
    return f"{fence} {line} {fence}"


def _block(lines: list[str]) -> str:
    """Return lines of output as a code block that none of them can end."""
    if not lines:
        return ""
    text = "\n".join(lines)
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    return f"{fence}text\n{text}\n{fence}\n\n"


if TYPE_CHECKING:
    _: type[Exporter] = MarkdownExporter
