"""The contract of exporters: the class, its context and the report of an export."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from holdall.units import BoundUnit
    from holdall.view import SessionView


class Exporter(Protocol):
    """Writes a session as bytes: class of the group `holdall.exporters`.

    What an exporter may do besides is a Protocol of its own: `HasOptions`, `Verifies`,
    `HasSchema`, `GrowsByLines`, `FolderExporter` and `SplitExporter`.

    Attributes:
        summary: One line for lists.
        suffix: File name ending, with the dot.
        media_type: What the bytes are.
    """

    summary: ClassVar[str]
    suffix: ClassVar[str]
    media_type: ClassVar[str]

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write *view* to *sink*, piece by piece, the same bytes for the same input."""
        ...


@runtime_checkable
class HasOptions(Protocol):
    """An exporter that takes options of its own; one without this attribute has none.

    Attributes:
        Options: A dataclass, attrs class or msgspec Struct whose fields all have defaults.
    """

    Options: ClassVar[type]


@runtime_checkable
class Verifies(Protocol):
    """An exporter that can read its reports back; any kind of method will do."""

    def verify(self, report: BinaryIO, /) -> None:
        """Read a written report, and raise if it is no good.

        Args:
            report: The file, opened; of a `FolderExporter` the folder's `Path`.
        """
        ...


@runtime_checkable
class HasSchema(Protocol):
    """A plugin whose documents have a JSON Schema; any kind of method will do.

    Those of an exporter are its reports, those of a provider loader the files that it reads.
    """

    def json_schema(self) -> str:
        """Return the JSON Schema of its documents, as text."""
        ...


@runtime_checkable
class GrowsByLines(Protocol):
    """An exporter whose reports can be followed while their session runs.

    No two lines of a report are alike. A later report of the session has all of them but the
    last, unless what a line is about has changed. The last line says how the session stands.

    Attributes:
        grows: Says so.
    """

    grows: ClassVar[Literal["by-lines"]]


class FolderExporter(Protocol):
    """An exporter whose report is a folder; otherwise as `Exporter`.

    Attributes:
        output: Says so. `suffix` may be empty.
    """

    summary: ClassVar[str]
    suffix: ClassVar[str]
    media_type: ClassVar[str]
    output: ClassVar[Literal["folder"]]

    def export(self, view: SessionView, sink: FolderSink, context: ExportContext) -> None:
        """Write *view* to files of *sink*."""
        ...


class SplitExporter(Protocol):
    """An exporter whose report may be split into numbered files; otherwise as `Exporter`.

    Attributes:
        output: Says so.
    """

    summary: ClassVar[str]
    suffix: ClassVar[str]
    media_type: ClassVar[str]
    output: ClassVar[Literal["parts"]]

    def export(self, view: SessionView, sink: SplitSink, context: ExportContext) -> None:
        """Write *view* to *sink*, and to the further files that it opens."""
        ...


AnyExporter = Exporter | FolderExporter | SplitExporter
"""An exporter, whatever its report is."""


class Sink(Protocol):
    """The target of an exporter's bytes."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes of the report."""
        ...


class SplitSink(Sink, Protocol):
    """The first file of a report that may be split."""

    def part(self) -> Sink:
        """Return the next file of the report: `report.2.xml` beside `report.xml`, and so on.

        The file before it is complete, and takes nothing more.

        Raises:
            ExportTargetError: The target is a stream, which has nothing beside it.
        """
        ...

    def end_parts(self) -> tuple[str, ...]:
        """Claim the numbered names behind the last part; return the files that go for that.

        They are parts of an earlier, larger report, and are removed once this one is in place.
        """
        ...


class FolderSink(Protocol):
    """The folder that an exporter writes files to; it is published whole."""

    def open(self, name: str) -> BinaryIO:
        """Return a new file of the report, to be closed before the next is opened.

        Args:
            name: Its path in the folder, with `/` between folders: `data/jobs.json`.

        Raises:
            ValueError: The name leads out of the folder, is no name of a file, or is taken.
            ExportTargetError: The file can't be created.
        """
        ...


class ExportContext(Protocol):
    """What an exporter is given besides the session."""

    @property
    def options(self) -> Any:
        """An instance of the exporter's own `Options`; something empty if it has none."""
        ...

    @property
    def now(self) -> datetime:
        """The moment to print: the session's last event or `SOURCE_DATE_EPOCH`, in UTC."""
        ...

    @property
    def lang(self) -> str:
        """The language for people, such as `de`; `holdall.languages.load_catalog` takes it."""
        ...

    @property
    def color(self) -> bool:
        """Whether who reads the report sees colours: `holdall export` writes it to a terminal."""
        ...

    @property
    def columns(self) -> int:
        """Columns of the terminal that `holdall export` writes to; 0 if it goes to none."""
        ...

    @property
    def provenance(self) -> str:
        """The exporter's own distribution and version, for formats that can carry it."""
        ...

    @property
    def unit(self) -> BoundUnit | None:
        """The exporter unit that was asked for, with its data; None without one."""
        ...

    @property
    def temporary_folder(self) -> Path:
        """A private folder that is gone after the export."""
        ...

    def warn(self, code: str, text: str) -> None:
        """Note in the `ExportReport` that something was left out or changed."""
        ...

    def count(self, what: str, number: int = 1) -> None:
        """Note in the `ExportReport` how often something was left out, such as `logs cut`."""
        ...

    def progress(self, done: int, total: int) -> None:
        """Tell how far the export is; raises `ExportCancelled` when it is to stop."""
        ...

    def check_cancelled(self) -> None:
        """Raise `ExportCancelled` when the export is to stop."""
        ...

    def kind_of(self, exporter_id: str) -> ReportKind:
        """Return what the reports of another exporter are; it may be named by an alias.

        Raises:
            PluginError: There is no such exporter, or it can't be loaded.
            NestedReportError: It is the one that writes now.
        """
        ...

    def render(self, exporter_id: str, view: SessionView, options: object = None) -> BinaryIO:
        """Return another exporter's report as a file opened at its start.

        Raises:
            PluginError: There is no such exporter, it can't be loaded, or it failed.
            NestedReportError: It is the one that writes now.
        """
        ...


class ExportWarning(NamedTuple):
    """Something that a report had to leave out or change: a word for programs, and a sentence.

    Attributes:
        code: A word for programs.
        text: A sentence for people.
    """

    code: str
    text: str


class ReportKind(NamedTuple):
    """The kind of an exporter's reports: canonical id, file name ending and media type.

    Attributes:
        id: Canonical id of the exporter.
        suffix: File name ending, with the dot.
        media_type: What the bytes are.
        options: Names of the exporter's own options.
    """

    id: str
    suffix: str
    media_type: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """The result of one export: what was written, by which exporter, or why it failed.

    Attributes:
        exporter: Canonical id; the name that was asked for if no exporter was found.
        target: The path, or what is known of the stream.
        size: Bytes written.
        media_type: What the bytes are.
        sha256: Digest of the bytes written; of a folder, that of the list of its files which
            `sha256sum` would print, in the order of their names.
        distribution: Name of the distribution that the exporter comes from.
        version: Version of that distribution.
        warnings: What was left out or changed.
        changes: How often something was masked, cut or left out before the exporter saw it,
            by what it was: `redacted: secret TOKEN`, `logs cut`, `jobs left out`...
        parts: Further files, where the report was split; all files, where it is a folder.
        ignored_options: Names of options that the exporter does not have.
        duration_s: Seconds it took.
        exception: What went wrong; None if nothing did.
    """

    exporter: str
    target: str
    size: int = 0
    sha256: str = ""
    media_type: str = ""
    distribution: str = ""
    version: str = ""
    warnings: tuple[ExportWarning, ...] = ()
    changes: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    ignored_options: tuple[str, ...] = ()
    duration_s: float = 0.0
    exception: Exception | None = field(default=None, compare=False)

    @property
    def error(self) -> str | None:
        """The message of the error; None if the export succeeded."""
        return None if self.exception is None else str(self.exception)

    def as_dict(self) -> dict[str, object]:
        """Return the report as values that JSON knows."""
        return {
            "exporter": self.exporter,
            "target": self.target,
            "size": self.size,
            "sha256": self.sha256,
            "media_type": self.media_type,
            "distribution": self.distribution,
            "version": self.version,
            "warnings": [warning._asdict() for warning in self.warnings],
            "changes": dict(self.changes),
            "parts": list(self.parts),
            "ignored_options": list(self.ignored_options),
            "duration_s": round(self.duration_s, 6),
            "error": self.error,
        }
