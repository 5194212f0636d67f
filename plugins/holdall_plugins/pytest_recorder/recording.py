"""The plugin that records a run: what pytest tells, into a session."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

import pytest

from holdall import HoldallError
from holdall.front_ends import message
from holdall_plugins.pytest_recorder.attempts import TestAttempts
from holdall_plugins.pytest_recorder.definitions import definition_of, deselect, job_id
from holdall_plugins.pytest_recorder.opening import opened
from holdall_plugins.pytest_recorder.outcomes import NOT_CALLED, REPEATED, WORKER_CRASHED
from holdall_plugins.pytest_recorder.workers import (
    INPUT,
    OUTPUT,
    definitions_file,
    read_definitions,
)

if TYPE_CHECKING:
    import os

    from holdall.contracts import Level
    from holdall_plugins.pytest_recorder.definitions import Definition
    from holdall_plugins.pytest_recorder.outcomes import Report
    from holdall_plugins.pytest_recorder.workers import Measured

NOT_RECORDED: Final = 3
"""Exit code of a run that could not be recorded, or of a report that could not be written.

It is pytest's own for errors that are none of the tests'.
"""


class Recording:
    """Records a run of pytest; under pytest-xdist, in the process that hands out the tests."""

    def __init__(self, config: pytest.Config) -> None:
        """Open the session that the options ask for.

        Raises:
            pytest.UsageError: They can't be used, or the store can't.
        """
        if config.getoption("dist", default="no") == "each":
            raise pytest.UsageError(
                "holdall: --dist=each runs each test once for each worker, and a session has one "
                "place for its result; record each environment in a run of its own"
            )
        self._opened: Final = opened(config)
        self._recorder: Final = self._opened.recorder
        is_flaky = config.pluginmanager.hasplugin("flaky") and not config.option.setuponly
        self._attempts: Final = TestAttempts(
            self._recorder, without_call=REPEATED if is_flaky else NOT_CALLED
        )
        self._facts: Final = dict(self._opened.before.facts)
        self._has_new_facts = False
        self._folder: Path | None = None
        self._stop_reason = "pytest stopped before the test ended"
        self._lines: Final[list[str]] = []
        self._recorded: Final = _Ending(self._recorder.session_id)
        self._next: str | None = None

    def pytest_report_header(self) -> str:
        """Tell the session, so that it is known if the run is killed."""
        known = len(self._opened.before.finished)
        verb = "resuming" if self._opened.is_resumed else "recording"
        more = f"; {known} tests have a result and are not run again" if known else ""
        store = self._opened.repository.url
        return f"holdall: {verb} {self._recorder.session_id} in {store}{more}"

    # What is to be run

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what has a result."""
        if self._opened.before.finished:
            deselect(config, items, self._opened.before.finished)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record a file that could not be collected, or that is skipped as a whole."""
        if report.passed:
            return
        node_id = report.nodeid or "collection"
        if report.skipped and node_id in self._opened.before.finished:
            return
        with self._recorded:
            self._attempts.record_collection(node_id, report)
            self._checkpoint()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Record every test that is to be run, in its order."""
        self._define({job_id(item): definition_of(item) for item in session.items})

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Record what a worker collected, once; all of them collect the same."""
        if self._folder is not None:
            path = definitions_file(self._folder, node.gateway.id)
            self._define(read_definitions(path, ids))

    def _define(self, definitions: dict[str, Definition]) -> None:
        with self._recorded:
            for node_id, definition in definitions.items():
                self._attempts.define(node_id, definition)
            collected = {node_id.partition("::")[0] for node_id in definitions}
            for file in self._opened.before.broken & collected:
                self._attempts.record_repaired(file)
            self._checkpoint()

    # What is run

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, nextitem: pytest.Item | None) -> None:
        """Remember which test follows."""
        self._next = None if nextitem is None else nextitem.nodeid

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Record that a test begins, unless that was stored with the result before it."""
        with self._recorded:
            if not self._attempts.begin(nodeid):
                # A power cut may take a start: a test that was not begun is one to run.
                self._checkpoint("process")

    def pytest_runtest_logreport(self, report: Report) -> None:
        """Take in what came of a phase, or of a subtest."""
        with self._recorded:
            attempt = self._attempts.running(report.nodeid)
            node = getattr(report, "node", None)
            if node is not None:
                attempt.worker = node.gateway.id
            attempt.take(report)
        if report.when == WORKER_CRASHED:  # of which pytest-xdist tells no end
            self.pytest_runtest_logfinish(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Store the result of a test, and in the same append that the next one begins."""
        with self._recorded:
            self._attempts.finish(nodeid)
            if self._next is not None:
                self._attempts.announce(self._next)
            self._checkpoint()

    def attach(
        self,
        item: pytest.Item,
        content: str | os.PathLike[str] | bytes,
        *,
        name: str,
        media_type: str,
    ) -> None:
        """Keep a file, or bytes, that a test gives."""
        with self._recorded:
            attempt = self._attempts.running(item.nodeid)
            attempt.attach(content, name=name, media_type=media_type)

    def measure(self, item: pytest.Item, measured: Measured) -> None:
        """Keep a value that a test measured."""
        self._attempts.running(item.nodeid).measure(measured)

    # Workers

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what not to run, and where to leave files."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="holdall-pytest-"))
        finished = sorted(self._opened.before.finished)
        node.workerinput[INPUT] = {"folder": str(self._folder), "finished": finished}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker found in all."""
        self.add_facts((getattr(node, "workeroutput", None) or {}).get(OUTPUT, {}))

    def add_facts(self, facts: dict[str, str]) -> None:
        """Take in facts of the device; they are recorded at the end."""
        self._facts.update({str(name): value for name, value in facts.items() if str(name)})
        self._has_new_facts = self._has_new_facts or bool(facts)

    # The end

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember what stops the test that goes on."""
        text = f"{excinfo.typename}: {excinfo.value}".strip(": ")
        self._stop_reason = f"pytest was interrupted in the test: {text}"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the session, and write the reports."""
        is_whole = self._close()
        if is_whole and self._recorder.job_count:
            problems = self._opened.write_reports()
            self._lines.extend(problems)
            is_whole = not problems
        if not is_whole and int(session.exitstatus) in {0, 5}:
            session.exitstatus = NOT_RECORDED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell where the results are, and how they become a report."""
        for line in self._lines:
            terminalreporter.write_line(f"holdall: {line}", red=True)
        session_id = self._recorder.session_id
        if not self._recorder.job_count:
            terminalreporter.write_line("holdall: no test was recorded, and no session is left")
            return
        store = f"--store {quote(self._opened.repository.url)}"
        terminalreporter.write_line(f"holdall: session {session_id}")
        terminalreporter.write_line(
            f"holdall: holdall export {session_id} html=report.html {store}"
        )

    def _close(self) -> bool:
        """Record what is left, and return whether all of it is stored."""
        try:
            if not self._recorded.has_failed:
                self._attempts.interrupt(self._stop_reason)
                if self._has_new_facts:
                    self._recorder.device(self._opened.device, facts=self._facts)
            self._recorder.close()
            if not self._recorder.job_count and not self._opened.is_resumed:
                self._opened.repository.remove(self._recorder.session_id)
        except HoldallError as error:
            if not self._recorded.has_failed:
                self._lines.append(f"what came last is not recorded: {message(error)}")
            return False
        finally:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
        return not self._recorded.has_failed

    def _checkpoint(self, level: Level | None = None) -> None:
        self._recorder.checkpoint(level=level or self._opened.level)


class _Ending:
    """Ends the run where recording fails: it was asked for, and results would be lost."""

    def __init__(self, session_id: str) -> None:
        self._session_id: Final = session_id
        self.has_failed = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, HoldallError):
            self.has_failed = True
            text = f"recording in the session {self._session_id} failed: {message(error)}"
            pytest.exit(f"holdall: {text}", returncode=NOT_RECORDED)
