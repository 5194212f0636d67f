"""Installed distributions as their own files declare them: nothing is imported, nothing is fatal.

The folders on the search path are read directly, which costs a fraction of what
importing a metadata library does. Archives, and finders of other makers, are
left to that library.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

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
        location: The folder of its metadata.
        requires: Its requirements, as written.
        stale: Why another installation of the same distribution counts instead.
        trouble: What of its metadata can't be read, and why.
    """

    name: str
    version: str
    location: str
    entry_points: tuple[EntryPoint, ...] = ()
    requires: tuple[str, ...] = ()
    stale: str = ""
    trouble: str = ""


# By name, the path that a distribution was first seen at, and what was read there.
_First: TypeAlias = "dict[str, tuple[str, Distribution | None]]"


def distributions(path: Sequence[str] | None = None) -> Iterator[Distribution]:
    """Yield the distributions that declare something for holdall, or can't be read.

    Args:
        path: Folders and archives to look at; the search path of modules if not given.
    """
    first: _First = {}
    seen: set[str] = set()
    for entry in sys.path if path is None else path:
        real = os.path.realpath(entry or ".")
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


def _in_folder(folder: str, names: list[str], first: _First) -> Iterator[Distribution]:
    """Yield those of one folder; *first* has those seen before."""
    by_name: dict[str, list[str]] = {}
    for name in names:
        if name.endswith(_SUFFIXES) and name[0] != "~":  # `~` is what pip leaves half removed
            by_name.setdefault(normalised(_name_of(name)), []).append(name)
    for key in sorted(by_name):
        paths = [os.path.join(folder, name) for name in by_name[key]]
        if len(paths) > 1:
            paths.sort(key=_version_key, reverse=True)
        for path in paths:
            yield from _counted(_read(_name_of(path), path, _reader(path)), path, first)


def _counted(read: Distribution | None, path: str, first: _First) -> Iterator[Distribution]:
    """Yield a distribution that was read, as stale if it is not the first of its name.

    What says the same as the first is no second one: setuptools leaves a copy of the
    metadata beside the sources of what is installed in place.
    """
    key = normalised(read.name if read else _name_of(path))
    counting, counted = first.setdefault(key, (path, read))
    if read is not None and counting == path:
        yield read
    elif read is not None and (not counted or replace(read, location=counted.location) != counted):
        reason = f"a second installation of {read.name}; the one in {counting!r} counts"
        yield replace(read, stale=reason)


def _version_key(path: str) -> tuple[Any, str]:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(_version_of(path)), path
    except InvalidVersion:
        return Version("0"), path


def _stem(path: str) -> str:
    return os.path.basename(path).rpartition(".")[0]


def _name_of(path: str) -> str:
    return _stem(path).partition("-")[0].replace("_", "-")


def _version_of(path: str) -> str:
    return _stem(path).partition("-")[2].partition("-py")[0]


def _reader(path: str) -> Callable[[str], bytes | None]:
    def read(name: str) -> bytes | None:
        try:
            with open(f"{path}/{name}", "rb") as stream:
                return stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    return read


def _read(name: str, path: str, read: Callable[[str], bytes | None]) -> Distribution | None:
    """Return what a distribution says; None if it says nothing to holdall."""
    version = _version_of(path)
    try:
        data = read(_ENTRY_POINTS)
        if data is None or _MARK not in data:
            return None
        points = tuple(_entry_points(data.decode()))
    except (OSError, UnicodeDecodeError) as error:
        trouble = f"its {_ENTRY_POINTS} can't be read: {_explained(error)}"
        return Distribution(name, version, path, trouble=trouble)
    if not points:
        return None
    distribution = Distribution(name, version, path, points)
    try:
        data = read("METADATA")
        data = read("PKG-INFO") if data is None else data
        if data is None:
            return replace(distribution, trouble="its METADATA is missing")
        headers = list(_headers(data.decode()))
    except (OSError, UnicodeDecodeError) as error:
        return replace(distribution, trouble=f"its METADATA can't be read: {_explained(error)}")
    headers_by_name = dict(reversed(headers))
    requires = tuple(value for key, value in headers if key == "requires-dist")
    trouble = "" if "name" in headers_by_name else "its METADATA has no Name"
    return replace(
        distribution,
        name=headers_by_name.get("name") or name,
        version=headers_by_name.get("version") or version,
        requires=requires,
        trouble=trouble,
    )


def _explained(error: Exception) -> str:
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
            names = tuple(re.findall(r"[\w.-]+", extras))
            yield EntryPoint(group, name.strip(), re.sub(r"\s", "", target), names)


def _headers(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if not line:
            return
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield key.lower(), value.strip()


def _in_archive(path: str, first: _First) -> Iterator[Distribution]:
    from importlib_metadata import DistributionFinder, MetadataPathFinder

    context = DistributionFinder.Context(path=[path])  # type: ignore[no-untyped-call]
    yield from _of_library(MetadataPathFinder().find_distributions(context), first)


def _of_other_finders(first: _First) -> Iterator[Distribution]:
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
            distributions = list(finder.find_distributions(context))
        except Exception as error:  # noqa: BLE001 - the border to a stranger's code
            trouble = f"it can't list distributions: {type(error).__name__}: {error}"
            yield Distribution(f"the finder {finder!r}", "", "", trouble=trouble)
        else:
            yield from _of_library(distributions, first)


def _looks_at_folders(finder: object) -> bool:
    kind = finder if isinstance(finder, type) else type(finder)
    return kind.__module__.partition(".")[0] in {
        "_frozen_importlib_external",
        "importlib",
        "importlib_metadata",
    }


def _of_library(distributions: Any, first: _First) -> Iterator[Distribution]:
    for distribution in distributions:
        path = str(getattr(distribution, "_path", "")) or repr(distribution)

        def text(name: str, distribution: Any = distribution) -> bytes | None:
            content: str | None = distribution.read_text(name)
            return None if content is None else content.encode()

        read = _read(_name_of(path), path, text)
        yield from _counted(read, path, first)
