"""Sessions with anything for texts, ids and facts: Hypothesis strategies for exporters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from holdall.journal import (
    CategoryDefined,
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    ResultRecorded,
    SessionCreated,
)
from holdall.results import Attachment, IOLogRecord, JobResult, Outcome
from holdall.testing.sessions import SampleSession

if TYPE_CHECKING:
    from holdall.journal import AnyEvent

TEXT = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.characters(categories=["Cc", "Cf"]),
        st.sampled_from("\x1b[]m\x07\x9b=_x0041\r\n\t\ufffe\uffff<>&'\"/\\.:%{}"),
    ),
    max_size=30,
)
NAMES = st.sampled_from(["", "a", "A", "a/b", "..", "=1+1", "-", "::"]) | TEXT
SECONDS = st.none() | st.floats(0, 1e9) | st.sampled_from([0.0, 1e300, 1.7e308])
LOGS = st.lists(
    st.builds(IOLogRecord, st.floats(0, 9), st.sampled_from(["stdout", "stderr"]), st.binary()),
    max_size=3,
).map(tuple)
RESULTS = st.builds(
    JobResult,
    outcome=st.sampled_from(Outcome),
    return_code=st.none() | st.integers(-64, 255),
    execution_duration=SECONDS,
    started_at=SECONDS,
    comments=st.none() | TEXT,
    skip_reason=st.none() | TEXT,
    interrupted_by=st.sampled_from([None, "killed", "rebooted", "unknown"]),
    io_log=LOGS,
    io_log_dropped=st.integers(0, 10**12),
    attachments=st.lists(
        st.builds(Attachment, name=NAMES, size=st.just(2), data=st.just(b"ab")), max_size=3
    ).map(tuple),
)


@st.composite
def hostile_sessions(draw: st.DrawFn) -> SampleSession:
    """Return a session with anything for texts, ids and facts."""
    created = SessionCreated(at=draw(st.floats(0, 1e12)), session_id=draw(NAMES), title=draw(TEXT))
    events: list[AnyEvent] = [created]
    for device in draw(st.lists(NAMES, max_size=3, unique=True)):
        facts = draw(st.dictionaries(NAMES, TEXT, max_size=2))
        added = DeviceAdded(at=1, device=device, description=draw(TEXT), facts=facts)
        events += [added, *draw(device_events(device))]
    return SampleSession(tuple(events))


@st.composite
def device_events(draw: st.DrawFn, device: str) -> list[AnyEvent]:
    """Return the jobs of a device, each with attempts."""
    ids = draw(st.lists(NAMES, max_size=4, unique=True))
    events: list[AnyEvent] = [JobsSelected(at=1, device=device, run_list=tuple(ids))]
    for job_id in ids:
        category = draw(NAMES)
        record = JobRecord(
            id=job_id,
            summary=draw(TEXT),
            description=draw(TEXT),
            plugin=draw(st.sampled_from(["shell", "resource", "attachment", "manual"])),
            category_id=category,
        )
        events += [
            CategoryDefined(at=1, id=category, name=draw(TEXT)),
            JobDefined(at=1, device=device, job=record),
        ]
        for result in draw(st.lists(RESULTS, max_size=2)):
            events.append(ResultRecorded(at=2, device=device, job_id=job_id, result=result))
        if draw(st.booleans()):
            events.append(JobStarted(at=3, device=device, job_id=job_id))
    return events
