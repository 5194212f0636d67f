"""The common part of all units: fields in any spelling, an id, a checksum."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from sys import intern
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

import msgspec
from msgspec.structs import force_setattr

from holdall.errors import near
from holdall.units.lists import list_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Origin(msgspec.Struct, frozen=True):
    """The file and line that a unit was read from; lines count from 1."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Finding(NamedTuple):
    """Something wrong with a definition, and the field it is about (`_` for every `-`)."""

    field: str
    text: str

    def __str__(self) -> str:
        return self.text


class Unit(msgspec.Struct, frozen=True, dict=True, eq=False, kw_only=True):
    """One definition of a provider.

    Two units are equal if kind, id and checksum are.

    Attributes:
        kind: `job`, `template`, `test plan`, `category`...
        id: Qualified with the namespace, `com.example::disk/read`; empty where the kind has none.
        fields: The definition as it was written.
        namespace: Namespace of the provider; empty outside one.
        origin: Where it was read, for messages.
    """

    kind: str
    id: str
    fields: Mapping[str, str]
    namespace: str = ""
    origin: Origin | None = None

    # Fields that a definition of the kind is of no use without, and all that it may have,
    # with `_` for every `-`; where none is named, any will do.
    required: ClassVar[tuple[str, ...]] = ()
    known: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        for name in ("kind", "id", "namespace"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"a unit's {name} must be a string")
        if not isinstance(self.fields, Mapping) or not all(
            isinstance(key, str) and isinstance(value, str) for key, value in self.fields.items()
        ):
            raise TypeError("a unit's fields must map strings to strings")
        fields = {_encodable(name): _encodable(text) for name, text in self.fields.items()}
        force_setattr(self, "fields", MappingProxyType(fields))
        for name in ("kind", "id"):
            force_setattr(self, name, _encodable(getattr(self, name)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Unit):
            return NotImplemented
        if self is other:
            return True
        return (self.kind, self.id, self.checksum) == (other.kind, other.id, other.checksum)

    def __ne__(self, other: object) -> bool:
        # A Struct has a `!=` of its own, which would compare identities.
        return not self == other

    def __hash__(self) -> int:
        return hash((self.kind, self.id))

    def get(self, name: str, default: str = "") -> str:
        """Return the field *name* in any of its spellings."""
        for spelling in _spellings(name):
            value = self.fields.get(spelling)
            if value is not None:
                return value
        return default

    @property
    def partial_id(self) -> str:
        """The id without its namespace."""
        return self.id.rpartition("::")[2]

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the definition; the same for two units exactly if their fields are."""
        data = dict(sorted(self.fields.items()))
        if self.namespace:
            data["namespace"] = self.namespace
        return hashlib.sha256(json.dumps(data, separators=(",", ":")).encode()).hexdigest()

    @property
    def where(self) -> str:
        """Where the unit was read, or nothing."""
        return str(self.origin) if self.origin else ""

    def qualify(self, unit_id: str) -> str:
        """Return *unit_id* as seen from this unit's namespace."""
        return qualified(unit_id, self.namespace)

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words of a field that lists them with blanks, commas or newlines."""
        text = self.get(name)
        return tuple(word for word in _SEPARATORS.split(text) if word) if text else ()

    def ids(self, name: str) -> tuple[str, ...]:
        """Return the qualified ids that a field lists, comments and quotes read as such."""
        text = self.get(name)
        return tuple(self.qualify(word) for word in list_words(text)) if text else ()

    @property
    def summary(self) -> str:
        """One line for people; the id if the unit has no summary."""
        return self.get("summary") or self.get("name") or self.partial_id

    @property
    def description(self) -> str:
        """What it is about, as text."""
        return self.get("description")

    def faults(self) -> Iterator[Finding]:
        """Yield what makes the definition unusable."""
        for name in self.required:
            if not self.get(name):
                yield Finding(name, f"the field {name.replace('_', '-')!r} is missing")
        own = own_id(self.kind, self.fields)
        if "::" in own:
            yield Finding("id", f"an id can't hold '::' ({own!r})")

    def doubts(self) -> Iterator[Finding]:
        """Yield what is wrong with the definition, but leaves the rest of it usable."""
        if not self.known:
            return
        for written in self.fields:
            name = written.removeprefix("_").replace("-", "_")
            if name not in self.known:
                hint = near(name, self.known)
                yield Finding(name, f"holdall does not know the field {written!r}{hint}")


def _encodable(text: str) -> str:
    r"""Return *text* with lone surrogates, which no journal can hold, as visible ``\ud800``."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def ineffective_spellings(unit: Unit, names: Iterable[str]) -> Iterator[Finding]:
    """Yield the fields of *unit* that are none of *names*, but for the sign between words."""
    for written in unit.fields:
        for name in names:
            spelled = written.removeprefix("_").replace("-", "_")
            if written != name and spelled == name.replace("-", "_"):
                message = f"as Checkbox reads it, only {name!r} has an effect"
                yield Finding(spelled, f"{message}; write {written!r} so")


def own_id(kind: str, fields: Mapping[str, str]) -> str:
    """Return the id that *fields* give a unit of *kind*, without its namespace.

    A template that says no id of its own has the one it makes ids from, without
    the signs that no id holds.
    """
    spellings = _IDS.get(kind, ("id",))
    own = next((fields[name] for name in spellings if fields.get(name)), "")
    return own or (_NO_SIGNS_OF_AN_ID.sub("", fields.get("id", "")) if kind == "template" else "")


@lru_cache(maxsize=256)
def _spellings(name: str) -> tuple[str, ...]:
    """Return the names under which a field may stand, the one marked for translation first."""
    dashed = name.replace("_", "-")
    return tuple(dict.fromkeys((f"_{name}", f"_{dashed}", name, dashed)))


def qualified(unit_id: str, namespace: str) -> str:
    """Return *unit_id* with *namespace*, unless it already has one."""
    if "::" in unit_id or not namespace:
        return unit_id
    return intern(f"{namespace}::{unit_id}")  # the same id stands in many places


# Old jobs are known by their name.
_IDS: Final[Mapping[str, tuple[str, ...]]] = {
    "job": ("id", "name"),
    "template": ("template-id", "template_id"),
}
_NO_SIGNS_OF_AN_ID: Final = re.compile(r"[^-_.:/\\A-Za-z0-9]+")
_SEPARATORS: Final = re.compile(r"[\s,]+")
