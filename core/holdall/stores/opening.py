"""Open a repository by its URL: stores by scheme, wrappers chained with `::`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from holdall.errors import PluginError, StoreUrlError, masked_url, near
from holdall.registry import Registry, calling
from holdall.settings import options_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import Repository

_WRAPPER: Final = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(\?[^:]*)?")
_SCHEME: Final = re.compile(r"(?P<name>[a-z][a-z0-9_]*):")


class NamedStore(NamedTuple):
    """A store under a name that the integrator gave it.

    Attributes:
        url: Its URL; of a wrapper over *inner*, its name and options.
        inner: Names or URLs of the stores that the wrapper is over.
    """

    url: str
    inner: tuple[str, ...] = ()


def open_repository(
    url: str | os.PathLike[str],
    *,
    registry: Registry | None = None,
    stores: Mapping[str, NamedStore] = MappingProxyType({}),
) -> Repository:
    """Return the repository that *url* names; nothing is created or locked yet.

    Args:
        url: `scheme:...`, with wrappers before it: `readonly::file:///var/lib/lab`; or one
            of the names in *stores*, which may stand behind wrappers as well. A path object
            is the folder of a `file` store.
        stores: Stores under names of their own.

    Raises:
        StoreUrlError: It is no such URL, or a named store is over itself.
        PluginError: The scheme or a wrapper is unknown, or its plugin can't be loaded.
        ConfigurationError: The settings of a plugin are no options of its class.
    """
    text = url if isinstance(url, str) else file_url(os.fspath(url))
    if not text.isprintable():
        raise StoreUrlError(text, "it holds a character that can't be printed")
    return _opened(text, Registry.given(registry), stores, ())


def _opened(
    url: str, registry: Registry, stores: Mapping[str, NamedStore], outer: tuple[str, ...]
) -> Repository:
    *wrappers, last = url.split("::")
    named = stores.get(last)
    if last in outer:
        raise StoreUrlError(last, f"it is over itself ({' over '.join((*outer, last))})")
    if named is None:
        scheme = _SCHEME.match(last)
        if not scheme:
            behind = f"{last!r} behind '::' (in a path write '%3A%3A')" if wrappers else "it"
            raise StoreUrlError(url, f"{behind} {_without_scheme(last, near(last, stores))}")
        repository = _made(registry, scheme["name"], last)
    elif named.inner:
        inner = [_opened(text, registry, stores, (*outer, last)) for text in named.inner]
        wrapper = _wrapper_name(named.url, named.url)
        repository = _made(registry, wrapper, named.url, *inner, known_as=last)
    else:
        repository = _opened(named.url, registry, stores, (*outer, last))
    for wrapper in reversed(wrappers):
        repository = _made(registry, _wrapper_name(wrapper, url), wrapper, repository)
    return repository


def _without_scheme(text: str, hint: str) -> str:
    """Return why *text* opens nothing, with what to write in its place."""
    if text.startswith(("/", "./", "../", "~")):
        path = Path(text).expanduser() if text.startswith("~/") else text
        return f"is a path; write {file_url(path)!r}"
    known = _SCHEME.match(text.strip().lower())
    if known:
        return f"does not begin with a scheme in lower case; write {known[0]!r} for its beginning"
    return f"does not begin with a scheme, as in 'file:///var/lib/lab'{hint}"


def _wrapper_name(text: str, url: str) -> str:
    name = _WRAPPER.fullmatch(text)
    if not name:
        raise StoreUrlError(url, f"{text!r} before '::' is no name of a wrapper")
    return name["name"]


def default_url() -> str:
    """Return the URL of the store in the user's data folder, used when nothing else is said."""
    from platformdirs import user_data_path

    return file_url(user_data_path("holdall") / "sessions")


def file_url(path: str | Path) -> str:
    """Return the URL of the file store in the folder *path*."""
    return Path(path).absolute().as_uri()


def _made(
    registry: Registry, name: str, url: str, *inner: Repository, known_as: str = ""
) -> Repository:
    try:
        plugin = registry.load("repositories", name)
    except PluginError as error:
        error.add_note(f"while opening the store {masked_url(url)!r}")
        raise
    options = options_of(plugin, registry.settings(name))
    plugin_id = registry.resolve("repositories", name).identity
    with calling(plugin_id, f"opening {url!r}"):
        repository = cast("Repository", plugin.from_url(url, *inner, options=options))
    # Commands that open no store take names of this module, and would pay for the border too.
    from holdall.stores.guard import GuardedRepository

    return GuardedRepository(repository, plugin_id, inner, known_as=known_as)


def plugins_of(repository: Repository) -> Iterator[str]:
    """Yield the ids of the plugins that an opened repository is made of, the outermost first."""
    from holdall.stores.guard import GuardedRepository

    if isinstance(repository, GuardedRepository):
        yield repository.plugin.id
        for each in repository.over:
            yield from plugins_of(each)
