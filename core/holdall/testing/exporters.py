"""The promises of exporters as tests: subclass, name the class, and run pytest.

class TestMarkdown(ExporterContract):
    exporter = MarkdownExporter
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from holdall.testing.checks.exporters.subject import (
    ID,
    Discarding,
    ExporterSubject,
    exported,
    registry_of,
)
from holdall.testing.promises import each_promise, require_kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import AnyExporter
    from holdall.registry import Registry
    from holdall.testing.sessions import SampleSession

__all__ = ["ID", "Discarding", "ExporterContract", "exported", "registry_of"]


class ExporterContract:
    """The promises of an exporter; each test is one of them.

    The checks are those that `holdall plugins check` makes.
    """

    exporter: ClassVar[type[AnyExporter]]
    many_jobs: ClassVar[int] = 10_000
    allowance_mib: ClassVar[float] = 5.0
    import_ms: ClassVar[float] = 1000.0

    def registry(self) -> Registry:
        """Return the registry to use; override it if the exporter renders others."""
        return registry_of(self.exporter)

    def export(self, session: SampleSession) -> bytes:
        """Return the report on *session*; override it to look at every report more closely."""
        return exported(self.exporter, session, registry=self.registry())

    @each_promise("exporters")
    def test_it_keeps_the_promise(self, check: Callable[[ExporterSubject], None]) -> None:
        """One promise, which the check's name and first line say."""
        subject = replace(
            ExporterSubject.of(self.exporter, self.registry),
            writer=self.export,
            many_jobs=self.many_jobs,
            allowance_mib=self.allowance_mib,
            import_ms=self.import_ms,
        )
        require_kept(check, subject)
