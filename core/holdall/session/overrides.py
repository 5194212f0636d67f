"""Overrides: fields of jobs that a plan or a person sets."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from holdall.journal import OverrideRecord
from holdall.units import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.session.catalog import JobCatalog
    from holdall.units import Job


class Override(NamedTuple):
    """A field that is set for the jobs a pattern matches."""

    pattern: Pattern
    field: str
    value: str

    @classmethod
    def of(cls, record: OverrideRecord) -> Override:
        """Return the override that the journal recorded."""
        text = record.pattern
        if not record.fixed and not text.startswith("^"):
            text = f"^(?:{text})$"  # as expressions were written in older journals
        return cls(Pattern(text, record.fixed), record.field, record.value)

    def record(self) -> OverrideRecord:
        """Return the override as the journal records it."""
        return OverrideRecord(
            pattern=self.pattern.text,
            fixed=self.pattern.fixed,
            field=self.field,
            value=self.value,
        )


class Overrides:
    """Overrides in force, later ones over earlier ones."""

    def __init__(self, overrides: Iterable[Override] = ()) -> None:
        self._all = tuple(overrides)
        self._fixed: dict[str, list[tuple[int, Override]]] = {}
        self._others: list[tuple[int, Override]] = []
        for position, override in enumerate(self._all):
            if override.pattern.fixed:
                self._fixed.setdefault(override.pattern.text, []).append((position, override))
            else:
                self._others.append((position, override))

    def __bool__(self) -> bool:
        return bool(self._all)

    def of(self, job: Job) -> dict[str, str]:
        """Return the fields that are set for one job, which may be in no catalog yet."""
        ids = {job.id, job.template_id} - {""}
        applying = [entry for unit_id in ids for entry in self._fixed.get(unit_id, ())]
        applying += [entry for entry in self._others if any(map(entry[1].pattern.matches_id, ids))]
        applying.sort(key=itemgetter(0))
        return {override.field: override.value for _position, override in applying}

    def by_job(self, catalog: JobCatalog) -> dict[str, dict[str, str]]:
        """Return the fields that are set, by the id of each job that any is set for."""
        fields: dict[str, dict[str, str]] = {}
        for override in self._all:
            for job_id in catalog.affected(override.pattern):
                fields.setdefault(job_id, {})[override.field] = override.value
        return fields
