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
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar, Final, Literal, NamedTuple

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Meta

from holdall.languages import N_, NN_, Catalog, decimal, grouped, load_catalog, name_of
from holdall.view import verdict
from holdall.writing import duration, gathered, html_text, moment, readable
from holdall_exporters.html.attached import contents
from holdall_exporters.html.datablock import (
    BLOCK,
    check_data_block,
    data_block,
    log_of,
    notes_on,
)
from holdall_exporters.html.kinds import KINDS, standing
from holdall_exporters.sandbox import loaded, provider_folder, rendered, sandboxed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from jinja2 import Template

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.units import BoundUnit
    from holdall.view import JobView, SessionView
    from holdall_exporters.html.coloured import Run

_KINDS: Final = {
    "fail": N_("failed"),
    "crash": N_("crashed"),
    "error": N_("could not be performed"),
    "open": N_("open"),
    "pass": N_("passed"),
    "skip": N_("skipped"),
}

# What the page's script says of the jobs and their details.
_SAID: Final = {
    "attachments": N_("Attachments"),
    "attempt": N_("Attempt {number}"),
    "category": N_("Category"),
    "certification": N_("Certification"),
    "code": N_("Exit code"),
    "device": N_("Device"),
    "duration": N_("Duration"),
    "kib": N_("{count} KiB"),
    "kind": N_("Kind"),
    "nothing": N_("No attempt has ended."),
    "origin": N_("Defined in"),
    "output": N_("Output"),
    "problem": N_("The table can't be shown by this browser ({reason})."),
    "started": N_("Started"),
    "template": N_("Template"),
}
_COUNTED: Final = {
    "bytes": NN_("{count} byte", "{count} bytes"),
    "dropped": NN_("{count} byte more was not kept", "{count} bytes more were not kept"),
    "found": NN_("{shown} of {count} job", "{shown} of {count} jobs"),
    "jobs": NN_("{count} job", "{count} jobs"),
    "left_out": NN_(
        "{count} more job not printed here; filter the table to print others.",
        "{count} more jobs not printed here; filter the table to print others.",
    ),
}

_POLICY: Final = (
    "default-src 'none'; style-src '{style}'; script-src '{script}'; "
    "base-uri 'none'; form-action 'none'"
)
_UNNAMED: Final = N_("unnamed")
_GAP: Final = 0.6  # hundredths of the ring between two outcomes


@dataclass(frozen=True)
class Options:
    """Options of the page.

    Attributes:
        title: Heading of the page; the session's own title if empty.
        logs: Whose output it holds: nobody's, that of failed attempts, all.
        log_max: Characters of one attempt's output at most; what is cut is said there.
        failures_max: Failures shown above the table, and without JavaScript; more are in it.
        attachment_max: Bytes of a text attachment up to which its content is shown.
        embed_max: Bytes of an attachment up to which its content is in the page: an image is
            shown, any other can be saved from it.
        embed_total: Bytes of all these contents together.
        template: Path of a Jinja template of your own, in a sandbox; one that extends
            `holdall/report.html` changes a part of the page.
    """

    title: str = ""
    logs: Literal["none", "failed", "all"] = "failed"
    log_max: Annotated[int, Meta(ge=0)] = 1 << 16
    failures_max: Annotated[int, Meta(ge=0)] = 100
    attachment_max: Annotated[int, Meta(ge=0)] = 1 << 12
    embed_max: Annotated[int, Meta(ge=0)] = 1 << 20
    embed_total: Annotated[int, Meta(ge=0)] = 1 << 24
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
    style, script = _asset("report.css"), _asset("elements.js") + _asset("report.js")
    options: Options = context.options
    catalog = view.catalog
    session_verdict = verdict(view)
    counts = list(_counts(view))
    failed = sum(
        tally.number for tally in view.tallies if tally.outcome is None or tally.outcome.failed
    )
    return {
        "view": view,
        "title": _heading(options.title or view.title, catalog),
        "verdict": session_verdict,
        "reasons": [reason.headline_in(catalog) for reason in session_verdict.reasons],
        "counts": counts,
        "kinds": _by_kind(counts, catalog),
        "share": _share(counts, view.job_count, catalog),
        "more_failures": max(0, failed - options.failures_max),
        "failed": failed,
        "created": readable(moment(view.created)),
        "modified": readable(moment(view.modified)),
        "now": readable(context.now),
        "duration": duration(view.duration or None, catalog),
        "lang": name_of(catalog),
        "_": catalog.gettext,
        "ngettext": catalog.ngettext,
        "grouped": lambda value: grouped(value, catalog),
        "said": msgspec.json.encode(_said(catalog)).decode(),
        "provenance": context.provenance,
        "policy": lambda style: _POLICY.format(style=_digest(style), script=_digest(script)),
        "exporter": catalog.gettext("{name} of {provenance}").format(
            name="holdall.html", provenance=context.provenance
        ),
        "style": Markup(style),  # noqa: S704 - a file of this package
        "script": Markup(script),  # noqa: S704 - a file of this package
        "block": BLOCK,
        "failures": lambda: islice(_failures(view, options), options.failures_max),
        "data": lambda: data_block(view, options, context),
    }


def _said(catalog: Catalog) -> dict[str, object]:
    """Return what the script says, which plural it takes for which count, and its numbers.

    200 counts show a whole rule: from a hundred on, it looks at the last two digits.
    """
    forms: dict[tuple[str, ...], int] = {}
    which = ""
    for count in range(200):
        forms_of_count = tuple(catalog.ngettext(*message, count) for message in _COUNTED.values())
        which += str(forms.setdefault(forms_of_count, len(forms)))
    return {
        "thousands": grouped(1_000, catalog)[1:-3],
        "point": decimal(0.5, 1, catalog)[1:-1],
        "which": which,
        "forms": dict(zip(_COUNTED, zip(*forms, strict=True), strict=True)),
        **{name: catalog.gettext(message) for name, message in _SAID.items()},
    }


class _Count(NamedTuple):
    """One outcome in the summary, with its arc of a ring whose length is 100."""

    kind: str
    label: str
    number: int
    text: str
    start: str
    length: str


def _counts(view: SessionView) -> Iterator[_Count]:
    """Yield the outcomes; the ring shows a single failure among many as at least one hundredth."""
    tallies = view.tallies
    shares = [max(1.0, 100 * tally.number / view.job_count) for tally in tallies]
    scale = 100 / (sum(shares) or 1)
    gap = _GAP if len(tallies) > 1 else 0
    start = 0.0
    for (outcome, label, number), share in zip(tallies, shares, strict=True):
        length = share * scale
        kind = "open" if outcome is None else KINDS[outcome]
        arc = max(length - gap, 0.2)
        text = f"{grouped(number, view.catalog)} {label}"
        yield _Count(kind, label, number, text, f"{-start:.2f}", f"{arc:.2f} {100 - arc:.2f}")
        start += length


def _by_kind(counts: Iterable[_Count], catalog: Catalog) -> list[tuple[str, str, int]]:
    """Return the kinds that occur, with the label and the number of jobs of each."""
    numbers = dict.fromkeys(_KINDS, 0)
    for count in counts:
        numbers[count.kind] += count.number
    return [(kind, catalog.gettext(_KINDS[kind]), n) for kind, n in numbers.items() if n]


def _share(counts: Iterable[_Count], total: int, catalog: Catalog) -> str:
    """Return how many of 100 jobs passed; 100 only if all did."""
    passed = sum(count.number for count in counts if count.kind == "pass")
    return catalog.gettext("{number}%").format(number=100 * passed // total if total else 0)


class _Failure(NamedTuple):
    """A job that went wrong, as it stands above the table."""

    number: int
    kind: str
    label: str
    summary: str
    id: str
    facts: list[str]
    words: list[str]
    log: list[Run]
    dropped: int


def _failures(view: SessionView, options: Options) -> Iterator[_Failure]:
    several, catalog = len(view.devices) > 1, view.catalog
    for number, job in enumerate(view.jobs()):
        if job.went_wrong:
            yield _Failure(
                number=number,
                kind=standing(job)[0],
                label=job.label,
                summary=_heading(job.summary, catalog),
                id=html_text(job.id),
                facts=list(_facts(job, catalog, several=several)),
                words=notes_on(job.last),
                log=log_of(job.last, options, catalog),
                dropped=job.last.io_log_dropped,
            )


def _heading(text: str, catalog: Catalog) -> str:
    """Return *text* as a heading, which can't be empty."""
    shown = html_text(text)
    return shown if shown.strip() else catalog.gettext(_UNNAMED)


def _facts(job: JobView, catalog: Catalog, *, several: bool) -> Iterator[str]:
    """Yield what stands beside the id of a failure."""
    yield html_text(job.category)
    if several:
        yield html_text(job.device_id)
    if job.duration is not None:
        yield duration(job.duration, catalog)
    if job.return_code is not None:
        yield catalog.gettext("exit code {code}").format(code=job.return_code)
    if job.certification_status == "blocker":
        yield catalog.gettext("blocker")
    if job.attempt_count > 1:
        history = ", ".join(attempt.label for attempt in job.attempts)
        attempts = catalog.ngettext(
            "{count} attempt: {history}", "{count} attempts: {history}", job.attempt_count
        )
        yield attempts.format(count=job.attempt_count, history=history)


if TYPE_CHECKING:
    _: type[Exporter] = HtmlExporter
