"""Secrets that are masked while recording: no file of a store ever has one, in any form."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from holdall.errors import RulesMissingError
from holdall.recording import Recorder
from holdall.redaction import RedactionRules
from holdall.registry import Registry
from holdall.results import JobResult, Measurement, Subtest
from holdall.session import SessionManager
from holdall.stores import open_repository
from holdall.units import Job, make_unit
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Cli

REGISTRY = Registry.discover()
SECRET = "hunter2-swordfish"  # noqa: S105 - the subject
RULES = RedactionRules(secrets={"TOKEN": SECRET})
STORES = pytest.mark.parametrize("store", ["file://{}/store", "sqlite:///{}/store.db"])
UNITS = """
id: res
plugin: resource
command: echo "token: hunter2-swordfish"; printf 'more: '; head -c 9000 /dev/zero | tr '\\0' x

id: use
plugin: shell
requires: res.token == 'hunter2-swordfish'
command: printf 'hunter2'; sleep 0.1; printf -- '-swordfish\\n';
 head -c 20000 /dev/zero | tr '\\0' x; echo hunter2-swordfish; echo aHVudGVyMi1zd29yZGZpc2g=

id: slow
plugin: shell
command: head -c 99000 /dev/zero | tr '\\0' x; printf 'hunter2-'; sleep 1.5; echo swordfish;
 head -c 9000 /dev/zero | tr '\\0' y; sleep 60
"""


def assert_no_secret_in(folder: Path) -> None:
    data = b64encode(SECRET.encode())[:-4]
    for path in folder.rglob("*"):
        assert SECRET not in path.name
        if path.is_file():
            content = path.read_bytes()
            assert b"hunter2" not in content, path
            assert b"swordfish" not in content, path
            assert data not in content, path


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    (folder / "units").mkdir(parents=True)
    (folder / "lab.provider").write_text(
        "[PlainBox Provider]\nname = com.example:lab\nversion = 1.2\n"
    )
    (folder / "units" / "all.pxu").write_text(UNITS)
    return folder


def holdall(folder: Path, *arguments: str) -> list[str]:
    del folder
    return [sys.executable, "-m", "holdall", *arguments]


@STORES
@pytest.mark.parametrize("how", ["option", "file"])
def test_a_run_stores_no_secret_and_expressions_see_it_all_the_same(
    store: str, how: str, lab: Path, tmp_path: Path
) -> None:
    url = store.format(tmp_path / "at")
    (tmp_path / "at").mkdir()
    options = ["--redact-env", "TOKEN"] if how == "option" else []
    if how == "file":
        (tmp_path / "holdall.toml").write_text('[redaction]\nenv = ["TOKEN", "NOT_SET_HERE"]\n')
    command = holdall(lab, "run", str(lab), "--store", url, "--title", f"of {SECRET}", *options)

    done = subprocess.run(
        [*command, "--job", ".*use"],
        env={**os.environ, "TOKEN": SECRET},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert ("'NOT_SET_HERE' of [redaction] is not set" in done.stderr) == (how == "file")
    assert_no_secret_in(tmp_path / "at")
    repository = open_repository(url, registry=REGISTRY)
    (session_id,) = repository.ids()
    storage = repository.open(session_id, mode="r")
    view = SessionView.of(storage)
    log = b"".join(record.data for job in view.jobs() for record in job.io_log())
    storage.close()
    assert view.title == "of [redacted]"
    assert log.count(b"[redacted]") == 4
    assert len(log) > 29_000


@STORES
def test_a_killed_run_leaves_no_secret_in_its_live_log_or_database(
    store: str, lab: Path, tmp_path: Path
) -> None:
    at = tmp_path / "at"
    at.mkdir()
    command = holdall(lab, "run", str(lab), "--store", store.format(at), "--redact-env", "TOKEN")
    process = subprocess.Popen(
        [*command, "--job", ".*slow"],
        env={**os.environ, "TOKEN": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not any(
            b"yyyyyyyy" in path.read_bytes() for path in at.rglob("*") if path.is_file()
        ):
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()

    content = b"".join(path.read_bytes() for path in at.rglob("*") if path.is_file())
    assert b"yyyyyyyy" in content
    assert b"[redacted]" in content
    assert_no_secret_in(at)


@STORES
def test_what_a_program_records_is_stored_without_its_secrets(store: str, tmp_path: Path) -> None:
    big = b"x" * 9000 + SECRET.encode() + b"y" * 9000
    with Recorder.create(
        store.format(tmp_path), title=SECRET, registry=REGISTRY, redact=RULES
    ) as recorder:
        recorder.device(f"dut-{SECRET}", description=SECRET, facts={"token": SECRET})
        for number, job_id in enumerate([f"a/{SECRET}", f"a/{SECRET.upper()}"]):
            recorder.job(job_id, device=f"dut-{SECRET}", summary=SECRET, category=SECRET)
            recorder.record(
                job_id,
                device=f"dut-{SECRET}",
                outcome="fail",
                comments=f"{number} {SECRET}",
                skip_reason=SECRET,
                output=big,
                attachments={"small": SECRET.encode(), "big": big, SECRET: io.BytesIO(big)},
                subtests=[Subtest(name=SECRET, outcome="fail", message=SECRET)],
                measurements=[Measurement(name=SECRET, value=SECRET)],
            )
            recorder.record_result(job_id, JobResult(io_log=[(0, "stdout", big)]))
        with recorder.attempt("live") as attempt:
            attempt.write(big[: 9000 + 7])
            attempt.write(big[9000 + 7 :])
            attempt.finish("pass")
        recorder.checkpoint()

        assert_no_secret_in(tmp_path)

    assert_no_secret_in(tmp_path)
    repository = open_repository(store.format(tmp_path), registry=REGISTRY)
    (session_id,) = repository.ids()
    with_jobs = repository.open(session_id, mode="r")
    view = SessionView.of(with_jobs)
    attempts = {job.id: [len(a.attachments) for a in job.attempts] for job in view.jobs()}
    with_jobs.close()
    assert attempts.pop("live") == [0]
    assert {job_id for job_id, _ in attempts.items()} == {"a/[redacted]", "a/[redacted]-2"}


@STORES
def test_every_text_of_every_event_is_masked_before_it_is_stored(
    store: str, tmp_path: Path
) -> None:
    job = make_unit({"id": "j", "plugin": "resource", "summary": SECRET}, namespace="lab")
    assert isinstance(job, Job)
    with SessionManager.create_with_unit_list(
        [job], store.format(tmp_path), title=SECRET, registry=REGISTRY, redact=RULES
    ) as manager:
        state = manager.state
        assert state is not None
        state.update_desired_job_list([job])
        state.metadata.title = SECRET
        result = JobResult(outcome="pass", io_log=[(0, "stdout", f"k: {SECRET}\n".encode())])
        state.update_job_result(job, result)
        unsaved = manager.view()
        manager.checkpoint()

        assert state.job_state_map["lab::j"].result == result
        assert SECRET not in str([unsaved.title, *(job.summary for job in unsaved.jobs())])
        assert_no_secret_in(tmp_path)


def test_a_resume_masks_as_the_run_did_or_is_refused(lab: Path, tmp_path: Path) -> None:
    at = tmp_path / "at"
    store = ["--store", f"file://{at}"]
    jobs = ["--job", ".*slow", "--job", ".*use"]
    rules = ["--redact-env", "TOKEN", "--redact-key", "pin"]
    with_token = {**os.environ, "TOKEN": SECRET}
    process = subprocess.Popen(
        holdall(lab, "run", str(lab), *store, *rules, *jobs),
        env=with_token,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not any(
        b"xxxxxxxx" in path.read_bytes() for path in at.rglob("*") if path.is_file()
    ):
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    command = holdall(lab, "resume", *store)

    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    masked = subprocess.run(command, env=with_token, capture_output=True, text=True, check=False)

    assert refused.returncode == 3
    assert "--redact-env TOKEN" in refused.stderr
    assert "pin" not in refused.stderr
    assert masked.returncode == 1, masked.stderr
    assert_no_secret_in(at)


@STORES
@pytest.mark.parametrize("given", [None, RedactionRules(secrets={"OTHER": SECRET})])
def test_a_session_that_was_masked_is_not_appended_to_without_its_rules(
    store: str, given: RedactionRules | None, tmp_path: Path
) -> None:
    rules = RedactionRules(secrets={"TOKEN": SECRET}, patterns=("TOK",), keys=("pin",))
    url = store.format(tmp_path)
    with Recorder.create(url, registry=REGISTRY) as recorder:
        recorder.record("j", outcome="pass")
    append = partial(Recorder.append, url, recorder.session_id, registry=REGISTRY)
    append(redact=rules).close()

    with pytest.raises(RulesMissingError) as caught:
        append(redact=given)

    assert (caught.value.secrets, caught.value.keys) == (("TOKEN",), ("pin",))
    assert caught.value.patterns == 1
    append(redact=rules).close()


def test_a_manager_refuses_a_session_without_its_rules(tmp_path: Path) -> None:
    job = make_unit({"id": "j", "plugin": "shell"}, namespace="lab")
    with SessionManager.create_with_unit_list(
        [job], f"file://{tmp_path}", registry=REGISTRY, redact=RULES
    ) as manager:
        manager.checkpoint()
    storage = open_repository(f"file://{tmp_path}", registry=REGISTRY).open(manager.storage.id)

    with closing(storage), pytest.raises(RulesMissingError):
        SessionManager.load_session([job], storage, registry=REGISTRY)


@pytest.mark.parametrize("pattern", [r"\w{20,}", r"\d+", "local", "first", "lab", "e"])
def test_a_pattern_that_matches_names_by_chance_hinders_no_resume(
    holdall: Cli, provider: Callable[[str], str], pattern: str
) -> None:
    unit = "id: {}\nplugin: shell\ncommand: {}\n"
    kill = "kill -KILL $(ps -o ppid= -p $(ps -o ppid= -p $PPID)); sleep 600"
    source = provider(
        "\n".join(
            unit.format(*job) for job in (("first", "echo 1"), ("second", kill), ("third", "true"))
        )
    )

    killed = holdall("run", source, "--redact", pattern)
    resumed = holdall("resume", "--redact", pattern)

    assert killed.code != 0
    assert resumed.code == 1, resumed
    assert [*holdall.outcomes().values()] == [["pass"], ["crash"], ["pass"]]


def test_output_of_a_job_whose_name_a_pattern_matches_survives_a_kill(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    kill = "kill -KILL $(ps -o ppid= -p $(ps -o ppid= -p $PPID)); sleep 600"
    source = provider(f"id: job-1\nplugin: shell\ncommand: echo kept; sleep 1.5; {kill}\n")

    holdall("run", source, "--redact", r"\b1\b")
    holdall("resume", "--redact", r"\b1\b")

    report = json.loads(holdall("export", "last", "json", "-O", "logs=all").out)
    assert report["jobs"][0]["attempts"][0]["io_log"][0]["text"] == "kept\n"


@pytest.mark.parametrize(("value", "why"), [(None, "is not set"), ("", "is empty")])
def test_a_variable_without_a_value_is_named_with_what_it_lacks(
    value: str | None, why: str, lab: Path, tmp_path: Path
) -> None:
    environ = {name: text for name, text in os.environ.items() if name != "TOKEN"}
    command = holdall(lab, "run", str(lab), "--store", f"file://{tmp_path}/at")

    done = subprocess.run(
        [*command, "--redact-env", "TOKEN"],
        env=environ if value is None else {**environ, "TOKEN": value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert f"'TOKEN' of --redact-env {why}" in done.stderr
    assert not (tmp_path / "at").exists()
