"""What a plugin of each kind must be: Protocols, for authors and type checkers.

An author needs none of them at run time. A class that has these members, with
these signatures, is such a plugin; what it can count on stands in the docstrings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from holdall.exports.exporter_units import BoundUnit
    from holdall.exports.report import ReportKind
    from holdall.exports.view import SessionView
    from holdall.journal.describe import SessionInfo
    from holdall.providers import Provider
    from holdall.results import Interruption, JobResult, Stream
    from holdall.units import Job

Mode = Literal["w", "r"]


class Repository(Protocol):
    """A place that holds many sessions: class of the group `holdall.repositories`.

    It is made by `from_url(url, inner)`; *inner* is the repository behind `::`
    for a wrapper, and None for a store. Making one touches nothing: a folder or
    a database is made when the first session is created.
    """

    @classmethod
    def from_url(cls, url: str, inner: Repository | None) -> Repository:
        """Return the repository that *url* names, or raise `StoreUrlError`."""
        ...

    @property
    def url(self) -> str:
        """The URL that names this repository again."""
        ...

    def create(self, session_id: str) -> Storage:
        """Return the open storage of a new session.

        Raises:
            SessionExistsError: There is one of that id.
        """
        ...

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session that exists.

        Args:
            mode: `r` reads beside a writer that is alive, and changes nothing at all.
            take_over: Go on although another writer seems alive; it will be refused from then on.

        Raises:
            UnknownSessionError: There is no such session.
            LockedStorageError: Another writer is known to be alive.
        """
        ...

    def list(self) -> Iterator[SessionInfo]:
        """Yield what is known of each session, newest first, damaged ones too.

        `holdall.journal.describe(self, ids)` does it for any store that knows its ids.
        """
        ...

    def remove(self, session_id: str) -> None:
        """Remove a session; nothing of it can be read afterwards.

        Raises:
            UnknownSessionError: There is no such session.
            LockedStorageError: A writer has it open.
        """
        ...


class Storage(Protocol):
    """One session's place in a repository: numbered entries, blobs and logs.

    Entries are opaque bytes, numbered from 1 without gaps.
    """

    @property
    def id(self) -> str:
        """The session's id."""
        ...

    @property
    def where(self) -> str:
        """The place, for messages."""
        ...

    @property
    def repository(self) -> Repository:
        """The repository that opened it."""
        ...

    @property
    def head(self) -> int:
        """Number of the last entry, 0 if there is none."""
        ...

    def append(self, entries: Sequence[bytes], *, expect: int) -> int:
        """Store *entries* behind entry *expect*, all or none, and return the new head.

        Returns only when they would survive a power cut. Repeating a call whose
        outcome is unclear is safe: entries that are already there are not doubled.

        Raises:
            StaleWriterError: The head is not *expect*, or another writer took over.
            StorageFullError: No room; nothing was stored and the storage stays usable.
            FailedStorageError: A step failed in a way that leaves its outcome
                unclear; this handle refuses all further work.
        """
        ...

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*: a prefix of what was appended."""
        ...

    def trim(self, below: int) -> None:
        """Drop the entries before number *below*; the others keep their numbers."""
        ...

    def put_blob(self, chunks: Iterable[bytes]) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        ...

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes that *ref* names; damaged ones raise while they are read."""
        ...

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending, a new one or what a crash left of one."""
        ...

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        ...


class LogWriter(Protocol):
    """A log that grows while a job runs; after a crash it is whole up to the last flush."""

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        ...

    def write(self, data: bytes) -> None:
        """Append bytes; they may wait in memory until `flush`."""
        ...

    def flush(self) -> None:
        """Hand everything to the store: from now on it survives the end of this process."""
        ...

    def seal(self) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        ...

    def discard(self) -> None:
        """Drop the log."""
        ...


class Exporter(Protocol):
    """Writes a session as bytes: class of the group `holdall.exporters`.

    Attributes:
        summary: One line for lists.
        suffix: File name ending, with the dot.
        media_type: What the bytes are.
        Options: A dataclass, attrs class or msgspec Struct whose fields all have defaults.
    """

    summary: ClassVar[str]
    suffix: ClassVar[str]
    media_type: ClassVar[str]
    Options: ClassVar[type]

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write *view* to *sink*, piece by piece, the same bytes for the same input."""
        ...


class Sink(Protocol):
    """Where an exporter's bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes of the report."""
        ...


class ExportContext(Protocol):
    """What an exporter is told besides the session."""

    @property
    def options(self) -> Any:
        """An instance of the exporter's own `Options`."""
        ...

    @property
    def now(self) -> datetime:
        """The moment to print: the session's last event or `SOURCE_DATE_EPOCH`, in UTC."""
        ...

    @property
    def lang(self) -> str:
        """The language for people, such as `de`; `holdall.languages.catalog` has its words."""
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


class ProviderLoader(Protocol):
    """Makes a provider out of something: class of the group `holdall.provider_loaders`."""

    def accepts(self, source: str) -> bool:
        """Whether *source* looks like something this loader reads; looking is all it does."""
        ...

    def load(self, source: str) -> Provider:
        """Return the provider; nothing of it is executed.

        Raises:
            ProviderLoadError: There is nothing of the kind; single bad records
                are `problems` of the provider instead.
        """
        ...


class Person(Protocol):
    """Somebody who does what a manual job says, and tells what came of it."""

    def is_ready(self, job: Job) -> bool:
        """Show what is to be done and wait; False when the person would rather skip it."""
        ...

    def decide(self, job: Job, result: JobResult | None) -> JobResult:
        """Return the outcome and comments that the person gives for the job.

        Args:
            result: What the job's command came to, None if it has none.
        """
        ...


class Task(Protocol):
    """What a runner is told of one attempt at a job."""

    @property
    def job(self) -> Job:
        """What to do."""
        ...

    @property
    def folder(self) -> Path:
        """A folder of the attempt's own, gone afterwards."""
        ...

    @property
    def environ(self) -> dict[str, str]:
        """The variables the command sees, complete."""
        ...

    @property
    def timeout(self) -> float | None:
        """Seconds after which the attempt is to be ended, None for never."""
        ...

    @property
    def person(self) -> Person | None:
        """The person at the terminal; None where there is nobody."""
        ...

    def started(self, process: ProcessMark | None) -> None:
        """Make durable that the attempt starts; the command may run only once it returned."""
        ...

    def output(self, stream: Stream, data: bytes) -> None:
        """Record what the job wrote just now.

        A runner calls it with no data while the job is silent, a few times a
        second, so that what was written before is soon safe.
        """
        ...


@runtime_checkable
class ProcessMark(Protocol):
    """Tells one process from all others, also after a reboot."""

    @property
    def pid(self) -> int:
        """Number of the process, which is also that of its group."""
        ...

    @property
    def started(self) -> str:
        """When the system says it started, in a form of the system's own."""
        ...

    @property
    def boot_id(self) -> str:
        """Which boot of the machine that was; empty where the system has no such thing."""
        ...


class Runner(Protocol):
    """Performs jobs on a device: class of the group `holdall.runners`."""

    def run(self, task: Task) -> JobResult:
        """Perform the job and return what came out; the I/O log is taken from `task.output`."""
        ...

    def interrupted(self, process: ProcessMark | None) -> Interruption:
        """End what is left of an attempt that never finished, and tell what interrupted it."""
        ...


class Importer(Protocol):
    """Makes a session out of another tool's files: class of the group `holdall.importers`."""

    def load(self, source: str) -> Iterator[Any]:
        """Yield the events that make up the session."""
        ...
