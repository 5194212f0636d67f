"""The JUnit exporter: valid against two schemas at once, and counted right."""

from __future__ import annotations

import io
import re
import resource
import tarfile
from io import BytesIO
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from junitparser import JUnitXml
from lxml import etree

from holdall.errors import ExportTargetError, OptionValueError
from holdall.exports.pipeline import export
from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    ResultRecorded,
    SessionCreated,
)
from holdall.registry.registry import Registry
from holdall.results import IOLogRecord, JobResult, Outcome
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import (
    START,
    SampleSession,
    big_session,
    empty_session,
    sample_session,
)
from holdall.view import verdict
from holdall_exporters.junit import JUnitExporter
from holdall_exporters.junit.cases import whole_name

if TYPE_CHECKING:
    from holdall.contracts.exporters import ExportReport
    from holdall.journal.events import AnyEvent

REGISTRY = Registry.discover()
JENKINS = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "data" / "junit-10.xsd"))

STRICT = etree.RelaxNG(etree.parse(Path(__file__).parents[1] / "data" / "junit-strict.rng"))

LARGEST = {"max-bytes=9k": 9 << 10, "max-bytes=12k": 12 << 10}

CHILDREN = {
    Outcome.PASS: None,
    Outcome.FAIL: "failure",
    Outcome.CRASH: "error",
    Outcome.ERROR: "error",
    Outcome.NONE: "error",
    Outcome.UNDECIDED: "error",
}


class TestJUnitExporter(ExporterContract):
    """The JUnit exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[JUnitExporter]] = JUnitExporter

    def export(self, session: SampleSession) -> bytes:
        """Return the report, checked against both schemas."""
        report = super().export(session)
        checked(report)
        return report


def checked(report: bytes) -> etree._Element:
    """Return the root of *report* after every check we have."""
    root = etree.fromstring(report)
    JENKINS.assertValid(root)
    STRICT.assertValid(root)
    assert [suite.get("id") for suite in root] == [str(number) for number in range(len(root))]
    report.decode("ascii")
    return root


def report(session: SampleSession) -> etree._Element:
    return checked(exported(JUnitExporter, session))


def case(root: etree._Element, name: str) -> etree._Element:
    return next(
        each for each in root.iter("testcase") if each.get("name") == f"com.example::{name}"
    )


def test_a_suite_is_made_for_each_device_and_category() -> None:
    root = report(sample_session())

    assert [
        (suite.get("hostname"), suite.get("name"), suite.get("package")) for suite in root
    ] == [
        ("local", "local: Disks & drives", "com.example::disk"),
        ("local", "local: nowhere", "com.example::nowhere"),
        ("dut-7", 'dut-7: Hostile "text"', "com.example::hostile"),
        ("dut-7", "dut-7: Uncategorised", "com.canonical.plainbox::uncategorised"),
        ("dut-7", "dut-7: Disks & drives", "com.example::disk"),
    ]


def test_the_suites_of_one_device_are_named_by_category_alone() -> None:
    assert report(big_session(20))[0].get("name") == "Category 0"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_has_its_child(outcome: Outcome) -> None:
    found = case(report(sample_session()), f"outcome-{outcome}")

    wanted = CHILDREN.get(outcome, "skipped")
    assert [child.tag for child in found] == ([wanted] if wanted else [])
    kinds = {child.get("type") for child in found}
    assert kinds <= ({None} if wanted == "skipped" else {outcome})


def test_a_job_in_flight_is_an_error() -> None:
    child = case(report(sample_session()), "in-flight")[0]

    assert (child.tag, child.get("type")) == ("error", "in-flight")


def test_subtests_and_measurements_that_failed_are_in_the_text_of_the_failure() -> None:
    text = case(report(sample_session()), "big-log")[0].text or ""

    assert text.startswith(
        "subtest read back: fail: byte 7 differs\nand byte 9\n"
        "measurement write rate: 91.5 MB/s (from 100): fail\n"
    )


def test_the_rich_flavour_has_each_subtest_and_measurement_as_a_property() -> None:
    root = etree.fromstring(exported(JUnitExporter, sample_session(), ["flavour=rich"]))
    found = case(root, "big-log").findall("properties/property")

    assert [(each.get("name"), each.get("value")) for each in found][-6:] == [
        ("subtest write", "pass"),
        ("subtest read back", "fail: byte 7 differs\nand byte 9"),
        ("subtest trim", "skip: not supported"),
        ("measurement write rate", "91.5 MB/s (from 100): fail"),
        ("measurement temperature", "40 °C (from 0 to 70): pass"),
        ("measurement firmware", "1.2.3"),
    ]


def test_the_reason_is_in_the_message() -> None:
    child = case(report(sample_session()), "outcome-skipped-manifest")[0]

    assert child.get("message") == "skipped (unmet manifest): why it was skipped-manifest"


def test_counts_are_right_for_a_reader() -> None:
    read = JUnitXml.fromstring(exported(JUnitExporter, sample_session()))
    stated = [(s.tests, s.failures, s.errors, s.skipped, s.time) for s in read]
    for suite in read:
        suite.update_statistics()  # type: ignore[no-untyped-call]

    counted = [(s.tests, s.failures, s.errors, s.skipped, s.time) for s in read]
    for (*numbers, time), (*others, other) in zip(stated, counted, strict=True):
        assert numbers == others
        assert time == pytest.approx(other, abs=0.01)
    assert sum(numbers[0] for numbers in stated) == sample_session().view().job_count


def test_no_two_cases_have_one_name() -> None:
    cases = [
        (c.get("classname"), c.get("name")) for c in report(sample_session()).iter("testcase")
    ]

    assert len(set(cases)) == len(cases)


def test_a_failure_holds_comments_and_log() -> None:
    text = case(report(sample_session()), "outcome-fail")[0].text

    assert text == (
        "plain line\nnot UTF-8: \\xff\\xfe\\x80\ncut character: caf\u00e9, cut escape: red\n"
    )


def test_logs_can_be_left_out() -> None:
    root = checked(exported(JUnitExporter, sample_session(), ["logs=none"]))

    assert case(root, "outcome-fail")[0].text == "failed"


def test_attempts_are_told_in_the_output_of_the_suite() -> None:
    text = report(sample_session())[0].findtext("system-out")

    assert text == (
        "com.example::flaky: 3 attempts: failed, crashed (interrupted by a reboot), passed\n"
    )


def test_hostile_text_is_visible_and_harmless() -> None:
    root = report(sample_session())
    child = case(root, "hostile-controls")[0]
    markup = case(root, "hostile-markup")[0]

    assert (
        child.get("message") == "failed: bell\u2407 null\u2400 escape red  return\r tab\t del\x7f"
    )
    assert "]]> <!-- &amp; <b onclick='x'>" in str(markup.text)


def test_durations_have_three_decimals() -> None:
    root = report(sample_session())

    times = [each.get("time", "") for each in root.iter("testcase", "testsuite")]
    assert all(re.fullmatch(r"\d+\.\d{3}", time) for time in times)


def ended(*outcomes: Outcome) -> SampleSession:
    """Return a session of a job for each of *outcomes*."""
    ids = tuple(f"com.example::{number}" for number in range(len(outcomes)))
    return SampleSession(
        (
            SessionCreated(at=START, session_id="ended"),
            DeviceAdded(at=START, device="local"),
            *(JobDefined(at=START, job=JobRecord(id=job_id)) for job_id in ids),
            JobsSelected(at=START, run_list=ids),
            *(
                ResultRecorded(at=START, job_id=job_id, result=JobResult(outcome=outcome))
                for job_id, outcome in zip(ids, outcomes, strict=True)
                if outcome is not Outcome.NONE
            ),
        )
    )


def wrong_cases(session: SampleSession, *options: str) -> list[str]:
    root = checked(exported(JUnitExporter, session, list(options)))
    return [
        child.tag for each in root.iter("testcase") for child in each if child.tag != "skipped"
    ]


@pytest.mark.parametrize(
    "outcomes",
    [chosen for size in range(3) for chosen in combinations_with_replacement(Outcome, size)],
)
def test_a_file_is_red_exactly_if_the_verdict_is_fail(outcomes: tuple[Outcome, ...]) -> None:
    session = ended(*outcomes)

    assert bool(wrong_cases(session)) is not verdict(session.view()).passed


@pytest.mark.parametrize("session", [empty_session(), ended(Outcome.SKIP)])
def test_that_no_job_passed_is_a_case_of_its_own(session: SampleSession) -> None:
    suite = report(session)[-1]

    assert (suite.get("name"), suite.get("tests"), suite.get("errors")) == ("holdall", "1", "1")
    (error,) = suite.iter("error")
    assert (error.get("type"), error.get("message")) == ("nothing-passed", "no job passed")


def test_what_was_said_beside_the_reason_of_a_skip_is_in_its_message() -> None:
    result = JobResult(outcome="skip", skip_reason="no lab", comments="ask Ada\nnext week")
    events = (
        SessionCreated(at=START, session_id="s"),
        ResultRecorded(at=START, job_id="one", result=result),
    )

    (skipped,) = report(SampleSession(events)).iter("skipped")

    assert skipped.get("message") == "skipped: no lab\nask Ada\nnext week"


def test_a_log_that_was_not_kept_whole_says_so() -> None:
    log = [IOLogRecord(0.0, "stdout", b"hello")]
    result = JobResult(outcome="fail", io_log=log, io_log_dropped=1234)
    events = (
        SessionCreated(at=START, session_id="s"),
        ResultRecorded(at=START, job_id="one", result=result),
    )

    (failure,) = report(SampleSession(events)).iter("failure")

    assert failure.text == "hello\n[... 1,234 bytes more were not kept]\n"


def test_open_jobs_are_skipped_if_that_is_wanted() -> None:
    for outcomes in (), (Outcome.NONE, Outcome.PASS), (Outcome.UNDECIDED,), (Outcome.SKIP,):
        assert wrong_cases(ended(*outcomes), "open-jobs=skipped") == []


def test_a_report_of_some_jobs_does_not_say_that_none_passed() -> None:
    written = BytesIO()
    export(ended(Outcome.PASS, Outcome.SKIP), "junit", written, options=["only=skip"])

    assert [child.tag for child in etree.fromstring(written.getvalue()).iter("error")] == []


def test_the_suite_of_the_verdict_goes_to_a_file_that_has_room(tmp_path: Path) -> None:
    export(ended(Outcome.SKIP), "junit", tmp_path / "report.xml", options=["max-cases=1"])

    cases = [
        [each.get("name") for each in etree.parse(path).iter("testcase")]
        for path in sorted(tmp_path.iterdir())
    ]
    assert sorted(cases) == [["com.example::0"], ["verdict"]]


FLAVOURS = ("jenkins", "gitlab", "github", "azure", "rich")


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_other_flavours_hold_output_and_earlier_attempts(flavour: str) -> None:
    root = flavoured(sample_session(), flavour, "logs=all")

    cases = {case.get("name"): case for case in root.iter("testcase")}
    flaky = cases["com.example::flaky"]
    assert [each.tag for each in flaky if each.tag != "properties"] == [
        "flakyFailure",
        "flakyError",
        "system-out",
    ]
    shown = cases["com.example::big-log"].findall("properties/property[@name='attachment']")
    wanted = ["notes.txt", "../Shot.png", "notes.txt"] if flavour == "rich" else []
    assert [each.get("value") for each in shown] == wanted


def test_an_earlier_attempt_has_its_words_and_its_output() -> None:
    failed = JobResult(outcome="fail", comments="first\nsecond", io_log=[(0, "stdout", b"no\n")])
    silent = JobResult(outcome="crash")
    session = session_of(JobRecord(id="a"), failed, silent, JobResult(outcome="pass"))

    first, second = flavoured(session, "jenkins").iter("flakyFailure", "flakyError")

    assert first.get("message") == "failed: first"
    assert [(part.tag, part.text) for part in first] == [
        ("stackTrace", "first\nsecond"),
        ("system-out", "no\n"),
    ]
    assert [(part.tag, part.text) for part in second] == [("stackTrace", "crashed")]
    without = flavoured(session, "jenkins", "logs=none")
    assert [part.tag for part in next(without.iter("flakyFailure"))] == ["stackTrace"]


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        ("tests/test_a.py:12", {"file": "tests/test_a.py", "line": "12"}),
        ("units/disk.pxu", {"file": "units/disk.pxu"}),
        ("C:/units:x", {"file": "C:/units:x"}),
        ("", {}),
    ],
)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_some_readers_are_told_the_file_and_the_line(
    flavour: str, origin: str, place: dict[str, str]
) -> None:
    session = session_of(JobRecord(id="a", origin=origin), JobResult(outcome="pass"))
    (case,) = flavoured(session, flavour).iter("testcase")

    told = {name: value for name, value in case.items() if name in {"file", "line"}}
    assert told == (place if flavour in {"gitlab", "github", "rich"} else {})


@pytest.mark.parametrize("flavour", ["portable", *FLAVOURS])
def test_no_reader_splits_a_class_name_in_the_wrong_place(flavour: str) -> None:
    record = JobRecord(id="a", category_id="tests/test_a.py::Class")
    one = session_of(record, JobResult(outcome="pass"))
    two = session_of(record, JobResult(outcome="pass"), devices=("lab.one", "lab.two"))
    splits = flavour in {"portable", "jenkins"}

    def class_names(session: SampleSession) -> list[str]:
        root = flavoured(session, flavour)
        return [str(case.get("classname")) for case in root.iter("testcase")]

    (name,) = class_names(one)
    assert (name.count("."), name.replace("\u2024", ".")) == (
        0 if splits else 1,
        "tests/test_a.py::Class",
    )
    first, second = class_names(two)
    assert first != second
    if splits:
        package, _dot, class_name = first.rpartition(".")
        assert (package, class_name) == ("lab\u2024one", "tests/test_a\u2024py::Class")


def test_names_that_differ_in_what_looks_like_a_dot_stay_two() -> None:
    assert whole_name("a.b") != whole_name("a\u2024b")


@pytest.mark.parametrize("flavour", ["portable", *FLAVOURS])
def test_no_failure_is_without_words(flavour: str) -> None:
    results = [JobResult(outcome=outcome) for outcome in ("fail", "crash", "error", "undecided")]
    for result in results:
        session = session_of(JobRecord(id="a"), result)
        (wrong,) = flavoured(session, flavour).iter("failure", "error")
        assert (wrong.text or "").strip()
    flying = (*session_of(JobRecord(id="a")).events, JobStarted(at=3, job_id="a"))
    (wrong,) = flavoured(SampleSession(flying), flavour).iter("error")
    assert wrong.text == "in flight"


@pytest.mark.parametrize("flavour", ["portable", *FLAVOURS])
def test_a_file_without_a_case_has_a_suite(flavour: str) -> None:
    root = flavoured(empty_session(), flavour, "open-jobs=skipped")

    assert [(suite.get("tests"), len(suite.findall("testcase"))) for suite in root] == [("0", 0)]


def test_attachments_are_named_where_the_archive_has_them(tmp_path: Path) -> None:
    archive = tmp_path / "all.tar"
    export(sample_session(), "tar", archive, options=["contents=none", "compression=none"])
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}

    for flavour in ("jenkins", "gitlab"):
        root = flavoured(sample_session(), flavour, "attachments-base=/ci/results/")
        text = "".join(each.text or "" for each in root.iterfind("testsuite/testcase/system-out"))
        found = re.findall(r"^\[\[ATTACHMENT\|/ci/results/(.+)\]\]$", text, re.MULTILINE)
        assert len(found) >= 3
        assert set(found) <= names
    assert b"ATTACHMENT|" not in exported(JUnitExporter, sample_session(), ["flavour=jenkins"])


def flavoured(session: SampleSession, flavour: str, *options: str) -> etree._Element:
    """Return the root of a report, which the schemas find as valid as its flavour promises."""
    written = exported(JUnitExporter, session, [f"flavour={flavour}", *options])
    root = etree.fromstring(written)
    if flavour == "portable":
        return checked(written)
    if flavour in {"jenkins", "azure"}:
        JENKINS.assertValid(root)
    return root


def session_of(
    record: JobRecord, *results: JobResult, devices: tuple[str, ...] = ("local",)
) -> SampleSession:
    """Return a session of one job, with these results on each device."""
    events: list[AnyEvent] = [SessionCreated(at=START, session_id="s")]
    for device in devices:
        events += [
            DeviceAdded(at=START, device=device),
            JobDefined(at=START, device=device, job=record),
            JobsSelected(at=START, device=device, run_list=(record.id,)),
            *(
                ResultRecorded(at=START, device=device, job_id=record.id, result=result)
                for result in results
            ),
        ]
    return SampleSession(tuple(events))


def test_it_can_be_utf_8_and_says_the_same() -> None:
    ascii_only = exported(JUnitExporter, sample_session())
    report = exported(JUnitExporter, sample_session(), ["no-ascii"])

    assert len(report) < len(ascii_only)
    assert "\u4e2d".encode() in report
    assert etree.canonicalize(report.decode()) == etree.canonicalize(ascii_only.decode())


@pytest.mark.parametrize(
    ("options", "files"),
    [
        pytest.param(["max-cases=30"], 4, id="cases"),
        pytest.param(["max-cases=1000"], 1, id="room for all"),
        pytest.param(["max-bytes=9k"], 3, id="bytes"),
        pytest.param(["max-bytes=12k"], 2, id="more bytes"),
        pytest.param(["max-cases=30", "max-bytes=9k"], 4, id="both"),
    ],
)
def test_a_report_that_is_too_large_goes_to_several_files(
    options: list[str], files: int, tmp_path: Path
) -> None:
    target = tmp_path / "report.xml"

    report = export(
        big_session(100), "junit", target, options=options, verify=True, registry=REGISTRY
    )

    parts = [target, *map(Path, report.parts)]
    names = []
    for part in parts:
        assert part.stat().st_size <= LARGEST.get(options[-1], 1 << 20)
        names += [str(case.get("name")) for case in checked(part.read_bytes()).iter("testcase")]
    assert sorted(names) == sorted(job.id for job in big_session(100).view().jobs())
    assert len(parts) == len(list(tmp_path.iterdir())) == files
    assert [part.name for part in parts[1:2]] == ["report.2.xml"][: files - 1]


def test_a_stream_takes_no_second_file() -> None:
    with pytest.raises(ExportTargetError, match="in parts needs a file"):
        export(big_session(9), "junit", io.BytesIO(), options=["max-cases=3"], registry=REGISTRY)


def test_a_file_with_a_wrong_number_is_not_verified() -> None:
    report = exported(JUnitExporter, big_session(9)).replace(b'tests="1"', b'tests="2"', 1)

    with pytest.raises(ValueError, match="a suite of 2 tests has 1"):
        JUnitExporter.verify(io.BytesIO(report))


def of_jobs(*jobs: tuple[str, JobResult], category: str = "a::c") -> SampleSession:
    """Return a session of jobs, each with an id and a result."""
    events: list[AnyEvent] = [SessionCreated(at=1, session_id="s")]
    for job_id, result in jobs:
        record = JobRecord(id=job_id, category_id=category)
        events += [
            JobDefined(at=1, job=record),
            ResultRecorded(at=1, job_id=job_id, result=result),
        ]
    return SampleSession(tuple(events))


def test_ids_that_readers_would_take_for_one_have_names_of_their_own() -> None:
    first = names(of_jobs(("a  b", JobResult(outcome="pass"))))[0]
    ids = ["", "unnamed", " ", "a b", "a  b", "a\tb", "a\x00b", "a\u2400b", first]

    found = names(of_jobs(*((each, JobResult(outcome="pass")) for each in ids)))

    assert len(set(found)) == len(ids)
    assert all(" ".join(name.split()) == name != "" for name in found)


def names(session: SampleSession) -> list[str]:
    return [case.get("name", "") for case in report(session).iter("testcase")]


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(0.0, id="nothing"),
        pytest.param(5e-324, id="the smallest number"),
        pytest.param(0.9996, id="rounded up"),
        pytest.param(1e12, id="thousands of years"),
        pytest.param(1.7e308, id="more than adds up"),
    ],
)
def test_a_time_is_a_number_of_few_digits_whatever_the_duration(seconds: float) -> None:
    result = JobResult(outcome="pass", execution_duration=seconds)
    root = report(of_jobs(("a", result), ("b", result)))

    times = [each.get("time", "") for each in root.iter("testcase", "testsuite")]
    assert all(re.fullmatch(r"\d{1,13}\.\d{3}", time) for time in times)


def test_a_limit_of_bytes_holds_where_histories_and_headings_are_long(tmp_path: Path) -> None:
    tried = [(f"job-{n}-{'x' * 500}", JobResult(outcome="fail")) for n in range(20) for _ in "ab"]
    target = tmp_path / "report.xml"

    report = export(
        of_jobs(*tried, category="c" * 2000),
        "junit",
        target,
        options=["max-bytes=16k"],
        registry=REGISTRY,
    )

    parts = [target, *map(Path, report.parts)]
    assert len(parts) > 1
    assert all(part.stat().st_size <= 16 << 10 for part in parts)
    histories = [
        line
        for part in parts
        for line in (checked(part.read_bytes()).findtext("*/system-out") or "").splitlines()
    ]
    assert len(histories) == 20


def test_parts_that_an_earlier_larger_report_left_are_removed(tmp_path: Path) -> None:
    target = tmp_path / "report.xml"
    other = tmp_path / "report.9.xml"
    other.write_bytes(b"of somebody else")

    def written(jobs: int) -> ExportReport:
        return export(
            big_session(jobs), "junit", target, options=["max-cases=3"], registry=REGISTRY
        )

    written(15)
    report = written(6)

    assert [Path(part).name for part in report.parts] == ["report.2.xml"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.xml",
        "report.2.xml",
        "report.9.xml",
    }
    assert [each.code for each in report.warnings] == ["removed"] * 3
    assert "report.3.xml" in report.warnings[0].text


def test_an_export_without_limits_removes_nothing(tmp_path: Path) -> None:
    other = tmp_path / "report.2.xml"
    other.write_bytes(b"of somebody else")

    export(big_session(9), "junit", tmp_path / "report.xml", registry=REGISTRY)

    assert other.read_bytes() == b"of somebody else"


def test_a_report_of_many_parts_has_few_of_them_open(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = len(list(Path("/dev/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 20, hard))
    try:
        report = export(
            big_session(60),
            "junit",
            tmp_path / "report.xml",
            options=["max-cases=1"],
            registry=REGISTRY,
        )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert len(report.parts) == 59


@pytest.mark.parametrize("option", ["max-cases=-1", "max-bytes=-1"])
def test_a_limit_can_not_be_negative(option: str) -> None:
    with pytest.raises(OptionValueError):
        exported(JUnitExporter, big_session(1), [option])
