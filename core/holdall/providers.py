"""Loading providers: how the text that a user types is resolved to one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from holdall.errors import (
    HoldallError,
    PluginError,
    ProviderLoadError,
    UnknownPluginError,
    UnknownProviderError,
    listed,
)
from holdall.registry import Registry, calling
from holdall.units import Provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import ProviderLoader
    from holdall.registry import Candidate, Identity


def load_provider(source: str | os.PathLike[str], *, registry: Registry | None = None) -> Provider:
    """Return the provider that *source* names, without executing any of its code.

    Args:
        source: `loader:path`, a path, or the name of an installed provider,
            tried in this order.
        registry: Where loaders and installed providers are looked up.

    Raises:
        UnknownProviderError: It names neither a path nor an installed provider.
        ProviderLoadError: No provider can be made of what is there.
        PluginError: The loader that was asked for can't be used, or failed.
    """
    registry = Registry.given(registry)
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
    registry = Registry.given(registry)
    for name in _names(registry, "providers"):
        try:
            yield _installed(registry, registry.resolve("providers", name))
        except HoldallError as exc:
            yield exc


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
            loader, plugin = _loader(registry, name)
            with calling(plugin, f"looking at {path!r}"):
                if loader.accepts(path):
                    return name
        except PluginError:
            continue
    return None


def _nobody(registry: Registry) -> str:
    asked = listed(_names(registry, "provider_loaders"))
    return f"no loader takes it (asked: {asked}); write loader:path to see why one does not"


def _load(registry: Registry, name: str, source: str) -> Provider:
    loader, plugin = _loader(registry, name)
    with calling(plugin, f"loading {source!r}") as call:
        provider = call.returned(loader.load(source), Provider)
    provider.loader = name
    provider.source = f"{name}:{provider.source or source}"
    return provider


def _loader(registry: Registry, name: str) -> tuple[ProviderLoader, Identity]:
    loader_class: type[ProviderLoader] = registry.load("provider_loaders", name)
    plugin = registry.resolve("provider_loaders", name).identity
    with calling(plugin, "starting"):
        return loader_class(), plugin
