"""Checkbox providers as they are: folders of units, with or without a `.provider` file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdall.errors import ProviderLoadError
from holdall_plugins.providers.installed import find_installed
from holdall_plugins.providers.manage_py import read_source_tree
from holdall_plugins.providers.pxu_files import definitions_in, provider_at
from holdall_plugins.providers.toml_tables import DEFINITION
from holdall_plugins.providers.unit_files import UNIT_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import FindsProviders, InstalledProvider, ProviderLoader, Translates
    from holdall.units import Provider


class PxuLoader:
    """Reads a `.provider` file, a source tree of Checkbox's, a folder of units, or one file."""

    def accepts(self, source: str) -> bool:
        """Whether *source* is such a file or folder; folders are looked into three levels deep."""
        try:
            path = _path(source)
        except ProviderLoadError:
            return False
        if path.is_dir() and (path / DEFINITION).is_file():
            return bool(definitions_in(path))  # else it is TOML, whatever YAML its data has
        if path.is_dir():
            return bool(definitions_in(path)) or _has_units(path) or _is_source_tree(path)
        return path.suffix in {".provider", *UNIT_SUFFIXES} and path.is_file()

    def load(self, source: str) -> Provider:
        """Return the provider at the path *source*; its units are read on first use.

        Raises:
            ProviderLoadError: There is none, or its `.provider` file makes no sense.
        """
        return self.load_in(source, "")

    def load_in(self, source: str, lang: str) -> Provider:
        """Return the provider, with what people read in the language *lang* where it has it."""
        path = _path(source)
        return provider_at(path, str(path), lang)

    def find(self, environ: Mapping[str, str]) -> Iterator[InstalledProvider]:
        """Yield the providers that are installed as Checkbox's are."""
        return find_installed(environ)


def _has_units(folder: Path) -> bool:
    files = (
        file
        for suffix in UNIT_SUFFIXES
        for depth in ("", "*/", "*/*/")
        for file in folder.glob(f"{depth}*{suffix}")
    )
    return next(files, None) is not None


def _is_source_tree(folder: Path) -> bool:
    return read_source_tree(folder, "x") is not None


def _path(source: str) -> Path:
    """Return the path that *source* means, with the ending that may be left out.

    Raises:
        ProviderLoadError: It is a path that no file can have, or may not be looked at.
    """
    try:
        path = Path(source).expanduser().absolute()
        definition = path.with_name(f"{path.name}.provider") if path.name else path
        return path if path.exists() or not definition.is_file() else definition
    except (OSError, RuntimeError, ValueError) as error:
        raise ProviderLoadError(source, f"no such path can be read: {error}") from error


if TYPE_CHECKING:
    _: type[ProviderLoader] = PxuLoader
    _translates: type[Translates] = PxuLoader
    _finds: type[FindsProviders] = PxuLoader
