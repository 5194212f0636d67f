"""Sessions of holdall as a folder of pages: one for each device, and an index."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.contracts import ExportContext, FolderExporter, FolderSink
    from holdall.view import SessionView


@dataclass(frozen=True)
class Options:
    """What the pages hold.

    Attributes:
        comments: Whether to show what was said about a job.
    """

    comments: bool = True


class SiteExporter:
    """A folder with a page per device, and an index that links them."""

    summary: ClassVar[str] = "A page per device"
    suffix: ClassVar[str] = ""
    media_type: ClassVar[str] = "text/html"
    output: ClassVar[Literal["folder"]] = "folder"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: FolderSink, context: ExportContext) -> None:
        """Write the index, and then the page of each device."""
        devices = {f"device-{n}.html": d for n, d in enumerate(view.devices, start=1)}
        with sink.open("index.html") as index:
            index.write(_head(view.title or view.session_id))
            for name, device in devices.items():
                index.write(f'<p><a href="{name}">{_text(device.id)}</a></p>\n'.encode())
        done = 0
        for name, device in devices.items():
            with sink.open(name) as page:
                page.write(_head(device.id))
                for row in _rows(view, device.id, comments=context.options.comments):
                    page.write(row)
                    done += 1
                    context.progress(done, view.job_count)

    @staticmethod
    def verify(report: Path) -> None:
        """Read each page, and see that it has one head."""
        for page in report.glob("*.html"):
            if page.read_text(encoding="utf-8").count("<h1>") != 1:
                raise ValueError(f"{page.name} is no page of a site")
        if not (report / "index.html").is_file():
            raise ValueError("there is no index")


def _rows(view: SessionView, device_id: str, *, comments: bool) -> Iterator[bytes]:
    for job in view.jobs(device_id=device_id):
        text = f"<p>{job.outcome} <code>{_text(job.id)}</code>"
        if comments and job.comments:
            text += f" {_text(job.comments)}"
        yield f"{text}</p>\n".encode()


def _head(title: str) -> bytes:
    return f'<!doctype html>\n<meta charset="utf-8">\n<h1>{_text(title)}</h1>\n'.encode()


def _text(text: str) -> str:
    """Return text of the session, which can hold anything, as text of a page."""
    from holdall.writing import line_text

    return escape(line_text(text))


if TYPE_CHECKING:
    _: type[FolderExporter] = SiteExporter
