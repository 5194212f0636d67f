"""What an importer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Importer(Protocol):
    """Makes a session out of another tool's files: class of the group `holdall.importers`."""

    def load(self, source: str) -> Iterator[Any]:
        """Yield the events that make up the session."""
        ...
