"""The view of a session: a fold of its journal, pinned at one position."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from holdall.errors import MissingBlobError
from holdall.journal import read_events
from holdall.languages import ENGLISH, N_, NN_, grouped
from holdall.results import encodable
from holdall.units import BUILTIN_CATEGORIES, UNCATEGORISED, Record, parse_records
from holdall.view.filtering import NOWHERE, with_ids, with_texts
from holdall.view.fold import fold
from holdall.view.folded import DeviceView
from holdall.view.group import JobGroup
from holdall.view.job import JobView
from holdall.view.labels import span, tallies, total
from holdall.view.logs import SmallLogs
from holdall.view.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from holdall.contracts import Storage
    from holdall.journal import AnyEvent, PlanRecord, PluginUsed, ProviderAdded
    from holdall.languages import Catalog
    from holdall.results import Outcome
    from holdall.view.filtering import ViewFilter
    from holdall.view.folded import FoldedJob, FoldedSession, SessionState
    from holdall.view.labels import Tally
    from holdall.view.logs import SharedLogs

_PART: Final = NN_("{shown} of {count} job: {names}", "{shown} of {count} jobs: {names}")
UNCATEGORISED_NAME: Final = N_("Uncategorised")


class SessionView:
    """A session as it was at one moment; it can be read any number of times.

    Jobs come in the order of the run list, jobs of several devices one device
    after another. Everything is there without the providers.

    Attributes:
        unsaved: How many of the events shown here are not stored yet.
        catalog: The catalog that labels are in; English ones unless `with_catalog` gave others.
    """

    def __init__(
        self,
        events: Iterable[AnyEvent],
        *,
        open_blob: Callable[[str], BinaryIO] | None = None,
        unsaved: int = 0,
        is_live: bool = False,
        state: SessionState | None = None,
    ) -> None:
        small_logs = SmallLogs()
        self._session: FoldedSession = fold(events, small_logs)
        if is_live and any(job.in_flight for job in self._folded()):
            state = "running"
        if state is not None:  # which a document may say whose events are made up
            self._session = replace(self._session, state=state)
        self._raw = self._session
        self._part: _Part | None = None
        self._source = Source(open_blob or _no_blobs, small_logs)
        self._whole: SessionView | None = None
        self.catalog: Catalog = ENGLISH
        self.unsaved = unsaved

    @classmethod
    def of(cls, storage: Storage) -> SessionView:
        """Return the view of what is stored; *storage* must stay open while it is used."""
        return cls(read_events(storage), open_blob=storage.open_blob)

    @property
    def session_id(self) -> str:
        """Id of the session."""
        return self._session.session_id

    @property
    def title(self) -> str:
        """Title for people: of the first device that has one, else the session's, else its id."""
        title = self._session.title or self._session.session_id
        return title if self._part is None else f"{title} [{self._part.text_in(self.catalog)}]"

    @property
    def state(self) -> SessionState:
        """How far the whole session has come: `new`, `running`, `unfinished` or `finished`.

        Only the view of a manager can say `running`, and says so while a job is in flight. Of
        what is stored nobody knows whether its writer is alive: it is `unfinished`.
        """
        return self._session.state

    @property
    def created(self) -> float:
        """Seconds since 1970, UTC."""
        return self._session.created

    @property
    def modified(self) -> float:
        """The latest moment of an event, seconds since 1970, UTC."""
        return self._session.modified

    @property
    def devices(self) -> tuple[DeviceView, ...]:
        """The devices, in the order they joined."""
        return self._session.devices

    @property
    def plans(self) -> tuple[PlanRecord, ...]:
        """Test plans in force."""
        return self._session.plans

    @property
    def providers(self) -> tuple[ProviderAdded, ...]:
        """Providers whose units were there, by device."""
        return self._session.providers

    @property
    def plugins(self) -> tuple[PluginUsed, ...]:
        """The plugins that wrote the session."""
        return self._session.plugins

    @property
    def categories(self) -> Mapping[str, str]:
        """Headings by category id."""
        return self._session.categories

    @property
    def whole(self) -> SessionView:
        """The view with all jobs, where this one has some of them; what a verdict is about."""
        return self._whole or self

    def filtered(self, by: ViewFilter) -> SessionView:
        """Return this view as it is seen through *by*; this one stays as it is."""
        session = replace(
            _told(by, self._session),
            jobs=_with_ids(by, self._session.jobs),
            rejected=_with_ids(by, self._session.rejected),
        )
        whole = self._whole and self._whole.filtered(by)
        return self._projected(session=session, source=self._source.filtered(by), whole=whole)

    def with_jobs(
        self,
        choose: Callable[[Sequence[FoldedJob]], Iterable[FoldedJob]],
        *,
        named: str = "",
    ) -> SessionView:
        """Return this view with the jobs of each device that *choose* leaves, in its order.

        Args:
            named: Which they are; the title then says so, and how many there are of how many.
        """
        chosen = {device_id: tuple(choose(jobs)) for device_id, jobs in self._session.jobs.items()}
        session = replace(self._session, jobs=chosen)
        shown = sum(map(len, chosen.values()))
        part = _Part(shown, self.job_count, named) if named else self._part
        return self._projected(session=session, whole=self.whole, part=part)

    def sharing(self, logs: SharedLogs) -> SessionView:
        """Return this view with the large logs that are read remembered in *logs*."""
        whole = self._whole and self._whole.sharing(logs)
        return self._projected(source=self._source.sharing(logs), whole=whole)

    def with_title(self, title: str) -> SessionView:
        """Return this view under another title."""
        title = encodable(title)
        session, raw = replace(self._session, title=title), replace(self._raw, title=title)
        return self._projected(session=session, raw=raw)

    def with_catalog(self, catalog: Catalog) -> SessionView:
        """Return this view with labels and other texts of holdall in the language of *catalog*.

        Marks in the place of what is masked or left out are such texts. Texts of the session
        stay as they are. A report that programs read should stay in English.
        """
        whole = self._whole and self._whole.with_catalog(catalog)
        source, session = self._source.with_catalog(catalog), self._session
        if source.filters:
            told = reduce(lambda seen, by: _told(by, seen), source.filters, self._raw)
            session = replace(told, jobs=session.jobs, rejected=session.rejected)
        return self._projected(session=session, source=source, whole=whole, catalog=catalog)

    def _projected(
        self,
        *,
        session: FoldedSession | None = None,
        source: Source | None = None,
        whole: SessionView | None = None,
        catalog: Catalog | None = None,
        raw: FoldedSession | None = None,
        part: _Part | None = None,
    ) -> SessionView:
        """Return a view that shows these instead of its own."""
        # `__init__` folds events; a projection shares what is folded already.
        view = object.__new__(SessionView)
        view._session = session or self._session
        view._raw = raw or self._raw
        view._part = part or self._part
        view._source = source or self._source
        view._whole = whole or self._whole
        view.catalog = catalog or self.catalog
        view.unsaved = self.unsaved
        return view

    @property
    def job_count(self) -> int:
        """How many jobs `jobs()` yields."""
        return sum(map(len, self._session.jobs.values()))

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many jobs ended with which outcome; only outcomes that occur."""
        return Counter(job.result.outcome for job in self._folded())

    @property
    def tallies(self) -> list[Tally]:
        """The number of jobs by outcome, failures first, with labels for people."""
        return tallies(self._folded(), self._source.labels)

    @property
    def duration(self) -> float:
        """Seconds that the last attempts took, added up."""
        return total(job.took for job in self._folded())

    @property
    def elapsed(self) -> float | None:
        """Seconds from the start of the first attempt to the end of the last; None if unknown.

        It is unknown if the start of any attempt that took time is.
        Jobs that run side by side make it less than `duration`, and pauses make it more.
        """
        return span(result for job in self._folded() for result in job.results)

    @property
    def flaky_count(self) -> int:
        """How many jobs passed in the end, after an attempt that went wrong by itself."""
        return sum(job.is_flaky for job in self._folded())

    def _folded(self) -> Iterator[FoldedJob]:
        return chain.from_iterable(self._session.jobs.values())

    def jobs(self, *, device_id: str | None = None) -> Iterator[JobView]:
        """Yield the selected jobs and those that were tried, in the order of the run list."""
        headings: dict[str, str] = {}
        for group_device_id in self._session.jobs if device_id is None else (device_id,):
            for job in self._session.jobs.get(group_device_id, ()):
                category_id = job.record.category_id
                heading = headings.get(category_id)
                if heading is None:
                    heading = headings[category_id] = self._category(category_id)
                yield JobView(group_device_id, job, heading, self._source)

    @property
    def custom_joblist(self) -> bool:
        """Whether a person changed what the plans select, on any device."""
        return self._session.is_custom

    def rejected_jobs(self) -> Iterator[JobView]:
        """Yield the jobs that a person took out, also those of which only the id is known."""
        for device_id, jobs in self._session.rejected.items():
            for job in jobs:
                category = self._category(job.record.category_id)
                yield JobView(device_id, job, category, self._source)

    def groups(self, *, device_id: str | None = None) -> Iterator[JobGroup]:
        """Yield the jobs by device and category, categories in the order of their first job."""
        for group_device_id in self._session.jobs if device_id is None else (device_id,):
            by_category: dict[str, list[FoldedJob]] = {}
            for job in self._session.jobs.get(group_device_id, ()):
                by_category.setdefault(job.record.category_id, []).append(job)
            for category_id, jobs in by_category.items():
                category = self._category(category_id)
                yield JobGroup(group_device_id, category_id, category, jobs, self._source)

    def _category(self, category_id: str) -> str:
        known = self.categories.get(category_id)
        builtin = BUILTIN_CATEGORIES.get(category_id)
        if builtin and known in {None, builtin}:
            return self.catalog.gettext(builtin)
        name = "" if category_id == UNCATEGORISED else category_id.rpartition("::")[2]
        return known or name or self.catalog.gettext(UNCATEGORISED_NAME)

    def resources(self) -> Iterator[tuple[str, str, tuple[dict[str, str], ...]]]:
        """Yield device id, job id and records of each resource job that has a result."""
        for job in self.jobs():
            if job.plugin == "resource" and job.attempts:
                text = b"".join(r.data for r in job.io_log() if r.stream == "stdout")
                parsed = parse_records(text.decode("utf-8", "backslashreplace"))
                records = tuple(r.fields for r in parsed if isinstance(r, Record))
                yield job.device_id, job.id, records


class _Part(NamedTuple):
    """How many jobs a view has of how many, and which."""

    shown: int
    whole: int
    named: str

    def text_in(self, catalog: Catalog) -> str:
        """Return that as the title has it."""
        text = catalog.ngettext(*_PART, self.whole)
        shown, count = grouped(self.shown, catalog), grouped(self.whole, catalog)
        return text.format(shown=shown, count=count, names=self.named)


def _told(by: ViewFilter, session: FoldedSession) -> FoldedSession:
    """Return *session* with what it says of itself as *by* shows it; its jobs stay as they are."""
    title = session.title or session.session_id
    return replace(
        session,
        session_id=by.identifier("session", session.session_id),
        title=by.text(title, NOWHERE._replace(field="title")),
        devices=tuple(_device(by, device) for device in session.devices),
        plans=tuple(_plan(by, plan) for plan in session.plans),
        providers=tuple(_provider(by, provider) for provider in session.providers),
        plugins=tuple(
            with_texts(by, plugin, NOWHERE._replace(field=f"plugin {number}"))
            for number, plugin in enumerate(session.plugins)
        ),
        categories={
            by.identifier("category", category_id): by.text(
                name, NOWHERE._replace(field=f"category {category_id}")
            )
            for category_id, name in session.categories.items()
        },
    )


def _with_ids(
    by: ViewFilter, jobs: Mapping[str, tuple[FoldedJob, ...]]
) -> dict[str, tuple[FoldedJob, ...]]:
    """Return *jobs* with their ids and those of the devices as *by* shows them."""
    return {
        by.identifier("device", device_id): tuple(with_ids(by, job) for job in device_jobs)
        for device_id, device_jobs in jobs.items()
    }


def _device(by: ViewFilter, device: DeviceView) -> DeviceView:
    device_id = by.identifier("device", device.id)
    location = NOWHERE._replace(device_id=device_id)
    facts = {
        by.text(name, location._replace(field=f"name of fact {number}")): by.value(
            name, value, location._replace(field=f"fact {number}")
        )
        for number, (name, value) in enumerate(device.facts.items())
    }
    description = by.text(device.description, location._replace(field="description"))
    return DeviceView(device_id, description, facts)


def _plan(by: ViewFilter, plan: PlanRecord) -> PlanRecord:
    shown = replace(plan, id=by.identifier("plan", plan.id))
    return with_texts(by, shown, NOWHERE._replace(job_id=shown.id), but=("id",))


def _provider(by: ViewFilter, provider: ProviderAdded) -> ProviderAdded:
    location = NOWHERE._replace(field=f"provider {provider.name} of {provider.device}")
    shown = replace(provider, device=by.identifier("device", provider.device))
    return with_texts(by, shown, location, but=("device",))


def _no_blobs(ref: str) -> BinaryIO:
    raise MissingBlobError(ref)
