"""What a job reports besides its exit code: `$HOLDALL_REPORT`."""

from __future__ import annotations

import json
import os
import shutil
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from tests.unit.test_run import ScriptedRunner, job, new, reloaded, run

from holdall import Registry
from holdall.processes import this_process
from holdall.redaction import RedactionRules
from holdall.results import JobResult, Measurement, Outcome, Subtest
from holdall.session import SessionManager, report_file, report_schema, reported
from holdall.session.folders import session_share
from holdall.session.report_lines import parse_line
from holdall.testing.sessions import HOSTILE
from holdall.view import SessionView
from holdall_plugins.runners.local import LocalRunner
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Task
    from holdall.session import SessionState

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


def result_of(state: SessionState, job_id: str = "a") -> JobResult:
    return state.job_state_map[job_id].result


def ran(command: str, **fields: str) -> JobResult:
    """Return the result of a job with this command, performed on this machine."""
    manager, state = new(job("a", command=command, **fields))
    run(manager, LocalRunner())
    return result_of(state)


class Reporting(ScriptedRunner):
    """Writes a report for each job, and passes."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.data = data

    def run(self, task: Task) -> JobResult:
        Path(task.environ["HOLDALL_REPORT"]).write_bytes(self.data)
        return super().run(task)


def reporting(data: bytes | str) -> JobResult:
    manager, state = new(job("a"))
    run(manager, Reporting(data.encode() if isinstance(data, str) else data))
    return result_of(state)


# What a line says


def test_each_kind_of_line_becomes_a_part_of_the_result() -> None:
    lines = """
{"subtest": "boots", "outcome": "pass", "duration": 0.5}
{"subtest": "sleeps", "outcome": "skip", "message": "no suspend"}
{"measurement": "speed", "value": 87.5, "unit": "MB/s", "lower": 50, "upper": 100}
{"measurement": "model", "value": "X1"}
{"comment": "the fan was loud"}
"""

    result = reporting(lines)

    assert result.outcome is Outcome.PASS
    assert result.subtests == (
        Subtest(name="boots", outcome="pass", duration=0.5),
        Subtest(name="sleeps", outcome="skip", message="no suspend"),
    )
    assert result.measurements == (
        Measurement(name="speed", value=87.5, unit="MB/s", lower=50.0, upper=100.0),
        Measurement(name="model", value="X1"),
    )
    assert result.comments == "the fan was loud"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            '{"measurement": "speed", "value": 12.5, "unit": "MB/s", "lower": 50}',
            "speed 12.5 MB/s is below 50 MB/s",
        ),
        ('{"measurement": "heat", "value": 91, "upper": 90.5}', "heat 91 is above 90.5"),
        ('{"measurement": "lamp", "value": false, "outcome": "fail"}', "lamp false failed"),
        (
            '{"subtest": "sleeps", "outcome": "fail", "message": "woke\\n up"}',
            "the subtest 'sleeps' failed: woke up",
        ),
        ('{"subtest": "sleeps", "outcome": "crash"}', "the subtest 'sleeps' crashed"),
        (
            '{"subtest": "sleeps", "outcome": "error"}',
            "the subtest 'sleeps' could not be performed",
        ),
    ],
)
def test_what_speaks_against_a_pass_fails_the_job_and_says_so(line: str, words: str) -> None:
    result = reporting(line)

    assert (result.outcome, result.comments) == (Outcome.FAIL, words)


def test_a_job_that_failed_says_what_it_measured_and_stays_what_it_is() -> None:
    line = '{"measurement": "speed", "value": 1, "lower": 2}'

    result = ran(f"echo '{line}' > \"$HOLDALL_REPORT\"; kill -9 $$")

    assert result.outcome is Outcome.CRASH
    assert result.comments == "it was killed by the signal SIGKILL; speed 1 is below 2"


def test_what_an_attempt_wrote_that_took_too_long_counts() -> None:
    line = '{"subtest": "boots", "outcome": "pass"}'

    result = ran(f"echo '{line}' >> \"$HOLDALL_REPORT\"; sleep 60", timeout="0.3")

    assert result.outcome is Outcome.CRASH
    assert result.subtests == (Subtest(name="boots", outcome="pass"),)


def test_a_failure_that_was_expected_counts_as_one() -> None:
    manager, _ = new(job("a", xfail="yes"))
    run(manager, Reporting(b'{"measurement": "speed", "value": 1, "lower": 2}'))

    [view] = SessionView.of(manager.storage).jobs()
    assert view.counts_as is Outcome.PASS


def test_a_failing_subtest_is_a_failed_attempt_that_is_repeated() -> None:
    manager, state = new(job("a", **{"auto-retry": "yes"}))
    run(manager, Reporting(b'{"subtest": "s", "outcome": "fail"}'))

    assert len(state.job_state_map["a"].result_history) == 3


# What is wrong


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"nonsense", "it is no JSON"),
        (b"[1]", "it is no JSON object"),
        (b"{}", "it has none of the keys subtest, measurement"),
        (b'{"subtets": "s", "outcome": "pass"}', "did you mean 'subtest'?"),
        (b'{"subtest": "s", "comment": "c"}', "it is a subtest and a comment"),
        (b'{"subtest": "s"}', "the subtest has no 'outcome'"),
        (b'{"subtest": "", "outcome": "pass"}', "not an empty text"),
        (b'{"subtest": 1, "outcome": "pass"}', "not a value of type int"),
        (b'{"subtest": "s", "outcome": "none"}', "the outcome 'none' says nothing"),
        (b'{"subtest": "s", "outcome": "passed"}', "no outcome is called 'passed'"),
        (
            b'{"subtest": "s", "outcome": ["pass"]}',
            "an outcome is a text, not a value of",
        ),
        (b'{"subtest": "s", "outcome": "pass", "duration": -1}', "from 0 on"),
        (b'{"subtest": "s", "outcome": "pass", "message": 1}', "must be of type str"),
        (b'{"measurement": "m", "value": null}', "the measurement has no 'value'"),
        (b'{"measurement": "m", "value": "x", "lower": 1}', "limits need a number"),
        (b'{"measurement": "m", "value": 1' + b"0" * 400 + b"}", "must be a finite number"),
        (b'{"measurement": "m", "value": 1e999}', "it is no JSON"),
        (b'{"comment": "\xff"}', "it is not UTF-8"),
        (b'{"comment": "\\ud800"}', "it is no JSON"),
        (b'{"comment": "a\x00b"}', "it is no JSON"),
        (b'{"comment": ' + b"[" * 60000, "it is nested too deep"),
        (b'{"comment": "' + b"x" * 70000 + b'"}', "it is longer than 65,536 bytes"),
        (b'{"attachment": "a", "path": "/etc/passwd"}', "is neither in the job's folder"),
        (b'{"attachment": "a", "path": "../a"}', "is neither in the job's folder"),
        (b'{"attachment": "a", "path": "a\\u0000"}', "null"),
        (b'{"attachment": "a", "media_type": 1}', "the field 'media_type' takes a text"),
        (b'{"attachment": "missing"}', "No such file"),
    ],
)
def test_a_bad_line_is_told_with_its_number_and_costs_no_other(line: bytes, words: str) -> None:
    good = b'{"subtest": "boots", "outcome": "pass"}\n'

    result = reporting(good + line + b"\n" + good)

    assert result.outcome is Outcome.PASS
    assert len(result.subtests) == 2
    assert (result.comments or "").startswith("line 2 of its report: ")
    assert words in (result.comments or "")


def test_a_field_that_is_not_known_is_told_and_the_line_counts() -> None:
    result = reporting('{"measurement": "m", "value": 1, "lowest": 5}')

    assert result.measurements == (Measurement(name="m", value=1),)
    assert result.comments == (
        "line 1 of its report: a measurement has no field 'lowest'; did you mean 'lower'?"
    )


def test_many_bad_lines_are_told_by_the_first_and_their_number() -> None:
    result = reporting("nonsense\n" * 100)

    assert (result.comments or "").count("line ") == 5
    assert (result.comments or "").endswith("and 95 more problems")


def test_a_line_that_was_cut_is_told_and_those_before_it_count() -> None:
    result = reporting('{"subtest": "boots", "outcome": "pass"}\n{"subtest": "sle')

    assert len(result.subtests) == 1
    assert "line 2 of its report" in (result.comments or "")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_any_text_of_a_job_is_stored_and_read_again(text: str) -> None:
    lines = [
        {"subtest": text or "x", "outcome": "fail", "message": text},
        {"measurement": text or "x", "value": text, "unit": text},
        {"comment": text or "x"},
    ]
    data = "\n".join(json.dumps(line) for line in lines)
    manager, state = new(job("a"))

    run(manager, Reporting(data.encode()))

    again, after = reloaded(manager, job("a"))
    again.close()
    assert result_of(after) == result_of(state)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ln -sf /etc/passwd", "it is a link"),
        ("mkfifo", "is no regular file"),
        ("mkdir", "is no regular file"),
    ],
)
def test_what_is_no_file_is_not_read_as_a_report(command: str, words: str) -> None:
    manager, state = new(job("a", command=f'rm "$HOLDALL_REPORT"; {command} "$HOLDALL_REPORT"'))

    run(manager, LocalRunner())

    result = result_of(state)
    assert result.outcome is Outcome.PASS
    assert words in (result.comments or "")
    with session_share(manager.storage, print) as share:
        assert list(share.iterdir()) == []


@pytest.mark.parametrize("command", ['rm "$HOLDALL_REPORT"', 'rm -r "$HOLDALL_SESSION_SHARE"'])
def test_a_job_that_removes_its_report_reports_nothing(command: str) -> None:
    assert ran(command).comments is None


def test_a_folder_that_can_not_be_written_makes_the_job_an_error(tmp_path: Path) -> None:
    manager, state = new(job("a"), job("b"), repository=FileRepository(tmp_path))
    share = Path(manager.storage.folder, "session-share")  # type: ignore[attr-defined]

    class Removing(ScriptedRunner):
        def run(self, task: Task) -> JobResult:
            shutil.rmtree(share)
            share.write_text("in its place")
            return super().run(task)

    run(manager, Removing())

    assert result_of(state, "b").outcome is Outcome.ERROR
    assert "could not be started" in (result_of(state, "b").comments or "")


# How much


def test_a_million_lines_are_judged_and_ten_thousand_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr(reported, "MOST_ENTRIES", 100)
    line = '{"subtest": "s", "outcome": "pass"}\n'

    result = reporting(line * 5000 + '{"subtest": "last", "outcome": "fail"}')

    assert len(result.subtests) == 100
    assert result.outcome is Outcome.FAIL
    assert result.comments == (
        "the subtest 'last' failed; 4,901 more subtests and measurements are judged and not kept"
    )


@pytest.mark.soak
@pytest.mark.timeout(600)  # memory is traced
def test_a_million_lines_take_no_memory(tmp_path: Path) -> None:
    report = report_file.ReportFile(tmp_path, "local", "a", 1)
    with report.path.open("wb") as lines:
        for _ in range(1_000_000):
            lines.write(b'{"subtest": "a name of some length", "outcome": "pass"}\n')
    surroundings = report_file.Surroundings(None, tmp_path, "", None)  # type: ignore[arg-type]
    took = reported.Reported()
    tracemalloc.start()

    report.read(took, surroundings)

    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(took.within(JobResult(outcome="pass")).subtests) == reported.MOST_ENTRIES
    assert peak < 16 * 2**20


def test_long_messages_are_kept_up_to_a_size(monkeypatch: Any) -> None:
    monkeypatch.setattr(reported, "MOST_TEXT", 1000)
    line = '{"subtest": "s", "outcome": "pass", "message": "%s"}\n' % ("x" * 300)

    assert len(reporting(line * 10).subtests) == 3


def test_a_report_without_end_is_read_up_to_a_size(monkeypatch: Any) -> None:
    monkeypatch.setattr(report_file, "MOST_BYTES", 2**20)
    line = '{"subtest": "s", "outcome": "pass"}\n'

    result = reporting(line * 100 + "x" * 2**21)

    assert len(result.subtests) == 100
    assert "longer than 1 MiB, and was not read to its end" in (result.comments or "")


def test_comments_are_kept_up_to_a_size() -> None:
    result = reporting('{"comment": "%s"}\n' % ("x" * 5000) * 5)

    assert 16_384 < len(result.comments or "") < 16_600
    assert "comments beyond 16,384 characters are not kept" in (result.comments or "")


# Secrets

SECRET = "correct-horse-battery"  # noqa: S105 - of nobody


class Leaking(Reporting):
    """Leaves a file with the secret besides."""

    def run(self, task: Task) -> JobResult:
        (task.folder / "secret.txt").write_text(f"it is {SECRET}")
        return super().run(task)


def test_no_part_of_a_secret_gets_past_the_mask_where_a_text_is_cut() -> None:
    half = len(SECRET) // 2
    long = "x" * (200 - half) + SECRET
    lines = [
        {"subtest": "s", "outcome": "fail", "message": long},
        {"measurement": long, "value": long, "unit": long, "outcome": "fail"},
        {"comment": "x" * (16_384 - half) + SECRET},
        *({"comment": "c", "x" * (1000 - pad - half) + SECRET: 1} for pad in range(40, 80)),
        {"attachment": SECRET, "path": "secret.txt"},
        {"attachment": "gone", "path": SECRET},
    ]
    unit = job("a", flags="has-leftovers")
    manager = SessionManager.create(
        MemoryRepository(),
        registry=Registry.empty(),
        redact=RedactionRules(secrets={"PASSPHRASE": SECRET}),
    )
    context = manager.add_local_device_context()
    context.add_unit(unit)
    context.state.update_desired_job_list([unit])

    run(manager, Leaking("\n".join(map(json.dumps, lines)).encode()))

    stored = b"".join(data for _number, data in manager.storage.read())
    [shown] = SessionView.of(manager.storage).jobs()
    assert shown.outcome is Outcome.FAIL
    [attachment] = shown.attachments
    for start in range(len(SECRET) - 6):
        part = SECRET[start : start + 6].encode()
        assert part not in stored
        assert part not in (attachment.data or b"")


# Attachments


def test_files_of_the_job_and_of_the_shared_folder_are_kept() -> None:
    result = ran(
        """
        mkdir deep && head -c 5000 /dev/zero > deep/trace.bin && echo hi > note.txt
        echo shared > "$HOLDALL_SESSION_SHARE/shared.log"
        cat > "$HOLDALL_REPORT" << END
        {"attachment": "trace.bin", "path": "deep/trace.bin"}
        {"attachment": "note.txt"}
        {"attachment": "whole", "path": "$PWD/note.txt", "media_type": "text/x-note"}
        {"attachment": "shared.log", "path": "$HOLDALL_SESSION_SHARE/shared.log"}
        END
        """.replace("        ", ""),
        flags="has-leftovers",
    )

    assert result.comments is None
    kept = [(each.name, each.size, each.data) for each in result.attachments]
    assert kept[1:] == [
        ("note.txt", 3, b"hi\n"),
        ("whole", 3, b"hi\n"),
        ("shared.log", 7, b"shared\n"),
    ]
    assert (kept[0], result.attachments[2].media_type) == (
        ("trace.bin", 5000, None),
        "text/x-note",
    )


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("ln -s /etc/passwd it", "it is a link"),
        ("mkfifo it", "is no regular file"),
        ("mkdir it", "is no regular file"),
        ("truncate -s 70M it", "more than the 64 MiB"),
    ],
)
def test_what_is_no_file_of_the_job_is_not_kept(made: str, words: str) -> None:
    line = '{"attachment": "it"}'

    result = ran(f"{made}; echo '{line}' > \"$HOLDALL_REPORT\"", flags="has-leftovers")

    assert (result.outcome, result.attachments) == (Outcome.PASS, ())
    assert words in (result.comments or "")


def test_a_linked_folder_on_the_way_to_a_file_is_not_followed() -> None:
    line = '{"attachment": "passwd", "path": "etc/passwd"}'

    result = ran(f"ln -s /etc etc; echo '{line}' > \"$HOLDALL_REPORT\"", flags="has-leftovers")

    assert result.attachments == ()
    assert "line 1 of its report" in (result.comments or "")


def test_attachments_have_a_size_in_all_and_a_number(monkeypatch: Any) -> None:
    monkeypatch.setattr(report_file, "MOST_ATTACHED_IN_ALL", 10)
    monkeypatch.setattr(report_file, "MOST_ATTACHMENTS", 2)
    command = 'echo abcd > it; for i in 1 2 3; do echo \'{"attachment": "it"}\'; done'

    result = ran(f'{command} > "$HOLDALL_REPORT"', flags="has-leftovers")
    assert len(result.attachments) == 2
    assert "more than 2 attachments are not kept" in (result.comments or "")

    monkeypatch.setattr(report_file, "MOST_ATTACHED_IN_ALL", 9)
    result = ran(f'{command} > "$HOLDALL_REPORT"', flags="has-leftovers")
    assert len(result.attachments) == 1


# Other accounts, and interrupted attempts


@pytest.fixture
def shares() -> Iterator[Path]:
    """A folder that other accounts can reach, which those of pytest are not."""
    with TemporaryDirectory(prefix="holdall-test-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def ran_as_nobody(command: str, shares: Path) -> JobResult:
    manager, state = new(job("a", command=command, user="nobody", flags="has-leftovers"))
    run(manager, LocalRunner(), shares=shares)
    return result_of(state)


@as_root
def test_a_job_of_another_account_reports_and_its_files_are_kept(shares: Path) -> None:
    result = ran_as_nobody(
        """id -un > who.txt
        echo '{"subtest": "s", "outcome": "pass"}' >> "$HOLDALL_REPORT"
        echo '{"attachment": "who.txt"}' >> "$HOLDALL_REPORT"
        """,
        shares,
    )

    assert (result.outcome, result.comments) == (Outcome.PASS, None)
    assert [each.data for each in result.attachments] == [b"nobody\n"]
    assert len(result.subtests) == 1


@as_root
@pytest.mark.parametrize("place", ["it", '"$HOLDALL_REPORT"'])
def test_root_reads_nothing_for_a_job_that_its_account_can_not_read(
    place: str, shares: Path
) -> None:
    secret = shares / "secret"
    secret.write_text('{"comment": "secret"}\n')
    secret.chmod(0o600)

    # A job can't do it where links are protected: what it would have made is made for it.
    class Linking(LocalRunner):
        def run(self, task: Task) -> JobResult:
            done = super().run(task)
            target = Path(task.environ["HOLDALL_REPORT"]) if "REPORT" in place else None
            os.link(secret, target.with_name("x") if target else task.folder / "it")
            if target is not None:
                target.with_name("x").rename(target)
            return done

    line = '{"attachment": "it"}'
    manager, state = new(
        job("a", command=f"echo '{line}' > $HOLDALL_REPORT", user="nobody", flags="has-leftovers")
    )
    run(manager, Linking(), shares=shares)

    result = result_of(state)
    assert (result.attachments, result.subtests) == ((), ())
    assert "is none that 'nobody' can read" in (result.comments or "")
    assert "secret" not in (result.comments or "")


class Dying(ScriptedRunner):
    """Writes a report, and is killed with holdall: nothing after it happens."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.data = data

    def run(self, task: Task) -> JobResult:
        task.started(this_process())
        Path(task.environ["HOLDALL_REPORT"]).write_bytes(self.data)
        raise KeyboardInterrupt


REPORT = b"""\
{"subtest": "boots", "outcome": "pass"}
{"attachment": "gone.txt"}
{"measurement": "speed", "value": 1, "lower": 2}
"""


def interrupted(runner: ScriptedRunner, tmp_path: Path, **fields: str) -> JobResult:
    unit = job("a", **fields)
    manager, _ = new(unit, repository=FileRepository(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        run(manager, Dying(REPORT))
    again, state = reloaded(manager, unit)
    run(again, runner)
    share = Path(again.storage.folder, "session-share")  # type: ignore[attr-defined]
    assert list(share.iterdir() if share.exists() else ()) == []
    return result_of(state)


def test_what_an_interrupted_attempt_reported_counts_when_it_is_resumed(tmp_path: Path) -> None:
    result = interrupted(ScriptedRunner(), tmp_path)

    assert result.outcome is Outcome.CRASH
    assert result.subtests == (Subtest(name="boots", outcome="pass"),)
    assert result.comments == (
        "the run ended while this job ran; speed 1 is below 2; "
        "line 2 of its report: 'gone.txt' is gone with the folder of the interrupted attempt"
    )


def test_a_job_that_restarted_the_machine_fails_by_what_it_reported(tmp_path: Path) -> None:
    runner = ScriptedRunner()
    runner.interruption = "rebooted"

    assert interrupted(runner, tmp_path, flags="noreturn").outcome is Outcome.FAIL


def test_each_attempt_begins_with_an_empty_report() -> None:
    seen: list[bytes] = []

    class Reading(ScriptedRunner):
        def run(self, task: Task) -> JobResult:
            path = Path(task.environ["HOLDALL_REPORT"])
            seen.append(path.read_bytes())
            path.write_bytes(b'{"subtest": "s", "outcome": "fail"}')
            return super().run(task)

    manager, _ = new(job("a", **{"auto-retry": "yes"}), job("b"))
    run(manager, Reading())

    assert seen == [b""] * 4


@pytest.mark.parametrize("left", ["file", "folder", "link"])
def test_what_an_attempt_left_that_is_made_anew_is_gone(left: str, tmp_path: Path) -> None:
    report = report_file.ReportFile(tmp_path, "local", "a", 1)
    outside = tmp_path / "outside"
    outside.write_text("stays")
    if left == "file":
        report.path.write_text('{"comment": "old"}')
    elif left == "folder":
        (report.path / "deep").mkdir(parents=True)
    else:
        report.path.symlink_to(outside)

    report.begin()

    assert (report.path.read_bytes(), report.path.stat().st_mode & 0o777) == (b"", 0o600)
    assert outside.read_text() == "stays"


def test_a_job_that_removes_the_shared_folder_leaves_others_theirs() -> None:
    removing = 'rm -r "$HOLDALL_SESSION_SHARE"'
    manager, state = new(job("a", command=removing), job("b", command='test -e "$HOLDALL_REPORT"'))

    run(manager, LocalRunner())

    assert result_of(state, "b").outcome is Outcome.PASS


def test_a_report_of_a_holdall_around_this_one_is_not_the_jobs() -> None:
    manager, state = new(job("a", command='echo "$HOLDALL_REPORT"'))
    run(manager, LocalRunner())

    assert "holdall-report-" in str(state.job_state_map["a"].result.io_log)


# The schema


SCHEMA = Draft202012Validator(report_schema())


@pytest.mark.parametrize(
    ("line", "is_valid"),
    [
        ({"subtest": "s", "outcome": "pass", "duration": 0.5, "message": None}, True),
        ({"measurement": "m", "value": 1, "unit": "V", "lower": 0, "upper": None}, True),
        ({"measurement": "m", "value": True, "outcome": "fail"}, True),
        ({"attachment": "a", "path": "a", "media_type": "text/plain"}, True),
        ({"comment": "c"}, True),
        ({}, False),
        ({"subtest": "s"}, False),
        ({"subtest": "s", "outcome": "none"}, False),
        ({"subtest": "s", "outcome": "pass", "duration": -1}, False),
        ({"subtest": "s", "outcome": "pass", "lower": 1}, False),
        ({"subtest": "", "outcome": "pass"}, False),
        ({"subtest": "s", "outcome": "pass", "comment": "c"}, False),
        ({"measurement": "m"}, False),
        ({"measurement": "m", "value": [1]}, False),
        ({"attachment": "a", "path": 1}, False),
        ({"comment": 1}, False),
    ],
)
def test_the_schema_and_the_parser_agree(line: dict[str, Any], is_valid: bool) -> None:  # noqa: FBT001 - a column
    try:
        _entry, unknown = parse_line(json.dumps(line).encode())
    except ValueError:
        taken = False
    else:
        taken = not unknown

    assert (SCHEMA.is_valid(line), taken) == (is_valid, is_valid)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(report_schema())
