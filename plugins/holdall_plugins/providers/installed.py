"""Providers that are installed as Checkbox's are: `.provider` files in a few folders."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.contracts import InstalledProvider
from holdall.errors import ProviderLoadError
from holdall_plugins.providers.definition import name_of, read_definition, shown
from holdall_plugins.providers.manage_py import MANAGE, manage_fault, read_source_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall_plugins.providers.definition import Definition

_FOLDER: Final = "plainbox-providers-1"
_SIDE_LOADED: Final = Path("/var/tmp/checkbox-providers")  # noqa: S108 - Checkbox's own
_DEVELOPED: Final = Path("/var/tmp/checkbox-providers-develop")  # noqa: S108 - the same


def search_path(environ: Mapping[str, str]) -> list[Path]:
    """Return the folders that hold `.provider` files, PROVIDERPATH in place of all others."""
    given = environ.get("PROVIDERPATH")
    if given:
        return [Path(part) for part in given.split(":") if part]
    data = environ.get("XDG_DATA_HOME")
    home = environ.get("HOME")
    own = Path(data) if data else Path(home, ".local", "share") if home else None
    return [
        Path("/usr/local/share", _FOLDER),
        Path("/usr/share", _FOLDER),
        *([own / _FOLDER] if own else ()),
        _DEVELOPED,
    ]


def find_installed(
    environ: Mapping[str, str], side_loaded: Path = _SIDE_LOADED
) -> Iterator[InstalledProvider]:
    """Yield the providers that are installed, side-loaded ones in place of their namesakes."""
    loaded = list(_side_loaded(side_loaded))
    placed = {provider.identity: provider for provider in loaded if provider.state == "ready"}
    installed = [_installed(path) for path in _definitions(search_path(environ))]
    counts = Counter(provider.identity for provider in installed if provider.state == "ready")
    yield from loaded
    for provider in installed:
        if provider.state == "ready" and provider.identity in placed:
            instead = placed[provider.identity].source
            reason = f"the side-loaded one at {instead} takes its place; remove one of them"
            yield provider._replace(state="shadowed", reason=reason)
        elif provider.state == "ready" and counts[provider.identity] > 1:
            others = " and ".join(
                other.source
                for other in installed
                if other.identity == provider.identity and other.source != provider.source
            )
            reason = (
                f"{others} is called {provider.identity} too; remove one, or run it by its path"
            )
            yield provider._replace(state="ambiguous", reason=reason)
        else:
            yield provider


def _definitions(folders: list[Path]) -> Iterator[Path]:
    """Yield the `.provider` files of all folders, one that is linked from two of them once."""
    known = set()
    for folder in folders:
        try:
            files = sorted(path for path in folder.glob("*.provider") if path.is_file())
        except OSError:
            continue
        for path in files:
            real = path.resolve()
            if real not in known:
                known.add(real)
                yield path


def _installed(path: Path) -> InstalledProvider:
    try:
        return _of(read_definition(path), path)
    except ProviderLoadError as error:
        name = shown(path.stem)
        return InstalledProvider(name, name, "", str(path), "broken", error.reason)


def _side_loaded(folder: Path) -> Iterator[InstalledProvider]:
    try:
        paths = sorted(folder.glob(f"*/{MANAGE}"))
    except OSError:
        return
    for path in paths:
        definition = read_source_tree(path.parent, name_of(path.parent.name))
        fault = manage_fault(path.parent)
        if definition is not None:
            yield _of(definition, path.parent)
        elif fault:
            name, source = shown(path.parent.name), str(path.parent)
            reason = f"{shown(path)} can't be used: {fault}"
            yield InstalledProvider(name, name, "", source, "broken", reason)


def _of(definition: Definition, path: Path) -> InstalledProvider:
    source = str(path.absolute())
    return InstalledProvider(definition.name, definition.identity, definition.version, source)
