"""What every exporter promises, as tests: subclass, say which class, and run pytest.

class TestMarkdown(ExporterContract):
    exporter = MarkdownExporter
"""

from __future__ import annotations

import tracemalloc
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from holdall.errors import ExportCancelled
from holdall.exports.options import describe_options
from holdall.exports.pipeline import export
from holdall.registry import Registry
from holdall.shapes import misfits
from holdall.testing.sessions import big_session, empty_session, sample_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.contracts import Exporter
    from holdall.exports.pipeline import Session
    from holdall.testing.sessions import SampleSession

ID = "test.exporter"
"""The id that the exporter goes by in these tests."""


class Discarding:
    """A stream that keeps nothing, to measure what an exporter keeps."""

    def write(self, data: bytes) -> int:
        """Forget *data*."""
        return len(data)


def exported(
    exporter: type[Exporter],
    session: Session | SampleSession,
    options: object | Mapping[str, Any] = (),
    *,
    registry: Registry | None = None,
) -> bytes:
    """Return the report on *session* by a class that need not be installed."""
    stream = BytesIO()
    export(session, ID, stream, options=options, registry=registry or registry_of(exporter))
    return stream.getvalue()


def registry_of(exporter: type[Exporter]) -> Registry:
    """Return a registry of the one exporter, under `ID`."""
    registry = Registry.empty()
    registry.register("exporters", ID, exporter)
    return registry


class ExporterContract:
    """The promises of an exporter; each test is one of them."""

    exporter: ClassVar[type[Exporter]]
    many_jobs: ClassVar[int] = 10_000
    allowance_mib: ClassVar[float] = 5.0

    def registry(self) -> Registry:
        """Return the registry to use; override it if the exporter renders others."""
        return registry_of(self.exporter)

    def export(self, session: SampleSession) -> bytes:
        """Return the report on *session*."""
        return exported(self.exporter, session, registry=self.registry())

    def test_the_class_has_the_shape_of_an_exporter(self) -> None:
        """Its members and signatures are those of the contract."""
        assert misfits("exporters", self.exporter) == []

    def test_every_option_is_described_and_has_a_default(self) -> None:
        """The options can be listed, each with words of help."""
        rows = describe_options(self.exporter.Options)

        assert [row.name for row in rows if not row.help] == []
        assert self.exporter.Options() is not None

    def test_a_session_with_everything_in_it_is_exported(self) -> None:
        """No outcome, no missing value and no hostile text stops it."""
        assert self.export(sample_session())

    def test_an_empty_session_is_exported(self) -> None:
        """A session without jobs and devices gives a report too."""
        assert self.export(empty_session())

    def test_the_same_session_gives_the_same_bytes(self) -> None:
        """Neither the moment nor chance is in a report."""
        assert self.export(sample_session()) == self.export(sample_session())

    def test_the_view_is_left_as_it_was(self) -> None:
        """What is exported twice from one view is the same both times."""
        view = sample_session().view()
        first = exported(self.exporter, view, registry=self.registry())

        assert exported(self.exporter, view, registry=self.registry()) == first

    def test_memory_does_not_grow_with_the_number_of_jobs(self) -> None:
        """Jobs are written one by one and never gathered."""
        view = big_session(self.many_jobs).view()
        registry = self.registry()
        export(empty_session(), ID, BytesIO(), registry=registry)  # imports and caches
        tracemalloc.start()
        try:
            export(view, ID, Discarding(), registry=registry)
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert peak < self.allowance_mib * 2**20

    def test_a_large_export_can_be_cancelled(self) -> None:
        """It asks now and then whether to go on."""
        asked = iter([False, False])

        with pytest.raises(ExportCancelled):
            export(
                big_session(1000),
                ID,
                BytesIO(),
                registry=self.registry(),
                cancelled=lambda: next(asked, True),
            )
