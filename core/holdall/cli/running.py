"""The run of a session at the command line: progress, signals, reports, and a summary."""

from __future__ import annotations

import signal
from collections import Counter
from contextlib import contextmanager
from gettext import gettext as _
from gettext import ngettext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from holdall.cli.autostart import note_removed, passed_on, restart_session
from holdall.cli.exits import TESTS_FAILED
from holdall.cli.export import report_failures, write_reports
from holdall.cli.job_options import run_settings
from holdall.cli.output import counted, ending, note, print_json
from holdall.cli.person import DEFAULT_SHOWN, person_at_terminal
from holdall.cli.progress import shown_progress
from holdall.cli.sources import report_options
from holdall.session import NOBODY, run_session
from holdall.view import verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdall.cli.job_options import JobOptions
    from holdall.cli.options import ExportTarget
    from holdall.cli.person import Shown
    from holdall.contracts import ExportReport
    from holdall.session import BoundRunner, SessionManager
    from holdall.view import JobView, SessionView


class RunOptions(NamedTuple):
    """What a run is asked for besides its jobs.

    Attributes:
        targets: The reports that are written at the end.
        jobs: What concerns how jobs are run.
        timeout: Seconds that one attempt may take, None for any time.
        as_json: Whether a program reads the summary, so that nobody is asked.
        retry_interrupted: Whether jobs whose attempt was interrupted run again.
        shown: Of which jobs the output is shown at a terminal.
    """

    targets: Sequence[ExportTarget]
    jobs: JobOptions
    timeout: float | None = None
    as_json: bool = False
    retry_interrupted: bool = False
    shown: Shown = DEFAULT_SHOWN


def run_and_report(
    manager: SessionManager,
    store: str,
    options: RunOptions,
    runners: Mapping[str, BoundRunner] = MappingProxyType({}),
) -> int:
    """Run the jobs of a session, write its reports, and return the exit code."""
    command = f"holdall resume {manager.storage.id} --store {store}"
    try:
        if not _run_all(manager, store, options, runners):
            note(_("the session is saved; go on with: {command}").format(command=command))
            return TESTS_FAILED
    except KeyboardInterrupt:
        note(_("interrupted; go on with: {command}").format(command=command))
        raise
    note_removed(manager.storage.id)
    view = manager.view()
    providers = [
        provider for context in manager.device_context_list for provider in context.provider_list
    ]
    reports = write_reports(
        *(view, options.targets, manager.registry),
        providers=providers,
        options=[report_options(providers) for _target in options.targets],
    )
    code = report_failures(reports)
    _print_summary(view, store, reports, as_json=options.as_json)
    return max(code, 0 if verdict(view).passed else TESTS_FAILED)


def _run_all(
    manager: SessionManager,
    store: str,
    options: RunOptions,
    runners: Mapping[str, BoundRunner],
) -> bool:
    """Run all jobs, and those again that the person chooses; False if the session is paused."""
    with shown_progress(manager, quiet=options.as_json) as pause, _signals_as_interrupt():
        person = None if options.as_json else person_at_terminal(pause, shown=options.shown)
        settings = run_settings(manager, options.jobs, pause if person else None)._replace(
            timeout=options.timeout,
            person=person,
            warn=lambda message: note(f"holdall: {message}"),
            retry_interrupted=options.retry_interrupted,
            respawn=restart_session(
                manager, store, options.jobs, passed_on(options.targets, options.timeout)
            ),
        )
        while run_session(manager, settings, runners=runners):
            if person is None or not person.wants_retry(manager):
                return True
    return False


@contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    """End the job in flight when holdall is asked to end, or its terminal is closed."""
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in previous.items():
        if handler is not signal.SIG_IGN:  # what runs below `nohup` outlives its terminal
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _print_summary(
    view: SessionView, store: str, reports: Sequence[ExportReport], *, as_json: bool
) -> None:
    word = verdict(view).word
    counts = {str(outcome): count for outcome, count in view.counts.items()}
    if as_json:
        summary: dict[str, Any] = {
            "session": view.session_id,
            "store": store,
            "verdict": word,
            "outcomes": counts,
            "exports": [report.as_dict() for report in reports],
        }
        print_json(summary)
        return
    note(f"{word}: {', '.join(counted(Counter(map(ending, view.jobs()))))}")
    note(_("session {id} in {store}").format(id=view.session_id, store=store))
    _note_jobs_for_people(view.jobs())
    interrupted = [job for job in view.jobs() if job.interrupted_by and job.counts_as.failed]
    if interrupted:
        command = f"holdall resume {view.session_id} --store {store} --retry-interrupted"
        text = ngettext(
            "{count} job was interrupted; run it again with: {command}",
            "{count} jobs were interrupted; run them again with: {command}",
            len(interrupted),
        )
        note(text.format(count=len(interrupted), command=command))


def _note_jobs_for_people(jobs: Iterable[JobView]) -> None:
    """Name the jobs that nobody was there for: a pass does not count them."""
    left = [job.id for job in jobs if job.skip_reason == NOBODY]
    if left:
        text = ngettext(
            "{count} job needs a person, and was skipped: {jobs}",
            "{count} jobs need a person, and were skipped: {jobs}",
            len(left),
        )
        note(text.format(count=len(left), jobs=", ".join(left)))
