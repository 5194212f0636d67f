"""One attempt at a job: what its runner is given, and what it records."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

import msgspec

from holdall.journal import Process, now
from holdall.session.accounts import account_of
from holdall.session.environment import job_environ
from holdall.session.report_file import ReportFile, Surroundings
from holdall.session.reported import Reported

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import ProcessMark
    from holdall.results import JobResult, Stream
    from holdall.session.context import SessionDeviceContext
    from holdall.session.job_state import JobState
    from holdall.session.manager import SessionManager
    from holdall.session.output import OutputCopy, Outputs
    from holdall.session.run import RunSettings


class JobTask:
    """One attempt at a job, as the runner sees it."""

    def __init__(  # noqa: PLR0917 - what stays the same in a run, and what does not
        self,
        manager: SessionManager,
        settings: RunSettings,
        share: Path,
        context: SessionDeviceContext,
        state: JobState,
        folder: Path,
        *,
        output: OutputCopy | None = None,
    ) -> None:
        """Prepare an attempt.

        Args:
            output: Takes what the command writes to standard output, too.

        Raises:
            OSError: There is no place for its report.
        """
        self.job: Final = state.job
        self.device: Final = context.device
        self.folder: Final = folder
        self.user: Final = account_of(state.job, settings.normal_user)
        self.timeout: Final = _shorter(state.job.timeout, settings.timeout)
        self._person = person = settings.person
        self.stdin: Final = None if person is None or state.job.automated else person.stdin
        self._share: Final = share
        self._output: Final = output
        self.report: Final = report_of(share, context, state)
        self.report.begin()
        self.environ: Final = job_environ(
            state.job,
            context.provider_of(state.job),
            settings.environ,
            session_id=manager.storage.id,
            session_share=share,
            report=self.report.path,
            providers=context.provider_list,
            normal_user=settings.normal_user,
        )
        self._manager = manager
        self._state = context.state
        self._started_at: float | None = None
        if state.performed is not None:  # which the person wants to be made anew
            manager.forget_log(state.job, context)
        self._log = manager.open_log(state.job, context)
        self._is_over = False
        self._lock: Final = Lock()  # threads of the runner hand over output

    def started(self, process: ProcessMark | None) -> None:
        """Make durable that the attempt starts."""
        if self._started_at is not None:
            raise RuntimeError(f"the attempt at {self.job.id!r} was started already")
        self._started_at = now()
        mark = None
        if process is not None:
            mark = _checked_mark(process)
        with self._lock:
            # Durable before the command runs, or a crash would leave no trace of the attempt.
            self._state.job_started(self.job, mark)
            self._manager.checkpoint()

    def output(self, stream: Stream, data: bytes) -> None:
        """Record what the job wrote just now."""
        with self._lock:
            if self._is_over:
                raise RuntimeError(f"the attempt at {self.job.id!r} is over and takes no output")
            if stream not in {"stdout", "stderr"}:
                raise ValueError(f"a stream is stdout or stderr, not {stream!r}")
            if not isinstance(data, bytes | bytearray | memoryview):
                raise TypeError(f"output must be bytes, not {type(data).__name__}")
            self._log.write(stream, bytes(data))
            if self._output is not None and stream == "stdout":
                self._output.write(bytes(data))
        if self._person is not None:
            self._person.show(stream, data)

    def flush(self) -> None:
        """Make what the job wrote survive the end of holdall."""
        with self._lock:
            self._log.flush()

    def reported(self, result: JobResult, outputs: Outputs) -> JobResult:
        """Return *result* with what the job reported in its file, and by what it wrote."""
        reported = Reported(self._manager.masked_text)
        surroundings = Surroundings(
            self.folder, self._share, self.user, self._manager.keep_attachment
        )
        self.report.read(reported, surroundings)
        if self._output is not None:
            for record in result.io_log:
                if record.stream == "stdout":
                    self._output.write(record.data)
            outputs.read(self.job.output_format, self._output, reported)
        return reported.within(result)

    def asked(self, result: JobResult) -> JobResult:
        """Return what the command came to, of which the state knows now; its log is durable."""
        with self._lock:
            self._take_log(result)
            self._log.flush()
            result = msgspec.structs.replace(
                result, started_at=self._started_at, io_log=(), io_log_size=0
            )
            self._state.job_started(self.job, performed=result)
        return result

    def completed(self, result: JobResult) -> JobResult:
        """Return *result* with what was recorded while the job ran; no more is taken."""
        with self._lock:
            self._take_log(result)
            recorded = self._log.finish()
        return msgspec.structs.replace(result, started_at=self._started_at, **recorded)

    def _take_log(self, result: JobResult) -> None:
        self._is_over = True
        for record in result.io_log:  # not where it belongs, and no less true
            self._log.write(record.stream, record.data, delay=record.delay)


def report_of(share: Path, context: SessionDeviceContext, state: JobState) -> ReportFile:
    """Return the file for the report of the attempt that is made, or was interrupted."""
    return ReportFile(share, context.device.id, state.job.id, state.next_attempt)


def _shorter(first: float | None, second: float | None) -> float | None:
    """Return the shorter of two times; None is any time."""
    return min((limit for limit in (first, second) if limit is not None), default=None)


def _checked_mark(process: ProcessMark) -> Process:
    """Return a runner's mark of a process as the journal keeps it."""
    fields = (process.pid, process.started, process.boot_id)
    if not all(type(field) is kind for field, kind in zip(fields, (int, str, str), strict=True)):
        raise TypeError(f"the mark of a process is a number and two texts, not {fields!r}")
    return Process(pid=process.pid, started=process.started, boot_id=process.boot_id)
