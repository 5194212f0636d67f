"""The units of one device: each once, in order, and found by kind and id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.errors import DependencyDuplicateError, UnknownUnitError
from holdall.session.templates import template_resource
from holdall.units import Category, Job, Template

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from holdall.errors import SessionError, UnitError
    from holdall.units import Unit


class UnitIndex:
    """Units in the order they were added, and the origin of those that others made.

    Attributes:
        units: All units.
        by_id: The units that have an id, by kind and id.
        category_names: The name of each category, by id.
        made_from: The id of the unit that a template instance or sibling was made from.
        problems: Why templates and siblings could not make some of their units.
    """

    def __init__(self) -> None:
        self.units: Final[list[Unit]] = []
        self.by_id: Final[dict[tuple[str, str], Unit]] = {}
        self.category_names: Final[dict[str, str]] = {}
        self.made_from: Final[dict[str, str]] = {}
        self.problems: Final[list[SessionError | UnitError]] = []
        self._templates: Final[dict[str, list[Template]]] = {}

    def known(self, unit: Unit) -> Unit | None:
        """Return the identical unit that was added before, None if *unit* is new.

        Raises:
            DependencyDuplicateError: *unit* is a job, and a different one has the id.
        """
        known = self.by_id.get((unit.kind, unit.id)) if unit.id else None
        if isinstance(unit, Job):
            known = known or next(
                (self.by_id[kind, unit.id] for kind in _JOBS if (kind, unit.id) in self.by_id),
                None,
            )
            if known is not None and known != unit:
                raise DependencyDuplicateError(unit.id, known.where, unit.where)
        return known if known == unit else None

    def add(self, unit: Unit) -> None:
        """Add a unit that is new.

        Of two plans, categories or manifest entries of one id the later one counts, as in
        Checkbox; of two templates each makes its units.
        """
        earlier = self.by_id.get((unit.kind, unit.id)) if unit.id else None
        if earlier is not None:
            self.problems.append(DependencyDuplicateError(unit.id, earlier.where, unit.where))
            if not isinstance(unit, Template):
                self.units[:] = [known for known in self.units if known is not earlier]
        if unit.id:
            self.by_id[unit.kind, unit.id] = unit
        self.units.append(unit)
        if isinstance(unit, Category):
            self.category_names[unit.id] = unit.name

    def add_template(self, template: Template) -> str:
        """Return the id of the resource whose records *template* is instantiated for.

        Raises:
            ExpressionError: The imports of the template can't be read.
        """
        resource_id = template_resource(template)
        self._templates.setdefault(resource_id, []).append(template)
        return resource_id

    def templates_of(self, resource_id: str) -> Sequence[Template]:
        """Return the templates that are instantiated for the records of a resource."""
        return self._templates.get(resource_id, ())

    def get(self, unit_id: str, kind: str) -> Unit:
        """Return the unit of that kind and id.

        Raises:
            UnknownUnitError: None has it; near names are in the message.
        """
        try:
            return self.by_id[kind, unit_id]
        except KeyError:
            known = [known_id for known_kind, known_id in self.by_id if known_kind == kind]
            raise UnknownUnitError(unit_id, kind, known) from None

    def remove(self, unit: Unit) -> None:
        """Remove a unit that is no job."""
        del self.by_id[unit.kind, unit.id]
        self.units[:] = [known for known in self.units if known != unit]
        if isinstance(unit, Category):
            self.category_names.pop(unit.id, None)
        for templates in self._templates.values():
            templates[:] = [template for template in templates if template != unit]

    def remove_jobs(self, ids: Collection[str]) -> None:
        """Remove the jobs of these ids, in one pass for all."""
        for kind in _JOBS:
            for job_id in ids:
                self.by_id.pop((kind, job_id), None)
        self.units[:] = [
            unit for unit in self.units if unit.kind not in _JOBS or unit.id not in ids
        ]


_JOBS: Final = ("job", "setup job")
