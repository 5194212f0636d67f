"""One attempt at a job: its output, its attachments and its result."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

import msgspec

from holdall.errors import RecordingError
from holdall.results import JobResult, Measurement, Subtest, encodable
from holdall.session import store_attachment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from holdall.contracts import Storage
    from holdall.redaction import Masker
    from holdall.results import Attachment, Outcome, Stream
    from holdall.session import LogCapture

    Content = bytes | Path | BinaryIO
    Output = bytes | BinaryIO | Iterable[tuple[float, Stream, bytes]]

_PIECE: Final = 64 * 1024
_STREAMS: Final = frozenset({"stdout", "stderr"})


class Attempt:
    """One attempt at a job, while it happens.

    A `with` block that raises, and one that ends without `finish`, record a
    `crash`. Output beyond 4 KiB goes to the session's storage while it is written.
    """

    def __init__(
        self,
        storage: Storage,
        job_id: str,
        log: LogCapture,
        started_at: float | None,
        record: Callable[[JobResult], None],
        *,
        masker: Masker | None = None,
    ) -> None:
        self._masker: Final = masker
        self._storage: Final = storage
        self._job_id: Final = job_id
        self._started_at: Final = started_at
        self._record: Final = record
        self._log: Final = log
        self._attachments: Final[list[Attachment]] = []
        self._subtests: Final[list[Subtest]] = []
        self._measurements: Final[list[Measurement]] = []
        self._is_over = False

    def write(self, data: bytes, stream: Stream = "stdout", *, delay: float | None = None) -> None:
        """Record what the job wrote.

        Args:
            delay: Seconds since the attempt began; without it, those that passed.
        """
        self._check_going()
        if stream not in _STREAMS:
            raise ValueError(f"a stream is stdout or stderr, not {stream!r}")
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"output must be bytes, not {type(data).__name__}")
        if delay is not None and not 0 <= delay < math.inf:
            raise ValueError(f"a delay is a finite number of seconds from 0 on, not {delay!r}")
        self._log.write(stream, bytes(data), delay=None if delay is None else float(delay))

    def write_all(self, output: Output) -> None:
        """Record bytes, a stream to its end, or records `(seconds, stream, bytes)`."""
        if isinstance(output, str):
            raise TypeError("output must be bytes, a stream or records, not str")
        if isinstance(output, bytes | bytearray | memoryview):
            if output:
                self.write(bytes(output), delay=0.0)
        elif hasattr(output, "read"):
            for piece in _pieces(output):
                self.write(piece, delay=0.0)
        else:
            for delay, stream, data in output:
                self.write(data, stream, delay=delay)

    def attach(self, name: str, content: Content, *, media_type: str = "") -> None:
        """Keep a file that the job left behind.

        Args:
            name: Name of the file; folders in front of it are left out.
            content: Bytes, the path of a file, or a stream that is read to its end.
            media_type: By default what the name says.
        """
        self._check_going()
        kept = kept_attachment(self._storage, self._masker, name, content, media_type)
        self._attachments.append(kept)

    def subtest(
        self,
        name: str,
        outcome: Outcome | str,
        *,
        duration: float | None = None,
        message: str | None = None,
    ) -> None:
        """Record a part of the job that has an outcome of its own."""
        self._check_going()
        self._subtests.append(
            Subtest(name=name, outcome=outcome, duration=duration, message=message)
        )

    def measurement(
        self,
        name: str,
        value: float | str,
        *,
        unit: str = "",
        lower: float | None = None,
        upper: float | None = None,
        outcome: Outcome | str | None = None,
    ) -> None:
        """Record a value that the job measured; the limits decide, unless *outcome* does."""
        self._check_going()
        self._measurements.append(
            Measurement(
                name=name, value=value, unit=unit, lower=lower, upper=upper, outcome=outcome
            )
        )

    def finish(
        self,
        outcome: Outcome | str,
        *,
        duration: float | None = None,
        return_code: int | None = None,
        comments: str | None = None,
        skip_reason: str | None = None,
        subtests: Iterable[Subtest] = (),
        measurements: Iterable[Measurement] = (),
    ) -> None:
        """Record what came out; nothing can be added to the attempt afterwards.

        Args:
            duration: Seconds.

        Raises:
            TypeError, ValueError: A value is of the wrong type, or the outcome is not
                known; then the attempt goes on.
        """
        self._check_going()
        result = JobResult(
            outcome=finished_outcome(outcome, self._job_id),
            return_code=return_code,
            execution_duration=duration,
            started_at=self._started_at,
            comments=comments,
            skip_reason=skip_reason,
            attachments=tuple(self._attachments),
            subtests=(*self._subtests, *subtests),
            measurements=(*self._measurements, *measurements),
        )  # checked before the log is finished, so that the attempt goes on if it is wrong
        log = self._log.finish()
        if any(log.values()):
            result = msgspec.structs.replace(result, **log)
        self._is_over = True
        self._record(result)

    def discard(self) -> None:
        """Record nothing of what was written; the attempt is over."""
        if not self._is_over:
            self._is_over = True
            self._log.discard()

    def _check_going(self) -> None:
        if self._is_over:
            raise RecordingError(self._storage.id, self._job_id, "the attempt at it is over")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_over:
            return
        if error is None:
            self.finish("crash", comments="the attempt ended without an outcome")
        else:
            self.finish("crash", comments=f"{type(error).__name__}: {error}")


def kept_attachment(
    storage: Storage, masker: Masker | None, name: str, content: Content, media_type: str
) -> Attachment:
    """Return the attachment that names *content*; what is large of it is in the storage."""
    name = checked_name(name, "an attachment's name")
    kind = checked_text(media_type, "a media type")
    keep = partial(store_attachment, storage, name, media_type=kind, masker=masker)
    if isinstance(content, Path):
        with content.open("rb") as file:
            return keep(_pieces(file))
    if isinstance(content, bytes | bytearray | memoryview):
        return keep(iter([bytes(content)]))
    return keep(_pieces(content))


def _pieces(stream: Any) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece


def finished_outcome(outcome: Outcome | str, job_id: str) -> Outcome | str:
    """Return *outcome*, which an attempt that is over must have.

    Raises:
        ValueError: There is none.
    """
    if outcome is None or outcome == "none":
        raise ValueError(f"an attempt at {job_id!r} that is over needs an outcome")
    return outcome


def checked_text(value: str, what: str) -> str:
    """Return *value* as UTF-8 can hold it.

    Raises:
        TypeError: It is no string.
    """
    if type(value) is str and value.isascii():
        return value  # most are, and each job has many
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    return encodable(value)


def checked_name(value: str, what: str) -> str:
    """Return *value* as UTF-8 can hold it.

    Raises:
        TypeError, ValueError: It is no string, or an empty one.
    """
    if value == "":
        raise ValueError(f"{what} must not be empty")
    return checked_text(value, what)
