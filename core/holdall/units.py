"""Units: the frozen definitions that providers are made of.

A unit keeps its fields as they were written; the typed attributes of its kind
are read from them on first use. Field names may be spelt with `-` or `_`, and
`_field` (marked for translation) stands for `field`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec
from msgspec.structs import force_setattr

from holdall.errors import UnitError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNCATEGORISED: Final = "com.canonical.plainbox::uncategorised"

AUTOMATED: Final = frozenset({"shell", "resource", "attachment"})
PLUGINS: Final = AUTOMATED | {"manual", "user-interact", "user-verify", "user-interact-verify"}


class Origin(msgspec.Struct, frozen=True):
    """The place a unit was read from; lines count from 1."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Unit(msgspec.Struct, frozen=True, dict=True, eq=False, kw_only=True):
    """One definition of a provider; kinds that holdall does not know stay plain units.

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

    # Spellings that all of a kind's definitions use only in this one form.
    required: ClassVar[tuple[str, ...]] = ("id",)

    def __post_init__(self) -> None:
        for name in ("kind", "id", "namespace"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"a unit's {name} must be a string")
        if not isinstance(self.fields, Mapping) or not all(
            isinstance(key, str) and isinstance(value, str) for key, value in self.fields.items()
        ):
            raise TypeError("a unit's fields must map strings to strings")
        force_setattr(self, "fields", MappingProxyType(dict(self.fields)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Unit):
            return NotImplemented
        if self is other:
            return True
        return (self.kind, self.id, self.checksum) == (other.kind, other.id, other.checksum)

    def __hash__(self) -> int:
        return hash((self.kind, self.id))

    def get(self, name: str, default: str = "") -> str:
        """Return the field *name* in any of its spellings."""
        return self._by_name.get(name, default)

    @cached_property
    def _by_name(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in self.fields.items():
            name = key.replace("-", "_")
            if name.startswith("_"):
                found[name[1:]] = value
            else:
                found.setdefault(name, value)
        return found

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
        return tuple(word for word in _SEPARATORS.split(self.get(name)) if word)

    def ids(self, name: str) -> tuple[str, ...]:
        """Return the qualified ids that a field lists."""
        return tuple(self.qualify(word) for word in self.words(name))

    @property
    def summary(self) -> str:
        """One line for people; the id where there is none."""
        return self.get("summary") or self.get("name") or self.partial_id

    @property
    def description(self) -> str:
        """What it is about, as text."""
        return self.get("description")

    def faults(self) -> Iterator[str]:
        """Yield what makes the definition unusable."""
        for name in self.required:
            if not self.get(name):
                yield f"the field {name.replace('_', '-')!r} is missing"
        if "::" in self.get("id"):
            yield f"an id can't hold '::' ({self.get('id')!r})"

    def doubts(self) -> Iterator[str]:
        """Yield what is wrong with the definition, but leaves the rest of it usable."""
        yield from ()


class Job(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """Something to run, or to do by hand."""

    def faults(self) -> Iterator[str]:
        """Yield what makes the definition unusable."""
        yield from super().faults()
        if not self.get("plugin") and "simple" not in self.flags:
            yield "the field 'plugin' is missing"
        elif self.plugin not in PLUGINS:
            yield f"the plugin {self.plugin!r} is none of {', '.join(sorted(PLUGINS))}"

    def doubts(self) -> Iterator[str]:
        """Yield what is wrong with the definition, but leaves the rest of it usable."""
        if self.get("estimated_duration") and self.estimated_duration is None:
            yield f"estimated_duration {self.get('estimated_duration')!r} is no duration"
        if self.plugin in AUTOMATED and not self.command:
            yield f"a job with plugin {self.plugin!r} needs a command"

    @cached_property
    def plugin(self) -> str:
        """How the job is done: shell, resource, attachment, manual, user-..."""
        return self.get("plugin") or "shell"

    @property
    def automated(self) -> bool:
        """Whether the job needs no person."""
        return self.plugin in AUTOMATED

    @property
    def command(self) -> str:
        """The shell command, as written."""
        return self.get("command")

    @property
    def shell(self) -> str:
        """The program that runs the command."""
        return self.get("shell") or "bash"

    @property
    def user(self) -> str:
        """The account the command needs, or nothing for one's own."""
        return self.get("user")

    @cached_property
    def environ(self) -> tuple[str, ...]:
        """Names of variables that the command may see of holdall's own environment."""
        return self.words("environ")

    @cached_property
    def flags(self) -> frozenset[str]:
        """The job's flags: `simple`, `noreturn`, `autorestart`..."""
        return frozenset(self.words("flags"))

    @cached_property
    def depends(self) -> tuple[str, ...]:
        """Jobs that must have passed before this one starts."""
        return self.ids("depends")

    @cached_property
    def after(self) -> tuple[str, ...]:
        """Jobs that must have ended, however, before this one starts."""
        return self.ids("after")

    @cached_property
    def before(self) -> tuple[str, ...]:
        """Jobs that may start only after this one, if both run."""
        return self.ids("before")

    @cached_property
    def salvages(self) -> tuple[str, ...]:
        """Jobs of which one must have failed for this one to start."""
        return self.ids("salvages")

    @property
    def group(self) -> str:
        """Jobs of one group run one after another, without others in between."""
        return self.get("group")

    @property
    def requires(self) -> str:
        """Resource expressions, one a line, all of which must hold."""
        return self.get("requires")

    @property
    def imports(self) -> str:
        """Names of resources of other namespaces: `from NS import ID [as NAME]` lines."""
        return self.get("imports")

    @cached_property
    def category_id(self) -> str:
        """Qualified id of the category."""
        category = self.get("category_id")
        return self.qualify(category) if category else UNCATEGORISED

    @property
    def certification_status(self) -> str:
        """`blocker` or `non-blocker`."""
        return self.get("certification_status") or "non-blocker"

    @property
    def template_id(self) -> str:
        """Qualified id of the template the job was made from, or nothing."""
        return self.qualify(self.get("template_id")) if self.get("template_id") else ""

    @cached_property
    def estimated_duration(self) -> float | None:
        """Seconds the author expects, None if unknown."""
        return duration(self.get("estimated_duration"))

    @property
    def description(self) -> str:
        """The description, or purpose, steps and verification in its place."""
        parts = (self.get(name) for name in ("purpose", "steps", "verification"))
        return self.get("description") or "\n\n".join(filter(None, parts))


class Template(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """Makes units out of the records of a resource job."""

    required = ("template_resource",)

    def faults(self) -> Iterator[str]:
        """Yield what makes the definition unusable."""
        yield from super().faults()
        if not self.get("id") and not self.get("template_id"):
            yield "the field 'id' is missing"

    @property
    def makes(self) -> str:
        """The kind of the units it makes."""
        return self.get("template_unit") or "job"

    @property
    def resource(self) -> str:
        """Qualified id of the resource job."""
        return self.qualify(self.get("template_resource"))


class TestPlan(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """Selects jobs and overrides what they count for."""

    __test__ = False  # pytest must not take the name for a test class

    def doubts(self) -> Iterator[str]:
        """Yield what is wrong with the definition, but leaves the rest of it usable."""
        if not self.get("name"):
            yield "the field 'name' is missing"


class Category(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """A heading for jobs."""

    @property
    def name(self) -> str:
        """The heading."""
        return self.summary


class ManifestEntry(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """A question about the device whose answer jobs may require."""

    required = ("id", "value_type")


class ExporterUnit(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """Binds an exporter to options and data under an id of its own."""

    required = ("id", "entry_point")


class PackagingMetaData(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """System packages that the provider's programs need; it has no id."""

    required = ("os_id",)


KINDS: Final[Mapping[str, type[Unit]]] = MappingProxyType(
    {
        "job": Job,
        "template": Template,
        "test plan": TestPlan,
        "category": Category,
        "manifest entry": ManifestEntry,
        "exporter": ExporterUnit,
        "packaging meta-data": PackagingMetaData,
    }
)


def make_unit(
    fields: Mapping[str, str], *, namespace: str = "", origin: Origin | None = None
) -> Unit:
    """Return the unit that *fields* define; without a field `unit` it is a job.

    Raises:
        UnitError: The definition can't be used; everything wrong with it is in the message.
    """
    kind = fields.get("unit", "job")
    own = fields.get("id", "")
    if not own and kind == "template":
        own = fields.get("template-id") or fields.get("template_id", "")
    unit = KINDS.get(kind, Unit)(
        kind=kind,
        id=qualified(own, namespace) if own else "",
        fields=fields,
        namespace=namespace,
        origin=origin,
    )
    faults = list(unit.faults())
    if faults:
        raise UnitError(own or kind, unit.where, "; ".join(faults))
    return unit


def qualified(unit_id: str, namespace: str) -> str:
    """Return *unit_id* with *namespace*, unless it already has one."""
    return unit_id if "::" in unit_id or not namespace else f"{namespace}::{unit_id}"


def duration(text: str) -> float | None:
    """Return the seconds of `1.5` or `1h 2m 3s`, None if *text* is neither."""
    text = text.strip()
    try:
        seconds = float(text)
    except ValueError:
        found = _HOURS_MINUTES_SECONDS.fullmatch(text) if text else None
        if not found:
            return None
        hours, minutes, rest = (float(part or 0) for part in found.groups())
        return hours * 3600 + minutes * 60 + rest
    return seconds if 0 <= seconds < float("inf") else None


_SEPARATORS: Final = re.compile(r"[\s,]+")
_HOURS_MINUTES_SECONDS: Final = re.compile(
    r"(?:(\d+)\s*h)?[\s:]*(?:(\d+)\s*m(?:in)?)?[\s:]*(?:(\d+(?:\.\d+)?)\s*s)?"
)
