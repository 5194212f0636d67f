"""The promises of importers as tests: subclass, name the class, give samples, and run pytest.

class TestTable(ImporterContract):
    importer = TableImporter

    @pytest.fixture
    def samples(self) -> list[Path]:
        return [Path(__file__).parent / "samples" / "table.csv"]
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from holdall.testing.checks.importers.subject import ImporterSubject, recorded
from holdall.testing.promises import each_promise, require_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from holdall.contracts import Importer
    from holdall.view import SessionView

__all__ = ["ImporterContract", "ImporterSubject", "imported", "recorded"]


def imported(importer: type[Importer], source: Path) -> SessionView:
    """Return the session that *importer* makes of *source*, in memory.

    Raises:
        BaseException: Whatever the importer raises.
    """
    view, error = ImporterSubject(importer=importer).load(source)
    if error is not None:
        raise error
    return view


class ImporterContract:
    """The promises of an importer; each test is one of them.

    The checks are those that `holdall plugins check` makes.
    """

    importer: ClassVar[type[Importer]]
    allowance_mib: ClassVar[float] = 5.0
    import_ms: ClassVar[float] = 1000.0

    @pytest.fixture
    def samples(self) -> Sequence[Path]:
        """Files or folders that it reads; checks that need one are skipped without."""
        return ()

    @each_promise("importers")
    def test_it_keeps_the_promise(
        self, check: Callable[[ImporterSubject], None], samples: Sequence[Path]
    ) -> None:
        """One promise, which the check's name and first line say."""
        subject = replace(
            ImporterSubject.of(self.importer, samples),
            allowance_mib=self.allowance_mib,
            import_ms=self.import_ms,
        )
        require_kept(check, subject)
