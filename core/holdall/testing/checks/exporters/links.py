"""The promise about the pages of a folder: their links lead to files of it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from holdall.exports import export
from holdall.testing.checks.exporters.subject import ID
from holdall.testing.checks.outcomes import CheckSkipped, require
from holdall.testing.sessions import devices_session, hostile_session, sample_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.testing.checks.exporters.subject import ExporterSubject

_LINKING: Final = frozenset({"href", "src"})
_ELSEWHERE: Final = frozenset({"http", "https", "mailto", "data", "ftp", "tel"})
_ODD: Final = "a/b c#d?e%41:f"
"""An id with all that means something in an address."""


def links_lead_to_files(subject: ExporterSubject) -> None:
    """Relative links of the pages of a folder lead to files of the report, whatever ids hold."""
    media = subject.exporter.media_type.partition(";")[0].strip().lower()
    if getattr(subject.exporter, "output", "file") != "folder" or media != "text/html":
        raise CheckSkipped("its report is no folder of pages")
    registry = subject.registry()
    sessions = (sample_session(), devices_session(), hostile_session(_ODD))
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        for number, session in enumerate(sessions):
            report = Path(folder).resolve() / f"report-{number}"
            export(session, ID, report, registry=registry)
            for page in sorted(report.rglob("*.htm*")):
                for link in _links(page):
                    _require_file(report, page, link)


def _require_file(report: Path, page: Path, link: str) -> None:
    try:
        parts = urlsplit(link)
        if parts.scheme in _ELSEWHERE or parts.netloc:
            return
        # A colon in a name makes the front of it a scheme that no reader knows.
        name = unquote(parts.path)
        target = (page.parent / name).resolve()
        leads = not parts.scheme and (not name or (target.exists() and _is_in(report, target)))
    except ValueError:
        leads = False
    reason = "quote the name of the file by urllib.parse.quote"
    where = page.relative_to(report).as_posix()
    require(leads, f"the link {link!r} of {where!r} leads to no file of the report; {reason}")


def _is_in(report: Path, target: Path) -> bool:
    return target.is_relative_to(report)


def _links(page: Path) -> Iterator[str]:
    reader = _Links()
    reader.feed(page.read_text(encoding="utf-8", errors="replace"))
    reader.close()
    yield from reader.links


class _Links(HTMLParser):
    """Gathers the addresses that a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses of one element."""
        del tag
        for name, value in attrs:
            if name in _LINKING and value:
                self.links.setdefault(value.strip())
