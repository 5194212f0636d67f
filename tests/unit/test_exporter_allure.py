"""The Allure exporter: folders that our importer reads back, each name of them made of ids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from tests.unit.importers.imported_facts import Made, output
from tests.unit.one_job import session_of, started_again
from tests.unit.report_readers import REGISTRY

from holdall.exports.pipeline import export
from holdall.journal.events import SessionCreated
from holdall.results import Attachment, IOLogRecord, JobResult, Measurement, Outcome, Subtest
from holdall.testing.exporters import ExporterContract
from holdall.testing.sessions import START, devices_session, empty_session, sample_session
from holdall_exporters.allure import AllureExporter
from holdall_plugins.importers.allure import AllureImporter

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.testing.sessions import SampleSession


@pytest.mark.sampled(6)
class TestAllureExporter(ExporterContract):
    """The Allure exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[AllureExporter]] = AllureExporter
    many_jobs: ClassVar[int] = 1_000  # each is a file, and each file is synced to the disk
    allowance_mib: ClassVar[float] = 2.0


def written(folder: Path, session: SampleSession, *options: str) -> Path:
    export(session, "allure", folder / "results", options=options, registry=REGISTRY, verify=True)
    return folder / "results"


def results(folder: Path, session: SampleSession, *options: str) -> list[dict[str, Any]]:
    """Return the results in the order in which Allure has them."""
    report = written(folder, session, *options)
    found = [json.loads(path.read_text("utf-8")) for path in report.glob("*-result.json")]
    return sorted(found, key=lambda each: (each["start"], each["uuid"]))


def only(folder: Path, session: SampleSession, *options: str) -> dict[str, Any]:
    (found,) = results(folder, session, *options)
    return found


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("pass", "passed"),
        ("fail", "failed"),
        ("crash", "broken"),
        ("error", "broken"),
        ("skip", "skipped"),
        ("skipped-dependency", "skipped"),
        ("skipped-resource", "skipped"),
        ("skipped-manifest", "skipped"),
        ("not-supported", "skipped"),
        ("not-implemented", "skipped"),
        ("undecided", "unknown"),
    ],
)
def test_each_outcome_has_a_status_and_is_there_itself(
    tmp_path: Path, outcome: str, status: str
) -> None:
    found = only(tmp_path, session_of(JobResult(outcome=outcome)))

    assert (found["status"], found["stage"]) == (status, "finished")
    assert {"name": "outcome", "value": outcome} in found["labels"]


def test_a_job_that_was_not_started_says_so_and_one_in_flight_is_running(tmp_path: Path) -> None:
    waiting = only(tmp_path, session_of())
    failed, running = results(tmp_path, started_again(session_of(JobResult(outcome="fail"))))

    assert (waiting["status"], waiting["statusDetails"]) == (
        "unknown",
        {"message": "not started"},
    )
    assert (failed["status"], running["stage"], "status" in running) == (
        "failed",
        "running",
        False,
    )


def test_attempts_are_retries_in_their_order_whatever_the_clock_said(tmp_path: Path) -> None:
    session = session_of(
        JobResult(outcome="fail", started_at=START + 9),
        JobResult(outcome="crash"),
        JobResult(outcome="pass", started_at=START + 5),
    )
    found = results(tmp_path, session)

    assert [each["status"] for each in found] == ["failed", "broken", "passed"]
    assert len({each["historyId"] for each in found}) == 1
    assert len({each["uuid"] for each in found}) == 3
    assert [each.get("statusDetails", {}).get("flaky") for each in found] == [None, None, True]


def test_the_history_of_a_job_goes_on_in_another_session(tmp_path: Path) -> None:
    first = session_of(JobResult(outcome="pass"))
    renamed = SessionCreated(at=START, session_id="two")
    second = first._replace(events=(renamed, *first.events[1:]))

    one, two = only(tmp_path, first), only(tmp_path, second)
    assert one["historyId"] == two["historyId"]
    assert one["uuid"] != two["uuid"]


def test_one_job_on_two_devices_is_two_tests(tmp_path: Path) -> None:
    found = results(tmp_path, devices_session())

    jobs = devices_session().view().job_count
    assert len({each["historyId"] for each in found}) == jobs == len(found)
    hosts = {
        label["value"] for each in found for label in each["labels"] if "host" in label["name"]
    }
    assert hosts == {"dut-1", "dut-2", "dut-3"}
    assert {each["titlePath"][0] for each in found} == hosts


def test_labels_say_category_device_and_how_grave_it_is(tmp_path: Path) -> None:
    found = only(tmp_path, session_of(JobResult(outcome="pass"), certification_status="blocker"))

    assert {label["name"]: label["value"] for label in found["labels"]} == {
        "suite": "Uncategorised",
        "host": "local",
        "severity": "blocker",
        "framework": "holdall",
        "outcome": "pass",
    }


def test_a_failure_that_is_expected_is_known_and_passes(tmp_path: Path) -> None:
    found = only(tmp_path, session_of(JobResult(outcome="fail", comments="bug 1"), xfail=True))

    assert (found["status"], found["statusDetails"]) == (
        "passed",
        {"message": "bug 1", "known": True},
    )


def test_a_failure_without_words_has_those_of_its_output(tmp_path: Path) -> None:
    log = [IOLogRecord(0, "stdout", b"fine\n"), IOLogRecord(0, "stderr", b"no such device\n\n")]
    loud, silent = (
        only(tmp_path, session_of(each))["statusDetails"]["message"]
        for each in (
            JobResult(outcome="fail", io_log=log),
            JobResult(outcome="fail", return_code=3),
        )
    )

    assert (loud, silent) == ("no such device", "exit code 3")


def test_subtests_are_steps_and_what_has_no_place_is_a_parameter(tmp_path: Path) -> None:
    result = JobResult(
        outcome="pass",
        started_at=START,
        return_code=0,
        io_log_dropped=9,
        subtests=[Subtest(name="read", outcome="skip", duration=0.5, message="no disk")],
        measurements=[
            Measurement(name="rate", value=7, unit="MB/s", lower=5),
            Measurement(name="model", value="X1"),
        ],
    )
    found = only(tmp_path, session_of(result, origin="disk.pxu:3"))

    assert found["steps"] == [
        {
            "name": "read",
            "status": "skipped",
            "stage": "finished",
            "statusDetails": {"message": "no disk"},
            "start": 1_767_225_600_000,
            "stop": 1_767_225_600_500,
        }
    ]
    assert all(each["excluded"] for each in found["parameters"])
    assert {each["name"]: each["value"] for each in found["parameters"]} == {
        "defined in": "disk.pxu:3",
        "rate": "7 MB/s, at least 5: pass",
        "model": "X1",
        "exit code": "0",
        "bytes of output not kept": "9",
    }


def test_times_are_moments_that_javascript_knows(tmp_path: Path) -> None:
    eternal = JobResult(outcome="pass", execution_duration=1e300, started_at=1e300)
    found = only(tmp_path, session_of(eternal))

    assert found["start"] == found["stop"] == 8_640_000_000_000_000


def test_output_is_in_files_of_its_streams_as_text(tmp_path: Path) -> None:
    log = [
        IOLogRecord(0, "stdout", b"one\r\n\xff"),
        IOLogRecord(0, "stderr", b"\x1b[31mred\n"),
        IOLogRecord(0, "stdout", b"two"),
    ]
    report = written(tmp_path, session_of(JobResult(outcome="fail", io_log=log)))
    (result,) = report.glob("*-result.json")
    files = {
        each["name"]: each["source"] for each in json.loads(result.read_text())["attachments"]
    }

    assert (report / files["stdout"]).read_bytes() == b"one\n\\xfftwo"
    assert (report / files["stderr"]).read_bytes() == b"red\n"


@pytest.mark.parametrize(("logs", "names"), [("none", 0), ("failed", 1), ("all", 2)])
def test_the_output_of_each_attempt_is_there_as_is_asked_for(
    tmp_path: Path, logs: str, names: int
) -> None:
    log = [IOLogRecord(0, "stdout", b"x\n")]
    session = session_of(
        JobResult(outcome="fail", io_log=log), JobResult(outcome="pass", io_log=log)
    )

    report = written(tmp_path, session, f"logs={logs}")
    assert len(list(report.glob("*-attachment.txt"))) == names


def test_a_description_is_no_markup(tmp_path: Path) -> None:
    text = "<img src=x onerror=alert(1)> ![x](http://a/b) `code` \x1b[31m# red"
    found = only(tmp_path, session_of(JobResult(outcome="pass"), description=text))

    assert found["description"] == (
        r"\<img src=x onerror=alert(1)\> \!\[x\](http://a/b) \`code\` \# red"
    )


def test_facts_are_properties_that_come_back(tmp_path: Path) -> None:
    made = Made(AllureImporter, written(tmp_path, sample_session()))
    session = sample_session().view()

    facts = {
        f"{device.id} {name}": value
        for device in session.devices
        for name, value in device.facts.items()
    }
    for found in made.devices.values():
        assert {name: found.get(name) for name in facts} == facts
        assert (found["session"], found["verdict"]) == ("sample-1", "FAIL")
        assert found["executor reportName"] == session.title


def test_our_importer_reads_it_back(tmp_path: Path) -> None:
    log = [IOLogRecord(0, "stdout", b"a\nb\n"), IOLogRecord(0, "stderr", b"c\n")]
    note = Attachment(name="note.txt", media_type="text/plain", size=2, data=b"hi")
    odd = Attachment(name="stdout", media_type="text/plain", size=3, data=b"odd")
    wanted = session_of(
        JobResult(outcome="error", comments="died", execution_duration=1.5, started_at=START),
        JobResult(
            outcome="fail",
            comments="it could\nnot",
            execution_duration=0.25,
            started_at=START + 3,
            io_log=log,
            attachments=[note, odd],
            subtests=[Subtest(name="read", outcome="fail"), Subtest(name="", outcome="skip")],
        ),
        summary="Reads a disk",
    )
    made = Made(AllureImporter, written(tmp_path, wanted))

    (job,) = made.jobs
    assert (job.id, job.summary, job.category) == (
        "com.example::disk",
        "Reads a disk",
        "Uncategorised",
    )
    assert [
        (each.outcome, each.duration, each.started_at, each.comments) for each in job.attempts
    ] == [("error", 1.5, START, "died"), ("fail", 0.25, START + 3, "it could\nnot")]
    assert [(part.name, part.outcome) for part in job.subtests] == [
        ("read", "fail"),
        ("step", "skip"),  # one without a name
    ]
    assert b"".join(data for name, data in output(job) if name == "stdout") == b"a\nb\n"
    assert b"".join(data for name, data in output(job) if name == "stderr") == b"c\n"
    assert {each.name: each.size for each in job.attachments} == {"note.txt": 2, "file stdout": 3}
    assert made.left_out == {}


COMES_BACK = {
    Outcome.NONE: "undecided",
    Outcome.CRASH: "error",
    **{each: "skip" for each in Outcome if each.skipped},
}


def test_outcomes_of_every_kind_come_back_as_what_they_say(tmp_path: Path) -> None:
    made = Made(AllureImporter, written(tmp_path, sample_session()))

    assert sorted((job.id, str(job.outcome)) for job in made.jobs) == sorted(
        (job.id, "crash" if job.in_flight else COMES_BACK.get(job.outcome, str(job.outcome)))
        for job in sample_session().view().jobs()
    )


def test_a_folder_without_jobs_is_one_all_the_same(tmp_path: Path) -> None:
    report = written(tmp_path, empty_session())

    assert sorted(path.name for path in report.iterdir() if path.name[0] != ".") == [
        "environment.properties",
        "executor.json",
    ]


@pytest.mark.parametrize("damage", ["unlink", "cut", "renamed"])
def test_a_damaged_folder_is_not_whole(tmp_path: Path, damage: str) -> None:
    log = [IOLogRecord(0, "stdout", b"x\n")]
    report = written(tmp_path, session_of(JobResult(outcome="fail", io_log=log)))
    (result,), (file,) = report.glob("*-result.json"), report.glob("*-attachment.txt")
    if damage == "unlink":
        file.unlink()
    elif damage == "cut":
        result.write_bytes(result.read_bytes()[:-9])
    else:
        result.rename(report / "other-result.json")

    with pytest.raises(ValueError, match=r"not there|truncated|holds the result"):
        AllureExporter.verify(report)
