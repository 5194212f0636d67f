"""Errors of providers, their units and the records these are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.errors.root import HoldallError, listed, near

if TYPE_CHECKING:
    from collections.abc import Sequence


class ProviderError(HoldallError):
    """A provider can't be found or read."""


class UnknownProviderError(ProviderError, LookupError):
    """The name matches no installed provider and no path."""

    def __init__(self, source: str, known: Sequence[str] = ()) -> None:
        super().__init__(source, known)
        self.source = source
        self.known = tuple(known)

    def __str__(self) -> str:
        return (
            f"no provider is called {self.source!r} and no such path exists"
            f"{near(self.source, self.known)} (installed: {listed(self.known)}; a path or "
            "loader:path works too)"
        )


class AmbiguousProviderError(ProviderError, LookupError):
    """Several providers on this machine have the name that was asked for."""

    def __init__(self, name: str, sources: Sequence[str]) -> None:
        super().__init__(name, sources)
        self.name = name
        self.sources = tuple(sources)

    def __str__(self) -> str:
        return (
            f"several providers are called {self.name!r}: {' and '.join(self.sources)}; write the "
            "path of the one that is meant, or remove the others"
        )


class ProviderLoadError(ProviderError):
    """The source exists but can't be loaded as a provider."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot load a provider from {self.source!r}: {self.reason}"


class UnitError(HoldallError, ValueError):
    """The definition of a unit is invalid."""

    def __init__(self, unit_id: str, origin: str, reason: str) -> None:
        super().__init__(unit_id, origin, reason)
        self.unit_id = unit_id
        self.origin = origin
        self.reason = reason

    def __str__(self) -> str:
        location = f" ({self.origin})" if self.origin else ""
        return f"unit {self.unit_id!r}{location}: {self.reason}"


class RecordSyntaxError(HoldallError, ValueError):
    """A line of records is neither a field, nor a continuation, nor a comment."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
