"""Reports by a Jinja template of somebody's own: text, HTML, JSON, or what else is text.

A template is named by the option `template`, or by the `data` of an exporter unit of a
provider: `{"template": "report.html", "extra_paths": ["common"]}`, paths in the provider's
data folder, which such a template does not leave. It runs in a sandbox. Its ending says what
it makes: in HTML and XML text is escaped, and JSON is read back before anything of it is
written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, cast

from holdall.errors import ReportTemplateError
from holdall.view import verdict
from holdall.writing import gathered
from holdall_exporters.sandbox import OWN, loaded, provider_folder, rendered, sandboxed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.view import SessionView

_EXAMPLE: Final = f"{OWN}/example.txt"
_TEMPLATE_ENDINGS: Final = frozenset({".j2", ".jinja", ".jinja2"})
_MARKUP: Final = frozenset({".htm", ".html", ".svg", ".xhtml", ".xml"})
_PIECE: Final = 1 << 16
_AROUND: Final = 30  # characters shown on either side of a place in JSON


@dataclass(frozen=True)
class Options:
    """Options that name the template.

    Attributes:
        template: Path of the template, anywhere; of an exporter unit, in its provider's data
            folder. Without one an example shows what a template can do.
        extra_paths: More folders that the template may include files from; of an exporter
            unit, in that data folder.
    """

    template: Path | None = None
    extra_paths: tuple[Path, ...] = ()


class TemplateExporter:
    """Writes what a template makes of the session, piece by piece."""

    summary: ClassVar[str] = "your own Jinja template"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the report; one that should be JSON and is not is refused whole."""
        source = _source(context)
        markup = source.ending in _MARKUP
        environment = sandboxed(
            source.folders, markup=markup, confined=source.confined, root=source.root
        )
        template = loaded(environment, source.name, source.location)
        pieces = gathered(_cancellable(rendered(template, _names(view, context)), context))
        if source.ending != ".json":
            for piece in pieces:
                sink.write(piece)
            return
        with TemporaryFile(dir=context.temporary_folder) as spool:
            for piece in pieces:
                spool.write(piece)
            _check_json(cast("BinaryIO", spool), source.location)
            spool.seek(0)
            while data := spool.read(_PIECE):
                sink.write(data)


@dataclass(frozen=True, slots=True)
class _Source:
    """A template: its folders, its name, its location for messages, and the ending of reports.

    Attributes:
        folders: Folders that the user named.
        confined: Folders of a provider, in `root`.
        root: The data folder of the provider that the template belongs to.
    """

    folders: tuple[Path, ...]
    name: str
    location: str
    ending: str
    confined: tuple[Path, ...] = ()
    root: Path | None = None


def _source(context: ExportContext) -> _Source:
    """Return the template that was asked for: by the caller, by the unit, or the example."""
    options: Options = context.options
    unit = context.unit
    if options.template is not None:
        path = options.template
        root = provider_folder(path, unit)
        own = (path.parent,)
        return _Source(
            folders=options.extra_paths if root else (*own, *options.extra_paths),
            name=path.name,
            location=str(path),
            ending=_ending(path.name),
            confined=own if root else (),
            root=root,
        )
    if unit is None:
        return _Source((), _EXAMPLE, _EXAMPLE, ".txt")
    origin = f"exporter unit {unit.id!r} at {unit.unit.where}"
    name = unit.data.get("template")
    more = unit.data.get("extra_paths", [])
    if not isinstance(name, str) or not name:
        _refuse(origin, 'its data names no template; write data: {"template": "FILE"}')
    if unit.folder is None:
        _refuse(origin, "its provider has no data folder for the template to be in")
    if not isinstance(more, list) or not all(isinstance(folder, str) for folder in more):
        _refuse(origin, f"extra_paths must be a list of folders, not {more!r}")
    root = unit.folder.resolve()
    confined = (unit.folder, *(unit.folder / folder for folder in more))
    for folder in confined:
        if not folder.resolve().is_relative_to(root):
            _refuse(origin, f"{str(folder)!r} of its extra_paths is not in {str(root)!r}")
    extension = unit.unit.file_extension
    return _Source(
        folders=options.extra_paths,
        name=name,
        location=str(unit.folder / name),
        ending=f".{extension.rpartition('.')[2]}" if extension else _ending(name),
        confined=confined,
        root=root,
    )


def _refuse(location: str, reason: str) -> NoReturn:
    raise ReportTemplateError(location, 0, reason)


def _ending(name: str) -> str:
    """Return the ending of what a template makes: `.html` for `report.html.j2`."""
    path = PurePath(name)
    return PurePath(path.stem).suffix if path.suffix in _TEMPLATE_ENDINGS else path.suffix


def _names(view: SessionView, context: ExportContext) -> dict[str, Any]:
    """Return what the template knows."""
    return {
        "view": view,
        "title": view.title,
        "verdict": verdict(view),
        "now": context.now,
        "lang": context.lang,
        "provenance": context.provenance,
        "data": context.unit.data if context.unit else {},
    }


def _cancellable(pieces: Iterator[str], context: ExportContext) -> Iterator[bytes]:
    """Yield *pieces* as bytes, and ask now and then whether to go on."""
    for number, piece in enumerate(pieces):
        if number % 100 == 0:
            context.check_cancelled()
        yield piece.encode()


def _check_json(report: BinaryIO, location: str) -> None:
    """Refuse what is no JSON, with the place and what stands around it."""
    report.seek(0)
    text = report.read().decode()
    try:
        json.loads(text, parse_constant=_no_json)
    except ValueError as error:
        reason = f"it made no JSON: {error}"
        if isinstance(error, json.JSONDecodeError):
            around = text[max(0, error.pos - _AROUND) : error.pos + _AROUND]
            reason += f", near {around!r}"
        raise ReportTemplateError(location, 0, reason) from error


def _no_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


if TYPE_CHECKING:
    _: type[Exporter] = TemplateExporter
