"""The reports that a launcher asks for: stock ones, and those with exporters and transports."""

from __future__ import annotations

from datetime import UTC
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.cli.options import ExportTarget
from holdall.errors import ConfigurationError, near

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from holdall.cli.launchers.layers import Layers

_STOCK: Final = (
    "text",
    "submission_files",
    "submission_json",
    "certification",
    "certification-staging",
    "none",
)
_DEFAULT: Final = ("text", "certification", "submission_files")
_SENT: Final = frozenset({"certification", "certification-staging"})

# What exporter units of Checkbox are called, and what makes our reports like theirs.
_LIKE_CHECKBOX: Final = {"json": ("dialect=checkbox",), "tar": ("flavour=checkbox",)}
_NAMESPACES: Final = ("com.canonical.plainbox::", "2013.com.canonical.plainbox::")
_STREAMS: Final = {"stdout": None, "stderr": "/dev/stderr"}


class Report(NamedTuple):
    """A report that is written at the end.

    Attributes:
        name: What the launcher calls it.
        is_forced: Whether nobody is asked if it is wanted.
    """

    name: str
    target: ExportTarget
    options: tuple[str, ...] = ()
    is_forced: bool = True


def reports_of(
    layers: Layers, environ: Mapping[str, str], now: datetime, warn: Callable[[str], None]
) -> list[Report]:
    """Return the reports that a launcher asks for, by name; what is not made is told.

    Raises:
        ConfigurationError: A report has no exporter or transport, or one that is not there.
    """
    made: list[Report] = []
    names = stock_names(layers)
    for name in names:
        reports = stock_report(layers, name, environ, now, warn)
        made += [] if "none" in names else reports
    for name in layers.names("report"):
        made += configured_report(layers, name, environ, warn)
    return sorted(made, key=lambda report: report.name)


def stock_names(layers: Layers) -> tuple[str, ...]:
    """Return the stock reports that a launcher asks for, also those that there are not."""
    return layers.words("launcher", "stock_reports", _DEFAULT)


def stock_report(
    layers: Layers,
    name: str,
    environ: Mapping[str, str],
    now: datetime,
    warn: Callable[[str], None],
) -> list[Report]:
    """Return the reports of a stock report; as `reports_of`."""
    location = layers.location("launcher", "stock_reports")
    if name not in _STOCK:
        reason = f"no stock report is called {name!r}{near(name, _STOCK)}"
        raise ConfigurationError(location, f"{reason} (stock reports: {', '.join(_STOCK)})")
    if name in _SENT and layers.value("launcher", "stock_reports"):
        text = _("{location}: the report {name} is not sent: nothing is uploaded anywhere")
        warn(text.format(location=location, name=name))
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H.%M.%S.%f")
    return [] if name in _SENT else list(_stock(name, _data_folder(environ), moment))


def _data_folder(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME") or "/")
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "checkbox-ng"


def _stock(name: str, folder: Path, moment: str) -> Iterator[Report]:
    base = folder / f"submission_{moment}"
    match name:
        case "text":
            yield Report("1_text_to_screen", ExportTarget("holdall.text", None))
        case "submission_files":
            for number, (exporter, suffix) in enumerate(_FILES.items(), start=2):
                target = ExportTarget(f"holdall.{exporter}", f"{base}{suffix}")
                yield Report(f"{number}_{exporter}", target, _LIKE_CHECKBOX.get(exporter, ()))
        case "submission_json":
            target = ExportTarget("holdall.json", f"{base}.json")
            yield Report("2_json_file", target, _LIKE_CHECKBOX["json"])


_FILES: Final = {"html": ".html", "junit": ".junit.xml", "tar": ".tar.xz"}


def configured_report(
    layers: Layers, name: str, environ: Mapping[str, str], warn: Callable[[str], None]
) -> Iterator[Report]:
    """Yield the report of a section `report:NAME`, unless it goes nowhere; as `reports_of`."""
    section = f"report:{name}"
    exporter = layers.text(section, "exporter")
    transport = layers.text(section, "transport")
    for key, value in (("exporter", exporter), ("transport", transport)):
        if not value:
            reason = f"it has no {key}, such as {key} = NAME of [{key}:NAME]"
            raise ConfigurationError(f"{layers.files[0]}, [{section}]", reason)
        known = [*layers.names(key), *(_STOCK_PARTS if key == "transport" else _EXPORTERS)]
        if value not in known:
            reason = f"there is no section [{key}:{value}]{near(value, known)}"
            raise ConfigurationError(layers.location(section, key), reason)
    path = _target_of(layers, transport, environ)
    if path is _NOWHERE:
        text = _("{location}: the report {name} is not sent: nothing is uploaded anywhere")
        warn(text.format(location=layers.location(section, "transport"), name=name))
        return
    unit = layers.text(f"exporter:{exporter}", "unit") or exporter
    options = layers.words(f"exporter:{exporter}", "options")
    for namespace in _NAMESPACES:
        short = unit.removeprefix(namespace)
        if short != unit and short in _EXPORTERS:
            unit, options = short, (*_LIKE_CHECKBOX.get(short, ()), *options)
    forced = layers.truth(section, "forced")
    target = ExportTarget(unit, path or None)
    yield Report(name, target, options, is_forced=forced)


_NOWHERE: Final = "\0"
_STOCK_PARTS: Final = ("stdout", "stderr", "c3", "c3-staging")
_EXPORTERS: Final = ("text", "html", "json", "junit", "tar", "xlsx", "global")


def _target_of(layers: Layers, name: str, environ: Mapping[str, str]) -> str:
    """Return the file that a transport writes, empty for standard output."""
    section = f"transport:{name}"
    kind = layers.text(section, "type") or ("stream" if name in _STREAMS else "")
    match kind:
        case "stream":
            stream = layers.text(section, "stream", name if name in _STREAMS else "stdout")
            if stream not in _STREAMS:
                reason = f"a stream is stdout or stderr, not {stream!r}"
                raise ConfigurationError(layers.location(section, "stream"), reason)
            return _STREAMS[stream] or ""
        case "file":
            path = layers.text(section, "path")
            if not path:
                raise ConfigurationError(
                    f"{layers.files[0]}, [{section}]", "it has no path = FILE to write to"
                )
            home = environ.get("HOME", "")
            return f"{home}{path[1:]}" if path.startswith("~/") and home else path
        case "submission-service" | "":
            return _NOWHERE
    reason = f"no transport is of the type {kind!r} (types: stream, file, submission-service)"
    raise ConfigurationError(layers.location(section, "type"), reason)
