"""What a store of a stranger raises from its optional members is blamed on it, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall.contracts import Sweepable, Watchable
from holdall.errors import PluginCallError
from holdall.registry import Registry
from holdall.stores import StorageWrapper, open_repository
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.contracts import Repository


class Broken(StorageWrapper):
    def blobs(self) -> Iterator[str]:
        raise RuntimeError("of the author")

    def logs(self) -> Iterator[str]:
        yield "job"
        raise RuntimeError("of the author")

    def drop(self, ref: str) -> None:
        raise RuntimeError(f"of the author: {ref}")

    def wait(self, head: int, *, timeout: float) -> int:
        raise RuntimeError(f"of the author: {head} {timeout}")


class BrokenRepository(MemoryRepository):
    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> BrokenRepository:
        del url, inner, options
        return cls()

    def create(self, session_id: str, *, first: int = 1) -> Any:
        return Broken(super().create(session_id, first=first), self)


@pytest.mark.parametrize(
    ("protocol", "use"),
    [
        pytest.param(Sweepable, lambda storage: list(storage.blobs()), id="blobs"),
        pytest.param(Sweepable, lambda storage: list(storage.logs()), id="logs"),
        pytest.param(Sweepable, lambda storage: storage.drop("ref"), id="drop"),
        pytest.param(Watchable, lambda storage: storage.wait(1, timeout=1.0), id="wait"),
    ],
)
def test_an_error_of_an_optional_member_names_the_plugin(
    protocol: type, use: Callable[[Any], object]
) -> None:
    registry = Registry()
    registry.register("repositories", "broken", BrokenRepository)
    storage = open_repository("broken://", registry=registry).create("session")

    assert isinstance(storage, protocol)
    with pytest.raises(PluginCallError, match=r"broken.*of the author"):
        use(storage)
