"""Results of jobs: outcomes, results, I/O logs. Frozen values."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar, cast

import msgspec
from msgspec.structs import force_setattr

from holdall.languages import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

Stream = Literal["stdout", "stderr"]
"""Where a job wrote something."""
_Part = TypeVar("_Part", "Subtest", "Measurement")
Interruption = Literal["killed", "rebooted", "unknown"]
"""What ended an attempt when holdall itself was ended."""


class Outcome(StrEnum):
    """How an attempt at a job ended; `NONE` when there was no attempt.

    `ERROR` says that the attempt could not be performed, because the device was
    lost or the set-up failed, say: it says nothing about the thing under test.
    """

    NONE = "none"
    PASS = "pass"  # noqa: S105 - an outcome
    FAIL = "fail"
    CRASH = "crash"
    ERROR = "error"
    SKIP = "skip"
    SKIPPED_DEPENDENCY = "skipped-dependency"
    SKIPPED_RESOURCE = "skipped-resource"
    SKIPPED_MANIFEST = "skipped-manifest"
    NOT_SUPPORTED = "not-supported"
    NOT_IMPLEMENTED = "not-implemented"
    UNDECIDED = "undecided"

    @property
    def label(self) -> str:
        """The outcome as people read it, in English."""
        return _LABELS[self]

    def counted(self, *, xfail: bool) -> Outcome:
        """Return what it counts as: a job that is expected to fail passes by failing."""
        return _EXPECTED_TO_FAIL.get(self, self) if xfail else self

    def label_of(self, *, xfail: bool) -> str:
        """Return the label of a job with this outcome, in English."""
        return _LABELS_OF_EXPECTED.get(self, self.label) if xfail else self.label

    @property
    def failed(self) -> bool:
        """Whether the outcome says that something is wrong: fail, crash or error."""
        return self in _FAILURES

    @property
    def skipped(self) -> bool:
        """Whether the job was, for whatever reason, not really tried."""
        return self in _SKIPS


_LABELS: Final = {
    Outcome.NONE: N_("not started"),
    Outcome.PASS: N_("passed"),
    Outcome.FAIL: N_("failed"),
    Outcome.CRASH: N_("crashed"),
    Outcome.ERROR: N_("could not be performed"),
    Outcome.SKIP: N_("skipped"),
    Outcome.SKIPPED_DEPENDENCY: N_("skipped (failed dependency)"),
    Outcome.SKIPPED_RESOURCE: N_("skipped (unmet resource)"),
    Outcome.SKIPPED_MANIFEST: N_("skipped (unmet manifest)"),
    Outcome.NOT_SUPPORTED: N_("not supported"),
    Outcome.NOT_IMPLEMENTED: N_("not implemented"),
    Outcome.UNDECIDED: N_("undecided"),
}
_EXPECTED_TO_FAIL: Final = {Outcome.FAIL: Outcome.PASS, Outcome.PASS: Outcome.FAIL}
_LABELS_OF_EXPECTED: Final = {
    Outcome.FAIL: N_("failed as expected"),
    Outcome.PASS: N_("passed unexpectedly"),
}
_FAILURES: Final = frozenset({Outcome.FAIL, Outcome.CRASH, Outcome.ERROR})
_SKIPS: Final = frozenset(
    {
        Outcome.SKIP,
        Outcome.SKIPPED_DEPENDENCY,
        Outcome.SKIPPED_RESOURCE,
        Outcome.SKIPPED_MANIFEST,
        Outcome.NOT_SUPPORTED,
        Outcome.NOT_IMPLEMENTED,
    }
)


class IOLogRecord(NamedTuple):
    """What a job wrote at one moment: seconds since its start, stream, bytes.

    Attributes:
        delay: Seconds since the attempt began.
        stream: `stdout` or `stderr`.
        data: Bytes, which may end in the middle of a line or character.
    """

    delay: float
    stream: Stream
    data: bytes


class Attachment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that a job left behind, small ones inline, others as a blob.

    Attributes:
        name: File name without folders.
        media_type: What the bytes are, as far as known.
        size: Bytes.
        data: The content when it travels with the result.
        ref: `sha256:...` of the blob that holds the content otherwise.
    """

    name: str
    media_type: str = "application/octet-stream"
    size: int
    data: bytes | None = None
    ref: str | None = None

    def __post_init__(self) -> None:
        for field in ("name", "media_type"):
            force_setattr(self, field, _text(getattr(self, field), f"an attachment's {field}"))
        _require_count(self.size, "an attachment's size")
        if self.data is not None:
            _require(self.data, "an attachment's data", bytes)
        if self.ref is not None:
            _require(self.ref, "an attachment's ref", str)


class Subtest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A part of a job that has an outcome of its own; the job's outcome stays what it is.

    Attributes:
        name: What the part is called; several may share a name.
        outcome: An `Outcome` or its string.
        duration: Seconds.
        message: Why it ended so, in any number of lines.
    """

    name: str
    outcome: Outcome
    duration: float | None = None
    message: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            name: str,
            outcome: Outcome | str | None,
            duration: float | None = ...,
            message: str | None = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        force_setattr(self, "name", _text(self.name, "the name of a subtest"))
        force_setattr(self, "outcome", _outcome(self.outcome))
        force_setattr(self, "duration", seconds(self.duration, "the duration of a subtest"))
        if self.message is not None:
            force_setattr(self, "message", _text(self.message, "the message of a subtest"))


class Measurement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A value that a job measured, and the limits that it was to keep.

    Attributes:
        name: What was measured.
        value: A finite number, a truth value or a text.
        unit: Unit of value and limits, such as `MB/s`.
        lower: Least value that passes; None for no such limit.
        upper: Greatest value that passes; None for no such limit.
        outcome: What its recorder says; by default `pass` or `fail` by the limits,
            and `none` without limits.
    """

    name: str
    value: float | int | str | bool
    unit: str = ""
    lower: float | None = None
    upper: float | None = None
    outcome: Outcome | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            name: str,
            value: float | str,
            unit: str = ...,
            lower: float | None = ...,
            upper: float | None = ...,
            outcome: Outcome | str | None = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        force_setattr(self, "name", _text(self.name, "the name of a measurement"))
        force_setattr(self, "unit", _text(self.unit, "the unit of a measurement"))
        if isinstance(self.value, str):
            force_setattr(self, "value", encodable(self.value))
        elif not isinstance(self.value, bool):
            _number(self.value, "the value of a measurement")
            plain = int if isinstance(self.value, int) else float
            force_setattr(self, "value", plain(self.value))
        for name, limit in (("lower", self.lower), ("upper", self.upper)):
            if limit is not None:
                force_setattr(self, name, float(_number(limit, f"the {name} limit")))
        given = self.outcome
        force_setattr(self, "outcome", self._judged() if given is None else _outcome(given))

    def _judged(self) -> Outcome:
        """Return what the limits say of the value; a text or truth value can't keep any."""
        if self.lower is None and self.upper is None:
            return Outcome.NONE
        if isinstance(self.value, str | bool):
            raise TypeError(
                f"limits need a number, and the measurement {self.name!r} is {self.value!r}"
            )
        low = self.lower is None or self.value >= self.lower
        high = self.upper is None or self.value <= self.upper
        return Outcome.PASS if low and high else Outcome.FAIL


class JobResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One attempt at a job; building one checks and converts every field.

    Attributes:
        outcome: An `Outcome`, its string, or None for `none`.
        return_code: Exit code of the command; negative for the signal that killed it.
        execution_duration: Seconds.
        started_at: Seconds since 1970, UTC.
        comments: What a person, or holdall, says of the attempt.
        skip_reason: Why the job was not tried.
        interrupted_by: What ended the attempt when holdall itself was ended.
        io_log: What the job wrote, when that is little; else empty and `io_log_ref` is set.
        io_log_ref: The blob that holds what the job wrote.
        io_log_size: Bytes the job wrote that were kept.
        io_log_dropped: Bytes the job wrote beyond what is kept of one job.
        attachments: Files the job left behind.
        subtests: Parts of the job that have outcomes of their own.
        measurements: Values that the job measured.
    """

    outcome: Outcome = Outcome.NONE
    return_code: int | None = None
    execution_duration: float | None = None
    started_at: float | None = None
    comments: str | None = None
    skip_reason: str | None = None
    interrupted_by: Interruption | None = None
    io_log: tuple[IOLogRecord, ...] = ()
    io_log_ref: str | None = None
    io_log_size: int = 0
    io_log_dropped: int = 0
    attachments: tuple[Attachment, ...] = ()
    subtests: tuple[Subtest, ...] = ()
    measurements: tuple[Measurement, ...] = ()

    if TYPE_CHECKING:
        # What __post_init__ converts from, for type checkers; msgspec makes the real one.
        def __init__(
            self,
            *,
            outcome: Outcome | str | None = ...,
            return_code: int | None = ...,
            execution_duration: float | None = ...,
            started_at: float | None = ...,
            comments: str | None = ...,
            skip_reason: str | None = ...,
            interrupted_by: Interruption | None = ...,
            io_log: Iterable[tuple[float, str, bytes]] = ...,
            io_log_ref: str | None = ...,
            io_log_size: int = ...,
            io_log_dropped: int = ...,
            attachments: Iterable[Attachment] = ...,
            subtests: Iterable[Subtest] = ...,
            measurements: Iterable[Measurement] = ...,
        ) -> None: ...

    def __post_init__(self) -> None:  # noqa: C901, PLR0912 - a line or two for each field
        # Loading a session makes every result again, so what fits is passed by quickly.
        if type(self.outcome) is not Outcome:
            force_setattr(self, "outcome", _outcome(self.outcome))
        for name, value in (
            ("execution_duration", self.execution_duration),
            ("started_at", self.started_at),
        ):
            if value is not None and not (type(value) is float and 0.0 <= value < math.inf):
                force_setattr(self, name, seconds(value, name))
        for name, text in (("comments", self.comments), ("skip_reason", self.skip_reason)):
            if text is not None:
                _require(text, name, str)
                force_setattr(self, name, encodable(text))
        if self.return_code is not None:
            _require(self.return_code, "return_code", int)
            if not -_LARGEST <= self.return_code <= _LARGEST:
                raise ValueError("return_code must be a number of 64 bits")
            if type(self.return_code) is not int:
                force_setattr(self, "return_code", int(self.return_code))
        if self.io_log_ref is not None:
            _require(self.io_log_ref, "io_log_ref", str)
        _require_count(self.io_log_size, "io_log_size")
        _require_count(self.io_log_dropped, "io_log_dropped")
        if self.interrupted_by not in _INTERRUPTIONS:
            raise ValueError(f"interrupted_by can't be {self.interrupted_by!r}")
        if self.io_log != ():
            records = tuple(map(_io_log_record, self.io_log or ()))
            force_setattr(self, "io_log", records)
            if not self.io_log_size:
                force_setattr(self, "io_log_size", sum(len(record.data) for record in records))
        if type(self.attachments) is not tuple:
            force_setattr(self, "attachments", tuple(self.attachments))
        if self.subtests != ():
            force_setattr(self, "subtests", _all_of(self.subtests, Subtest))
        if self.measurements != ():
            force_setattr(self, "measurements", _all_of(self.measurements, Measurement))

    @property
    def refs(self) -> list[str]:
        """The blobs that hold what is not in the result itself."""
        refs = [self.io_log_ref, *(attachment.ref for attachment in self.attachments)]
        return [ref for ref in refs if ref is not None]

    @property
    def is_hollow(self) -> bool:
        """Whether the result says nothing at all, as before the first attempt."""
        return self == _HOLLOW


def encodable(text: str) -> str:
    r"""Return *text* with lone surrogates, which no file can hold, as visible ``\udcff``."""
    text = str.__str__(text)  # of a subclass, which a journal can't hold, the text alone
    # Most texts are ASCII; the same object back is also one that msgspec knows for a default.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _outcome(value: object) -> Outcome:
    if value is None:
        return Outcome.NONE
    try:
        return Outcome(value)  # type: ignore[arg-type]
    except ValueError:
        known = ", ".join(Outcome)
        raise ValueError(f"no outcome is called {value!r} (outcomes: {known})") from None


def _require(value: object, name: str, kind: type) -> None:
    if type(value) is not kind and (isinstance(value, bool) or not isinstance(value, kind)):
        raise TypeError(f"{name} must be of type {kind.__name__}, not {type(value).__name__}")


def _require_count(value: int, name: str) -> None:
    if type(value) is int and 0 <= value <= _LARGEST:
        return
    _require(value, name, int)
    if not 0 <= value <= _LARGEST:
        raise ValueError(f"{name} must be a number of bytes, from 0 to 2**63 - 1")


def seconds(value: object, name: str) -> float | None:
    """Return a duration or moment as a float, None for none.

    Raises:
        TypeError, ValueError: It is no finite number from 0 on.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not _is_finite(value) or value < 0:
        raise ValueError(
            f"{name} must be a finite number of seconds from 0 on, not {_shown(value)}"
        )
    return float(value)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be of type str, not {type(value).__name__}")
    return encodable(value)


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")
    if not _is_finite(value):
        raise ValueError(f"{name} must be a finite number, not {_shown(value)}")
    return value


def _shown(value: float) -> str:
    """Return a number for a message; Python writes no whole number of thousands of digits."""
    is_short = isinstance(value, float) or _is_finite(value)
    return repr(value) if is_short else "one that no float can hold"


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _all_of(values: Iterable[object], kind: type[_Part]) -> tuple[_Part, ...]:
    parts = tuple(values)
    for part in parts:
        if not isinstance(part, kind):
            raise TypeError(f"expected a {kind.__name__}, not {part!r}")
    return cast("tuple[_Part, ...]", parts)


def _io_log_record(record: Any) -> IOLogRecord:
    if (
        type(record) is IOLogRecord
        and type(record.delay) is float
        and 0.0 <= record.delay < math.inf
        and type(record.data) is bytes
        and record.stream in _STREAMS
    ):
        return record
    try:
        delay, stream, data = record
    except (TypeError, ValueError):
        raise TypeError(f"an I/O log record is (seconds, stream, bytes), not {record!r}") from None
    after = seconds(delay, "the delay of an I/O log record")
    if after is None or not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"an I/O log record is (seconds, stream, bytes), not {record!r}")
    if stream not in _STREAMS:
        raise ValueError(f"a stream is stdout or stderr, not {stream!r}")
    return IOLogRecord(after, stream, bytes(data))


_STREAMS: Final = frozenset({"stdout", "stderr"})
_INTERRUPTIONS: Final = frozenset({None, "killed", "rebooted", "unknown"})
_LARGEST: Final = 2**63 - 1
_HOLLOW: Final = JobResult()
