"""The contract of provider loaders, and what one may do besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


@runtime_checkable
class Translates(Protocol):
    """A loader that also loads what people read in another language."""

    def load_in(self, source: str, lang: str) -> Provider:
        """Return the provider that `load` returns, its texts in *lang* as far as it has them."""
        ...


class InstalledProvider(NamedTuple):
    """A provider that a loader finds on this machine.

    Attributes:
        name: As its definition has it, such as `com.example:disks`.
        identity: What no two providers may share.
        version: As its definition has it.
        source: What the loader takes for it, such as a path.
        state: Only `ready` ones are loaded by their names.
        reason: Why another state, and what to do.
    """

    name: str
    identity: str
    version: str
    source: str
    state: Literal["ready", "shadowed", "ambiguous", "broken"] = "ready"
    reason: str = ""


@runtime_checkable
class FindsProviders(Protocol):
    """A loader that knows where providers of its kind are installed."""

    def find(self, environ: Mapping[str, str]) -> Iterable[InstalledProvider]:
        """Yield what is installed, without reading any unit.

        Args:
            environ: Variables that may say where to look.
        """
        ...
