"""The promises of provider loaders as tests: subclass, name the class, give a source, run pytest.

class TestToml(ProviderLoaderContract):
    loader = TomlLoader

    @pytest.fixture
    def source(self) -> str:
        return str(Path(__file__).parent / "samples" / "disks.toml")
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from holdall.testing.checks.provider_loaders.subject import LoaderSubject
from holdall.testing.promises import each_promise, require_kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import ProviderLoader

__all__ = ["LoaderSubject", "ProviderLoaderContract"]


class ProviderLoaderContract:
    """The promises of a provider loader; each test is one of them.

    The checks are those that `holdall plugins check` makes.
    """

    loader: ClassVar[type[ProviderLoader]]
    import_ms: ClassVar[float] = 1000.0

    @pytest.fixture
    def source(self) -> str:
        """What it loads, such as a path; checks that need one are skipped without."""
        return ""

    @pytest.fixture
    def damaged(self) -> str:
        """A source with one bad record among good ones."""
        return ""

    @each_promise("provider_loaders")
    def test_it_keeps_the_promise(
        self, check: Callable[[LoaderSubject], None], source: str, damaged: str
    ) -> None:
        """One promise, which the check's name and first line say."""
        subject = replace(
            LoaderSubject.of(self.loader, [source] if source else []),
            damaged=[damaged] if damaged else [],
            import_ms=self.import_ms,
        )
        require_kept(check, subject)
