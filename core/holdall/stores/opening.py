"""From a URL to a repository: stores by scheme, wrappers chained with `::`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from holdall.errors import PluginError, StoreUrlError
from holdall.registry import Registry, calling

if TYPE_CHECKING:
    from holdall.contracts import Repository

_WRAPPER: Final = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(\?[^:]*)?")
_SCHEME: Final = re.compile(r"(?P<name>[a-z][a-z0-9_]*):")


def open_repository(url: str, *, registry: Registry | None = None) -> Repository:
    """Return the repository that *url* names; nothing is created or locked yet.

    Args:
        url: `scheme:...`, with wrappers before it: `readonly::file:///var/lib/lab`.

    Raises:
        StoreUrlError: It is no such URL.
        PluginError: The scheme or a wrapper is unknown, or its plugin can't be loaded.
    """
    registry = Registry.given(registry)
    *wrappers, store = url.split("::")
    scheme = _SCHEME.match(store)
    if not scheme:
        raise StoreUrlError(url, "it does not begin with a scheme, as in 'file:///var/lib/lab'")
    repository = _made(registry, scheme["name"], store)
    for wrapper in reversed(wrappers):
        name = _WRAPPER.fullmatch(wrapper)
        if not name:
            raise StoreUrlError(url, f"{wrapper!r} before '::' is no name of a wrapper")
        repository = _made(registry, name["name"], wrapper, repository)
    return repository


def default_url() -> str:
    """Return the URL of the store in the user's data folder, used when nothing else is said."""
    from platformdirs import user_data_path

    return file_url(user_data_path("holdall") / "sessions")


def file_url(path: str | Path) -> str:
    """Return the URL of the file store in the folder *path*."""
    return Path(path).absolute().as_uri()


def _made(registry: Registry, name: str, url: str, *inner: Repository) -> Repository:
    try:
        plugin = registry.load("repositories", name)
    except PluginError as error:
        error.add_note(f"while opening the store {url!r}")
        raise
    plugin_id = registry.resolve("repositories", name).identity
    with calling(plugin_id, f"opening {url!r}"):
        return cast("Repository", plugin.from_url(url, *inner))
