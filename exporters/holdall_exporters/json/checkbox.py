"""A session in the layout of Checkbox's submission.json, for readers made for that.

Members come in the order that Checkbox writes them in. What tells of the machine
is there when a resource or attachment job of Checkbox's providers told it:

    {
      "title", "origin", "testplan_id"?, "custom_joblist",
      "packages"?, "snap-packages"?, "distribution"?,
      "results": [{
        "id", "full_id", "name", "certification_status", "category", "category_id", "status",
        "outcome", "skip_reason", "comments", "io_log", "type", "project", "duration",
        "plugin", "template_id"
      }],
      "resource-results": [],
      "attachment-results": [{as above, without "skip_reason", "type" and "project"}],
      "rejected-jobs": [{
        "id", "full_id", "name", "plugin", "certification_status", "category", "category_id",
        "template_id"
      }],
      "category_map": {ID: NAME}, "launcher": {}, "system_information": {"version"},
      "dkms_info"?, "devices"?, "raw-devices-dmi"?, "modprobe-info"?, "pci_subsystem_id"?,
      "kernel"?, "architecture"?, "memory"?, "processor"?, "kernel-cmdline"?, "bto-info"?,
      "image-version"?, "buildstamp"?
    }

Every job that has a result stands in it once. Checkbox writes resource jobs to
`results`; `resource-results` is empty, and there because its schema requires it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdall.results import Outcome
from holdall.version import __version__
from holdall.writing import count_parts_left_out, log_text, wants_log
from holdall_exporters.json.machine import about_machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import ExportContext
    from holdall.view import JobView, SessionView
    from holdall.writing import LogChoice

_encode: Final = msgspec.json.Encoder().encode


class Item(msgspec.Struct, frozen=True):
    """A result, as far as a reader needs it to count."""

    id: str
    full_id: str
    outcome: str


class Submission(msgspec.Struct, frozen=True, rename={"attachment_results": "attachment-results"}):
    """The members that every submission has."""

    title: str
    results: tuple[Item, ...]
    attachment_results: tuple[Item, ...]
    category_map: dict[str, str]


def submission(view: SessionView, logs: LogChoice, context: ExportContext) -> Iterator[bytes]:
    """Yield the submission, a job on each line."""
    if len(view.devices) > 1:
        context.warn(
            "several-devices",
            f"a submission describes one machine; the jobs of {len(view.devices)} devices are in "
            "it without their devices",
        )
    machine = about_machine(view, context)
    yield b"{"
    yield from _members(_head(view), first=True)
    yield from _members(machine.software())
    yield b',\n"results": ['
    yield from _lines(_results(view, logs, context))
    yield b'],\n"resource-results": [],\n"attachment-results": ['
    yield from _lines(_attachments(view, logs))
    yield b'],\n"rejected-jobs": ['
    yield from _lines([_encode(_rejected(job))] for job in view.rejected_jobs())
    yield b"]"
    yield from _members(_tail(view))
    yield from _members(machine.hardware())
    yield b"\n}\n"


def _members(members: dict[str, Any], *, first: bool = False) -> Iterator[bytes]:
    for number, (name, value) in enumerate(members.items()):
        start = b"\n" if first and not number else b",\n"
        yield b"%b%b: %b" % (start, _encode(name), _encode(value))


def _lines(items: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    """Yield the items of a list, each on a line of its own."""
    empty = True
    for item in items:
        yield b"\n" if empty else b",\n"
        yield from item
        empty = False
    if not empty:
        yield b"\n"


def _head(view: SessionView) -> dict[str, Any]:
    head: dict[str, Any] = {
        "title": view.title,
        "origin": {
            "name": "holdall",
            "version": __version__,
            "packaging": {"type": "python", "name": "holdall", "version": __version__},
        },
    }
    if view.plans:
        head["testplan_id"] = view.plans[0].id
    head["custom_joblist"] = view.custom_joblist
    return head


def _tail(view: SessionView) -> dict[str, Any]:
    """Return what follows the jobs; the categories are all that one of them is in."""
    categories = {group.category_id: group.category for group in view.groups()}
    categories |= {job.category_id: job.category for job in view.rejected_jobs()}
    information = {"version": _INFORMATION_VERSION}
    return {"category_map": categories, "launcher": {}, "system_information": information}


_INFORMATION_VERSION: Final = 1  # of the layout of what collectors found, none of which is here


def _results(
    view: SessionView, logs: LogChoice, context: ExportContext
) -> Iterator[Iterator[bytes]]:
    total = view.job_count
    for number, job in enumerate(view.jobs()):
        count_parts_left_out(job, context)
        if _has_result(job) and job.plugin != "attachment":
            yield _result(job, logs)
        if number % 100 == 0:
            context.progress(number, total)


def _attachments(view: SessionView, logs: LogChoice) -> Iterator[Iterator[bytes]]:
    for job in view.jobs():
        if _has_result(job) and job.plugin == "attachment":
            yield _attachment(job, logs)


def _has_result(job: JobView) -> bool:
    return job.in_flight or job.outcome is not Outcome.NONE


def _result(job: JobView, logs: LogChoice) -> Iterator[bytes]:
    head = {**_start(job), "skip_reason": job.skip_reason, "comments": job.comments}
    records = job.io_log() if wants_log(logs, job) else ()
    yield from _with_log(head, log_text(records))
    end = {"type": "test", "project": "certification", **_end(job)}
    yield b"," + _encode(end)[1:]


def _attachment(job: JobView, logs: LogChoice) -> Iterator[bytes]:
    head = {**_start(job), "comments": job.comments}
    records = job.io_log() if wants_log(logs, job) else ()
    yield from _with_log(head, log_text(record for record in records if record.stream == "stdout"))
    yield b"," + _encode(_end(job))[1:]


def _with_log(head: dict[str, Any], log: Iterable[str]) -> Iterator[bytes]:
    """Yield an object that goes on behind its log; the log is never one string."""
    yield _encode(head)[:-1] + b',"io_log":"'
    for text in log:
        yield _encode(text)[1:-1]
    yield b'"'


def _start(job: JobView) -> dict[str, Any]:
    # Nobody knows how a job in flight would have ended; Checkbox calls it a crash.
    # It has no word for what could not be performed either, and that is never a pass.
    crashed = job.in_flight or job.outcome is Outcome.ERROR
    outcome = Outcome.CRASH if crashed else job.outcome
    return {
        "id": _plain(job.id),
        "full_id": job.id,
        "name": job.summary,
        "certification_status": job.certification_status,
        "category": job.category,
        "category_id": job.category_id,
        "status": _STATUS.get(outcome, "skip"),
        "outcome": outcome,
    }


def _end(job: JobView) -> dict[str, Any]:
    return {
        "duration": job.duration or 0,
        "plugin": job.plugin,
        "template_id": job.template_id,
    }


def _rejected(job: JobView) -> dict[str, Any]:
    return {
        "id": _plain(job.id),
        "full_id": job.id,
        "name": job.summary,
        "plugin": job.plugin,
        "certification_status": job.certification_status,
        "category": job.category,
        "category_id": job.category_id,
        "template_id": job.template_id,
    }


def _plain(job_id: str) -> str:
    """Return the id without its namespace."""
    return job_id.partition("::")[2] or job_id


# The three outcomes that a submission knows; all others are a skip.
_STATUS: Final = {Outcome.PASS: "pass", Outcome.FAIL: "fail", Outcome.CRASH: "fail"}
