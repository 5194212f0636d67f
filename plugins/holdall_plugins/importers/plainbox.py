"""Sessions that plainbox and Checkbox left behind: the file `session`, formats 1 to 11.

It is gzip'd JSON, `{"session": {...}, "version": N}`. What a job wrote is in it, or in a file
beside it (`io_log_filename`), which has a JSON list `[seconds, stream, base64]` in each line.

Format 1 keeps every job and one result of each, hollow ones included; from 4 on there are
all results of the jobs that ran. Later formats add members to the metadata. Definitions are in
none of them, but their checksums are, so that a resume needs the provider.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from holdall.reading import Unpacking, file_below, json_items, json_pairs, text_lines
from holdall.results import IOLogRecord, JobResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.contracts import Importer
    from holdall.recording import Recorder

_BEGIN: Final = re.compile(rb'\s*\{\s*"session"\s*:\s*\{')
_VERSIONS: Final = range(1, 12)
_HEAD: Final = 4096


class PlainboxImporter:
    """Records jobs in the order in which they were to run, and all results that are there."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether the text begins as that of a session does."""
        return _BEGIN.match(head) is not None

    def accepts_folder(self, folder: Path) -> bool:
        """Return whether the folder has a file `session` that packs such a text."""
        try:
            with closing(Unpacking(folder / "session")) as unpacking:
                return _BEGIN.match(unpacking.read(_HEAD)) is not None
        except (OSError, ValueError):
            return False

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record the session."""
        if source.is_dir():
            with _unpacked(source / "session") as text:
                _record(text, recorder, source)
        else:
            _record(source, recorder, None)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    with TemporaryDirectory(prefix="holdall-import-") as folder:
        target = Path(folder, path.name)
        with closing(Unpacking(path)) as unpacking, target.open("wb") as file:
            file.writelines(unpacking.pieces())
        yield target


def _record(source: Path, recorder: Recorder, folder: Path | None) -> None:
    version = _member(source, "version", int)
    if version not in _VERSIONS:
        raise ValueError(f"near byte 0: the format {version} is none of 1 to {_VERSIONS[-1]}")
    metadata = _member(source, "session.metadata", dict)
    checksums = _member(source, "session.jobs", dict)
    _record_about(source, metadata, recorder)
    for member in ("mandatory_job_list", "desired_job_list"):
        for job_id in json_items(source, f"session.{member}.item"):
            recorder.job(job_id, checksum=checksums.get(job_id, ""))
    running = metadata.get("running_job_name")
    for job_id, results in json_pairs(source, "session.results"):
        for number, result in enumerate(results, start=1):
            try:
                if result.get("outcome") is None:
                    continue  # hollow: the job did not run
                running = None if job_id == running else running
                recorder.job(job_id, checksum=checksums.get(job_id, ""))
                _record_result(job_id, result, recorder, folder)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise ValueError(f"result {number} of the job {job_id!r}: {error}") from error
    if running is not None:
        comments = "the job was running when the session was left"
        result = JobResult(outcome="crash", interrupted_by="unknown", comments=comments)
        recorder.job(running, checksum=checksums.get(running, ""))
        recorder.record_result(running, result)


def _member(source: Path, where: str, kind: type) -> Any:
    """Return the one value at *where*.

    Raises:
        ValueError: There is none, or it is something else.
    """
    for value in json_items(source, where):
        if type(value) is kind:
            return value
    raise ValueError(f"near byte 0: it has no {where} of type {kind.__name__}")


def _record_about(source: Path, metadata: Mapping[str, Any], recorder: Recorder) -> None:
    """Record title and plan; Checkbox keeps its plan in the data of the application."""
    recorder.suggest_title(metadata.get("title") or "")
    if metadata.get("app_blob"):
        plan = _plan_in(metadata["app_blob"])
        if plan:
            recorder.plan(plan)
        recorder.leave_out("data of the application")
    for _job_id in metadata.get("rejected_jobs") or ():
        recorder.leave_out("rejected jobs")
    for _collector in json_pairs(source, "session.system_information"):
        recorder.leave_out("collections of system information")


def _plan_in(app_blob: str) -> str:
    try:
        known = json.loads(b64decode(app_blob, validate=True))
    except (ValueError, RecursionError):
        return ""  # another application's
    plan = known.get("testplan_id") if isinstance(known, dict) else None
    return plan if isinstance(plan, str) else ""


def _record_result(
    job_id: str, result: Mapping[str, Any], recorder: Recorder, folder: Path | None
) -> None:
    duration = result.get("execution_duration")
    records: Iterator[IOLogRecord] = map(_log_record, result.get("io_log") or ())
    if result.get("io_log_filename"):
        path = _log_in(folder, result["io_log_filename"])
        if path is None:
            recorder.leave_out("logs that are not in the folder of the session")
        else:
            records = _log_records(path)
    recorder.record(
        job_id,
        outcome=result["outcome"],
        duration=None if duration is None else float(duration),
        return_code=result.get("return_code"),
        comments=result.get("comments"),
        output=records,
    )


def _log_in(folder: Path | None, name: str) -> Path | None:
    """Return the log of that name; the folder may have been moved, and nothing else is read."""
    if folder is None:
        return None
    return file_below(folder / "io-logs", PurePosixPath(name).name)


def _log_records(path: Path) -> Iterator[IOLogRecord]:
    with _unpacked(path) as text:
        for number, line in text_lines(text):
            try:
                yield _log_record(json.loads(line))
            except (TypeError, ValueError, RecursionError) as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error


def _log_record(record: Sequence[Any]) -> IOLogRecord:
    delay, stream, data = record
    return IOLogRecord(float(delay), stream, b64decode(data, validate=True))


if TYPE_CHECKING:
    _: type[Importer] = PlainboxImporter
