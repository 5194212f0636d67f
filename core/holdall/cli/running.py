"""The run of a session at the command line: progress, signals, reports, and a summary."""

from __future__ import annotations

import shlex
import signal
import time
from collections import Counter
from contextlib import contextmanager, nullcontext, suppress
from gettext import gettext as _
from gettext import ngettext
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from msgspec.structs import replace

from holdall.cli.autostart import note_removed, restart_session
from holdall.cli.exits import TESTS_FAILED
from holdall.cli.export import report_failures, write_reports
from holdall.cli.job_options import run_settings
from holdall.cli.output import counted, ending, note, print_json
from holdall.cli.person import DEFAULT_SHOWN, SHOWN, is_at_terminal, person_at_terminal
from holdall.cli.progress import shown_progress
from holdall.cli.sources import report_options
from holdall.cli.terminal import Terminal
from holdall.session import (
    NOBODY,
    Conduct,
    auto_retry_candidates,
    keep_conduct,
    kept_conduct,
    run_session,
    try_again,
)
from holdall.view import verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdall.cli.job_options import JobOptions
    from holdall.cli.person import Shown
    from holdall.contracts import ExportReport
    from holdall.session import BoundRunner, ReportRequest, SessionManager
    from holdall.view import JobView, SessionView


class RunOptions(NamedTuple):
    """What a run is asked for besides its jobs.

    Attributes:
        jobs: What concerns how jobs are run.
        conduct: What else concerns the run, and the session keeps of it.
        as_json: Whether a program reads the summary, so that nobody is asked.
        retry_interrupted: Whether jobs whose attempt was interrupted run again.
    """

    jobs: JobOptions
    conduct: Conduct = Conduct()
    as_json: bool = False
    retry_interrupted: bool = False

    @property
    def asks(self) -> bool:
        """Whether a person is asked, if one is there."""
        return self.conduct.asks and not self.as_json

    @property
    def shown(self) -> Shown:
        """Of which jobs the output is shown."""
        shown = cast("Shown", self.conduct.shown)
        return shown if shown in SHOWN else DEFAULT_SHOWN


def run_and_report(
    manager: SessionManager,
    store: str,
    options: RunOptions,
    runners: Mapping[str, BoundRunner] = MappingProxyType({}),
) -> int:
    """Run the jobs of a session, write its reports, and return the exit code."""
    keep_conduct(manager, found_from_anywhere(options.conduct))
    command = shlex.join(["holdall", "resume", manager.storage.id, "--store", store])
    try:
        if not _run_all(manager, store, options, runners):
            note(_("the session is saved; go on with: {command}").format(command=command))
            return TESTS_FAILED
    except KeyboardInterrupt:
        note(_("interrupted; go on with: {command}").format(command=command))
        raise
    note_removed(manager.storage.id)
    view = manager.view()
    reports, code = _reported(manager, view, options)
    _print_summary(view, store, reports, as_json=options.as_json)
    return max(code, 0 if verdict(view).passed else TESTS_FAILED)


def found_from_anywhere(conduct: Conduct) -> Conduct:
    """Return *conduct* with the whole paths of its reports."""
    reports = [
        replace(report, path=str(Path(report.path).absolute()) if report.path else None)
        for report in conduct.reports
    ]
    return replace(conduct, reports=tuple(reports))


def _reported(
    manager: SessionManager, view: SessionView, options: RunOptions
) -> tuple[list[ExportReport], int]:
    """Write the reports of a run, and return what came of them and the exit code."""
    providers = [
        provider for context in manager.device_context_list for provider in context.provider_list
    ]
    spoken = report_options(providers)
    wanted = [
        replace(report, options=(*spoken, *report.options))
        for report in options.conduct.reports
        if (report.path or not options.as_json) and _is_wanted(report, asks=options.asks)
    ]
    for report in wanted:
        if report.title:
            _make_folder_of(report)
    written = write_reports(view, wanted, manager.registry, providers=providers)
    code = report_failures(written)
    for report, done in zip(wanted, written, strict=True):
        if report.title and report.path and not done.error and not options.as_json:
            note(_("written: {path}").format(path=done.target))
    return written, code


def _is_wanted(report: ReportRequest, *, asks: bool) -> bool:
    """Whether a report is written: an optional one only if the person wants it."""
    if not (report.optional and asks and is_at_terminal()):
        return True
    target = report.path or _("standard output")
    prompt = _("Write the report {name} to {target}? [y]es, [n]o (Enter: yes)")
    terminal = Terminal(nullcontext)
    while True:
        answer = terminal.ask(prompt.format(name=report.title, target=target)).lower()
        if answer in {"", "y", "yes", "n", "no"}:
            return not answer.startswith("n")


def _make_folder_of(report: ReportRequest) -> None:
    """Make the folder of a launcher's report, as Checkbox does; one that can't is told later."""
    if report.path and not report.path.startswith("/dev/"):
        with suppress(OSError):
            Path(report.path).parent.mkdir(parents=True, exist_ok=True)


def _run_all(
    manager: SessionManager,
    store: str,
    options: RunOptions,
    runners: Mapping[str, BoundRunner],
) -> bool:
    """Run all jobs, and those again that the person chooses; False if the session is paused."""
    conduct = options.conduct
    with shown_progress(manager, quiet=options.as_json) as pause, _signals_as_interrupt():
        person = person_at_terminal(pause, shown=options.shown) if options.asks else None
        settings = run_settings(manager, options.jobs, pause if person else None)._replace(
            timeout=conduct.timeout,
            person=person,
            warn=lambda message: note(f"holdall: {message}"),
            retry_interrupted=options.retry_interrupted,
            respawn=restart_session(manager, store, options.jobs),
        )
        while run_session(manager, settings, runners=runners):
            if conduct.rounds:
                if not _retried(manager):
                    return True
            elif person is None or not person.wants_retry(manager):
                return True
    return False


def _retried(manager: SessionManager) -> bool:
    """Let jobs that failed run again after a while; False if none, or no round, is left."""
    conduct = kept_conduct(manager)
    failed = [
        (context, [state.job.id for state in auto_retry_candidates(context)])
        for context in manager.device_context_list
    ]
    count = sum(len(jobs) for _context, jobs in failed)
    if not count or conduct.rounds_made >= conduct.rounds:
        return False
    text = ngettext(
        "{count} job that failed runs again in {delay} s",
        "{count} jobs that failed run again in {delay} s",
        count,
    )
    note(text.format(count=count, delay=f"{conduct.delay_s:g}"))
    time.sleep(conduct.delay_s)
    for context, jobs in failed:
        try_again(context, jobs)
    keep_conduct(manager, replace(conduct, rounds_made=conduct.rounds_made + 1))
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
        words = ["holdall", "resume", view.session_id, "--store", store, "--retry-interrupted"]
        command = shlex.join(words)
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
