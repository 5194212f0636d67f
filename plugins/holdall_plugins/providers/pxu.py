"""Checkbox providers as they are: folders of units, with or without a `.provider` file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdall_plugins.providers.pxu_files import UNIT_SUFFIXES, definitions_in, provider_at

if TYPE_CHECKING:
    from holdall.contracts import ProviderLoader
    from holdall.units import Provider


class PxuLoader:
    """Reads a folder with a `.provider` file, a folder of units, or one file of either."""

    def accepts(self, source: str) -> bool:
        """Whether *source* is such a file or folder; folders are looked into three levels deep."""
        path = _path(source)
        if path.is_dir():
            units = (
                file
                for suffix in UNIT_SUFFIXES
                for depth in ("", "*/", "*/*/")
                for file in path.glob(f"{depth}*{suffix}")
            )
            return bool(definitions_in(path)) or next(units, None) is not None
        return path.suffix in {".provider", *UNIT_SUFFIXES} and path.is_file()

    def load(self, source: str) -> Provider:
        """Return the provider at the path *source*; its units are read on first use.

        Raises:
            ProviderLoadError: There is none, or its `.provider` file makes no sense.
        """
        path = _path(source)
        return provider_at(path, str(path))


def _path(source: str) -> Path:
    return Path(source).expanduser().absolute()


if TYPE_CHECKING:
    _: type[ProviderLoader] = PxuLoader
