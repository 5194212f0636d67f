"""Providers inside installed packages, found and read without importing these."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.errors import ProviderLoadError
from holdall_plugins.providers.pxu_files import definitions_in, provider_at
from holdall_plugins.providers.toml import TomlLoader
from holdall_plugins.providers.toml_tables import DEFINITION

if TYPE_CHECKING:
    from holdall.contracts import ProviderLoader, Translates
    from holdall.units import Provider

_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class PackageLoader:
    """Reads the folder of a package, given by its dotted name, as the loader of paths would."""

    def accepts(self, source: str) -> bool:
        """Whether *source* is the dotted name of an installed package."""
        return bool(_DOTTED.fullmatch(source)) and _folder(source) is not None

    def load(self, source: str) -> Provider:
        """Return the provider in the package *source*; its units are read on first use.

        Raises:
            ProviderLoadError: There is no such package, or no provider in it.
        """
        return self.load_in(source, "")

    def load_in(self, source: str, lang: str) -> Provider:
        """Return the provider, with what people read in the language *lang* where it has it."""
        folder = _folder(source) if _DOTTED.fullmatch(source) else None
        if folder is None:
            reason = "no folder of an installed package has that dotted name; is it installed"
            raise ProviderLoadError(source, f"{reason} in this Python?")
        if (folder / DEFINITION).is_file() and not definitions_in(folder):
            provider = TomlLoader().load(str(folder))
            provider.source = source
            return provider
        return provider_at(folder, source, lang)


def _folder(dotted: str) -> Path | None:
    """Return the folder of a package by its finder, without executing any of its code."""
    top, *parts = dotted.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    places = (spec.submodule_search_locations if spec else None) or ()
    folders = (Path(parent, *parts) for parent in places)
    return next((folder for folder in folders if folder.is_dir()), None)


if TYPE_CHECKING:
    _: type[ProviderLoader] = PackageLoader
    _translates: type[Translates] = PackageLoader
