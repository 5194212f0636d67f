"""Shipped for the authors of plugins: promises to keep, and sessions to try exporters on.

Importing this package imports no pytest; the contract classes do. Where pytest runs, it
rewrites their assertions, so that a failing one shows both sides.
"""

import sys
from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
    from holdall.testing.exporters import ExporterContract
    from holdall.testing.hooks import HooksContract
    from holdall.testing.importers import ImporterContract
    from holdall.testing.provider_loaders import ProviderLoaderContract
    from holdall.testing.providers import ProviderContract
    from holdall.testing.repositories import RepositoryContract
    from holdall.testing.runners import RunnerContract
    from holdall.testing.wrappers import WrapperContract
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".exporters": ("ExporterContract",),
            ".importers": ("ImporterContract",),
            ".hooks": ("HooksContract",),
            ".provider_loaders": ("ProviderLoaderContract",),
            ".providers": ("ProviderContract",),
            ".repositories": ("RepositoryContract",),
            ".runners": ("RunnerContract",),
            ".wrappers": ("WrapperContract",),
        },
    )

if "pytest" in sys.modules:
    sys.modules["pytest"].register_assert_rewrite(
        "holdall.testing.checks",
        "holdall.testing.exporters",
        "holdall.testing.guarantees",
        "holdall.testing.importers",
        "holdall.testing.hooks",
        "holdall.testing.provider_loaders",
        "holdall.testing.providers",
        "holdall.testing.repositories",
        "holdall.testing.runners",
        "holdall.testing.wrappers",
    )

__all__ = [
    "ExporterContract",
    "HooksContract",
    "ImporterContract",
    "ProviderContract",
    "ProviderLoaderContract",
    "RepositoryContract",
    "RunnerContract",
    "WrapperContract",
]
