"""The kinds of units, and making one from its fields."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from holdall.errors import UnitError, near
from holdall.units.exporter import ExporterUnit
from holdall.units.job import JOB_FIELDS, Job, SetupJob, doubts_of_job_fields
from holdall.units.test_plan import TestPlan
from holdall.units.unit import Finding, Unit, own_id, qualified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.units.unit import Origin


class Template(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """Makes units out of the records of a resource job."""

    required = ("template_resource",)
    known = JOB_FIELDS | {
        f"template_{name}"
        for name in ("resource", "filter", "imports", "unit", "id", "summary", "description")
    }

    def faults(self) -> Iterator[Finding]:
        """Yield what makes the definition unusable."""
        yield from super().faults()
        if not self.partial_id:
            yield Finding("id", "the field 'id' is missing")

    def doubts(self) -> Iterator[Finding]:
        """Yield what is wrong with the definition, but leaves the rest of it usable."""
        yield from super().doubts()
        if self.makes == "job":
            yield from doubts_of_job_fields(self)

    @property
    def makes(self) -> str:
        """The kind of the units it makes."""
        return self.get("template_unit") or "job"

    @property
    def resource(self) -> str:
        """Qualified id of the resource job, `template-imports` aside."""
        return self.qualify(self.get("template_resource"))


class Category(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """A heading for jobs."""

    required = ("id",)
    known = frozenset({"unit", "id", "name", "summary"})

    @property
    def name(self) -> str:
        """The heading."""
        return self.summary


class ManifestEntry(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """A question about the device whose answer jobs may require."""

    required = ("id", "value_type")
    known = frozenset(
        {
            *("unit", "id", "name", "prompt", "value_type", "value_unit", "resource_key"),
            "hidden_reason",
        }
    )

    def check(self, answer: object) -> None:
        """Refuse an answer that the entry does not take.

        Raises:
            TypeError: It is of another type than `value_type` says.
            ValueError: It is a negative number.
        """
        wanted = {"bool": bool, "natural": int}.get(self.get("value_type"), str)
        if type(answer) is not wanted:  # True is an int for isinstance, and no natural number
            given = type(answer).__name__
            raise TypeError(f"the manifest entry {self.id!r} takes {wanted.__name__}, not {given}")
        if isinstance(answer, int) and answer < 0:
            raise ValueError(
                f"the manifest entry {self.id!r} takes a number from 0 on, not {answer}"
            )


class PackagingMetaData(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """System packages that the provider's programs need; it has no id."""

    required = ("os_id",)
    known = frozenset({"unit", "os_id", "os_version_id", "Depends", "Suggests", "Recommends"})


class UnknownUnit(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """A definition of a kind that holdall has no use for."""

    def doubts(self) -> Iterator[Finding]:
        """Yield what is wrong with the definition, but leaves the rest of it usable."""
        yield Finding("unit", f"holdall has no use for this kind of unit{near(self.kind, KINDS)}")


KINDS: Final[Mapping[str, type[Unit]]] = MappingProxyType(
    {
        "job": Job,
        "setup job": SetupJob,
        "template": Template,
        "test plan": TestPlan,
        "category": Category,
        "manifest entry": ManifestEntry,
        "exporter": ExporterUnit,
        "packaging meta-data": PackagingMetaData,
    }
)
"""The class of each kind of unit, by the value of the field `unit`."""


def make_unit(
    fields: Mapping[str, str], *, namespace: str = "", origin: Origin | None = None
) -> Unit:
    """Return the unit that *fields* define; without a field `unit` it is a job.

    Raises:
        UnitError: The definition can't be used; everything wrong with it is in the message.
    """
    unit = draft_unit(fields, namespace=namespace, origin=origin)
    faults = [finding.text for finding in unit.faults()]
    if faults:
        raise UnitError(unit.partial_id or unit.kind, unit.where, "; ".join(faults))
    return unit


def draft_unit(
    fields: Mapping[str, str], *, namespace: str = "", origin: Origin | None = None
) -> Unit:
    """Return the unit that *fields* define, whatever its `faults` are."""
    kind = fields.get("unit") or "job"
    own = own_id(kind, fields)
    return KINDS.get(kind, UnknownUnit)(
        kind=kind,
        id=qualified(own, namespace) if own else "",
        fields=fields,
        namespace=namespace,
        origin=origin,
    )
