"""Stores under names of their own, wrappers over several stores, and settings of stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import ConfigurationError, StoreUrlError
from holdall.registry import Registry
from holdall.settings import Settings
from holdall.stores import NamedStore, open_repository, plugins_of
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.readonly import ReadOnlyRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository


@dataclass(frozen=True)
class Options:
    quorum: int = 1


class Several(MemoryRepository):
    """A wrapper over any number of repositories, for the tests."""

    Options = Options
    seen: tuple[Any, ...] = ()

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: Any = None) -> Several:
        made = cls()
        made.seen = (url, [repository.url for repository in inner], options)
        return made


def registry(settings: dict[str, Settings] | None = None) -> Registry:
    known = Registry(settings=settings)
    known.register("repositories", "memory", MemoryRepository)
    known.register("repositories", "readonly", ReadOnlyRepository)
    known.register("repositories", "several", Several)
    return known


STORES = {
    "lab": NamedStore("memory://lab"),
    "archive": NamedStore("readonly::lab"),
    "both": NamedStore("several?x=1", ("lab", "memory://other")),
    "loop": NamedStore("readonly::round"),
    "round": NamedStore("several", ("loop",)),
}


def seen(repository: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = repository.inner.seen
    return found


def test_a_store_is_opened_by_its_name() -> None:
    opened = open_repository("lab", registry=registry(), stores=STORES)

    assert opened.url == "memory://lab"


def test_a_name_may_stand_behind_wrappers_and_in_the_url_of_another() -> None:
    for text in ("readonly::lab", "archive"):
        opened = open_repository(text, registry=registry(), stores=STORES)

        assert opened.url == "readonly::memory://lab"


def test_a_wrapper_may_be_over_several_stores() -> None:
    opened = open_repository("both", registry=registry(), stores=STORES)

    assert seen(opened) == ("several?x=1", ["memory://lab", "memory://other"], Options(1))


def test_a_wrapper_over_several_stores_is_opened_again_by_its_name() -> None:
    opened = open_repository("readonly::both", registry=registry(), stores=STORES)

    assert opened.url == "readonly::both"
    assert open_repository("both", registry=registry(), stores=STORES).url == "both"


def test_the_plugins_of_a_store_are_told_through_all_wrappers() -> None:
    opened = open_repository("readonly::both", registry=registry(), stores=STORES)

    assert list(plugins_of(opened)) == ["readonly", "several", "memory", "memory"]


def test_a_store_gets_what_is_set_for_it() -> None:
    plugins = registry({"several": Settings({"quorum": 2})})

    assert seen(open_repository("both", registry=plugins, stores=STORES))[2] == Options(2)


def test_settings_of_a_store_without_options_are_an_error_with_the_place() -> None:
    plugins = registry({"memory": Settings({"size": 1}, "holdall.toml:7")})

    with pytest.raises(ConfigurationError, match=r"holdall.toml:7: the plugin has no options"):
        open_repository("lab", registry=plugins, stores=STORES)


def test_a_store_over_itself_is_refused_with_the_way_it_takes() -> None:
    with pytest.raises(StoreUrlError, match=r"over itself .loop over round over loop"):
        open_repository("loop", registry=registry(), stores=STORES)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(StoreUrlError, match="did you mean 'lab'"):
        open_repository("lap", registry=registry(), stores=STORES)
