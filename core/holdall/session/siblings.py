"""Siblings: jobs that another job defines, in a list or by a flag."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from holdall.errors import UnitError
from holdall.units import SUSPENDS, make_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.units import Job, Unit

_FLAGS: Final[Mapping[str, tuple[str, str]]] = {
    "also-after-suspend": ("after-suspend-", "after suspend"),
    "also-after-suspend-manual": ("after-suspend-manual-", "after suspend by hand"),
}


def siblings(job: Job) -> Iterator[Unit | UnitError]:
    """Yield the jobs that *job* brings along, or what is wrong with their definition.

    `siblings` is a JSON list of fields that differ from the job's own. The flags
    `also-after-suspend` and `also-after-suspend-manual` ask for the same job once
    more behind the one that suspends the machine.
    """
    if not job.get("siblings") and not job.get("flags"):
        return  # most jobs, of which there may be many
    for changes in _written_out(job):
        if isinstance(changes, UnitError):
            yield changes
            continue
        try:
            yield _changed(job, changes)
        except UnitError as error:
            yield error
    for flag, (prefix, suffix) in _FLAGS.items():
        if flag in job.flags:
            depends = f"{job.get('depends')} {SUSPENDS[flag]}".strip()
            changes = {
                "id": prefix + job.partial_id,
                "_summary": f"{job.summary} {suffix}",
                "depends": depends,
            }
            yield _changed(job, changes)


def _written_out(job: Job) -> Iterator[dict[str, str] | UnitError]:
    text = job.get("siblings")
    if not text:
        return
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield UnitError(job.id, job.where, f"siblings: it is no JSON ({error})")
        return
    if not isinstance(listed, list):
        yield UnitError(job.id, job.where, "siblings: it must be a JSON list")
        return
    for changes in listed:
        if isinstance(changes, dict) and all(isinstance(v, str) for v in changes.values()):
            yield changes
        else:
            reason = f"siblings: {changes!r} does not map fields to text"
            yield UnitError(job.id, job.where, reason)


def _changed(job: Job, changes: Mapping[str, str]) -> Unit:
    spelled = {name.lstrip("_").replace("-", "_") for name in changes}
    kept = {
        name: value
        for name, value in job.fields.items()
        if name.lstrip("_").replace("-", "_") not in spelled | {"siblings"}
    }
    flags = " ".join(flag for flag in sorted(job.flags) if flag not in _FLAGS)
    fields = {**kept, "flags": flags, **changes}
    return make_unit(fields, namespace=job.namespace, origin=job.origin)
