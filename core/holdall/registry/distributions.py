"""Installed distributions as their own files tell: nothing is imported, nothing is fatal.

The folders on the search path are read directly, which costs a fraction of what
importing a metadata library does. Archives, and finders of other makers, are
left to that library.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.registry.policy import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SUFFIXES: Final = (".dist-info", ".egg-info")
_ENTRY_POINTS: Final = "entry_points.txt"
_MARK: Final = b"holdall."


class EntryPoint(NamedTuple):
    """One line of a distribution's entry points."""

    group: str
    name: str
    target: str
    extras: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution that declares something for holdall, or may do so.

    Attributes:
        where: The folder of its metadata.
        requires: Its requirements, as written.
        stale: Why another installation of the same distribution counts instead.
        trouble: What of its metadata can't be read, and why.
    """

    name: str
    version: str
    where: str
    entry_points: tuple[EntryPoint, ...] = ()
    requires: tuple[str, ...] = ()
    stale: str = ""
    trouble: str = ""


def distributions(path: Sequence[str] | None = None) -> Iterator[Distribution]:
    """Yield the distributions that declare something for holdall, or can't be read.

    Args:
        path: Folders and archives to look at; the search path of modules if not given.
    """
    first: dict[str, str] = {}
    seen: set[str] = set()
    for place in sys.path if path is None else path:
        real = os.path.realpath(place or ".")
        if real in seen:
            continue
        seen.add(real)
        try:
            names = os.listdir(real)
        except OSError:
            names = []
        if names and not real.endswith(".egg"):
            yield from _in_folder(real, names, first)
        elif names or os.path.isfile(real):
            yield from _in_archive(real, first)
    if path is None:
        yield from _of_other_finders(first)


def _in_folder(folder: str, names: list[str], first: dict[str, str]) -> Iterator[Distribution]:
    """Yield those of one folder; *first* tells where each name was seen first."""
    found: dict[str, list[str]] = {}
    for name in names:
        if name.endswith(_SUFFIXES) and name[0] != "~":  # `~` is what pip leaves half removed
            found.setdefault(normalised(name.partition("-")[0]), []).append(name)
    for key in sorted(found):
        places = [os.path.join(folder, name) for name in found[key]]
        if len(places) > 1:
            places.sort(key=_version_key, reverse=True)
        for place in places:
            counting = first.setdefault(key, place)
            read = _read(_name_of(place), place, _reader(place))
            if read is not None:
                yield read if counting == place else _stale(read, counting)


def _stale(read: Distribution, counting: str) -> Distribution:
    words = f"a second installation of {read.name}; the one in {counting!r} counts"
    return replace(read, stale=words)


def _version_key(place: str) -> tuple[Any, str]:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(_version_of(place)), place
    except InvalidVersion:
        return Version("0"), place


def _stem(place: str) -> str:
    return os.path.basename(place).rpartition(".")[0]


def _name_of(place: str) -> str:
    return _stem(place).partition("-")[0].replace("_", "-")


def _version_of(place: str) -> str:
    return _stem(place).partition("-")[2].partition("-py")[0]


def _reader(place: str) -> Callable[[str], bytes | None]:
    def read(name: str) -> bytes | None:
        try:
            with open(f"{place}/{name}", "rb") as stream:
                return stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    return read


def _read(name: str, place: str, read: Callable[[str], bytes | None]) -> Distribution | None:
    """Return what a distribution says; None if it says nothing to holdall."""
    version = _version_of(place)
    try:
        data = read(_ENTRY_POINTS)
        if data is None or _MARK not in data:
            return None
        points = tuple(_entry_points(data.decode()))
    except (OSError, UnicodeDecodeError) as error:
        trouble = f"its {_ENTRY_POINTS} can't be read: {_words(error)}"
        return Distribution(name, version, place, trouble=trouble)
    if not points:
        return None
    found = Distribution(name, version, place, points)
    try:
        data = read("METADATA")
        data = read("PKG-INFO") if data is None else data
        if data is None:
            return replace(found, trouble="its METADATA is missing")
        headers = list(_headers(data.decode()))
    except (OSError, UnicodeDecodeError) as error:
        return replace(found, trouble=f"its METADATA can't be read: {_words(error)}")
    said = dict(reversed(headers))
    requires = tuple(value for key, value in headers if key == "requires-dist")
    trouble = "" if "name" in said else "its METADATA has no Name"
    return replace(
        found,
        name=said.get("name") or name,
        version=said.get("version") or version,
        requires=requires,
        trouble=trouble,
    )


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _entry_points(text: str) -> Iterator[EntryPoint]:
    group = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif group.startswith("holdall.") and line and line[0] not in "#;":
            name, _, value = line.partition("=")
            target, _, extras = value.partition("[")
            words = tuple(re.findall(r"[\w.-]+", extras))
            yield EntryPoint(group, name.strip(), re.sub(r"\s", "", target), words)


def _headers(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if not line:
            return
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield key.lower(), value.strip()


def _in_archive(place: str, first: dict[str, str]) -> Iterator[Distribution]:
    from importlib_metadata import DistributionFinder, MetadataPathFinder

    context = DistributionFinder.Context(path=[place])  # type: ignore[no-untyped-call]
    yield from _of_library(MetadataPathFinder().find_distributions(context), first)


def _of_other_finders(first: dict[str, str]) -> Iterator[Distribution]:
    """Yield what import finders of other makers know; Python's own one looks at folders."""
    finders = [
        finder
        for finder in sys.meta_path
        if hasattr(finder, "find_distributions") and not _looks_at_folders(finder)
    ]
    if not finders:
        return
    from importlib_metadata import DistributionFinder

    context = DistributionFinder.Context()  # type: ignore[no-untyped-call]
    for finder in finders:
        try:
            found = list(finder.find_distributions(context))
        except Exception as error:  # noqa: BLE001 - the border to a stranger's code
            trouble = f"it can't tell distributions: {type(error).__name__}: {error}"
            yield Distribution(f"the finder {finder!r}", "", "", trouble=trouble)
        else:
            yield from _of_library(found, first)


def _looks_at_folders(finder: object) -> bool:
    kind = finder if isinstance(finder, type) else type(finder)
    return kind.__module__.partition(".")[0] in {
        "_frozen_importlib_external",
        "importlib",
        "importlib_metadata",
    }


def _of_library(found: Any, first: dict[str, str]) -> Iterator[Distribution]:
    for each in found:
        place = str(getattr(each, "_path", "")) or repr(each)

        def text(name: str, each: Any = each) -> bytes | None:
            found: str | None = each.read_text(name)
            return None if found is None else found.encode()

        read = _read(_name_of(place), place, text)
        key = normalised(read.name if read else _name_of(place))
        counting = first.setdefault(key, place)
        if read is not None:
            yield read if counting == place else _stale(read, counting)
