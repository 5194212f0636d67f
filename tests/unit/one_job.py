"""Sessions of one job, `com.example::disk`, with the attempts that a test is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    ResultRecorded,
    SessionCreated,
)
from holdall.testing.sessions import START, SampleSession

if TYPE_CHECKING:
    from holdall.results import JobResult

JOB = "com.example::disk"


def session_of(*results: JobResult, title: str = "", **job: Any) -> SampleSession:
    """Return a session of one job with these attempts."""
    record = JobRecord(id=JOB, **job)
    return SampleSession(
        (
            SessionCreated(at=START, session_id="one", title=title),
            DeviceAdded(at=START, device="local"),
            JobDefined(at=START, device="local", job=record),
            JobsSelected(at=START, device="local", run_list=(JOB,)),
            *(
                ResultRecorded(at=START + 9, device="local", job_id=JOB, result=result)
                for result in results
            ),
        )
    )


def started_again(session: SampleSession) -> SampleSession:
    """Return *session* with the job in flight."""
    started = JobStarted(at=START + 10, device="local", job_id=JOB)
    return session._replace(events=(*session.events, started))


def with_jobs(**results: JobResult) -> SampleSession:
    """Return a session of jobs by the ends of their ids, one attempt each."""
    events = session_of().events[:2]
    for name, result in results.items():
        job_id = f"com.example::{name}"
        events += (
            JobDefined(at=START, device="local", job=JobRecord(id=job_id)),
            ResultRecorded(at=START + 9, device="local", job_id=job_id, result=result),
        )
    return SampleSession(events)
