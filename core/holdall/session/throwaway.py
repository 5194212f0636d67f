"""Sessions that are gone when they are left."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from holdall.providers import Provider, installed_providers
from holdall.registry import Registry
from holdall.repositories import file_url, open_repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.session.manager import SessionManager


@contextmanager
def throwaway_manager(
    kind: type[SessionManager],
    provider_list: Iterable[Provider] | None,
    registry: Registry | None,
) -> Iterator[SessionManager]:
    """Give a manager of *kind* whose session is removed afterwards, whatever happens.

    It has a local device with the given providers, or with all installed ones.
    """
    registry = registry or Registry.discover()
    if provider_list is None:
        found = installed_providers(registry)
        provider_list = [each for each in found if isinstance(each, Provider)]
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="holdall-throwaway-"))
        repository = open_repository(file_url(folder), registry=registry)
        manager = kind.create(repository, registry=registry)
        stack.enter_context(manager)
        context = manager.add_local_device_context()
        for provider in provider_list:
            context.add_provider(provider)
        yield manager
