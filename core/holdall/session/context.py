"""One device in one session: its providers, its units, its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdall.errors import masked_url
from holdall.journal import ProviderAdded, now
from holdall.results import encodable
from holdall.session.plans import find_plan_in, plan_selection
from holdall.session.state import SessionState
from holdall.units import LOCAL, Device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from holdall.journal import AnyEvent
    from holdall.results import IOLogRecord, JobResult
    from holdall.session.plans import PlanSelection
    from holdall.units import Provider, TestPlan, Unit


class SessionDeviceContext:
    """A device with its providers, units and state.

    Attributes:
        device: The device.
        state: Its `SessionState`.
        provider_list: Its providers, in the order they were added.
    """

    def __init__(
        self,
        state: SessionState | None = None,
        *,
        device: Device | None = None,
        clock: Callable[[], float] = now,
    ) -> None:
        if state is not None and not isinstance(state, SessionState):
            raise TypeError(f"state must be a SessionState, not {type(state).__name__}")
        if state is not None:
            state.recorder.check_free()
        self.device = device or Device(id=state.device_id if state else LOCAL)
        self.state: Final = state or SessionState(device_id=self.device.id, clock=clock)
        self.state.device_id = self.device.id
        self.provider_list: Final[list[Provider]] = []
        self._clock: Final = clock
        self._origins: dict[str, Provider] = {}
        self._plans: tuple[TestPlan, ...] = ()
        self._session_plans: Callable[[], tuple[TestPlan, ...]] | None = None
        self._selection: PlanSelection | None = None
        self._shared: dict[str, Any] = {}

    @property
    def unit_list(self) -> list[Unit]:
        """All units, in the order they were added."""
        return self.state.unit_list

    def add_provider(
        self,
        provider: Provider,
        add_units: bool = True,  # noqa: FBT001, FBT002 - plainbox's signature
    ) -> None:
        """Add a provider, and its units unless *add_units* is false.

        Raises:
            ValueError: The provider is there already.
            DependencyDuplicateError: It has a unit that differs from one of the same id;
                then the context is unchanged.
        """
        if provider in self.provider_list:
            raise ValueError(f"the provider {provider.name!r} is in this context already")
        units = list(provider.unit_list) if add_units else []
        self.state.check_units(units)
        self.provider_list.append(provider)
        self.state.apply(self._provider_event(provider))
        self.state.notify("provider_added", provider=provider)
        for unit in units:
            self.state.add_unit(unit)
            self._origins.setdefault(unit.id, provider)
        self.refresh_selection()

    def _provider_event(self, provider: Provider) -> ProviderAdded:
        return ProviderAdded(
            at=self._clock(),
            device=self.device.id,
            name=encodable(provider.name),
            namespace=encodable(provider.namespace),
            version=encodable(provider.version),
            description=encodable(provider.description),
            loader=provider.loader,
            source=masked_url(encodable(provider.source)),
        )

    def adopt_provider(self, provider: Provider) -> None:
        """Note where units come from that are here already, of a session that was loaded."""
        self.provider_list.append(provider)
        for unit in provider.unit_list:
            self._origins.setdefault(unit.id, provider)

    def provider_of(self, unit: Unit) -> Provider | None:
        """Return the provider that *unit* came with, None if it was added by itself."""
        return self._origins.get(self.state.made_from.get(unit.id, unit.id))

    def add_unit(self, unit: Unit) -> Unit:
        """Return *unit*, added, or the identical one that is there already."""
        return self.state.add_unit(unit)

    def remove_unit(self, unit: Unit) -> None:
        """Take *unit* out; raises ValueError if it is not there."""
        self.state.remove_unit(unit)

    def get_unit(self, unit_id: str, kind_name: str = "job") -> Unit:
        """Return the unit of that id and kind.

        Raises:
            UnknownUnitError: There is none; it is a KeyError too.
        """
        return self.state.get_unit(unit_id, kind_name)

    def set_test_plan_list(self, plans: Sequence[TestPlan]) -> None:
        """Put *plans* in force: their overrides and mandatory jobs, and no others'.

        Raises:
            ValueError: The context is in a session, whose plans are others.
        """
        if self._session_plans is not None and self._session_plans() != tuple(plans):
            raise ValueError(
                f"the test plans of device {self.device.id!r} are those of its session; "
                "set the manager's test_plans"
            )
        before, self._plans = self._plans, tuple(plans)
        if not before and not self._plans:
            return
        mandatory = self.state.mandatory_job_list
        self._apply_plans()
        if self._plans and self.state.mandatory_job_list != mandatory:
            self.state.update_desired_job_list(self.state.desired_job_list)

    def _apply_plans(self) -> None:
        self._selection = None
        self.state.set_plan_overrides(self.selection.overrides)
        jobs = self.state.job_state_map
        mandatory = [jobs[job_id].job for job_id in self.selection.mandatory if job_id in jobs]
        if mandatory != self.state.mandatory_job_list:
            self.state.update_mandatory_job_list(mandatory)

    def refresh_selection(self) -> None:
        """Let `selection`, overrides and mandatory jobs take in the jobs that came since."""
        self._selection = None
        if self._plans:
            self._apply_plans()

    @property
    def selection(self) -> PlanSelection:
        """What the plans in force select of the units that are there."""
        if self._selection is None:
            units = self.state.units_by_kind
            self._selection = plan_selection(
                self._plans, self.state.catalog, lambda plan_id: find_plan_in(units, plan_id)
            )
        return self._selection

    def compute_shared(
        self, key: str, compute: Callable[..., Any], *args: object, **kwargs: object
    ) -> Any:
        """Return what *compute* returned for *key* the first time."""
        if key not in self._shared:
            self._shared[key] = compute(*args, **kwargs)
        return self._shared[key]

    def invalidate_shared(self, key: str) -> None:
        """Forget what was computed for *key*."""
        self._shared.pop(key, None)

    def restore_test_plans(self, plans: Sequence[TestPlan]) -> None:
        """Put plans of a session that is being loaded in force; the journal has the rest.

        Raises:
            ValueError: The session is not being loaded.
        """
        if not self.state.recorder.is_replaying:
            raise ValueError("plans are restored while a session is loaded, and not afterwards")
        self._plans = tuple(plans)
        self._selection = None
        self.state.set_plan_overrides(self.selection.overrides)

    def attach(
        self,
        boot_id: str,
        emit: Callable[[AnyEvent], None],
        notify: Callable[..., None],
        read_io_log: Callable[[JobResult], Iterable[IOLogRecord]],
        session_plans: Callable[[], tuple[TestPlan, ...]],
    ) -> None:
        """Emit events to a journal from now on; a manager does this when it has the context.

        Args:
            boot_id: The boot of the machine that the manager runs in.
            emit: Takes events for the journal.
            notify: Notifies the manager's listeners, given a hook's name and its arguments.
            read_io_log: Reads the log of a result of the session.
            session_plans: Returns the test plans in force in the session.
        """
        is_new = not self.state.recorder.is_replaying
        self.state.device_id = self.device.id
        self._session_plans = session_plans
        for provider in self.provider_list if is_new else ():
            emit(self._provider_event(provider))
        self.state.attach(boot_id, emit, notify, read_io_log)

    def detach(self) -> None:
        """Emit nothing any more, and be free for another manager."""
        self._session_plans = None
        self.state.detach()
