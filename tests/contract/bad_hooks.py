"""Hook plugins that each break one promise, and one that keeps them all."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from holdall import hookimpl
from holdall.view import ViewFilter

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Generator, Mapping

    from holdall.results import JobResult
    from holdall.session import SessionDeviceContext, SessionManager
    from holdall.units import Job
    from holdall.view import Location, SessionView


class Good:
    """Notes what it is notified of, and counts what it takes out of a report."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.prefix = ""

    @hookimpl
    def configure(self, settings: Mapping[str, Any]) -> None:
        unknown = settings.keys() - {"prefix"}
        if unknown:
            raise ValueError(f"no settings of this plugin: {', '.join(unknown)}")
        self.prefix = settings.get("prefix", "")

    @hookimpl
    def result_stored(self, job: Job, result: JobResult) -> None:
        self.seen.append(f"{self.prefix}{job.id} {result.outcome}")

    @hookimpl(wrapper=True)
    def filter_view(self, changes: Counter[str]) -> Generator[None, SessionView, SessionView]:
        view = yield
        changes["in capitals"] += 1
        return view.filtered(Capitals())

    @hookimpl(wrapper=True)
    def wrap_export(self, exporter_id: str) -> Generator[None]:
        try:
            yield
        finally:
            self.seen.append(f"exported {exporter_id}")


class Capitals(ViewFilter):
    """Shows every text in capitals."""

    def text(self, text: str, location: Location) -> str:
        del location
        return text.upper()


class NoHooks:
    """Has nothing that holdall calls."""

    def result_stored(self) -> None:
        """Be no hook, for nothing marks it as one."""


class Misspelt:
    @hookimpl
    def result_storied(self) -> None:
        """Be no hook, for there is none of that name."""


class Demanding(Good):
    @hookimpl
    def configure(self, settings: Mapping[str, Any]) -> None:
        self.prefix = settings["prefix"]


class Choosy(Good):
    @hookimpl
    def configure(self, settings: Mapping[str, Any]) -> None:
        if settings.get("prefix"):
            raise ValueError("no prefixes")
        super().configure(settings)


class TakesAll(Good):
    @hookimpl
    def configure(self, settings: Mapping[str, Any]) -> None:
        self.prefix = settings.get("prefix", "")


class Speechless(Good):
    @hookimpl
    def configure(self, settings: Mapping[str, Any]) -> None:
        if settings.keys() - {"prefix"}:
            raise ValueError("bad settings")


class Once(Good):
    configured = 0

    @hookimpl
    def configure(self, settings: Mapping[str, Any]) -> None:
        super().configure(settings)
        self.configured += 1
        if self.configured > 1:
            raise RuntimeError("it is connected already")


class Raises(Good):
    @hookimpl
    def checkpoint_saved(self, event_count: int) -> None:
        raise RuntimeError(f"{event_count} are too many")


class RaisesAtTheEnd(Good):
    @hookimpl
    def session_destroyed(self, session_id: str) -> None:
        raise RuntimeError(f"{session_id} is gone")


class FailsExports(Good):
    @hookimpl(wrapper=True)
    def wrap_export(self, exporter_id: str) -> Generator[None]:
        del exporter_id
        yield
        raise RuntimeError("no key to sign with")


class YieldsTwice(Good):
    @hookimpl(wrapper=True)
    def wrap_export(self, exporter_id: str) -> Generator[None]:
        del exporter_id
        yield
        yield


class NeverYields(Good):
    @hookimpl(wrapper=True)
    def wrap_export(self, exporter_id: str) -> Generator[None]:
        if exporter_id != "checks.json":
            yield


class ReturnsNoView(Good):
    @hookimpl(wrapper=True)
    def filter_view(self, changes: Counter[str]) -> Generator[None, SessionView, SessionView]:
        del changes
        yield
        return None  # type: ignore[return-value] # what the check is to find


class Prints(Good):
    @hookimpl
    def job_started(self, job: Job) -> None:
        print(job.id)  # noqa: T201 - what the check is to find


class Meddles(Good):
    @hookimpl
    def job_result_changed(
        self, context: SessionDeviceContext, job: Job, result: JobResult
    ) -> None:
        if result.outcome == "fail":
            better = type(result)(outcome="pass", comments=result.comments)
            context.state.update_job_result(job, better)


class Deselects(Good):
    @hookimpl
    def checkpoint_saved(self, manager: SessionManager) -> None:
        for context in manager.device_context_list:
            jobs = context.state.run_list
            context.state.update_desired_job_list(jobs[:1])


class ChangesUncounted(Good):
    @hookimpl(wrapper=True)
    def filter_view(self, changes: Counter[str]) -> Generator[None, SessionView, SessionView]:
        del changes
        view = yield
        return view.filtered(Capitals())


class Swallows(Good):
    @hookimpl(wrapper=True)
    def wrap_export(self, exporter_id: str) -> Generator[None]:
        del exporter_id
        with suppress(Exception):
            yield


class Slow(Good):
    @hookimpl
    def checkpoint_saved(self) -> None:
        time.sleep(0.06)
