"""The specifications of hooks: observers that are notified, and two wrappers.

An implementation takes any of the arguments, by name. An observer returns
nothing, runs after the change and can't veto it; one that raises is reported,
and the others run all the same. Most are the signals of plainbox, which user
interfaces and recorders of statistics listen to. A wrapper is around an export and part of it:
it yields once, raises to fail the export, and can neither leave the export out
nor hide its failure. Mark implementations with `holdall.hookimpl`, wrappers with
`holdall.hookimpl(wrapper=True)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from holdall.contracts import ExportContext, ExportReport
    from holdall.redaction import RedactionRules
    from holdall.results import JobResult
    from holdall.session import SessionDeviceContext, SessionManager
    from holdall.units import Job, Provider, TestPlan, Unit
    from holdall.view import SessionView

hookspec = pluggy.HookspecMarker("holdall")
hookimpl = pluggy.HookimplMarker("holdall")
"""Marks a function or method as the implementation of a hook."""


@hookspec
def session_created(manager: SessionManager) -> None:
    """Notify that a session began; it has no devices yet."""


@hookspec
def session_loaded(manager: SessionManager) -> None:
    """Notify that a stored session is back, with everything it held."""


@hookspec
def session_destroyed(session_id: str) -> None:
    """Notify that a session was removed from its repository."""


@hookspec
def checkpoint_saved(manager: SessionManager, event_count: int) -> None:
    """Notify that so many events are durable now."""


@hookspec
def device_context_added(manager: SessionManager, context: SessionDeviceContext) -> None:
    """Notify that a device takes part from now on."""


@hookspec
def device_context_removed(manager: SessionManager, context: SessionDeviceContext) -> None:
    """Notify that a device left the session."""


@hookspec
def test_plans_changed(
    manager: SessionManager, old: tuple[TestPlan, ...], new: tuple[TestPlan, ...]
) -> None:
    """Notify that other test plans are in force."""


@hookspec
def provider_added(
    manager: SessionManager, context: SessionDeviceContext, provider: Provider
) -> None:
    """Notify that a device got a provider; its units follow."""


@hookspec
def unit_added(manager: SessionManager, context: SessionDeviceContext, unit: Unit) -> None:
    """Notify that a device got a unit."""


@hookspec
def unit_removed(manager: SessionManager, context: SessionDeviceContext, unit: Unit) -> None:
    """Notify that a device lost a unit."""


@hookspec
def job_started(manager: SessionManager, context: SessionDeviceContext, job: Job) -> None:
    """Notify that an attempt at a job begins; the progress of `holdall run` shows it."""


@hookspec
def job_result_changed(
    manager: SessionManager, context: SessionDeviceContext, job: Job, result: JobResult
) -> None:
    """Notify that a job has another result, which is not stored yet: see `result_stored`."""


@hookspec
def result_stored(
    manager: SessionManager, context: SessionDeviceContext, job: Job, result: JobResult
) -> None:
    """Notify that a result is durable: the checkpoint that holds it has returned.

    For all who repeat a result to somebody else, as `holdall run` does when it prints
    one: what they said stays true whatever happens next. After a checkpoint of the level
    `process`, durable means until a power cut in the next second.
    """


@hookspec
def export_finished(report: ExportReport) -> None:
    """Notify that a report was written, or failed: then it has an `exception`.

    For plugins that send reports on, or count them.
    """


@hookspec
def configure(settings: Mapping[str, Any]) -> None:
    """Take the plugin's table of settings; called once, when the plugin is registered.

    It is called before any other hook, and for each session manager: an object that is
    installed is configured again for the next session. The table is empty where nothing is set.
    A plugin that raises here is not used at all.
    """


@hookspec(firstresult=True)
def filter_view(
    view: SessionView, exporter_id: str, redact: RedactionRules, changes: Counter[str]
) -> SessionView:
    """Wrap the making of the view that an exporter gets, and return what it is to get.

    `view.filtered(by)` gives a view seen through a filter. What is changed is to
    be counted in *changes*, which the `ExportReport` shows; *redact* is what the
    caller wants masked. The hook plugin `redaction` is one.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def wrap_export(view: SessionView, exporter_id: str, context: ExportContext) -> None:
    """Wrap the writing of a report: before the first byte, after the last, or when it failed."""


WRAPPERS = ("filter_view", "wrap_export")
"""Hooks that are around an export: only a wrapper is taken for one of them."""

OBSERVERS = (
    "session_created",
    "session_loaded",
    "session_destroyed",
    "checkpoint_saved",
    "device_context_added",
    "device_context_removed",
    "test_plans_changed",
    "provider_added",
    "unit_added",
    "unit_removed",
    "job_started",
    "job_result_changed",
    "result_stored",
    "export_finished",
)
"""Hooks that only notify: a wrapper around one of them is refused."""
