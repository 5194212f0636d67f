"""A provider: a named, versioned collection of units in one namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from holdall.units import Unit


Severity = Literal["error", "warning"]


class ProviderProblem(msgspec.Struct, frozen=True):
    """Something wrong with a provider that leaves the rest of it usable.

    Attributes:
        line: Counted from 1; 0 if the file as a whole is meant.
        severity: `error` if a definition is lost, `warning` if none is.
    """

    file: str
    line: int
    severity: Severity
    message: str

    def __post_init__(self) -> None:
        if self.severity not in get_args(Severity):
            raise ValueError(f"a problem is an error or a warning, not {self.severity!r}")

    def __str__(self) -> str:
        location = f"{self.file}:{self.line}" if self.line else self.file
        return f"{location}: {self.severity}: {self.message}"


class Provider:
    """A named, versioned collection of units in one namespace.

    Units are read when they are first asked for, and once. A definition that
    stands there twice counts once. Two different ones under one id are a problem:
    of jobs the first counts, of templates each, of other kinds the last.

    Attributes:
        source: What `load_provider` can be given to find the provider again.
        loader: Name of the loader; `load_provider` fills it in.
        folder: Where the provider lies, if it lies in a folder.
        data_folder: Files that its programs need.
        bin_folder: Its programs.
        units_folder: Its definitions.
        locale_folder: The catalogs of its translations.
        gettext_domain: What these catalogs are called.
    """

    def __init__(
        self,
        name: str,
        *,
        namespace: str,
        version: str,
        source: str,
        read: Callable[[], Iterable[Unit | ProviderProblem]],
        description: str = "",
        loader: str = "",
        folder: Path | None = None,
        data_folder: Path | None = None,
        bin_folder: Path | None = None,
        units_folder: Path | None = None,
        locale_folder: Path | None = None,
        gettext_domain: str = "",
    ) -> None:
        self.name: Final = name
        self.namespace: Final = namespace
        self.version: Final = version
        self.description: Final = description
        self.source = source
        self.loader = loader
        self.folder: Final = folder
        self.data_folder: Final = data_folder
        self.bin_folder: Final = bin_folder
        self.units_folder: Final = units_folder
        self.locale_folder: Final = locale_folder
        self.gettext_domain: Final = gettext_domain
        self._read: Final = read
        self._content: tuple[list[Unit], list[ProviderProblem]] | None = None

    def __repr__(self) -> str:
        return f"<Provider {self.name} {self.version} from {self.source!r}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Provider):
            return NotImplemented
        return self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def _identity(self) -> tuple[str, str, str, str]:
        return (self.name, self.namespace, self.version, self.source)

    @property
    def unit_list(self) -> list[Unit]:
        """Every usable unit, in the order of the definitions; a list of the caller's own."""
        return list(self._settled()[0])

    @property
    def problems(self) -> list[ProviderProblem]:
        """What is wrong with the definitions, in their order; a list of the caller's own."""
        return list(self._settled()[1])

    def _settled(self) -> tuple[list[Unit], list[ProviderProblem]]:
        if self._content is None:
            self._content = _collected(self._read())
        return self._content


def _collected(
    items: Iterable[Unit | ProviderProblem],
) -> tuple[list[Unit], list[ProviderProblem]]:
    units: dict[object, Unit] = {}
    problems: list[ProviderProblem] = []
    for item in items:
        if isinstance(item, ProviderProblem):
            problems.append(item)
            continue
        # Of two templates each makes its own units; what has no id clashes with nothing.
        key = (item.kind, item.id) if item.id and item.kind != "template" else len(units)
        known = units.get(key)
        if known is not None and known.checksum != item.checksum:
            problems.append(_clash(known, item))
        if known is None or item.kind not in _FIRST_COUNTS:
            units[key] = item
    return list(units.values()), problems


_FIRST_COUNTS: Final = frozenset({"job", "setup job"})
"""Kinds of which the first of two definitions counts; of the others it is the last, as in
Checkbox, which does without any of two jobs."""


def _clash(first: Unit, other: Unit) -> ProviderProblem:
    location = f" at {first.where}" if first.where else ""
    is_lost = other.kind in _FIRST_COUNTS
    outcome = (
        "that one counts, give this one another id"
        if is_lost
        else "this one counts, give that one another id"
    )
    return ProviderProblem(
        file=other.origin.file if other.origin else "",
        line=other.origin.line if other.origin else 0,
        severity="error" if is_lost else "warning",
        message=(
            f"the {other.kind} {other.id!r} is defined before{location}, and differently; "
            f"{outcome}"
        ),
    )
