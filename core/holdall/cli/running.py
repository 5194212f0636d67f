"""The run of a session at the command line: progress, signals, reports, and a summary."""

from __future__ import annotations

import signal
import time
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
from holdall.session import NOBODY, auto_retry_candidates, run_session, try_again
from holdall.view import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
        asks: Whether a person at the terminal is asked.
        retry: How often, and after how many seconds, jobs that failed run again by themselves.
        report_options: The options of each target; those that an exporter lacks don't count.
        wants: Whether a report is written, asked when its time has come.
    """

    targets: Sequence[ExportTarget]
    jobs: JobOptions
    timeout: float | None = None
    as_json: bool = False
    retry_interrupted: bool = False
    shown: Shown = DEFAULT_SHOWN
    asks: bool = True
    retry: tuple[int, float] = (0, 0.0)
    report_options: Sequence[Sequence[str]] = ()
    wants: Callable[[int], bool] = lambda _number: True


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
    wanted = [number for number, _target in enumerate(options.targets) if options.wants(number)]
    own = options.report_options or [()] * len(options.targets)
    reports = write_reports(
        *(view, [options.targets[number] for number in wanted], manager.registry),
        providers=providers,
        options=[[*report_options(providers), *own[number]] for number in wanted],
        strict=not options.report_options,
    )
    code = report_failures(reports)
    for report in () if options.as_json or not options.report_options else reports:
        if not report.error and report.target.startswith("/"):
            note(_("written: {path}").format(path=report.target))
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
        asks = options.asks and not options.as_json
        person = person_at_terminal(pause, shown=options.shown) if asks else None
        settings = run_settings(manager, options.jobs, pause if person else None)._replace(
            timeout=options.timeout,
            person=person,
            warn=lambda message: note(f"holdall: {message}"),
            retry_interrupted=options.retry_interrupted,
            respawn=restart_session(
                manager, store, options.jobs, passed_on(options.targets, options.timeout)
            ),
        )
        retries, delay = options.retry
        while run_session(manager, settings, runners=runners):
            if retries and _retried(manager, delay):
                retries -= 1
            elif person is None or options.retry[0] or not person.wants_retry(manager):
                return True
    return False


def _retried(manager: SessionManager, delay: float) -> bool:
    """Let jobs that failed run again after a while; False if there are none."""
    failed = [
        (context, [state.job.id for state in auto_retry_candidates(context)])
        for context in manager.device_context_list
    ]
    count = sum(len(jobs) for _context, jobs in failed)
    if not count:
        return False
    text = ngettext(
        "{count} job that failed runs again in {delay} s",
        "{count} jobs that failed run again in {delay} s",
        count,
    )
    note(text.format(count=count, delay=f"{delay:g}"))
    time.sleep(delay)
    for context, jobs in failed:
        try_again(context, jobs)
    manager.checkpoint()
    return True


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
