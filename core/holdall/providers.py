"""Loading providers: how the text that a user types is resolved to one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.contracts import FindsProviders, Translates
from holdall.errors import (
    AmbiguousProviderError,
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
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.contracts import InstalledProvider, ProviderLoader
    from holdall.registry import Candidate, Identity

_LANG: Final = "?lang="


def load_provider(
    source: str | os.PathLike[str],
    *,
    registry: Registry | None = None,
    lang: str = "",
    environ: Mapping[str, str] | None = None,
) -> Provider:
    """Return the provider that *source* names, without executing any of its code.

    Args:
        source: `loader:path`, a path, the name of an installed provider, or of one that a
            loader finds on this machine, tried in this order; `?lang=de` behind it says *lang*.
        registry: Where loaders and installed providers are looked up.
        lang: Language of what people read, as far as the provider has it.
        environ: Variables that say where loaders find providers; by default they find none.

    Raises:
        UnknownProviderError: It names neither a path nor an installed provider.
        AmbiguousProviderError: Several providers that loaders find have that name.
        ProviderLoadError: No provider can be made of what is there.
        PluginError: The loader that was asked for can't be used, or failed.
    """
    registry = Registry.given(registry)
    text = os.fspath(source)
    if not lang and not os.path.lexists(text):
        text, _mark, lang = text.partition(_LANG)
    prefix, _, rest = text.partition(":")
    if rest and prefix in _names(registry, "provider_loaders"):
        return _load(registry, prefix, rest, lang)
    path = os.path.abspath(text)  # noqa: PTH100 - a loader is given text, as the user would
    exists = os.path.lexists(path)
    loader_name = _accepting(registry, path) if exists or os.sep in text else None
    if loader_name:
        return _load(registry, loader_name, path, lang)
    try:
        return _installed(registry, registry.resolve("providers", text), lang)
    except UnknownPluginError as exc:
        candidates = list(_found(registry, environ))
        match = _named(text, candidates)
        if match is not None:
            return _load(registry, match.loader, match.provider.source, lang)
        if exists:
            raise ProviderLoadError(path, _nobody(registry)) from exc
        known = [*_names(registry, "providers"), *(found.provider.name for found in candidates)]
        raise UnknownProviderError(text, list(dict.fromkeys(known))) from exc


def found_providers(registry: Registry, environ: Mapping[str, str]) -> list[InstalledProvider]:
    """Return the providers that loaders find on this machine; their units are not read."""
    return [candidate.provider for candidate in _found(registry, environ)]


def installed_providers(registry: Registry | None = None) -> Iterator[Provider | HoldallError]:
    """Yield each installed provider, or why it can't be used, sorted by name."""
    registry = Registry.given(registry)
    for name in _names(registry, "providers"):
        try:
            yield _installed(registry, registry.resolve("providers", name), "")
        except HoldallError as exc:
            yield exc


def _names(registry: Registry, kind: str) -> list[str]:
    return list(dict.fromkeys(candidate.id for candidate in registry.candidates(kind)))


class _Candidate(NamedTuple):
    loader: str
    provider: InstalledProvider


def _found(registry: Registry, environ: Mapping[str, str] | None) -> Iterator[_Candidate]:
    """Yield what loaders find, if they are to look; broken loaders are passed over."""
    if environ is None:
        return
    for name in _names(registry, "provider_loaders"):
        try:
            loader, plugin = _loader(registry, name)
            if isinstance(loader, FindsProviders):
                with calling(plugin, "finding providers"):
                    providers = list(loader.find(environ))
                yield from (_Candidate(name, provider) for provider in providers)
        except PluginError:
            continue


def _named(text: str, candidates: Sequence[_Candidate]) -> _Candidate | None:
    """Return the candidate of that name, or whose name ends so behind its namespace.

    Raises:
        AmbiguousProviderError: Several have it.
        ProviderLoadError: The one that has it can't be used.
    """
    usable = [candidate for candidate in candidates if candidate.provider.state != "shadowed"]
    for matches in (
        [candidate for candidate in usable if candidate.provider.identity == text],
        [candidate for candidate in usable if candidate.provider.name == text],
        [c for c in usable if c.provider.identity.rpartition(":")[2] == text],
    ):
        if len(matches) > 1:
            raise AmbiguousProviderError(text, [match.provider.source for match in matches])
        for match in matches:
            if match.provider.state == "broken":
                raise ProviderLoadError(match.provider.source, match.provider.reason)
            return match
    return None


def _installed(registry: Registry, candidate: Candidate, lang: str) -> Provider:
    try:
        provider = _load(registry, "package", candidate.target, lang)
    except ProviderLoadError as error:
        error.add_note(f"it is the provider {candidate.id!r} of {candidate.origin}")
        raise
    provider.source = candidate.id + (f"{_LANG}{lang}" if lang else "")
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


def _load(registry: Registry, name: str, source: str, lang: str) -> Provider:
    loader, plugin = _loader(registry, name)
    with calling(plugin, f"loading {source!r}") as call:
        if lang and isinstance(loader, Translates):
            provider = call.returned(loader.load_in(source, lang), Provider)
        else:
            lang = ""
            provider = call.returned(loader.load(source), Provider)
    provider.loader = name
    provider.source = f"{name}:{provider.source or source}" + (f"{_LANG}{lang}" if lang else "")
    return provider


def _loader(registry: Registry, name: str) -> tuple[ProviderLoader, Identity]:
    loader_class: type[ProviderLoader] = registry.load("provider_loaders", name)
    plugin = registry.resolve("provider_loaders", name).identity
    with calling(plugin, "starting"):
        return loader_class(), plugin
