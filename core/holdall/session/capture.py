"""Capture the output of a job while it runs, in bounded memory."""

from __future__ import annotations

import logging
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from holdall.contracts import Sweepable
from holdall.errors import CorruptSessionError, StorageError
from holdall.journal import (
    INLINE,
    ResultRecorded,
    is_log_of,
    pack_name,
    pack_record,
    read_events,
    unpack_records,
)
from holdall.results import IOLogRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.contracts import LogWriter, Storage
    from holdall.journal import AnyEvent
    from holdall.redaction import Masker
    from holdall.results import Stream

MOST: Final = 64 * 2**20
"""Bytes that are kept of one attempt; what comes behind is counted, not kept."""

_LOG: Final = logging.getLogger(__name__)

FLUSH_AFTER: Final = 1.0
FLUSH_BEYOND: Final = 64 * 1024


def log_name(device_id: str, job_id: str, attempt: int) -> str:
    """Return the name of the live log of one attempt, which no other one has."""
    device, job = (part.replace("%", "%25").replace(" ", "%20") for part in (device_id, job_id))
    return f"{device} {job} {attempt}"


def stored_name(name: str, masker: Masker | None) -> str:
    """Return the name under which the log *name* is stored; like no other, and no secret in it."""
    shown = masker.exact.text(name) if masker else name
    return name if shown == name else f"{shown} {sha256(name.encode()).hexdigest()[:16]}"


class LogCapture:
    """The I/O log of one attempt, while the job runs.

    Little output stays in memory; once it grows, or is a second
    old, it goes to the session's storage, so that it is there after a crash.
    With a masker, what is kept and stored is masked; the end of it, in which a secret may
    have begun, waits in memory.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        *,
        masker: Masker | None = None,
        in_memory: bool = False,
    ) -> None:
        """Record to *storage*.

        Args:
            masker: Masks what is stored.
            in_memory: Keep all output in memory, as it is; who gets the result stores it.
        """
        self._storage = storage
        self._name = stored_name(name, masker)
        self._masked = masker.log() if masker and not in_memory else None
        self._in_memory = in_memory
        self._writer: LogWriter | None = None
        self._records: list[IOLogRecord] = []
        self._kept = 0
        self._dropped = 0
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._start = self._flushed = time.monotonic()

    def write(self, stream: Stream, data: bytes, *, delay: float | None = None) -> None:
        """Record what was written just now; with no data, only see to what waits.

        Args:
            delay: Seconds since the attempt began, for output that was written earlier.
        """
        now = time.monotonic()
        if delay is None:
            delay = round(now - self._start, 6)
        if self._kept >= MOST:
            self._dropped += len(data)
        elif data:
            record = IOLogRecord(delay, stream, data)
            self._keep_all([record] if self._masked is None else self._masked.feed(record))
        is_due = now - self._flushed >= FLUSH_AFTER or self._waiting_size >= FLUSH_BEYOND
        if is_due:
            self.flush()

    def _keep_all(self, records: Iterable[IOLogRecord]) -> None:
        for record in records:
            self._keep(record)

    def _keep(self, record: IOLogRecord) -> None:
        # Cut behind the mask, which half a secret would get past.
        data = record.data[: MOST - self._kept]
        self._dropped += len(record.data) - len(data)
        if not data:
            return
        record = record._replace(data=data)
        self._kept += len(data)
        if self._in_memory:
            self._records.append(record)
            return
        if self._kept <= INLINE:
            self._records.append(record)
        else:
            # Too much for the journal: the log becomes a blob.
            self._records.clear()
        packed = pack_record(record)
        self._waiting.append(packed)
        self._waiting_size += len(packed)

    def flush(self) -> None:
        """Make everything recorded so far survive the end of this process."""
        if self._masked is not None:
            self._keep_all(self._masked.advance())
        if not self._waiting:
            return
        if self._writer is None:
            self._writer = self._storage.open_log(self._name)
            if self._writer.size:
                # A program that died before the start of its attempt was stored left it.
                self._writer.discard()
                self._writer = self._storage.open_log(self._name)
            self._writer.write(pack_name(self._name))
        for packed in self._waiting:
            self._writer.write(packed)
        self._writer.flush()
        self._waiting.clear()
        self._waiting_size = 0
        self._flushed = time.monotonic()

    def discard(self) -> None:
        """Drop what was recorded."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None

    def finish(self) -> dict[str, Any]:
        """Return the fields of a `JobResult` that hold the log; what they name is durable."""
        if self._masked is not None:
            self._keep_all(self._masked.finish())
        fields: dict[str, Any] = {"io_log_size": self._kept, "io_log_dropped": self._dropped}
        if self._kept <= INLINE or self._in_memory:
            # What was flushed stays until the result is stored, or a crash would lose it.
            if self._writer is not None:
                self.flush()
            return fields | {"io_log": tuple(self._records)}
        self.flush()
        assert self._writer is not None  # noqa: S101 - so much was written through it
        writer, self._writer = self._writer, None
        return fields | {"io_log": (), "io_log_ref": writer.seal()}


class OpenLogs:
    """The logs of a session's attempts, each kept until the result with it is stored."""

    def __init__(self, storage: Storage, masker: Masker | None = None) -> None:
        self._storage = storage
        self._masker = masker
        self._logs: dict[tuple[str, str], LogCapture] = {}

    def open(
        self, device_id: str, job_id: str, attempt: int, *, needs_secrets: bool = False
    ) -> LogCapture:
        """Return the log of one attempt at a job; attempts are counted from 1.

        Args:
            needs_secrets: Whether expressions are about what the job writes, so that its log is
                masked only when the result is stored.
        """
        name = log_name(device_id, job_id, attempt)
        in_memory = needs_secrets and self._masker is not None
        log = LogCapture(self._storage, name, masker=self._masker, in_memory=in_memory)
        self._logs[device_id, job_id] = log
        return log

    def forget(self, device_id: str, job_id: str, attempt: int) -> None:
        """Drop the log that an attempt left, which is made anew."""
        log = self._logs.pop((device_id, job_id), None)
        if log is not None:
            log.discard()
        name = stored_name(log_name(device_id, job_id, attempt), self._masker)
        self._storage.open_log(name).discard()

    def recover(self, device_id: str, job_id: str, attempt: int) -> dict[str, Any]:
        """Return what `recover` does, for the log of one attempt."""
        return recover(self._storage, log_name(device_id, job_id, attempt), self._masker)

    def release(self, stored: Iterable[AnyEvent]) -> None:
        """Drop the logs whose results are among the events that are durable now.

        One that can't be dropped takes room and nothing else: the results are stored.
        """
        for event in stored:
            if isinstance(event, ResultRecorded):
                log = self._logs.pop((event.device, event.job_id), None)
                if log is not None:
                    try:
                        log.discard()
                    except StorageError as error:
                        _LOG.warning("the log of a stored result stays: %s", error)


def recover(storage: Storage, name: str, masker: Masker | None = None) -> dict[str, Any]:
    """Return the fields of a `JobResult` for the log that an interrupted attempt left."""
    name = stored_name(name, masker)
    writer = storage.open_log(name)
    if writer.size:
        ref: str | None = writer.seal()
    else:
        writer.discard()
        ref = _sealed(storage, name)
    if ref is None:
        return {}
    with storage.open_blob(ref) as log:
        size = sum(len(record.data) for record in unpack_records(log, name=ref))
    return {"io_log_size": size, "io_log_ref": ref}


def _sealed(storage: Storage, name: str) -> str | None:
    """Return the blob that the log *name* became before its result could be stored."""
    if not isinstance(storage, Sweepable):
        return None
    results = (event.result for event in read_events(storage) if isinstance(event, ResultRecorded))
    named = {result.io_log_ref for result in results}
    unnamed = (ref for ref in storage.blobs() if ref not in named)
    return next((ref for ref in unnamed if _is_log(storage, ref, name)), None)


def _is_log(storage: Storage, ref: str, name: str) -> bool:
    try:
        with storage.open_blob(ref) as blob:
            return is_log_of(blob, name)
    except CorruptSessionError:  # which nothing names, and so hinders nothing
        return False
