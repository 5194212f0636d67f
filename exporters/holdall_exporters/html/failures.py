"""What went wrong, by its causes: the jobs of each with their last words."""

from __future__ import annotations

from itertools import groupby
from re import sub
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from holdall.languages import grouped
from holdall.writing import causes_of, duration, html_text
from holdall_exporters.html.coloured import less_coloured, split_tail
from holdall_exporters.html.datablock import log_of, notes_on
from holdall_exporters.html.kinds import heading, kind_of, standing
from holdall_exporters.html.parts import worst_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.languages import Catalog
    from holdall.view import AttemptView, JobView, SessionView
    from holdall.writing import Cause
    from holdall_exporters.html.coloured import Run
    from holdall_exporters.html.datablock import Choices
    from holdall_exporters.html.parts import Parts


_COLOURED: Final = 200  # runs of one log above the table; a page of elements is slow
_FEW: Final = 3  # jobs of a cause whose last lines are shown even if they are the same


class Failure(NamedTuple):
    """A job that went wrong.

    Attributes:
        address: What leads to its details, after the `#`.
        words: What was said of it, and not by its cause already.
        tail: Its last lines; nothing if those of the job before it are the same.
        before: The lines before those of `tail`, of which there are `line_count`.
    """

    kind: str
    label: str
    summary: str
    id: str
    address: str
    facts: list[str]
    words: list[str]
    parts: Parts
    tail: list[Run]
    before: list[Run]
    line_count: int
    is_same: bool
    dropped: int


class Group(NamedTuple):
    """A cause, with the first of its jobs.

    Attributes:
        number: Its place among the causes.
        text: Why the jobs went wrong; a heading of its own if there are several.
        more: How many more jobs have it.
    """

    number: int
    kind: str
    text: str
    job_count: int
    times: str
    is_blocker: bool
    jobs: Iterator[Failure]
    more: int


class Failures(NamedTuple):
    """The causes that are shown, and how many jobs went wrong.

    Attributes:
        more: How many jobs are of no cause that is shown.
    """

    groups: Iterator[Group]
    job_count: int
    more: int


def failures_of(view: SessionView, limit: int, choices: Choices) -> Failures:
    """Return what went wrong, *limit* jobs at most; their output is read one after the other.

    In a session that still runs, what is in flight is no failure.
    """
    found = causes_of(view, output=choices.logs != "none")
    is_running = view.state == "running"
    causes = [cause for cause in found if cause.outcome is not None or not is_running]
    shares = _shares([len(cause.numbers) for cause in causes], limit)
    wanted = {
        number
        for cause, share in zip(causes, shares, strict=True)
        for number in cause.numbers[:share]
    }
    jobs = _jobs_at(view, wanted)
    shown = [(cause, share) for cause, share in zip(causes, shares, strict=True) if share]
    count = sum(cause.count for cause in causes)
    groups = (
        _group(place, cause, [jobs[number] for number in cause.numbers[:share]], view, choices)
        for place, (cause, share) in enumerate(shown)
    )
    return Failures(groups, count, count - sum(cause.count for cause, _ in shown))


def _shares(counts: Sequence[int], limit: int) -> list[int]:
    """Return how many jobs of each cause are shown: of each one if there is room, then more."""
    shares = [0] * len(counts)
    for wanted in (1, max(counts, default=0)):
        for place, count in enumerate(counts):
            more = min(count, wanted) - shares[place]
            more = max(0, min(more, limit - sum(shares)))
            shares[place] += more
    return shares


def _jobs_at(view: SessionView, numbers: set[int]) -> Mapping[int, JobView]:
    """Return the jobs at these places; their logs are not read yet."""
    last = max(numbers, default=-1)
    found = {}
    for number, job in enumerate(view.jobs()):
        if number > last:
            break
        if number in numbers:
            found[number] = job
    return found


def _group(
    place: int, cause: Cause, jobs: list[JobView], view: SessionView, choices: Choices
) -> Group:
    catalog = view.catalog
    jobs.sort(key=lambda job: job.certification_status != "blocker")
    return Group(
        number=place,
        kind=kind_of(cause.outcome),
        text=cause.text,
        job_count=cause.count,
        times=grouped(cause.count, catalog),
        is_blocker=cause.is_blocker,
        jobs=_failures(cause, jobs, view, choices),
        more=cause.count - len(jobs),
    )


def _failures(
    cause: Cause, jobs: list[JobView], view: SessionView, choices: Choices
) -> Iterator[Failure]:
    several, catalog = len(view.devices) > 1, view.catalog
    before = ""
    for job in jobs:
        kind, label, more = standing(job)
        runs = less_coloured(log_of(job.last, choices, catalog), _COLOURED)
        head, tail = split_tail(runs)
        text = sub(r"\d+", "#", _text(tail))
        is_same = cause.count > _FEW and bool(text) and text == before
        before = text
        parts = worst_parts(job.last, catalog)
        words = notes_on(job.last)
        if cause.count > 1:
            words = [each for each in words if each.strip() != cause.text]
        yield Failure(
            kind=kind,
            label=f"{label} ({more})" if more else label,
            summary=heading(job.summary, catalog),
            id=html_text(job.id),
            address=address_of(job, several=several),
            facts=list(_facts(job, catalog, several=several)),
            words=words or list(_at_least(job.last, catalog, has_more=bool(tail or any(parts)))),
            parts=parts,
            tail=[] if is_same else tail,
            before=runs if is_same else head,
            line_count=_lines(runs if is_same else head),
            is_same=is_same,
            dropped=job.last.io_log_dropped,
        )


def _text(runs: list[Run]) -> str:
    return "".join(run if isinstance(run, str) else run[1] for run in runs)


def _lines(runs: list[Run]) -> int:
    return len(_text(runs).splitlines())


def _at_least(attempt: AttemptView, catalog: Catalog, *, has_more: bool) -> Iterator[str]:
    """Yield words where a failure has none of its own."""
    if has_more:
        return
    if attempt.io_log_size:
        yield catalog.gettext("Its output is not in this report.")
    else:
        yield catalog.gettext("It wrote nothing, and no reason was recorded.")


def address_of(job: JobView, *, several: bool) -> str:
    """Return what the page finds the details of *job* by, as it stands behind the `#`."""
    names = {"job": html_text(job.id)}
    if several:
        names["on"] = html_text(job.device_id)
    return urlencode(names)


def _facts(job: JobView, catalog: Catalog, *, several: bool) -> Iterator[str]:
    """Yield what stands beside the id of a failure."""
    yield html_text(job.category)
    if several:
        yield html_text(job.device_id)
    if job.duration is not None:
        yield duration(job.duration, catalog)
    if job.return_code is not None:
        yield catalog.gettext("exit code {code}").format(code=job.return_code)
    if job.certification_status == "blocker":
        yield catalog.gettext("blocker")
    if job.attachments:
        files = len(job.attachments)
        text = catalog.ngettext("{count} attachment", "{count} attachments", files)
        yield text.format(count=grouped(files, catalog))
    if job.attempt_count > 1:
        yield from _history(job, catalog)


def _history(job: JobView, catalog: Catalog) -> Iterator[str]:
    """Yield the outcomes of several attempts, equal ones that follow each other once."""
    runs = groupby(attempt.label for attempt in job.attempts)
    history = ", ".join(
        label if count == 1 else f"{count} \u00d7 {label}"
        for label, count in ((label, sum(1 for _ in same)) for label, same in runs)
    )
    attempts = catalog.ngettext(
        "{count} attempt: {history}", "{count} attempts: {history}", job.attempt_count
    )
    yield attempts.format(count=job.attempt_count, history=history)
