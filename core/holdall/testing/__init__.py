"""Shipped for the authors of plugins: promises to keep, and sessions to try exporters on.

Importing this package imports no pytest; the contract classes do.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdall.testing.exporters import ExporterContract as ExporterContract
    from holdall.testing.repositories import RepositoryContract as RepositoryContract

_HOMES = {
    "ExporterContract": "holdall.testing.exporters",
    "RepositoryContract": "holdall.testing.repositories",
}

__all__ = ["ExporterContract", "RepositoryContract"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'holdall.testing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
