"""The exporter of Open Test Reporting: events in order, which our importer reads back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from lxml import etree
from tests.unit.importers.imported_facts import Made, output
from tests.unit.one_job import session_of, started_again

from holdall.results import Attachment, IOLogRecord, JobResult, Measurement, Outcome, Subtest
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import START, devices_session, sample_session
from holdall_exporters.otr import OtrExporter
from holdall_plugins.importers.otr import OtrImporter

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.testing.sessions import SampleSession

CORE = "{https://schemas.opentest4j.org/reporting/core/0.2.0}"
EVENTS = "{https://schemas.opentest4j.org/reporting/events/0.2.0}"


@pytest.mark.sampled(6)
class TestOtrExporter(ExporterContract):
    """The exporter of Open Test Reporting keeps the promises of all exporters."""

    exporter: ClassVar[type[OtrExporter]] = OtrExporter


def events(session: SampleSession, **options: str) -> list[etree._Element]:
    return list(etree.fromstring(exported(OtrExporter, session, options)))


def ends(session: SampleSession, **options: str) -> list[etree._Element]:
    """Return the ends of attempts, without that of the category around them."""
    found = events(session, **options)
    return [each for each in found if each.tag == f"{EVENTS}finished"][:-1]


def status(end: etree._Element) -> str | None:
    (result,) = end.iter(f"{CORE}result")
    return result.get("status")


def entries(end: etree._Element) -> dict[str | None, str | None]:
    return {each.get("key"): each.text for each in end.iter(f"{CORE}entry")}


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.NONE])
def test_each_outcome_has_a_status_and_is_there_itself(outcome: Outcome) -> None:
    (end,) = ends(session_of(JobResult(outcome=outcome)))

    wanted = {Outcome.PASS: "SUCCESSFUL", Outcome.UNDECIDED: "ABORTED"}
    other = "FAILED" if outcome.failed else "SKIPPED"
    assert status(end) == wanted.get(outcome, other)
    assert entries(end)["outcome"] == outcome.value


def test_a_job_in_flight_has_begun_and_not_ended() -> None:
    found = events(started_again(session_of(JobResult(outcome="fail", comments="no"))))

    assert [(each.tag.rpartition("}")[2], each.get("id")) for each in found[1:]] == [
        ("started", "1"),
        ("started", "2"),
        ("finished", "2"),
        ("started", "3"),
        ("finished", "1"),
    ]


def test_a_job_that_was_not_started_is_skipped_and_says_so() -> None:
    (end,) = ends(session_of())

    assert (status(end), end.findtext(f"{CORE}result/{CORE}reason")) == ("SKIPPED", "not started")


def test_a_failure_that_is_expected_passes() -> None:
    (end,) = ends(session_of(JobResult(outcome="fail"), xfail=True))

    assert (status(end), entries(end)["expected to fail"]) == ("SUCCESSFUL", "yes")


def test_a_failure_without_words_has_those_of_its_output() -> None:
    log = [IOLogRecord(0, "stderr", b"no such device\n\n")]
    (loud,) = ends(session_of(JobResult(outcome="fail", io_log=log)))

    assert loud.findtext(f"{CORE}result/{CORE}reason") == "no such device"


def test_jobs_of_several_devices_stand_below_them() -> None:
    begun = [each for each in events(devices_session()) if each.tag == f"{EVENTS}started"]
    by_id = {each.get("id"): each for each in begun}

    for each in begun:
        above = by_id.get(each.get("parentId"))
        if above is not None and above.get("parentId") is not None:
            assert by_id[above.get("parentId")].get("name") in {"dut-1", "dut-2", "dut-3"}
    assert [each.get("name") for each in begun if each.get("parentId") is None] == [
        "dut-1",
        "dut-2",
        "dut-3",
    ]


def test_what_has_no_element_is_an_entry() -> None:
    note = Attachment(name="note.txt", media_type="text/plain", size=2, data=b"hi")
    result = JobResult(
        outcome="pass",
        return_code=0,
        io_log_dropped=9,
        attachments=[note],
        subtests=[Subtest(name="read", outcome="skip", duration=0.5, message="no disk")],
        measurements=[Measurement(name="rate", value=7, unit="MB/s", lower=5)],
    )
    (end,) = ends(session_of(result, certification_status="blocker"))

    assert entries(end) == {
        "outcome": "pass",
        "certification status": "blocker",
        "exit code": "0",
        "subtest read": "skip (0.5 s): no disk",
        "rate": "7 MB/s, at least 5: pass",
        "file note.txt": "text/plain, 2 bytes",
        "bytes of output not kept": "9",
    }


def test_our_importer_reads_it_back(tmp_path: Path) -> None:
    log = [IOLogRecord(0, "stdout", b"a\nb\n"), IOLogRecord(0, "stderr", b"c\n")]
    wanted = session_of(
        JobResult(outcome="fail", comments="died", execution_duration=1.5, started_at=START),
        JobResult(
            outcome="fail",
            comments="it could\nnot",
            execution_duration=0.25,
            started_at=START + 3,
            io_log=log,
        ),
        origin="disk.pxu:3",
    )
    report = tmp_path / "report.xml"
    report.write_bytes(exported(OtrExporter, wanted))
    made = Made(OtrImporter, report)

    (job,) = made.jobs
    assert (job.id, job.category, job.origin) == (
        "Uncategorised::com.example::disk",
        "Uncategorised",
        "disk.pxu:3",
    )
    assert [
        (each.outcome, each.duration, each.started_at, each.comments) for each in job.attempts
    ] == [("fail", 1.5, START, "died"), ("fail", 0.25, START + 3, "it could\nnot")]
    assert b"".join(data for name, data in output(job) if name == "stdout") == b"a\nb\n"
    assert b"".join(data for name, data in output(job) if name == "stderr") == b"c\n"
    assert made.left_out == {}


COMES_BACK = {
    Outcome.NONE: "skip",
    Outcome.UNDECIDED: "skip",
    Outcome.CRASH: "fail",
    Outcome.ERROR: "fail",
    **{each: "skip" for each in Outcome if each.skipped},
}


def test_outcomes_of_every_kind_come_back_as_what_they_say(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_bytes(exported(OtrExporter, sample_session()))

    assert sorted(str(job.outcome) for job in Made(OtrImporter, report).jobs) == sorted(
        "crash" if job.in_flight else COMES_BACK.get(job.outcome, str(job.outcome))
        for job in sample_session().view().jobs()
    )
