"""Providers: named collections of units, and how one is found by what a user types."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Literal, TypeVar, get_args

import msgspec

from holdall.errors import (
    HoldallError,
    PluginCallError,
    PluginError,
    ProviderLoadError,
    UnknownPluginError,
    UnknownProviderError,
)
from holdall.errors.root import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from holdall.candidates import Candidate
    from holdall.contracts import ProviderLoader
    from holdall.registry import Registry
    from holdall.units import Unit

Severity = Literal["error", "warning"]
T = TypeVar("T")


class Problem(msgspec.Struct, frozen=True):
    """Something wrong with a provider that leaves the rest of it usable.

    Attributes:
        line: Counted from 1; 0 if the file as a whole is meant.
        severity: `error` if a definition is lost, `warning` if none is.
    """

    file: str
    line: int
    severity: Severity
    message: str

    def __post_init__(self) -> None:
        if self.severity not in get_args(Severity):
            raise ValueError(f"a problem is an error or a warning, not {self.severity!r}")

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.severity}: {self.message}"


class Provider:
    """A named, versioned collection of units in one namespace.

    Units are read when they are first asked for, and once. A definition that
    stands there twice counts once; of two different ones under one id the first
    counts, and the other is a problem.

    Attributes:
        source: What `load_provider` can be given to find the provider again.
        loader: Name of the loader; `load_provider` fills it in.
        folder: Where the provider lies, if it lies in a folder.
        data_folder: Files that its programs need.
        bin_folder: Its programs.
    """

    def __init__(
        self,
        name: str,
        *,
        namespace: str,
        version: str,
        source: str,
        read: Callable[[], Iterable[Unit | Problem]],
        description: str = "",
        loader: str = "",
        folder: Path | None = None,
        data_folder: Path | None = None,
        bin_folder: Path | None = None,
    ) -> None:
        self.name: Final = name
        self.namespace: Final = namespace
        self.version: Final = version
        self.description: Final = description
        self.source = source
        self.loader = loader
        self.folder: Final = folder
        self.data_folder: Final = data_folder
        self.bin_folder: Final = bin_folder
        self._read: Final = read
        self._content: tuple[list[Unit], list[Problem]] | None = None

    def __repr__(self) -> str:
        return f"<Provider {self.name} {self.version} from {self.source!r}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Provider):
            return NotImplemented
        return self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def _identity(self) -> tuple[str, str, str, str]:
        return (self.name, self.namespace, self.version, self.source)

    @property
    def unit_list(self) -> list[Unit]:
        """Every usable unit, in the order of the definitions; a list of the caller's own."""
        return list(self._settled()[0])

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the definitions, in their order; a list of the caller's own."""
        return list(self._settled()[1])

    def _settled(self) -> tuple[list[Unit], list[Problem]]:
        if self._content is None:
            self._content = _collected(self._read())
        return self._content


def _collected(found: Iterable[Unit | Problem]) -> tuple[list[Unit], list[Problem]]:
    units: list[Unit] = []
    problems: list[Problem] = []
    firsts: dict[tuple[str, str], Unit] = {}
    for item in found:
        if isinstance(item, Problem):
            problems.append(item)
            continue
        first = firsts.get((item.kind, item.id)) if item.id else None
        if first is None:
            firsts[item.kind, item.id] = item
            units.append(item)
        elif first.checksum != item.checksum:
            problems.append(_clash(first, item))
    return units, problems


def _clash(first: Unit, other: Unit) -> Problem:
    where = f" at {first.where}" if first.where else ""
    return Problem(
        file=other.origin.file if other.origin else "",
        line=other.origin.line if other.origin else 0,
        severity="error",
        message=(
            f"the {other.kind} {other.id!r} is defined before{where}, and differently; "
            "that one counts, give this one another id"
        ),
    )


def load_provider(source: str | os.PathLike[str], *, registry: Registry | None = None) -> Provider:
    """Return the provider that *source* names; nothing of it is executed.

    Args:
        source: `loader:path`, a path, or the name of an installed provider,
            tried in this order.
        registry: Where loaders and installed providers are looked up.

    Raises:
        UnknownProviderError: It names neither a path nor an installed provider.
        ProviderLoadError: No provider can be made of what is there.
        PluginError: The loader that was asked for can't be used, or failed.
    """
    registry = registry or _discovered()
    text = os.fspath(source)
    prefix, _, rest = text.partition(":")
    if rest and prefix in _names(registry, "provider_loaders"):
        return _load(registry, prefix, rest)
    path = os.path.abspath(text)  # noqa: PTH100 - a loader is given text, as the user would
    exists = os.path.lexists(path)
    loader_name = _accepting(registry, path) if exists else None
    if loader_name:
        return _load(registry, loader_name, path)
    try:
        return _installed(registry, registry.resolve("providers", text))
    except UnknownPluginError as exc:
        if exists:
            raise ProviderLoadError(path, _nobody(registry)) from exc
        raise UnknownProviderError(text, _names(registry, "providers")) from exc


def installed_providers(registry: Registry | None = None) -> Iterator[Provider | HoldallError]:
    """Yield each installed provider, or why it can't be used, sorted by name."""
    registry = registry or _discovered()
    for name in _names(registry, "providers"):
        try:
            yield _installed(registry, registry.resolve("providers", name))
        except HoldallError as exc:
            yield exc


def _discovered() -> Registry:
    from holdall.registry import Registry

    return Registry.discover()


def _names(registry: Registry, kind: str) -> list[str]:
    return list(dict.fromkeys(candidate.id for candidate in registry.candidates(kind)))


def _installed(registry: Registry, candidate: Candidate) -> Provider:
    provider = _load(registry, "package", candidate.target)
    provider.source = candidate.id
    return provider


def _accepting(registry: Registry, path: str) -> str | None:
    """Return the name of the first loader that takes *path*; broken ones are passed over."""
    for name in _names(registry, "provider_loaders"):
        try:
            loader, candidate = _loader(registry, name)
            if _call(candidate, f"looking at {path!r}", loader.accepts, path):
                return name
        except PluginError:
            continue
    return None


def _nobody(registry: Registry) -> str:
    asked = listed(_names(registry, "provider_loaders"))
    return f"no loader takes it (asked: {asked}); write loader:path to be told why one does not"


def _load(registry: Registry, name: str, source: str) -> Provider:
    loader, candidate = _loader(registry, name)
    doing = f"loading {source!r}"
    provider: object = _call(candidate, doing, loader.load, source)
    if not isinstance(provider, Provider):
        raise _blame(candidate, doing, f"it returned {provider!r} and not a Provider")
    provider.loader = name
    provider.source = f"{name}:{provider.source or source}"
    return provider


def _loader(registry: Registry, name: str) -> tuple[ProviderLoader, Candidate]:
    make: Callable[[], ProviderLoader] = registry.load("provider_loaders", name)
    candidate = registry.resolve("provider_loaders", name)
    return _call(candidate, "starting", make), candidate


def _call(candidate: Candidate, doing: str, function: Callable[..., T], *args: str) -> T:
    """Call a loader; what it raises, other than our own errors, becomes one that names it."""
    try:
        return function(*args)
    except HoldallError:
        raise
    except Exception as exc:
        raise _blame(candidate, doing, f"{type(exc).__name__}: {exc}") from exc


def _blame(candidate: Candidate, doing: str, cause: str) -> PluginCallError:
    return PluginCallError("provider loader", candidate.id, candidate.origin, doing, cause)
