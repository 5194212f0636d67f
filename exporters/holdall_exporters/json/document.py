"""The JSON document of a session, as values: what its schema says and its reader takes."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from holdall.results import Interruption, Outcome, Stream
from holdall.view import SessionState

SCHEMA_ID: Final = "urn:holdall:schema:session:1"

Moment = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Size = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Session(msgspec.Struct, frozen=True):
    """The session itself."""

    id: str
    title: str
    created: Moment
    modified: Moment
    unsaved_events: Size


class Exported(msgspec.Struct, frozen=True):
    """When the document was made, and by what."""

    at: Moment
    exporter: str
    by: str


class ReasonJob(msgspec.Struct, frozen=True):
    """A job that a reason is about."""

    device: str
    id: str


class Reason(msgspec.Struct, frozen=True):
    """One reason that keeps the session from passing; `more` counts the jobs it does not name."""

    code: str
    count: Size
    jobs: tuple[ReasonJob, ...]
    more: Size
    text: str


class Verdict(msgspec.Struct, frozen=True):
    """Whether the session passed, and the reasons against it."""

    word: Literal["PASS", "FAIL"]
    passed: bool
    reasons: tuple[Reason, ...]


class Device(msgspec.Struct, frozen=True):
    """A device that took part."""

    id: str
    description: str
    facts: dict[str, str]


class Plan(msgspec.Struct, frozen=True):
    """A test plan in force."""

    id: str
    name: str
    description: str


class Provider(msgspec.Struct, frozen=True):
    """A provider whose units a device had."""

    device: str
    name: str
    namespace: str
    version: str
    description: str
    loader: str
    source: str


class Plugin(msgspec.Struct, frozen=True):
    """A plugin that wrote the session."""

    kind: str
    id: str
    distribution: str
    version: str
    target: str


class Attachment(msgspec.Struct, frozen=True):
    """A file that a job left behind; its content is not in the document."""

    name: str
    media_type: str
    size: Size
    sha256: Digest


class SubtestEntry(msgspec.Struct, frozen=True):
    """A part of a job that has an outcome of its own."""

    name: str
    outcome: Outcome
    duration: Seconds | None
    message: str | None


class MeasurementEntry(msgspec.Struct, frozen=True):
    """A value that a job measured, with the limits that it was to keep."""

    name: str
    value: float | int | str | bool
    unit: str
    lower: float | None
    upper: float | None
    outcome: Outcome


class LogPiece(msgspec.Struct, frozen=True):
    """A piece of a job's output: `text` or, where it is no UTF-8, `base64`."""

    delay: float
    stream: Stream
    text: str | msgspec.UnsetType = msgspec.UNSET
    base64: str | msgspec.UnsetType = msgspec.UNSET


class Attempt(msgspec.Struct, frozen=True):
    """One attempt at a job, oldest first; `io_log` is left out where the options say so."""

    outcome: Outcome
    return_code: int | None
    duration: Seconds | None
    started: Moment | None
    comments: str | None
    skip_reason: str | None
    interrupted_by: Interruption | None
    io_log_size: Size
    io_log_dropped: Size
    attachments: tuple[Attachment, ...]
    subtests: tuple[SubtestEntry, ...] = ()
    measurements: tuple[MeasurementEntry, ...] = ()
    io_log: tuple[LogPiece, ...] | msgspec.UnsetType = msgspec.UNSET


class Job(msgspec.Struct, frozen=True):
    """A job on one device, with all attempts at it."""

    id: str
    device: str
    summary: str
    description: str
    plugin: str
    category_id: str
    category: str
    certification_status: str
    template_id: str
    checksum: str
    estimated_duration: float | None
    origin: str
    outcome: Outcome
    xfail: bool
    counts_as: Outcome
    in_flight: bool
    attempts: tuple[Attempt, ...]


class Document(msgspec.Struct, frozen=True):
    """A whole session, version 1; members that a reader does not know are to be ignored.

    Attributes:
        state: How far the session had come; null in documents of a holdall that did not write it.
    """

    format: Literal["holdall-session"]
    format_version: Literal[1]
    session: Session
    exported: Exported
    verdict: Verdict
    counts: dict[Outcome, Size]
    job_count: Size
    duration: Seconds
    devices: tuple[Device, ...]
    plans: tuple[Plan, ...]
    providers: tuple[Provider, ...]
    plugins: tuple[Plugin, ...]
    categories: dict[str, str]
    jobs: tuple[Job, ...]
    state: SessionState | None = None


def session_schema() -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of the document."""
    schema = msgspec.json.encode(msgspec.json.schema(Document))  # in which defaults are tuples
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **msgspec.json.decode(schema),
    }
