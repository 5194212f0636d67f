"""What others see of a session: a fold of its journal, pinned at one position."""

from __future__ import annotations

from collections import Counter
from copy import copy
from typing import TYPE_CHECKING, Any, Final, assert_never

import msgspec

from holdall.errors import MissingBlobError
from holdall.journal import (
    CategoryDefined,
    DeviceAdded,
    DeviceRemoved,
    JobDefined,
    JobRecord,
    JobRemoved,
    JobsSelected,
    JobStarted,
    ManifestAnswered,
    MetadataChanged,
    OverridesChanged,
    PlansChanged,
    PluginUsed,
    ProviderAdded,
    ResultRecorded,
    SessionCreated,
    Snapshot,
    WriterOpened,
    decode_strings,
    decode_title,
    read_events,
)
from holdall.languages import ENGLISH, N_
from holdall.results import encodable
from holdall.units import UNCATEGORISED, Record, parse_records
from holdall.view.filtering import NOWHERE
from holdall.view.fold import FoldedJob, Repeated
from holdall.view.group import JobGroup
from holdall.view.job import JobView
from holdall.view.labels import tallies, total
from holdall.view.logs import SmallLogs
from holdall.view.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from holdall.contracts import Storage
    from holdall.journal import AnyEvent, PlanRecord
    from holdall.languages import Words
    from holdall.results import Outcome
    from holdall.view.filtering import ViewFilter
    from holdall.view.labels import Tally
    from holdall.view.logs import SharedLogs

UNCATEGORISED_NAME: Final = N_("Uncategorised")


class DeviceView(msgspec.Struct, frozen=True):
    """A device of the session: its id, words about it, and facts by name."""

    id: str
    description: str = ""
    facts: dict[str, str] = {}


class SessionView:
    """A session as it was at one moment; it can be read any number of times.

    Jobs come in the order of the run list, jobs of several devices one device
    after another. Everything is there without the providers.

    Attributes:
        session_id: Id of the session.
        created: Seconds since 1970, UTC.
        modified: The latest moment of an event, seconds since 1970, UTC.
        devices: The devices, in the order they joined.
        plans: Test plans in force.
        providers: Providers whose units were there, by device.
        plugins: The plugins that wrote the session.
        categories: Headings by category id.
        unsaved: How many of the events shown here are not stored yet.
    """

    def __init__(
        self,
        events: Iterable[AnyEvent],
        *,
        open_blob: Callable[[str], BinaryIO] | None = None,
        unsaved: int = 0,
    ) -> None:
        self.session_id = ""
        self._title = ""
        self._titles: dict[str, str] = {}
        self._rejected: dict[str, tuple[str, ...]] = {}
        self._custom: dict[str, bool] = {}
        self.created = 0.0
        self.modified = 0.0
        self.plans: tuple[PlanRecord, ...] = ()
        self.providers: list[ProviderAdded] = []
        self._plugins: dict[tuple[str, ...], PluginUsed] = {}
        self.categories: dict[str, str] = {}
        self.unsaved = unsaved
        self._devices: dict[str, DeviceView] = {}
        self._jobs: dict[str, dict[str, FoldedJob]] = {}
        self._run_lists: dict[str, tuple[str, ...]] = {}
        self._words = ENGLISH
        self._whole: SessionView | None = None
        self._small = SmallLogs()
        self._source = Source(open_blob or _no_blobs, self._small)
        self._repeated = Repeated()
        for event in events:
            self.modified = max(self.modified, event.at)
            self._apply(event)
        self.plugins = list(self._plugins.values())
        self._order = {each: self._ordered(each) for each in (*self._devices, *self._jobs)}
        self._taken_out = {each: self._known(each, ids) for each, ids in self._rejected.items()}
        del self._jobs, self._repeated  # which only the fold needs

    @classmethod
    def of(cls, storage: Storage) -> SessionView:
        """Return the view of what is stored; *storage* must stay open while it is used."""
        return cls(read_events(storage), open_blob=storage.open_blob)

    def _apply(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912 - a line for each event
        match event:
            case ResultRecorded():
                self._record(event)
            case JobStarted():
                self._job(event.device, event.job_id).in_flight = True
            case JobDefined():
                record = self._repeated.record(event.job)
                self._job(event.device, record.id).record = record
            case JobRemoved():
                self._jobs.get(event.device, {}).pop(event.job_id, None)
            case JobsSelected():
                self._run_lists[event.device] = self._selected(event)
            case CategoryDefined():
                self.categories[event.id] = event.name
            case DeviceAdded():
                device = DeviceView(event.device, event.description, event.facts)
                self._devices[event.device] = device
            case DeviceRemoved():
                self._remove_device(event.device)
            case ProviderAdded():
                self.providers.append(event)
            case PluginUsed():
                key = (event.kind, event.id, event.distribution, event.version)
                self._plugins[key] = event
            case PlansChanged():
                self.plans = event.plans
            case SessionCreated():
                self.session_id, self.created = event.session_id, event.at
                self._title = event.title
            case MetadataChanged():
                self._show_metadata(event)
            case WriterOpened() | ManifestAnswered() | OverridesChanged():
                pass  # reports show what follows from them
            case Snapshot():
                raise ValueError("a snapshot can't be shown; unpack it first")
            case _:
                assert_never(event)

    def _remove_device(self, device_id: str) -> None:
        for known in (self._devices, self._jobs, self._run_lists, self._titles):
            known.pop(device_id, None)
        self._rejected.pop(device_id, None)
        self._custom.pop(device_id, None)
        self.providers = [other for other in self.providers if other.device != device_id]

    def _show_metadata(self, event: MetadataChanged) -> None:
        """Take what reports show of the metadata; the rest is the application's own."""
        changes = event.changes
        if "title" in changes:
            self._titles[event.device] = decode_title(changes["title"])
        if "rejected_jobs" in changes:
            self._rejected[event.device] = decode_strings(changes["rejected_jobs"])
        if "custom_joblist" in changes:
            self._custom[event.device] = bytes(changes["custom_joblist"]) == b"true"

    def _record(self, event: ResultRecorded) -> None:
        job = self._job(event.device, event.job_id)
        job.in_flight = False
        if not event.result.is_hollow:
            job.results += (self._small.taken_out(event.result),)

    def _selected(self, event: JobsSelected) -> tuple[str, ...]:
        """Return the ids of the run list; where the job is known, the very one that it has."""
        jobs = self._jobs.get(event.device, {})
        return tuple(jobs[each].record.id if each in jobs else each for each in event.run_list)

    def _job(self, device_id: str, job_id: str) -> FoldedJob:
        jobs = self._jobs.setdefault(device_id, {})
        if job_id not in jobs:
            jobs[job_id] = FoldedJob(JobRecord(id=job_id))
        return jobs[job_id]

    def _ordered(self, device_id: str) -> tuple[FoldedJob, ...]:
        """The jobs to show: those of the run list, and others that were tried all the same."""
        jobs = self._jobs.get(device_id, {})
        selected = self._run_lists.get(device_id, ())
        ids = dict.fromkeys(job_id for job_id in selected if job_id in jobs)
        ids.update(dict.fromkeys(job_id for job_id, job in jobs.items() if job.was_tried))
        return tuple(jobs[job_id] for job_id in ids)

    def _known(self, device_id: str, job_ids: Iterable[str]) -> tuple[FoldedJob, ...]:
        """Return the jobs of these ids, with what is known of each."""
        jobs = self._jobs.get(device_id, {})
        return tuple(jobs.get(each) or FoldedJob(JobRecord(id=each)) for each in job_ids)

    @property
    def whole(self) -> SessionView:
        """The view with all jobs, where this one has some of them; what a verdict is about."""
        return self._whole or self

    def filtered(self, by: ViewFilter) -> SessionView:
        """Return this view as it is seen through *by*; this one stays as it is."""
        return self._but(
            _source=self._source.filtered(by),
            _title=by.text(self.title, NOWHERE._replace(field="title")),
            _titles={},
            _devices={device.id: _device(by, device) for device in self.devices},
            plans=tuple(_plan(by, plan) for plan in self.plans),
            categories={
                each: by.text(name, NOWHERE._replace(field=f"category {each}"))
                for each, name in self.categories.items()
            },
            _whole=self._whole and self._whole.filtered(by),
        )

    def with_jobs(
        self, choose: Callable[[Sequence[FoldedJob]], Iterable[FoldedJob]]
    ) -> SessionView:
        """Return this view with the jobs of each device that *choose* leaves, in its order."""
        order = {each: tuple(choose(jobs)) for each, jobs in self._order.items()}
        return self._but(_order=order, _whole=self.whole)

    def sharing(self, logs: SharedLogs) -> SessionView:
        """Return this view with the large logs that are read remembered in *logs*."""
        whole = self._whole and self._whole.sharing(logs)
        return self._but(_source=self._source.sharing(logs), _whole=whole)

    def with_title(self, title: str) -> SessionView:
        """Return this view under another title."""
        return self._but(_title=encodable(title), _titles={})

    def with_words(self, words: Words) -> SessionView:
        """Return this view with the words that are holdall's own, as labels are, in *words*.

        What the session holds stays as it is. A report that programs read wants no words
        but the English ones.
        """
        whole = self._whole and self._whole.with_words(words)
        return self._but(_words=words, _source=self._source.with_words(words), _whole=whole)

    @property
    def words(self) -> Words:
        """The words that labels are in; English ones unless `with_words` gave others."""
        return self._words

    def _but(self, **state: Any) -> SessionView:
        """Return a view that differs from this one in *state*."""
        shown = copy(self)
        vars(shown).update(state)
        return shown

    @property
    def title(self) -> str:
        """Title for people: of the first device that has one, else the session's, else its id."""
        given = (self._titles.get(each, "") for each in self._order)
        return next(filter(None, given), self._title or self.session_id)

    @property
    def devices(self) -> tuple[DeviceView, ...]:
        """The devices, in the order they joined."""
        return tuple(self._devices.get(each) or DeviceView(each) for each in self._order)

    @property
    def job_count(self) -> int:
        """How many jobs `jobs()` yields."""
        return sum(map(len, self._order.values()))

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many jobs ended with which outcome; only outcomes that occur."""
        return Counter(job.result.outcome for jobs in self._order.values() for job in jobs)

    @property
    def tallies(self) -> list[Tally]:
        """How many jobs stand how, in words, what went wrong first."""
        return tallies((job for jobs in self._order.values() for job in jobs), self._source.labels)

    @property
    def duration(self) -> float:
        """Seconds that the last attempts took, added up."""
        jobs = (job for each in self._order.values() for job in each)
        return total(job.result.execution_duration for job in jobs)

    def jobs(self, *, device_id: str | None = None) -> Iterator[JobView]:
        """Yield the selected jobs and those that were tried, in the order of the run list."""
        headings: dict[str, str] = {}
        for each in self._order if device_id is None else (device_id,):
            for job in self._order.get(each, ()):
                category_id = job.record.category_id
                heading = headings.get(category_id)
                if heading is None:
                    heading = headings[category_id] = self._category(category_id)
                yield JobView(each, job, heading, self._source)

    @property
    def custom_joblist(self) -> bool:
        """Whether a person changed what the plans select, on any device."""
        return any(self._custom.values())

    def rejected_jobs(self) -> Iterator[JobView]:
        """Yield the jobs that a person took out, also those of which only the id is known."""
        for device_id, jobs in self._taken_out.items():
            for job in jobs:
                category = self._category(job.record.category_id)
                yield JobView(device_id, job, category, self._source)

    def groups(self, *, device_id: str | None = None) -> Iterator[JobGroup]:
        """Yield the jobs by device and category, categories in the order of their first job."""
        for each in self._order if device_id is None else (device_id,):
            found: dict[str, list[FoldedJob]] = {}
            for job in self._order.get(each, ()):
                found.setdefault(job.record.category_id, []).append(job)
            for category_id, jobs in found.items():
                category = self._category(category_id)
                yield JobGroup(each, category_id, category, jobs, self._source)

    def _category(self, category_id: str) -> str:
        known = self.categories.get(category_id)
        name = "" if category_id == UNCATEGORISED else category_id.rpartition("::")[2]
        return known or name or self._words.gettext(UNCATEGORISED_NAME)

    def resources(self) -> Iterator[tuple[str, str, tuple[dict[str, str], ...]]]:
        """Yield device id, job id and records of each resource job that has a result."""
        for job in self.jobs():
            if job.plugin == "resource" and job.attempts:
                text = b"".join(r.data for r in job.io_log() if r.stream == "stdout")
                found = parse_records(text.decode("utf-8", "backslashreplace"))
                records = tuple(r.fields for r in found if isinstance(r, Record))
                yield job.device_id, job.id, records


def _device(by: ViewFilter, device: DeviceView) -> DeviceView:
    place = NOWHERE._replace(device_id=device.id)
    facts = {
        name: by.value(name, value, place._replace(field=f"fact {name}"))
        for name, value in device.facts.items()
    }
    words = by.text(device.description, place._replace(field="description"))
    return DeviceView(device.id, words, facts)


def _plan(by: ViewFilter, plan: PlanRecord) -> PlanRecord:
    place = NOWHERE._replace(job_id=plan.id)
    return msgspec.structs.replace(
        plan,
        name=by.text(plan.name, place._replace(field="name")),
        description=by.text(plan.description, place._replace(field="description")),
    )


def _no_blobs(ref: str) -> BinaryIO:
    raise MissingBlobError(ref)
