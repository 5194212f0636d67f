"""HTML for people: one page that needs nothing else, and makes no request at all.

The verdict, the counts and the failures are plain HTML. All jobs are in one
data block, of which the page's script draws what can be seen.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar, Final, Literal

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Meta

from holdall.languages import grouped, load_catalog, name_of
from holdall.view import verdict
from holdall.writing import duration, gathered, html_text, moment, readable
from holdall_exporters.html.attached import Embedding, contents
from holdall_exporters.html.datablock import BLOCK, check_data_block, data_block
from holdall_exporters.html.failures import failures_of
from holdall_exporters.html.kinds import COLOURS, SHAPES, heading
from holdall_exporters.html.outcomes import tallied, wrong_outcomes
from holdall_exporters.html.plain import plain_rows
from holdall_exporters.html.said import VIEWS, said
from holdall_exporters.html.summary import counts_of, share_of, standing_of
from holdall_exporters.sandbox import loaded, provider_folder, rendered, sandboxed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from jinja2 import Template

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.languages import Catalog
    from holdall.units import BoundUnit
    from holdall.view import SessionView

# The files of the page's script, in the order in which each finds what it needs.
_SCRIPTS: Final = (
    "elements.js",
    "data.js",
    "filter.js",
    "address.js",
    "logs.js",
    "parts.js",
    "details.js",
    "panel.js",
    "table.js",
    "controls.js",
    "matrix.js",
    "timeline.js",
    "slowest.js",
    "views.js",
    "report.js",
)

# The plain table is for pages whose script is not run, and is never laid out where it is.
_FIRST: Final = 'document.documentElement.classList.add("js");'
_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src '{style}'; script-src '{first}' '{script}'; "
    "base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Options:
    """Options of the page.

    Attributes:
        title: Heading of the page; the session's own title if empty.
        logs: Whose output it holds: nobody's, that of failed attempts, all.
        log_max: Characters of one attempt's output at most; what is cut is said there.
        failures_max: Failures shown above the table, and without JavaScript; more are in it.
        attachment_max: Bytes of a text attachment up to which its content is shown.
        plain_max: Jobs in the plain table that is shown where scripts are not run.
        embed_max: Bytes of an attachment up to which its content is in the page: an image is
            shown, any other can be saved from it.
        embed_total: Bytes of all these contents together.
        archive: Whether it stands in an archive as `holdall.tar` makes it, beside the folders
            `logs` and `attachments`, and links to what is in them.
        template: Path of a Jinja template of your own, in a sandbox; one that extends
            `holdall/report.html` changes a part of the page.
    """

    title: str = ""
    logs: Literal["none", "failed", "all"] = "failed"
    log_max: Annotated[int, Meta(ge=0)] = 1 << 16
    failures_max: Annotated[int, Meta(ge=0)] = 100
    attachment_max: Annotated[int, Meta(ge=0)] = 1 << 12
    plain_max: Annotated[int, Meta(ge=0)] = 1000
    embed_max: Annotated[int, Meta(ge=0)] = 1 << 20
    embed_total: Annotated[int, Meta(ge=0)] = 1 << 24
    archive: bool = False
    template: Path | None = None


class HtmlExporter:
    """Verdict and totals, what went wrong with its output, and a table of everything."""

    summary: ClassVar[str] = "HTML, one self-contained page"
    suffix: ClassVar[str] = ".html"
    media_type: ClassVar[str] = "text/html; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the page, job by job."""
        catalog = load_catalog(context.lang, "holdall_exporters")
        names = _names(view.with_catalog(catalog), context)
        path: Path | None = context.options.template
        page = _template().generate(**names) if path is None else _own(path, names, context.unit)
        for piece in gathered(map(str.encode, page)):
            sink.write(piece)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read the page to its end, and unpack its data; a page of the user's own has none."""
        page = _Page()
        page.feed(report.read().decode())
        page.close()
        if page.is_ours:
            check_data_block("".join(page.data))
            if page.last != "html":
                raise ValueError("it ends before its end")


class _Page(HTMLParser):
    """What a page says of itself, its data, and the last element that it closed."""

    def __init__(self) -> None:
        super().__init__()
        self.is_ours = False
        self.data: list[str] = []
        self.last = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_ours |= tag == "meta" and ("name", "generator") in attrs
        self._inside = ("id", "data") in attrs

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.data.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = False
        self.last = tag


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


def _own(path: Path, names: dict[str, Any], unit: BoundUnit | None) -> Iterator[str]:
    """Yield the page that a template of the user's makes, or of a provider's exporter unit."""
    folder = [path.parent]
    if (root := provider_folder(path, unit)) is None:
        environment = sandboxed(folder, markup=True)
    else:
        environment = sandboxed((), markup=True, confined=folder, root=root)
    return rendered(loaded(environment, path.name, str(path)), names)


@cache
def _asset(name: str) -> str:
    return (files("holdall_exporters") / "templates" / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _names(view: SessionView, context: ExportContext) -> dict[str, Any]:
    """Return the names that the template can use."""
    options: Options = context.options
    catalog = view.catalog
    embedding = Embedding(options)
    return {
        "view": view,
        "title": heading(options.title or view.title, catalog),
        **_outcome(view, options),
        "created": readable(moment(view.created)),
        "modified": readable(moment(view.modified)),
        "now": readable(context.now),
        "duration": duration(view.duration or None, catalog),
        "elapsed": duration(view.elapsed, catalog),
        "lang": name_of(catalog),
        "_": catalog.gettext,
        "ngettext": catalog.ngettext,
        "grouped": lambda value: grouped(value, catalog),
        "provenance": context.provenance,
        "exporter": catalog.gettext("{name} of {provenance}").format(
            name="holdall.html", provenance=context.provenance
        ),
        **_code(catalog),
        "block": BLOCK,
        "plain": lambda: plain_rows(view, options.plain_max),
        "plain_count": min(view.job_count, options.plain_max),
        "data": lambda: data_block(view, options, context, embedding),
        "contents": lambda: contents(view, options, context, embedding),
    }


def _outcome(view: SessionView, options: Options) -> dict[str, Any]:
    """Return the names of what came out."""
    session_verdict = verdict(view)
    tallies = list(tallied(view))
    counts = list(counts_of(view, tallies))
    return {
        "verdict": session_verdict,
        "standing": standing_of(view, session_verdict),
        "counts": counts,
        "flaky": view.flaky_count,
        "share": share_of(counts, view.job_count, view.catalog),
        "failures": failures_of(view, options.failures_max, options),
        "wrong": ",".join(wrong_outcomes(tallies, view.state)),
        "colours": COLOURS,
        "shapes": SHAPES,
    }


def _code(catalog: Catalog) -> dict[str, Any]:
    """Return the names of style and script, what the script says, and what may be run."""
    style = _asset("report.css") + _asset("interactive.css")
    script = "".join(map(_asset, _SCRIPTS))
    return {
        "style": Markup(style),  # noqa: S704 - a file of this package
        "first": Markup(_FIRST),  # noqa: S704 - our own
        "script": Markup(script),  # noqa: S704 - a file of this package
        "said": msgspec.json.encode(said(catalog)).decode(),
        "views": {name: catalog.gettext(message) for name, message in VIEWS.items()},
        "policy": lambda style: _POLICY.format(
            style=_digest(style), first=_digest(_FIRST), script=_digest(script)
        ),
    }


if TYPE_CHECKING:
    _: type[Exporter] = HtmlExporter
