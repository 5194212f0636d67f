"""What a job prints, read by an importer: the field `output-format`."""

from __future__ import annotations

import tempfile
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.test_run import ENVIRON, ScriptedRunner, job

from holdall import Measurement, Registry, Subtest
from holdall.processes import this_process
from holdall.recording import read_output
from holdall.results import Outcome
from holdall.session import RunSettings, SessionManager, output, run_session
from holdall.view import SessionView
from holdall_plugins.runners.local import LocalRunner
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdall import JobResult, Recorder
    from holdall.contracts import Repository, Task


class WordsImporter:
    """Reads `WORD NAME [MESSAGE]` lines: the outcome of a test, or a number that it measured."""

    def accepts(self, head: bytes, name: str) -> bool:
        del name
        return head.startswith(b"pass ")

    def load(self, source: Path, recorder: Recorder) -> None:
        with source.open() as lines:
            for number, line in enumerate(lines, start=1):
                word, name, *rest = line.split(maxsplit=2)
                message = rest[0].strip() if rest else None
                if word == "measured":
                    measured = Measurement(name=name, value=float(message or 0), lower=5)
                    recorder.record(name, outcome="pass", measurements=[measured])
                elif word == "broken":
                    raise KeyError(name)
                elif word == "known":
                    recorder.job(name, xfail=True)
                    part = Subtest(name="part", outcome="fail")
                    recorder.record(name, outcome="fail", comments=message, subtests=[part])
                elif word == "attached":
                    recorder.record(name, outcome="pass", attachments={"a": b"a", "b": b"b"})
                elif word == "skip":
                    recorder.record(name, outcome="skip", skip_reason=message)
                elif word == "inner":
                    inner = Subtest(name="part", outcome="fail")
                    recorder.record(name, outcome="pass", subtests=[inner], output=b"x" * 9000)
                elif word in {"pass", "fail"}:
                    recorder.record(name, outcome=word, duration=0.5, comments=message)
                else:
                    raise ValueError(f"line {number}: no outcome is called {word!r}")
                recorder.checkpoint()


def registry() -> Registry:
    made = Registry.discover()
    made.register("importers", "words", WordsImporter)
    return made


def session(
    *,
    repository: Repository | None = None,
    command: str = "true",
    fields: Mapping[str, str] = MappingProxyType({}),
) -> SessionManager:
    unit = job("a", command=command, **{"output-format": "words", **fields})
    manager = SessionManager.create_with_unit_list(
        [unit], repository or MemoryRepository(), registry=registry()
    )
    assert manager.state is not None
    manager.state.update_desired_job_list(manager.state.job_list)
    return manager


def ran(command: str, *, reader: Any = read_output, **fields: str) -> JobResult:
    manager = session(command=command, fields=fields)
    settings = RunSettings(ENVIRON, read_output=reader)
    run_session(manager, settings, runners={"local": LocalRunner()})
    assert manager.state is not None
    return manager.state.job_state_map["a"].result


def test_each_test_in_the_output_is_a_subtest_of_the_job() -> None:
    result = ran("printf 'pass boots\\nskip sleeps no suspend\\nmeasured speed 7\\n'")

    assert (result.outcome, result.comments) == (Outcome.PASS, None)
    assert result.subtests == (
        Subtest(name="boots", outcome="pass", duration=0.5),
        Subtest(name="sleeps", outcome="skip", message="no suspend"),
        Subtest(name="speed", outcome="pass"),
    )
    assert result.measurements == (Measurement(name="speed", value=7.0, lower=5),)
    assert b"".join(record.data for record in result.io_log).startswith(b"pass boots\n")


@pytest.mark.parametrize(
    ("line", "comments"),
    [
        ("fail sleeps it woke up", "the subtest 'sleeps' failed: it woke up"),
        ("measured speed 3", "speed 3 is below 5"),
        ("inner whole", "the subtest 'whole: part' failed"),
    ],
)
def test_a_test_that_failed_fails_a_job_that_ended_with_0(line: str, comments: str) -> None:
    result = ran(f"echo 'pass boots'; echo '{line}'")

    assert (result.outcome, result.comments) == (Outcome.FAIL, comments)


def test_a_test_that_is_expected_to_fail_does_not_fail_the_job() -> None:
    result = ran("echo 'known sleeps bug 12'")

    assert result.outcome is Outcome.PASS
    assert result.subtests == (
        Subtest(name="sleeps", outcome="pass", message="failed as expected: bug 12"),
    )


@pytest.mark.parametrize(
    ("command", "fields", "outcome", "words"),
    [
        (
            "echo 'pass a'; echo odd b",
            {},
            "error",
            "its output was not read as 'words': line 2: no outcome",
        ),
        ("echo 'fail a'; echo odd b", {}, "fail", "no outcome is called 'odd'"),
        ("echo 'pass a'; echo odd b; exit 1", {}, "fail", "line 2: no outcome is called 'odd'"),
        ("echo 'pass a'; echo broken b", {}, "error", "KeyError"),
        ("true", {}, "error", "its output was not read as 'words': no test is in it"),
        ("echo 'pass a' >&2", {}, "error", "its output was not read as 'words': no test is in it"),
        ("echo attached a", {}, "pass", "2 attachments of its tests are not kept"),
        ("echo 'pass a'", {"output-format": "wrods"}, "error", "did you mean 'words'?"),
    ],
)
def test_what_can_not_be_read_is_no_pass_and_a_failure_stays_one(
    command: str, fields: dict[str, str], outcome: str, words: str
) -> None:
    result = ran(command, **fields)

    assert result.outcome == outcome
    assert words in (result.comments or "")


def test_without_a_reader_the_result_says_that_nobody_read() -> None:
    result = ran("echo 'fail a'", reader=None)

    assert result.outcome is Outcome.ERROR
    assert result.comments == (
        "its output was not read as 'words': the application that runs it reads no output"
    )


def test_only_the_beginning_of_an_output_without_end_is_read(monkeypatch: Any) -> None:
    monkeypatch.setattr(output, "MOST_READ", 70)

    result = ran("for i in 1 2 3 4 5 6 7 8 9; do echo pass test-$i; done")

    assert len(result.subtests) == 6
    assert "only its first" in (result.comments or "")


def test_the_importer_is_noted_once_and_nothing_of_it_is_stored(tmp_path: Path) -> None:
    manager = session(command="echo pass a", repository=FileRepository(tmp_path))

    settings = RunSettings(ENVIRON, read_output=read_output)
    run_session(manager, settings, runners={"local": LocalRunner()})

    view = manager.view()
    assert [each.id for each in view.plugins if each.kind == "importers"] == ["words"]
    assert len([path for path in tmp_path.iterdir() if path.suffix == ".session"]) == 1


def performed(runner: Any) -> Any:
    return {"local": runner}


class Dying(ScriptedRunner):
    def run(self, task: Task) -> JobResult:
        task.started(this_process())
        task.output("stdout", b"pass boots\nfail sleeps\n")
        task.output("stderr", b"noise\n")
        task._log.flush()  # type: ignore[attr-defined]
        raise KeyboardInterrupt


def test_what_an_interrupted_attempt_printed_counts_when_it_is_resumed(tmp_path: Path) -> None:
    manager = session(repository=FileRepository(tmp_path))
    settings = RunSettings(ENVIRON, read_output=read_output)
    with pytest.raises(KeyboardInterrupt):
        run_session(manager, settings, runners=performed(Dying()))
    manager.storage.close()

    storage = manager.storage.repository.open(manager.storage.id)
    unit = job("a", **{"output-format": "words"})
    again = SessionManager.load_session([unit], storage, registry=registry())
    run_session(again, settings, runners=performed(ScriptedRunner()))

    [shown] = SessionView.of(again.storage).jobs()
    assert shown.outcome is Outcome.CRASH
    assert [each.name for each in shown.attempts[0].subtests] == ["boots", "sleeps"]


def test_no_copy_of_the_output_stays_behind(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    assert ran("echo 'pass a'").subtests

    assert list(tmp_path.iterdir()) == []


def test_the_importers_that_are_built_in_read_what_jobs_print() -> None:
    tap = "1..3\\nok 1 - boots\\nnot ok 2 - sleeps\\nok 3 - naps # SKIP no suspend\\n"

    result = ran(f"printf '{tap}'", **{"output-format": "tap"})

    assert (result.outcome, result.comments) == (Outcome.FAIL, "the subtest 'sleeps' failed")
    assert [(part.name, str(part.outcome)) for part in result.subtests] == [
        ("boots", "pass"),
        ("sleeps", "fail"),
        ("naps", "skip"),
    ]
