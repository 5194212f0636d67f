"""The TAP exporter: points that no text can forge, which our importer reads back."""

from __future__ import annotations

import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.importers.imported_facts import Made
from tests.unit.one_job import session_of, started_again, with_jobs

from holdall.results import IOLogRecord, JobResult, Measurement, Subtest
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import (
    HOSTILE,
    devices_session,
    empty_session,
    hostile_session,
    sample_session,
)
from holdall.writing import line_text
from holdall_exporters.ctrf import CtrfExporter
from holdall_exporters.tap import TapExporter
from holdall_plugins.importers.tap import TapImporter

if TYPE_CHECKING:
    from holdall.testing.sessions import SampleSession

FORGED = {
    "point": "x\nok 2 - forged\n1..9\n",
    "directive": "x # SKIP no # TODO yes",
    "escapes": "\\# \\\\# \\\\\\ # SKIP",
    "yaml": "---\n...\n  ...\nok: yes\n'a': \"b\" # c",
    "bail out": "Bail out! now",
    "brace": "a job {",
    "version": "TAP version 14",
    "pragma": "pragma +strict",
}


@pytest.mark.sampled(6)
class TestTapExporter(ExporterContract):
    """The TAP exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[TapExporter]] = TapExporter


def stream(session: SampleSession, **options: str) -> str:
    return exported(TapExporter, session, options).decode()


def made(session: SampleSession, folder: Path, **options: str) -> Made:
    report = folder / "report.tap"
    report.write_bytes(exported(TapExporter, session, options))
    return Made(TapImporter, report)


def test_a_point_has_its_subtests_before_it_and_yaml_behind() -> None:
    log = [IOLogRecord(0, "stdout", b"one\n...\n"), IOLogRecord(0, "stderr", b"\x1b[31mtwo\n")]
    result = JobResult(
        outcome="fail",
        comments='no "disk"',
        execution_duration=0.25,
        return_code=1,
        io_log=log,
        subtests=[
            Subtest(name="read # 1", outcome="pass", duration=0.5),
            Subtest(name="write", outcome="crash", message="died"),
            Subtest(name="sync", outcome="skip"),
        ],
        measurements=[Measurement(name="rate", value=7, unit="MB/s", lower=9)],
    )

    session = session_of(JobResult(outcome="crash"), result, summary="The disk")
    assert stream(session) == (
        "TAP version 14\n"
        "1..1\n"
        "# Subtest: com.example::disk\n"
        "    1..3\n"
        "    ok 1 - read \\# 1\n"
        "      ---\n"
        "      outcome: pass\n"
        "      duration_ms: 500.000\n"
        "      ...\n"
        "    not ok 2 - write\n"
        "      ---\n"
        "      outcome: crash\n"
        '      message: "died"\n'
        "      ...\n"
        "    ok 3 - sync # SKIP\n"
        "      ---\n"
        "      outcome: skip\n"
        "      ...\n"
        "not ok 1 - com.example::disk\n"
        "  ---\n"
        "  outcome: fail\n"
        "  duration_ms: 250.000\n"
        '  summary: "The disk"\n'
        '  message: "no \\"disk\\""\n'
        "  exit_code: 1\n"
        "  earlier_attempts: [crash]\n"
        "  measurements:\n"
        '    - {name: "rate", value: 7, unit: "MB/s", lower: 9.0, outcome: "fail"}\n'
        "  output:\n"
        '    - "one"\n'
        '    - "..."\n'
        '    - "two"\n'
        "  ...\n"
    )


@pytest.mark.parametrize(
    ("result", "xfail", "point"),
    [
        (JobResult(outcome="pass"), False, "ok 1 - com.example::disk"),
        (JobResult(outcome="fail"), False, "not ok 1 - com.example::disk"),
        (JobResult(outcome="crash"), False, "not ok 1 - com.example::disk"),
        (JobResult(outcome="error"), False, "not ok 1 - com.example::disk"),
        (JobResult(outcome="undecided"), False, "not ok 1 - com.example::disk"),
        (None, False, "not ok 1 - com.example::disk"),
        (
            JobResult(outcome="skip", skip_reason="a # b"),
            False,
            "ok 1 - com.example::disk # SKIP a \\# b",
        ),
        (JobResult(outcome="not-supported"), False, "ok 1 - com.example::disk # SKIP"),
        (
            JobResult(outcome="fail"),
            True,
            "not ok 1 - com.example::disk # TODO expected to fail",
        ),
        (JobResult(outcome="pass"), True, "not ok 1 - com.example::disk"),
    ],
)
def test_a_point_is_ok_where_its_job_speaks_against_nothing(
    result: JobResult | None, point: str, *, xfail: bool
) -> None:
    session = session_of(*([result] if result else []), xfail=xfail)

    assert stream(session).splitlines()[2] == point


def test_a_job_in_flight_is_not_ok_whatever_was_before() -> None:
    text = stream(started_again(session_of(JobResult(outcome="pass"))))

    assert "not ok 1 - com.example::disk\n  ---\n  outcome: in-flight\n  ...\n" in text


def test_a_session_in_which_no_job_passed_has_a_point_that_says_so() -> None:
    skipped = stream(with_jobs(one=JobResult(outcome="skip")))

    assert skipped.splitlines()[1] == "1..2"
    assert stream(empty_session()) == (
        "TAP version 14\n1..1\nnot ok 1 - verdict\n  ---\n  outcome: nothing-passed\n"
        '  message: "no job passed"\n  ...\n'
    )


def test_version_13_has_subtests_in_yaml() -> None:
    part = Subtest(name="read", outcome="fail")

    assert stream(session_of(JobResult(outcome="pass", subtests=[part])), version="13") == (
        'TAP version 13\n1..1\nok 1 - com.example::disk\n  ---\n  subtests: "read: fail"\n  ...\n'
    )


def test_points_of_several_devices_are_told_apart() -> None:
    assert "not ok 3 - dut-2: com.example::disk\n" in stream(devices_session())


def test_a_long_log_is_cut_in_its_middle() -> None:
    log = [IOLogRecord(0, "stdout", b"%d\n" % number) for number in range(1000)]
    text = stream(session_of(JobResult(outcome="fail", io_log=log)), log_max="100")

    assert '    - "[... 3,790 bytes of output left out]"\n' in text


@pytest.mark.parametrize("text", [*FORGED.values(), *HOSTILE.values()], ids=[*FORGED, *HOSTILE])
def test_no_text_becomes_a_point(text: str, tmp_path: Path) -> None:
    def shape(session: SampleSession) -> list[tuple[str, int, bool]]:
        jobs = made(session, tmp_path, logs="all").jobs
        return [(str(job.outcome), job.attempt_count, bool(job.comments)) for job in jobs]

    assert shape(hostile_session(text)) == shape(hostile_session("plain"))


@settings(max_examples=12, deadline=None)
@given(st.text(st.sampled_from("ab\\#{ :-.1\n"), min_size=1, max_size=12))
def test_any_name_comes_back(text: str) -> None:
    name = f"x{text}"
    shown = " ".join(name.split())
    result = JobResult(outcome="pass", subtests=[Subtest(name=name, outcome="fail")])
    with TemporaryDirectory() as folder:
        jobs = made(session_of(result), Path(folder)).jobs

    wanted = f"{shown[:-1]}\\x7b" if shown.endswith("{") else shown
    assert jobs[0].id == f"com.example::disk / {wanted}"


def test_our_importer_reads_it_back(tmp_path: Path) -> None:
    session = with_jobs(
        good=JobResult(outcome="pass", execution_duration=1.5),
        bad=JobResult(outcome="fail", comments="it could\nnot", execution_duration=0.25),
        worse=JobResult(outcome="crash", comments="died"),
        off=JobResult(outcome="skipped-resource", skip_reason="no disk # 1"),
        open=JobResult(outcome="undecided"),
    )

    found = made(session, tmp_path).jobs
    assert [(job.id, str(job.outcome), job.duration) for job in found] == [
        ("com.example::good", "pass", 1.5),
        ("com.example::bad", "fail", 0.25),
        ("com.example::worse", "crash", None),
        ("com.example::off", "skipped-resource", None),
        ("com.example::open", "undecided", None),
    ]
    assert [job.comments for job in found[1:3]] == ["it could\nnot", "died"]
    assert found[3].skip_reason == "no disk # 1"


def test_outcomes_of_every_kind_come_back(tmp_path: Path) -> None:
    outcomes = {job.id: str(job.outcome) for job in made(sample_session(), tmp_path).jobs}
    wanted = {
        f"{line_text(job.device_id)}: {line_text(job.id)}": "fail"
        if job.in_flight or job.outcome == "none"
        else str(job.outcome)
        for job in sample_session().view().jobs()
        if not job.subtests  # a point whose parts say it all is none to the importer
    }

    assert {name: outcomes[name] for name in wanted} == wanted


def test_a_stream_that_lacks_a_point_is_not_whole() -> None:
    whole = exported(TapExporter, sample_session())

    with pytest.raises(ValueError, match="stands where 1 should"):
        TapExporter.verify(io.BytesIO(whole.replace(b"ok 1 - ", b"ok 7 - ", 1)))
    with pytest.raises(ValueError, match="which is not what was planned"):
        TapExporter.verify(io.BytesIO(whole.replace(b"1..42", b"1..43", 1)))


def test_the_message_of_a_cut_log_is_what_standard_error_ends_in() -> None:
    log = [
        IOLogRecord(0.1, "stderr", b"w" * 900 + b"\nerror: boom\n"),
        IOLogRecord(0.2, "stdout", b"progress\n" * 500),
    ]
    session = session_of(JobResult(outcome="fail", io_log=log))

    for exporter in (TapExporter, CtrfExporter):
        report = exported(exporter, session, {"log-max": "400"}).decode()
        assert re.search(r'message"?: ?"?error: boom', report), report[:500]
