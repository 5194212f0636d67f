"""The promises of provider packages as tests: subclass, name the provider, and run pytest.

class TestDisks(ProviderContract):
    provider = "disks"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from holdall.testing.checks.providers.promises import ProviderSubject
from holdall.testing.promises import each_promise, require_kept

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ProviderContract", "ProviderSubject"]


class ProviderContract:
    """The promises of an installed provider; each test is one of them.

    The checks are those that `holdall plugins check` makes.
    """

    provider: ClassVar[str]

    @each_promise("providers")
    def test_it_keeps_the_promise(self, check: Callable[[ProviderSubject], None]) -> None:
        """One promise, which the check's name and first line say."""
        require_kept(check, ProviderSubject.installed(self.provider))
