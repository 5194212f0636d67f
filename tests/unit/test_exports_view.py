"""The view: jobs in order, groups, and what is known of devices."""

from __future__ import annotations

from collections import Counter

import pytest

from holdall.errors import MissingBlobError
from holdall.journal.events import JobDefined, JobRecord, JobStarted, SessionCreated
from holdall.results import Outcome
from holdall.testing.sessions import sample_session
from holdall.view.session import SessionView


def test_totals_are_those_of_the_jobs() -> None:
    view = sample_session().view()
    jobs = list(view.jobs())

    assert view.job_count == len(jobs)
    assert view.counts == Counter(job.outcome for job in jobs)
    assert view.duration == pytest.approx(sum(job.duration or 0 for job in jobs))


def test_groups_hold_every_job_once_by_device_and_category() -> None:
    view = sample_session().view()
    groups = list(view.groups())

    found = [(job.device_id, job.id) for group in groups for job in group.jobs()]
    assert sorted(found) == sorted((job.device_id, job.id) for job in view.jobs())
    assert len({(group.device_id, group.category_id) for group in groups}) == len(groups)
    assert sum(map(len, groups)) == view.job_count
    assert sum((Counter(group.counts) for group in groups), Counter()) == view.counts


def test_tallies_count_each_job_once_and_those_in_flight_apart() -> None:
    view = sample_session().view()
    found = {tally.label: tally.number for tally in view.tallies}

    assert sum(found.values()) == view.job_count
    assert (found["in flight"], found["not started"]) == (1, 1)
    assert [tally.label for tally in view.tallies][:2] == ["failed", "crashed"]
    groups = [tally for group in view.groups() for tally in group.tallies]
    assert sum(tally.number for tally in groups) == view.job_count


def test_a_category_that_nobody_defined_is_called_by_its_id() -> None:
    headings = {group.category for group in sample_session().view().groups(device_id="local")}

    assert headings == {"Disks & drives", "nowhere"}


def test_a_job_that_was_started_is_there_although_it_was_not_selected() -> None:
    view = SessionView(
        [
            SessionCreated(at=0, session_id="s"),
            JobDefined(at=0, job=JobRecord(id="selected by nobody")),
            JobStarted(at=0, job_id="started"),
        ]
    )

    assert [(job.id, job.label) for job in view.jobs()] == [("started", "in flight")]


def test_a_device_that_only_has_jobs_is_a_device() -> None:
    view = SessionView([JobStarted(at=0, device="dut-9", job_id="started")])

    assert [device.id for device in view.devices] == ["dut-9"]


def test_labels_say_what_interrupted_an_attempt() -> None:
    labels = {job.id: job.label for job in sample_session().view().jobs()}

    assert labels["com.example::interrupted"] == "crashed (interrupted by a reboot)"
    assert labels["com.example::outcome-pass"] == Outcome.PASS.label
    assert labels["com.example::in-flight"] == "in flight"


def test_a_log_in_a_blob_needs_a_storage() -> None:
    view = SessionView(sample_session().events)
    job = next(job for job in view.jobs() if job.id == "com.example::big-log")

    with pytest.raises(MissingBlobError, match="sha256:"):
        list(job.io_log())
