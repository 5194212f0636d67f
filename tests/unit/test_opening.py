"""From a URL to a repository, across the border to the store's plugin."""

from __future__ import annotations

from typing import Any

import pytest

from holdall.errors import PluginCallError, StorageAccessError
from holdall.registry import Registry
from holdall.stores import open_repository
from holdall_plugins.stores.memory import MemoryRepository


class Exiting(MemoryRepository):
    @classmethod
    def from_url(cls, url: str, *inner: Any, options: object = None) -> Any:  # noqa: ARG003
        raise SystemExit(f"{url} {inner}")


class Refusing(MemoryRepository):
    @classmethod
    def from_url(cls, url: str, *inner: Any, options: object = None) -> Any:  # noqa: ARG003
        raise StorageAccessError(f"{url} {inner}", "opening", "there is no key")


def registry(**stores: type) -> Registry:
    found = Registry.empty()
    for name, store in stores.items():
        found.register("repositories", name, store)
    return found


def test_a_store_that_fails_to_open_is_blamed() -> None:
    with pytest.raises(PluginCallError) as caught:
        open_repository("exiting://x", registry=registry(exiting=Exiting))

    assert (caught.value.kind, caught.value.name) == ("store", "exiting")
    assert (caught.value.origin, caught.value.doing) == ("application", "opening 'exiting://x'")
    assert "SystemExit" in caught.value.cause


def test_what_a_store_itself_says_of_a_url_stays_what_it_is() -> None:
    with pytest.raises(StorageAccessError):
        open_repository("refusing://x", registry=registry(refusing=Refusing))
