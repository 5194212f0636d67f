"""Options that all exporters share: which part of a session a report shows.

They are handled in the view, before an exporter sees anything. What is left out
is counted in the `ExportReport`, and visible where it was: a cut log says how
much is missing, a title says how many of the jobs are shown.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from holdall.languages import ENGLISH, N_
from holdall.view import ViewFilter
from holdall.writing import BYTES_CUT, LOGS_CUT, ControlFilter, mark_of, shortened, split_room

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from holdall.languages import Catalog
    from holdall.results import Attachment, IOLogRecord, JobResult
    from holdall.view import FoldedJob, Location, OpenBlob, SessionView


Only = Literal[
    "wrong",
    "flaky",
    "none",
    "pass",
    "fail",
    "crash",
    "error",
    "skip",
    "skipped-dependency",
    "skipped-resource",
    "skipped-manifest",
    "not-supported",
    "not-implemented",
    "undecided",
]
"""Which jobs a report shows: those of an outcome, or those that people look for."""


@dataclass(frozen=True)
class ViewOptions:
    """Which part of the session a report shows, and how.

    Attributes:
        logs: Whose output there is: nobody's, that of failed jobs, all. An exporter with an
            option of that name decides by itself.
        log_max: Bytes of one log at most; what is more is left out of its middle.
        log_head: How many of them to take from the log's beginning, a quarter if not said.
        log_total: Bytes of all logs together at most, given to the first ones.
        only: Show jobs of these outcomes alone; the verdict is about all jobs all the same.
            `wrong` are those that went wrong, whatever is expected of them; `flaky` passed after
            an attempt that went wrong.
        order: Show jobs as they ran, by id, or by category.
        attachments: Whether to show the files that jobs left behind.
        ansi: Keep terminal escape sequences where the format can hold them, or strip them.
        control: What control characters become: themselves, pictures, escapes, or U+FFFD.
        title: A title in place of the session's.
        lang: Language of reports for people, such as `de`; English if not said.
    """

    logs: Literal["none", "failed", "all"] = "all"
    log_max: int | None = None
    log_head: int | None = None
    log_total: int | None = None
    only: tuple[Only, ...] = ()
    order: Literal["run", "id", "category"] = "run"
    attachments: bool = True
    ansi: Literal["keep", "strip"] = "keep"
    control: Literal["keep", "picture", "escape", "replace"] = "keep"
    title: str = ""
    lang: str = ""

    def __post_init__(self) -> None:
        for name in ("log_max", "log_head", "log_total"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name.replace('_', '-')} can't be negative")
        if self.lang and not self.lang.replace("-", "").replace("_", "").isalnum():
            raise ValueError("lang must be the name of a language, such as 'en' or 'de-AT'")


EVERYTHING: Final = ViewOptions()


def apply_view_options(
    view: SessionView, wanted: ViewOptions, changes: Counter[str]
) -> SessionView:
    """Return *view* reduced to what is *wanted*, and count in *changes* what is left out."""
    if wanted == EVERYTHING:
        return view
    if wanted.title:
        view = view.with_title(wanted.title)
    if wanted.only or wanted.order != "run":
        view = _chosen(view, wanted, changes)
    if wanted.ansi != "keep" or wanted.control != "keep":
        view = view.filtered(ControlFilter(ansi=wanted.ansi, control=wanted.control))
    cuts = _cuts(view, wanted)
    for cut in cuts.values():
        if cut.hidden:
            changes[N_("logs left out")] += 1
        else:
            changes[LOGS_CUT] += 1
            changes[BYTES_CUT] += cut.size - cut.head - cut.tail
    if cuts or not wanted.attachments:
        view = view.filtered(_Parts(cuts, attachments=wanted.attachments, changes=changes))
    return view


def _chosen(view: SessionView, wanted: ViewOptions, changes: Counter[str]) -> SessionView:
    def choose(jobs: Sequence[FoldedJob]) -> Iterable[FoldedJob]:
        kept = [job for job in jobs if not wanted.only or _is_one_of(job, wanted.only)]
        key = _ORDERS.get(wanted.order)
        return kept if key is None else sorted(kept, key=key)

    shown = view.with_jobs(choose, named=", ".join(wanted.only))
    if wanted.only:
        changes[N_("jobs left out")] += view.job_count - shown.job_count
    return shown


def _is_one_of(job: FoldedJob, only: tuple[Only, ...]) -> bool:
    return (
        job.result.outcome in only
        or ("wrong" in only and job.went_wrong)
        or ("flaky" in only and job.is_flaky)
    )


_ORDERS: Final[dict[str, Callable[[FoldedJob], Any]]] = {
    "id": lambda job: job.record.id,
    "category": lambda job: (job.record.category_id, job.record.id),
}


class _Cut(NamedTuple):
    """How much of a log is shown: bytes of its beginning and its end, or nothing."""

    size: int
    head: int = 0
    tail: int = 0
    hidden: bool = False


def _cuts(view: SessionView, wanted: ViewOptions) -> dict[tuple[str, str, int], _Cut]:
    """Return the logs that are not shown whole, by device, job and number of the attempt."""
    if wanted.logs == "all" and wanted.log_max is None and wanted.log_total is None:
        return {}
    cuts = {}
    left = wanted.log_total
    for job in view.jobs():
        for number, attempt in enumerate(job.attempts):
            size = attempt.io_log_size
            if not size:
                continue
            key = (job.device_id, job.id, number)
            if wanted.logs == "none" or (wanted.logs == "failed" and not attempt.counts_as.failed):
                cuts[key] = _Cut(size, hidden=True)
                continue
            room = min(bound for bound in (size, wanted.log_max, left) if bound is not None)
            if left is not None:
                left -= room
            if room < size:
                asked = wanted.log_head
                head = split_room(room)[0] if asked is None else min(room, asked)
                cuts[key] = _Cut(size, head, room - head)
    return cuts


class _Parts(ViewFilter):
    """Leaves out parts of logs, and attachments."""

    def __init__(
        self,
        cuts: dict[tuple[str, str, int], _Cut],
        *,
        attachments: bool,
        changes: Counter[str],
    ) -> None:
        self._cuts = cuts
        self._attachments = attachments
        self._changes = changes
        self._catalog: Catalog = ENGLISH
        self._without: set[tuple[str, str, int]] = set()

    def with_catalog(self, catalog: Catalog) -> _Parts:
        """Return this filter with the marks of cuts in the language of *catalog*."""
        other = copy(self)
        other._catalog = catalog  # noqa: SLF001 - of a copy
        return other

    def attachments(
        self, attachments: tuple[Attachment, ...], location: Location, open_blob: OpenBlob
    ) -> tuple[Attachment, ...]:
        """Return them, or none."""
        if self._attachments:
            return super().attachments(attachments, location, open_blob)
        if location[:3] not in self._without:
            self._without.add(location[:3])
            self._changes[N_("attachments left out")] += len(attachments)
        return ()

    def result(self, result: JobResult, location: Location) -> JobResult:
        """Return the result of a log of the size that is left of it."""
        cut = self._cuts.get(location[:3])
        if cut is None:
            return result
        if cut.hidden:
            return msgspec.structs.replace(result, io_log=(), io_log_ref=None, io_log_size=0)
        mark = len(mark_of(cut.size - cut.head - cut.tail, self._catalog))
        return msgspec.structs.replace(result, io_log_size=cut.head + cut.tail + mark)

    def log(self, records: Iterator[IOLogRecord], location: Location) -> Iterator[IOLogRecord]:
        """Return what is left of the log."""
        cut = self._cuts.get(location[:3])
        if cut is None:
            return records
        if cut.hidden:
            return iter(())
        return shortened(records, cut.head, cut.tail, self._catalog)
