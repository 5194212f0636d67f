"""Shipped for the authors of plugins: promises to keep, and sessions to try exporters on.

Importing this package imports no pytest; the contract classes do.
"""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
    from holdall.testing.exporters import ExporterContract
    from holdall.testing.repositories import RepositoryContract
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".exporters": ("ExporterContract",),
            ".repositories": ("RepositoryContract",),
        },
    )

__all__ = ["ExporterContract", "RepositoryContract"]
