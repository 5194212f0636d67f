"""The contract of provider loaders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from holdall.units import Provider


class ProviderLoader(Protocol):
    """Makes a provider out of something: class of the group `holdall.provider_loaders`."""

    def accepts(self, source: str) -> bool:
        """Whether *source* looks like something this loader reads; looking is all it does."""
        ...

    def load(self, source: str) -> Provider:
        """Return the provider, without executing any of its code.

        Raises:
            ProviderLoadError: There is nothing of the kind; single bad records
                are `problems` of the provider instead.
        """
        ...
