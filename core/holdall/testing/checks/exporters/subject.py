"""The exporter under test, and the ways to make it write."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from holdall.exports import LISTING, export
from holdall.registry import PluginPolicy, Registry
from holdall.testing.checks.fresh import declared, fresh_python, installed_class
from holdall.testing.checks.outcomes import CheckSkipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from holdall.contracts import AnyExporter
    from holdall.exports import Session
    from holdall.registry import Candidate
    from holdall.testing.sessions import SampleSession

T = TypeVar("T")

ID = "test.exporter"
"""The id that an exporter goes by in the checks."""


class Discarding:
    """A stream that keeps nothing, to measure what an exporter keeps."""

    def write(self, data: bytes) -> int:
        """Forget *data*."""
        return len(data)


def registry_of(exporter: type[AnyExporter]) -> Registry:
    """Return a registry of the one exporter, under `ID`."""
    registry = Registry.empty()
    registry.register("exporters", ID, exporter)
    return registry


def exported(
    exporter: type[AnyExporter],
    session: Session | SampleSession,
    options: object | Mapping[str, Any] = (),
    *,
    registry: Registry | None = None,
) -> bytes:
    """Return the report on *session* by a class that need not be installed.

    A report that is a folder is returned as its files, one behind the other.
    """
    with target_for(exporter, BytesIO()) as target:
        plugins = registry or registry_of(exporter)
        export(session, ID, target, options=options, registry=plugins)
        return target.getvalue() if isinstance(target, BytesIO) else b"".join(files_in(target))


@contextmanager
def target_for(exporter: type[AnyExporter], stream: T) -> Iterator[T | Path]:
    """Give *stream* to write a report to, or a folder's path if the report is a folder."""
    if getattr(exporter, "output", "file") != "folder":
        yield stream
        return
    with TemporaryDirectory(prefix="holdall-report-") as folder:
        yield Path(folder) / "report"


def files_in(folder: Path) -> Iterator[bytes]:
    """Yield the name of each file of a report, and what it holds, in the order of names."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.name != LISTING:
            yield f"== {path.relative_to(folder).as_posix()}\n".encode()
            yield path.read_bytes()


@dataclass(frozen=True, kw_only=True)
class ExporterSubject:
    """An exporter to check.

    Attributes:
        exporter: Its class.
        registry: Makes a registry that has the class under `ID`, and what it renders.
        candidate: Its installed declaration; None for a class that is not installed.
        writer: Writes the report on a session, if not the usual way.
        many_jobs: Jobs of the session that memory is measured with.
        allowance_mib: How much memory one export may take.
        import_ms: How much CPU time its import may take; the load of the machine adds none.
    """

    exporter: type[AnyExporter]
    registry: Callable[[], Registry]
    candidate: Candidate | None = None
    writer: Callable[[Any], bytes] | None = None
    many_jobs: int = 10_000
    allowance_mib: float = 5.0
    import_ms: float = 1000.0

    @classmethod
    def installed(cls, name: str, registry: Registry | None = None) -> ExporterSubject:
        """Return the installed exporter of that name.

        Raises:
            PluginError: There is none, or it can't be loaded.
        """
        plugins = registry or Registry.discover()
        candidate = plugins.resolve("exporters", name)
        exporter: type[AnyExporter] = plugins.load("exporters", candidate.id)

        def make() -> Registry:
            made = Registry.discover(
                PluginPolicy.of(prefer={candidate.id: candidate.distribution})
            )
            made.register("exporters", ID, exporter)
            return made

        return cls(exporter=exporter, registry=make, candidate=declared(candidate))

    @classmethod
    def of(
        cls, exporter: type[AnyExporter], registry: Callable[[], Registry] | None = None
    ) -> ExporterSubject:
        """Return the subject for a class; if it is installed, that is checked as well."""
        return cls(
            exporter=exporter,
            registry=registry or (lambda: registry_of(exporter)),
            candidate=installed_class("exporters", exporter),
        )

    def export(self, session: Session | SampleSession) -> bytes:
        """Return the report on *session*."""
        if self.writer is not None:
            return self.writer(session)
        return exported(self.exporter, session, registry=self.registry())

    def python(self, program: str, *arguments: str, **variables: str) -> str:
        """Return what a program prints in a fresh process that knows the same modules.

        Raises:
            CheckSkipped: The class is not installed, so a fresh process could not find it.
        """
        if self.candidate is None:
            raise CheckSkipped("the class is not declared by an installed distribution")
        return fresh_python(program, *arguments, **variables)

    @property
    def id(self) -> str:
        """The id it is installed under."""
        return self.candidate.id if self.candidate else ID

    @property
    def distribution(self) -> str:
        """The distribution that declares it."""
        return self.candidate.distribution if self.candidate else ""
