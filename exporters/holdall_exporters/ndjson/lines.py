"""The lines of an NDJSON report, as values: what its schema says and what a reader takes."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from holdall.results import Interruption, Measurement, Outcome, Stream, Subtest

FORMAT: Final = "holdall-lines"
FORMAT_VERSION: Final = 1
SCHEMA_ID: Final = "urn:holdall:schema:lines:1"

Moment = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Size = Annotated[int, msgspec.Meta(ge=0)]
Number = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Line(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """A line; its `type` says which."""


class Plan(msgspec.Struct, frozen=True, gc=False):
    """A test plan in force."""

    id: str
    name: str
    description: str


class Meta(Line, frozen=True, gc=False, tag="meta"):
    """The session; the first line."""

    format: Literal["holdall-lines"]
    format_version: Literal[1]
    session: str
    title: str
    created: Moment
    plans: tuple[Plan, ...]


class Device(Line, frozen=True, gc=False, tag="device"):
    """A device that takes part."""

    device: str
    description: str
    facts: dict[str, str]


class Job(Line, frozen=True, gc=False, tag="job"):
    """What a job on one device is; how it ended is in its last attempt."""

    device: str
    job: str
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
    xfail: bool


class LogPiece(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A piece of a job's output: `text` or, where it is no UTF-8, `base64`."""

    delay: float
    stream: Stream
    text: str | msgspec.UnsetType = msgspec.UNSET
    base64: str | msgspec.UnsetType = msgspec.UNSET


class Attempt(Line, frozen=True, gc=False, tag="attempt"):
    """An attempt that has ended; of a job the one with the highest number counts."""

    device: str
    job: str
    attempt: Number
    outcome: Outcome
    return_code: int | None
    duration: Seconds | None
    started: Moment | None
    comments: str | None
    skip_reason: str | None
    interrupted_by: Interruption | None
    io_log_size: Size
    io_log_dropped: Size
    subtests: tuple[Subtest, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    io_log: tuple[LogPiece, ...] | msgspec.UnsetType = msgspec.UNSET


class Attachment(Line, frozen=True, gc=False, tag="attachment"):
    """A file that an attempt left behind; its content is not in the report."""

    device: str
    job: str
    attempt: Number
    attachment: Number
    name: str
    media_type: str
    size: Size
    sha256: Digest


class JobName(msgspec.Struct, frozen=True, gc=False):
    """A job on a device."""

    device: str
    job: str


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One reason that keeps the session from passing; `more` counts the jobs it does not name."""

    code: str
    count: Size
    jobs: tuple[JobName, ...]
    more: Size
    text: str


class End(Line, frozen=True, gc=False, tag="end"):
    """How the session stands; the last line, after which nothing is missing."""

    lines: Size
    state: Literal["new", "running", "unfinished", "finished"]
    passed: bool
    reasons: tuple[Reason, ...]
    counts: dict[Outcome, Size]
    jobs: Size
    flaky: Size
    in_flight: tuple[JobName, ...]
    duration: Seconds
    elapsed: Seconds | None
    modified: Moment
    unsaved_events: Size
    exported_at: Moment
    exported_by: str


AnyLine = Meta | Device | Job | Attempt | Attachment | End
"""A line of any type; readers pass over types and members that they do not know."""


def lines_schema() -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of a line."""
    schema = msgspec.json.encode(msgspec.json.schema(AnyLine))  # in which defaults are tuples
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "a line of an NDJSON report of holdall",
        **msgspec.json.decode(schema),
    }
