"""Siblings: jobs that another job defines, in a list or by a flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.errors import UnitError
from holdall.units import SUSPENDS, TWIN_PREFIXES, make_unit, sibling_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.units import Job, Unit


def siblings(job: Job) -> Iterator[Unit | UnitError]:
    """Yield the jobs that *job* brings along, or what is wrong with their definition.

    `siblings` is a JSON list of fields that differ from the job's own. The flags
    `also-after-suspend` and `also-after-suspend-manual` ask for the same job once
    more behind the one that suspends the machine; siblings inherit them.
    """
    if not job.get("siblings") and not job.get("flags"):
        return  # most jobs, of which there may be many
    for entry in sibling_entries(job.get("siblings")):
        if entry.fault:
            yield UnitError(job.id, job.where, entry.fault)
            continue
        try:
            yield _changed(job, entry.changes)
        except UnitError as error:
            yield error
    for flag, prefix in TWIN_PREFIXES.items():
        if flag in job.flags:
            yield _changed(job, _twin(job, flag, prefix))


def _twin(job: Job, flag: str, prefix: str) -> dict[str, str | None]:
    """Return what differs in the edition of *job* that runs behind a suspend."""
    changes: dict[str, str | None] = {
        "id": prefix + job.partial_id,
        "_summary": f"{job.summary} after suspend (S3)",
        "depends": "\n".join(dict.fromkeys([*job.ids("depends"), job.id, SUSPENDS[flag]])),
        "flags": " ".join(kept for kept in job.words("flags") if kept not in TWIN_PREFIXES),
    }
    if job.group:
        changes["group"] = prefix + job.group
    return changes


def _changed(job: Job, changes: Mapping[str, str | None]) -> Unit:
    spelled = {name.lstrip("_").replace("-", "_") for name in changes} | {"siblings"}
    kept = {
        name: value
        for name, value in job.fields.items()
        if name.lstrip("_").replace("-", "_") not in spelled
    }
    given = {name: value for name, value in changes.items() if value is not None}
    return make_unit(kept | given, namespace=job.namespace, origin=job.origin)
