"""Exporters that break one promise each; `test_bad_exporters_fail` checks that it is seen."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import msgspec

from holdall.writing import file_name
from holdall.writing.cleaning import line_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from holdall.contracts.exporters import ExportContext, Sink
    from holdall.view.session import SessionView


class Good:
    """A line per job; the others differ from it in one thing."""

    @dataclass(frozen=True)
    class GoodOptions:
        """What the report holds.

        Attributes:
            comments: Whether comments are shown.
        """

        comments: bool = True

    summary: ClassVar[Any] = "Lines"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain"
    Options: ClassVar[type] = GoodOptions

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        sink.write(b"report\n")
        for number, line in enumerate(self.lines(view)):
            sink.write(f"{line}\n".encode())
            context.progress(number, view.job_count)

    def lines(self, view: SessionView) -> Iterator[str]:
        for job in view.jobs():
            yield f"{job.outcome} {line_text(job.id)} {line_text(job.comments or '')}"


class NoSummary(Good):
    summary = None


class SilentOptions(Good):
    @dataclass(frozen=True)
    class Silent:
        """Nothing is said."""

        depth: int = 3

    Options = Silent


class EveryLine(Good):
    @dataclass(frozen=True)
    class Every:
        """What is left out.

        Attributes:
            every: Which lines are shown.
        """

        every: int = 1

    Options = Every

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        shown = view.job_count // context.options.every
        sink.write(b"%d lines\n" % shown)


class RawOption(Good):
    @dataclass(frozen=True)
    class Bullets:
        """What lines look like.

        Attributes:
            bullet: What a line begins with.
        """

        bullet: str = "-"

    Options = Bullets

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        for line in self.lines(view):
            sink.write(f"{context.options.bullet} {line}\n".encode())


class RawFacts(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        yield from super().lines(view)
        for device in view.devices:
            yield from (f"{line_text(device.id)} {fact}" for fact in device.facts)


class NamesItsTarget(Good):
    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        super().export(view, sink, context)
        sink.write(f"{getattr(sink, 'name', '')}\n".encode())


class Believes(Good):
    @staticmethod
    def verify(_report: BinaryIO) -> None:
        """Take everything."""


class DoubtsItself(Good):
    @staticmethod
    def verify(report: BinaryIO) -> None:
        if len(report.read()) < 20:
            raise ValueError("a report has jobs")


class PrintsErrors(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        sys.stderr.write("exporting\n")
        yield from super().lines(view)


class PrintsPastPython(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        os.write(1, b"exporting\n")
        yield from super().lines(view)


class OutcomesThatPassOnly(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        for job in view.jobs():
            if str(job.outcome) not in {"pass", "fail"}:
                raise KeyError(job.outcome)
            yield job.id


class FirstJob(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        first = next(iter(view.jobs()))
        yield from (f"{first.id} {line}" for line in super().lines(view))


class OneDevice(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        seen = set()
        for job in view.jobs():
            if job.id in seen:
                raise ValueError("a job twice")
            seen.add(job.id)
            yield line_text(job.id)


class Raw(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        return (f"{job.id} {job.comments}" for job in view.jobs())


class RawHtml(Raw):
    media_type = "text/html"

    def lines(self, view: SessionView) -> Iterator[str]:
        return (f"<li>{line_text(job.comments or '')}" for job in view.jobs())


class HalfXml(Good):
    media_type = "application/xml"


class RawCsv(Good):
    media_type = "text/csv"

    def lines(self, view: SessionView) -> Iterator[str]:
        return (f"{job.outcome},{line_text(job.comments or '')}" for job in view.jobs())


class TellsTheTime(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        yield str(time.perf_counter_ns())
        yield from super().lines(view)


class ChangesTheView(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        yield from super().lines(view)
        view.counts.clear()  # type: ignore[attr-defined]
        session = vars(view)["_session"]
        vars(view)["_session"] = msgspec.structs.replace(session, session_id="mine")


class Gathers(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        yield from [line * 20 for line in super().lines(view)]


class LinksUnquoted(Good):
    suffix: ClassVar[str] = ""
    media_type: ClassVar[str] = "text/html"
    output: ClassVar[str] = "folder"

    def export(self, view: SessionView, sink: Any, context: ExportContext) -> None:
        del context
        names = {f"{file_name(job.device_id)}.html": job.device_id for job in view.jobs()}
        for name in names:
            with sink.open(name) as page:
                page.write(b"<p>a page")
        with sink.open("index.html") as index:
            for name in names:
                index.write(f'<p><a href="{self.address(name)}">a page</a>'.encode())

    def address(self, name: str) -> str:
        return name


class LinksQuoted(LinksUnquoted):
    def address(self, name: str) -> str:
        return quote(name)


class ChangesItsLines(Good):
    grows: ClassVar[str] = "by-lines"  # and a line has the outcome of a job


class RepeatsItsLines(Good):
    grows: ClassVar[str] = "by-lines"

    def lines(self, view: SessionView) -> Iterator[str]:
        return ("a job" for _job in view.jobs())


class NeverAsks(Good):
    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        del context
        for line in self.lines(view):
            sink.write(f"{line}\n".encode())


class TakesEverything(Good):
    class Everything:
        """Whatever is given."""

        def __init__(self, **given: object) -> None:
            self.given = given

    Options = Everything


class SwallowsErrors(Good):
    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        with suppress(OSError):
            super().export(view, sink, context)


class Prints(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        print("got here", view.session_id)  # noqa: T201 - that is what is wrong with it
        yield from super().lines(view)


class LocalTime(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        yield time.strftime("%H:%M", time.localtime(view.modified))
        yield from super().lines(view)


class SharesState(Good):
    shared: ClassVar[list[str]] = []

    def lines(self, view: SessionView) -> Iterator[str]:
        self.shared.clear()
        for line in super().lines(view):
            self.shared.append(line)
            time.sleep(0)
            if len(self.shared) % 7 == 0:
                time.sleep(0.0005)
            yield f"{len(self.shared)} {line}"


class ByHash(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        yield from sorted(super().lines(view), key=hash)


class ByProcess(Good):
    def lines(self, view: SessionView) -> Iterator[str]:
        yield str(os.getpid())
        yield from super().lines(view)
