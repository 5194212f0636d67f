"""The output of a job, read by an importer: what it would record as jobs are the job's parts."""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import msgspec

from holdall.journal import JobDefined, ResultRecorded
from holdall.recording.loading import load_source
from holdall.recording.recorder import Recorder
from holdall.results import Subtest
from holdall.session import PREFIX, create_storage
from holdall.stores import file_url, open_repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdall.contracts import Level, Storage
    from holdall.journal import AnyEvent
    from holdall.registry import Registry
    from holdall.results import JobResult, Measurement
    from holdall.session import OutputReader


def read_output(
    importer: str,
    source: Path,
    add: Callable[[Subtest | Measurement], None],
    *,
    registry: Registry,
) -> str:
    """Hand over each job that *importer* finds in *source* as a subtest, and all measurements.

    Nothing is stored. Returns what is wrong, if something is.

    Raises:
        ImportSourceError: It is none of that format, or damaged, or no test is in it; what was
            read before that was handed over.
        PluginError: There is no such importer, or it has a fault.
    """
    # Output beyond 4 KiB of one test is written while it is read, so that memory stays flat.
    with TemporaryDirectory(prefix="holdall-output-", ignore_cleanup_errors=True) as folder:
        scratch = open_repository(file_url(folder), registry=registry)
        with _Parts(create_storage(scratch, PREFIX, time.time), add) as parts:
            nothing = "no test is in it"
            load_source(importer, "the output", source, parts, plugins=registry, nothing=nothing)
            return parts.fault


class _Parts(Recorder):
    """A recorder that hands over what is recorded, and stores no event of it."""

    def __init__(self, storage: Storage, add: Callable[[Subtest | Measurement], None]) -> None:
        self._add: Final = add
        self._expected: Final[set[str]] = set()
        self._attached = 0
        super().__init__(storage)

    @property
    def fault(self) -> str:
        """What is no part of a job; empty if all is well."""
        # What else a session could not keep is in the output, which it has.
        count = self._attached
        return f"{count:,} attachments of its tests are not kept" if count else ""

    def _emit(self, event: AnyEvent) -> None:
        self._check_open()
        self._contents.apply(event)
        if isinstance(event, JobDefined):
            if event.job.xfail:
                self._expected.add(event.job.id)
        elif isinstance(event, ResultRecorded):
            self._hand_over(event.job_id, event.result)

    def checkpoint(self, *, level: Level = "system") -> None:
        """Store nothing."""
        del level

    def _hand_over(self, job_id: str, result: JobResult) -> None:
        is_expected = job_id in self._expected
        label = result.outcome.label_of(xfail=True) if is_expected else ""
        why = result.skip_reason if result.outcome.skipped else result.comments
        message = ": ".join(filter(None, (label, why)))
        whole = Subtest(
            name=job_id,
            outcome=result.outcome.counted(xfail=is_expected),
            duration=result.execution_duration,
            message=message or None,
        )
        self._add(whole)
        if not is_expected:  # or what was expected to fail would fail the job
            for part in result.subtests:
                self._add(msgspec.structs.replace(part, name=f"{job_id}: {part.name}"))
        for measurement in result.measurements:
            self._add(measurement)
        self._attached += len(result.attachments)


if TYPE_CHECKING:
    _: OutputReader = read_output
