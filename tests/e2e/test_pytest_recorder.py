"""Runs of pytest that are recorded: every kind of outcome, workers, kills, and what can't be."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.e2e.junit_beside import in_junit, in_session

from holdall import Recorder, SessionView, list_sessions, open_repository
from holdall.writing import cause_of

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.view import JobView

PATIENCE_S = 60

KINDS = '''
import logging, sys, unittest
import pytest

def test_pass():
    """It passes.

    Really.
    """
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logging.warning("careful")

def test_fail():
    assert [1, 2] == [1, 3], "they differ"

@pytest.mark.skip(reason="not today")
def test_skip(): ...

@pytest.mark.xfail(reason="known")
def test_xfail(): assert 0

@pytest.mark.xfail(reason="known")
def test_xpass(): ...

@pytest.mark.xfail(reason="known", strict=True)
def test_strict_xpass(): ...

@pytest.mark.xfail(run=False, reason="hangs")
def test_xfail_not_run(): ...

def test_xfail_by_call(): pytest.xfail("just now")

@pytest.fixture
def bad_setup(): raise RuntimeError("no set-up")

@pytest.fixture
def bad_teardown():
    yield
    raise RuntimeError("no tear-down")

def test_setup_error(bad_setup): ...
def test_teardown_error(bad_teardown): ...
def test_both(bad_teardown): assert 0

class TestClass:
    @pytest.mark.parametrize("x", ["a::b", "c d", "[]"])
    def test_param(self, x): ...

class TestUnit(unittest.TestCase):
    def test_parts(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)

    @unittest.expectedFailure
    def test_expected(self): self.fail("x")

    @unittest.expectedFailure
    def test_unexpected(self): ...

def test_subtests(subtests):
    for i in range(2):
        with subtests.test("part", i=i):
            assert i != 1

def test_parts(
    record_property, record_testsuite_property, holdall_attach, holdall_measure, tmp_path
):
    record_property("speed", 12.5)
    record_property("what", float("nan"))
    record_testsuite_property("board", "b7")
    file = tmp_path / "trace.txt"
    file.write_text("content")
    holdall_attach(file)
    file.write_text("other")
    holdall_attach(b"raw", name="raw.bin")
    holdall_measure("volt", 4.9, "V", 4.5, 5.5)

def test_limit(holdall_measure):
    holdall_measure("volt", 5.9, "V", 4.5, 5.5)

def function():
    """
    >>> 1 + 1
    3
    """
'''


def suite(folder: Path, **files: str) -> Path:
    """Write test files into a folder of their own, and return it."""
    folder.mkdir()
    folder.joinpath("pytest.ini").write_text("[pytest]\njunit_family = legacy\n")
    for name, text in files.items():
        folder.joinpath(f"{name}.py").write_text(dedent(text), encoding="utf-8")
    return folder


def command(*options: str, plugins: tuple[str, ...] = ()) -> list[str]:
    """Return a command line of pytest with no plugins but those that are named."""
    named = ("holdall_plugins.pytest_recorder", *plugins)
    given = [part for name in named for part in ("-p", name)]
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *given, *options]


def environment() -> dict[str, str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return {**environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def run(
    folder: Path, *options: str, plugins: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*options, plugins=plugins),
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )


# One interpreter for several runs, which saves what each would import again.
DRIVER = """
import json, os, sys
import pytest
for folder, options in json.loads(sys.stdin.read()):
    os.chdir(folder)
    plugins = ["-p", "no:cacheprovider", "-p", "holdall_plugins.pytest_recorder"]
    code = pytest.main([*plugins, *options])
    print(f"\\n>{int(code)}", flush=True)
    for name in [name for name in sys.modules if name.startswith("test_")]:
        del sys.modules[name]
"""


class Done(NamedTuple):
    """What one run of several came to."""

    code: int
    output: str


def runs(*commands: tuple[Path, list[str]]) -> list[Done]:
    """Run pytest several times, each in a folder with options, in one interpreter."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DRIVER],
        env=environment(),
        input=json.dumps([(str(folder), ["-q", *options]) for folder, options in commands]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )
    parts = re.split(r"^>(\d+)\n", done.stdout, flags=re.MULTILINE)
    assert len(parts) == 2 * len(commands) + 1, done.stdout
    return [Done(int(code), text) for text, code in zip(parts[::2], parts[1::2], strict=False)]


def store(folder: Path) -> str:
    return (folder / "store").as_uri()


def recorded(url: str) -> tuple[SessionView, dict[str, JobView]]:
    """Return the only session of a store, and its jobs by id."""
    repository = open_repository(url)
    [info] = list_sessions(repository)
    view = SessionView.of(repository.open(info.id, mode="r"))
    return view, {job.id: job for job in view.jobs()}


def outcomes(url: str) -> dict[str, str]:
    return {
        job_id.rpartition("::")[2]: str(job.outcome) for job_id, job in recorded(url)[1].items()
    }


@pytest.fixture(scope="module", params=["one process", "workers"])
def kinds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one test for each kind of outcome, with `--junitxml` beside."""
    folder = suite(
        tmp_path_factory.mktemp("kinds") / "suite",
        test_kinds=KINDS,
        test_broken="import nothing_there\n",
        test_skipped="import pytest\npytest.skip('as a whole', allow_module_level=True)\n",
    )
    options = ["--doctest-modules", "--continue-on-collection-errors", "--junitxml=report.xml"]
    workers: tuple[str, ...] = ()
    if request.param == "workers":
        workers = ("xdist.plugin",)
        options.append("-n2")
    done = run(folder, f"--holdall={store(folder)}", *options, plugins=workers)
    assert done.returncode == 1, done.stdout
    return folder


def test_a_session_says_of_each_test_what_junitxml_says(kinds: Path) -> None:
    theirs, ours = in_junit(kinds / "report.xml"), in_session(store(kinds))

    assert ours == theirs
    assert len(ours) == 23


def test_each_kind_of_outcome_counts_as_the_table_says(kinds: Path) -> None:
    jobs = recorded(store(kinds))[1]
    said = {
        job_id.removeprefix("test_kinds.py::"): (str(job.outcome), str(job.counts_as))
        for job_id, job in jobs.items()
    }

    assert {name: pair for name, pair in said.items() if pair != ("pass", "pass")} == {
        "test_broken.py": ("error", "error"),
        "test_skipped.py": ("skip", "skip"),
        "test_kinds.function": ("fail", "fail"),
        "test_fail": ("fail", "fail"),
        "test_skip": ("skip", "skip"),
        "test_xfail": ("fail", "pass"),
        "test_strict_xpass": ("pass", "fail"),
        "test_xfail_not_run": ("skip", "skip"),
        "test_xfail_by_call": ("fail", "pass"),
        "test_setup_error": ("error", "error"),
        "test_teardown_error": ("error", "error"),
        "test_both": ("fail", "fail"),
        "TestUnit::test_parts": ("fail", "fail"),
        "TestUnit::test_expected": ("fail", "pass"),
        "TestUnit::test_unexpected": ("fail", "fail"),
        "test_subtests": ("fail", "fail"),
        "test_limit": ("fail", "fail"),
    }


def test_a_job_holds_what_pytest_knows_of_its_test(kinds: Path) -> None:
    jobs = recorded(store(kinds))[1]
    passed = jobs["test_kinds.py::test_pass"]
    xfail = jobs["test_kinds.py::test_xfail"]

    assert (passed.summary, passed.description) == ("It passes.", "Really.")
    assert (passed.category, passed.origin) == ("test_kinds.py", "test_kinds.py:5")
    assert xfail.description == "markers: xfail(reason='known')"
    assert (
        jobs["test_kinds.py::TestClass::test_param[a::b]"].category == "test_kinds.py::TestClass"
    )
    assert [(stream, data) for _, stream, data in passed.io_log()] == [
        ("stdout", b"to stdout\n"),
        ("stderr", b"to stderr\n"),
        ("stderr", b"--- Captured log call ---\nWARNING  root:test_kinds.py:12 careful\n"),
    ]


def test_a_failure_says_why_first_and_all_of_it_in_its_output(kinds: Path) -> None:
    jobs = recorded(store(kinds))[1]
    failed = jobs["test_kinds.py::test_fail"]
    output = b"".join(record.data for record in failed.io_log())

    assert failed.comments.startswith("AssertionError: they differ")
    assert b'>       assert [1, 2] == [1, 3], "they differ"' in output or b">   " in output
    assert jobs["test_kinds.py::test_skip"].skip_reason == "not today"
    assert jobs["test_kinds.py::test_setup_error"].comments == (
        "set-up failed: RuntimeError: no set-up"
    )
    assert jobs["test_kinds.py::test_xpass"].comments == (
        "passed, though it was expected to fail: known"
    )


def test_parts_of_a_test_are_recorded(kinds: Path) -> None:
    view, jobs = recorded(store(kinds))
    parts = jobs["test_kinds.py::test_parts"]
    subtests = jobs["test_kinds.py::test_subtests"].subtests
    why = cause_of(jobs["test_kinds.py::test_subtests"])
    down = jobs["test_kinds.py::test_teardown_error"].subtests

    attached = {part.name: parts.last.open_attachment(part).read() for part in parts.attachments}
    measured = {part.name: part.value for part in parts.measurements if part.name != "worker"}
    limit = jobs["test_kinds.py::test_limit"]
    assert attached == {"trace.txt": b"content", "raw.bin": b"raw"}
    assert measured == {"volt": 4.9, "speed": 12.5, "what": "nan"}
    assert limit.measurements[0].outcome == "fail"
    assert "volt is 5.9 V, above the upper limit 5.5" in limit.comments
    assert {(part.name, str(part.outcome)) for part in subtests} == {
        (subtests[0].name, "pass"),
        (subtests[1].name, "fail"),
    }
    assert [(part.name, str(part.outcome)) for part in down] == [
        ("test", "pass"),
        ("tear-down", "error"),
    ]
    assert why == f"{subtests[1].name}: assert 1 != 1"
    assert subtests[1].message is not None
    assert "with subtests.test" in subtests[1].message
    assert view.devices[0].facts["board"] == "b7"


DOCUMENTED = """
    import pytest

    @pytest.mark.parametrize("fan", ["left", "right"])
    def test_fan(fan):
        "The fan spins."
"""


def test_tests_with_parameters_are_told_apart_by_their_summaries(tmp_path: Path) -> None:
    small = suite(tmp_path / "suite", test_fan=DOCUMENTED)

    run(small, f"--holdall={store(small)}")

    summaries = [job.summary for job in recorded(store(small))[1].values()]
    assert summaries == ["The fan spins. [left]", "The fan spins. [right]"]


CRASHING = """
    import os, pytest

    @pytest.mark.parametrize("n", range(6))
    def test_n(n):
        if n == 3:
            os._exit(7)
"""


def test_a_worker_that_crashes_costs_its_one_test(tmp_path: Path) -> None:
    folder = suite(tmp_path / "suite", test_crash=CRASHING)
    options = (f"--holdall={store(folder)}", "-n2")

    done = run(folder, *options, plugins=("xdist.plugin",))

    jobs = recorded(store(folder))[1]
    crashed = jobs.pop("test_crash.py::test_n[3]")
    assert str(crashed.outcome) == "crash", done.stdout
    assert "crashed while running" in crashed.comments
    assert {str(job.outcome) for job in jobs.values()} == {"pass"}
    workers = {part.value for job in jobs.values() for part in job.measurements}
    assert workers <= {"gw0", "gw1", "gw2"}
    assert workers


HANGING = """
    import os, time
    from pathlib import Path

    def test_first(): print("done")
    def test_second():
        if not Path("go").exists():
            Path("at_second").touch()
            time.sleep(60)
    def test_third(): ...
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A run that was killed in the second of three tests."""
    folder = suite(tmp_path / "killed", test_hang=HANGING)
    options = (f"--holdall={store(folder)}",)
    with subprocess.Popen(
        command(*options), cwd=folder, env=environment(), stdout=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + PATIENCE_S
        while not (folder / "at_second").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    return folder


def test_a_killed_run_keeps_what_finished_and_says_what_was_running(killed: Path) -> None:
    [info] = list_sessions(open_repository(store(killed)))
    jobs = recorded(store(killed))[1]

    assert info.state == "unfinished"
    assert {
        job_id.rpartition("_")[2]: (str(job.outcome), job.in_flight)
        for job_id, job in jobs.items()
    } == {
        "first": ("pass", False),
        "second": ("none", True),
        "third": ("none", False),
    }


def test_a_kill_between_two_tests_loses_neither_result(tmp_path: Path) -> None:
    folder = suite(
        tmp_path / "suite",
        test_two="def test_first(): ...\ndef test_second(): ...\n",
        conftest="""
            import os, signal
            import pytest

            @pytest.hookimpl(tryfirst=True)
            def pytest_runtest_logstart(nodeid):
                if nodeid.endswith("second"):
                    os.kill(os.getpid(), signal.SIGKILL)
        """,
    )

    done = run(folder, f"--holdall={store(folder)}")

    assert done.returncode == -signal.SIGKILL
    first, second = recorded(store(folder))[1].values()
    assert (str(first.outcome), first.in_flight) == ("pass", False)
    assert (str(second.outcome), second.in_flight) == ("none", True)


@pytest.mark.parametrize("level", ["process", "system"])
def test_each_result_is_stored_at_the_level_that_was_asked_for(tmp_path: Path, level: str) -> None:
    folder = suite(
        tmp_path / "suite",
        test_three="def test_a(): ...\ndef test_b(): ...\ndef test_c(): ...\n",
        conftest="""
            from holdall import Recorder

            stored = Recorder.checkpoint

            def checkpoint(self, *, level="system"):
                with open("levels", "a") as file:
                    file.write(level + "\\n")
                return stored(self, level=level)

            Recorder.checkpoint = checkpoint
        """,
    )

    done = run(folder, f"--holdall={store(folder)}", f"--holdall-durability={level}")

    assert done.returncode == 0, done.stdout
    *levels, _closing = (folder / "levels").read_text().split()
    assert levels[-3:] == [level] * 3


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "workers"])
def test_a_value_that_can_not_be_kept_fails_its_test_alone(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    folder = suite(
        tmp_path / "suite",
        test_values="""
            def test_first(): ...
            def test_nan(holdall_measure): holdall_measure("n", float("nan"), lower=1)
            def test_huge(holdall_measure): holdall_measure("n", 10**400)
            def test_truth(holdall_measure): holdall_measure("n", True, lower=0)
            def test_property(record_property): record_property("n", 10**400)
            def test_clock(): import time; time.time = lambda: -5.0
            def test_last(): ...
        """,
    )
    options = (f"--holdall={store(folder)}", *workers)

    done = run(folder, *options, plugins=("xdist",) if workers else ())

    assert "INTERNALERROR" not in done.stdout
    assert outcomes(store(folder)) == {
        "test_first": "pass",
        "test_nan": "fail",
        "test_huge": "pass",
        "test_truth": "fail",
        "test_property": "pass",
        "test_clock": "pass",
        "test_last": "pass",
    }


def test_the_last_session_to_resume_is_one_of_the_same_folder(
    killed: Path, tmp_path: Path
) -> None:
    other = suite(tmp_path / "other", test_other="def test_other(): ...")

    refused = run(other, f"--holdall={store(killed)}", "--holdall-resume")
    with Recorder.create(store(other)) as recorder:
        recorder.record("job", outcome="pass")
    foreign = run(other, f"--holdall={store(other)}", f"--holdall-resume={recorder.session_id}")

    assert refused.returncode == foreign.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"is one of pytest in {other}" in refused.stdout
    assert "was not recorded by pytest" in foreign.stdout


def test_a_resumed_run_runs_what_has_no_result(killed: Path, tmp_path: Path) -> None:
    (killed / "go").touch()
    report = tmp_path / "reports" / "report.json"

    done = run(
        killed,
        f"--holdall={store(killed)}",
        "--holdall-resume",
        f"--holdall-export=json={report}",
        ".",
    )

    assert done.returncode == 0, done.stdout
    assert "2 passed, 1 deselected" in done.stdout
    document: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert {
        job["id"].rpartition("::")[2]: [attempt["outcome"] for attempt in job["attempts"]]
        for job in document["jobs"]
    } == {"test_first": ["pass"], "test_second": ["crash", "pass"], "test_third": ["pass"]}


DYING = "import os, signal\ndef pytest_sessionfinish(): os.kill(os.getpid(), signal.SIGKILL)\n"


def test_the_last_result_is_stored_before_the_session_ends(tmp_path: Path) -> None:
    folder = suite(tmp_path / "suite", test_last="def test_last(): ...\n", conftest=DYING)

    done = run(folder, f"--holdall={store(folder)}")

    assert done.returncode == -signal.SIGKILL
    assert outcomes(store(folder)) == {"test_last": "pass"}


STOPPED = """
    from pathlib import Path

    def test_first(): ...
    def test_second():
        if not Path("again").exists():
            Path("again").touch()
            raise KeyboardInterrupt("by hand")
    def test_third(): ...
"""


def test_an_interrupted_test_is_run_again_by_a_resume(tmp_path: Path) -> None:
    folder = suite(tmp_path / "suite", test_stop=STOPPED)
    url = store(folder)
    recording, resuming = f"--holdall={url}", "--holdall-resume"

    first, looked, again = runs(
        (folder, [recording]),
        (folder, [recording, resuming, "--collect-only"]),
        (folder, [recording, resuming]),
    )

    attempts = recorded(url)[1]["test_stop.py::test_second"].attempts
    assert (first.code, again.code) == (2, 0), again.output
    assert "3 tests collected" in looked.output  # which records nothing, and so leaves nothing out
    assert [str(attempt.outcome) for attempt in attempts] == ["crash", "pass"]
    assert attempts[0].comments == "pytest was interrupted in the test: KeyboardInterrupt: by hand"
    assert attempts[0].interrupted_by == "killed"
    assert outcomes(url) == {"test_first": "pass", "test_second": "pass", "test_third": "pass"}


RERUN = """
    import asyncio, itertools, pytest
    count = itertools.count()

    def test_flaky():
        print("try")
        assert next(count) == 2

    async def test_async(): await asyncio.sleep(0)
"""


def test_each_rerun_is_an_attempt(tmp_path: Path) -> None:
    pytest.importorskip(
        "pytest_rerunfailures", reason="pytest-rerunfailures is in the extra 'test'"
    )
    pytest.importorskip(
        "pytest_asyncio",
        reason="pytest-asyncio is not installed; its settings would reach other tests",
    )
    folder = suite(tmp_path / "suite", test_again=RERUN)
    options = (f"--holdall={store(folder)}", "--reruns=3", "--asyncio-mode=auto")
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")

    done = run(folder, *options, plugins=("pytest_rerunfailures", "pytest_asyncio.plugin"))

    jobs = recorded(store(folder))[1]
    attempts = jobs["test_again.py::test_flaky"].attempts
    assert done.returncode == 0, done.stdout
    assert [str(attempt.outcome) for attempt in attempts] == ["fail", "fail", "pass"]
    written = [
        [part.data for part in attempt.io_log() if part.stream == "stdout"] for attempt in attempts
    ]
    assert written == [[b"try\n"]] * 3
    assert str(jobs["test_again.py::test_async"].outcome) == "pass"


SMALL = "def test_a(): assert 0\ndef test_b(): ...\n"
LOGGED_IN = "def test_a(): print('token=abc123xyz'); assert 0\n"
FAILING_STORE = "import shutil\ndef test_a(): shutil.rmtree('store')\ndef test_b(): ...\n"


class Scenario(NamedTuple):
    """A run of a small suite, in a folder of its own."""

    folder: Path
    code: int
    output: str

    @property
    def outcomes(self) -> dict[str, str]:
        return outcomes(store(self.folder))


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scenario]:
    """Runs with one option or another, by what they are about."""
    suites = {
        "stopped": (SMALL, ["-x"]),
        "masked": (LOGGED_IN, ["--holdall-redact-key=token"]),
        "no report": ("def test_b(): ...\n", ["--holdall-export=json=test_small.py/report.json"]),
        "store failed": (FAILING_STORE, []),
        "path behind": (SMALL, ["--holdall", "test_small.py", "--holdall-title=Nightly"]),
        "nowhere": (SMALL, ["--holdall=nowhere"]),
        "no session": (SMALL, ["--holdall-resume=nothing"]),
        "no format": (SMALL, ["--holdall-export=htm=x"]),
        "no path": (SMALL, ["--holdall-export=html"]),
        "no pattern": (SMALL, ["--holdall-redact=("]),
        "no tests": (SMALL, ["nothing.py"]),
    }
    parent = tmp_path_factory.mktemp("scenarios")
    commands = []
    for name, (text, options) in suites.items():
        folder = suite(parent / name, test_small=text)
        # The last of an option counts; one without a value means the store of the file.
        (folder / "pytest.ini").write_text(f"[pytest]\nholdall_store = {store(folder)}\n")
        commands.append((folder, ["--holdall", *options]))
    commands.append((parent, ["--holdall-export=html=x"]))
    done = runs(*commands)
    folders = dict(zip([*suites, "export alone"], [folder for folder, _ in commands], strict=True))
    return {
        name: Scenario(folder, *run)
        for (name, folder), run in zip(folders.items(), done, strict=True)
    }


def test_a_run_that_stops_at_a_failure_says_what_did_not_run(
    scenarios: dict[str, Scenario],
) -> None:
    stopped = scenarios["stopped"]

    assert stopped.code == 1
    assert stopped.outcomes == {"test_a": "fail", "test_b": "none"}


def test_what_stands_behind_holdall_is_a_path_of_tests(scenarios: dict[str, Scenario]) -> None:
    done = scenarios["path behind"]

    view, jobs = recorded(store(done.folder))
    assert (view.title, len(jobs)) == ("Nightly", 2)
    assert f"holdall: session {view.session_id}" in done.output


def test_secrets_are_masked_before_they_are_stored(scenarios: dict[str, Scenario]) -> None:
    kept = [path for path in (scenarios["masked"].folder / "store").rglob("*") if path.is_file()]

    assert kept
    assert not [path for path in kept if b"abc123xyz" in path.read_bytes()]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "holdall: cannot open the store 'nowhere'"),
        ("no session", "no session is called 'nothing'"),
        ("no format", "did you mean 'html'"),
        ("no path", "--holdall-export takes FORMAT=PATH"),
        ("no pattern", "'(' is no regular expression"),
        ("no tests", "file or directory not found: nothing.py"),
        ("export alone", "--holdall-export needs --holdall"),
    ],
)
def test_what_can_not_be_recorded_is_wrong_usage_and_leaves_nothing(
    name: str, message: str, scenarios: dict[str, Scenario]
) -> None:
    done = scenarios[name]

    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert message in done.output
    assert "Traceback" not in done.output
    assert list_sessions(open_repository(store(done.folder))) == []


def test_a_report_that_can_not_be_written_is_told_and_fails_a_run_that_passed(
    scenarios: dict[str, Scenario],
) -> None:
    done = scenarios["no report"]

    assert done.code == 3
    assert "holdall: the report json=" in done.output
    assert done.outcomes == {"test_b": "pass"}


def test_a_store_that_fails_in_the_middle_ends_the_run(scenarios: dict[str, Scenario]) -> None:
    done = scenarios["store failed"]

    assert done.code == 3
    assert "holdall: recording in the session" in done.output
    assert "Traceback" not in done.output
    assert "INTERNALERROR" not in done.output


GROUPED = """
    import pytest

    @pytest.mark.xdist_group("one")
    def test_a(): ...
    def test_b(): ...
"""


def test_groups_of_workers_are_no_part_of_an_id(tmp_path: Path) -> None:
    small = suite(tmp_path / "suite", test_small=GROUPED)
    options = (f"--holdall={store(small)}", "-n1", "--dist=loadgroup")

    first = run(small, *options, plugins=("xdist.plugin",))
    again = run(small, options[0], "--holdall-resume")

    assert first.returncode == 0, first.stdout
    assert outcomes(store(small)) == {"test_a": "pass", "test_b": "pass"}
    assert again.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, again.stdout


UNRECORDED = """
    import sys

    def test_a(holdall_attach, holdall_measure):
        holdall_attach(b"", name="x")
        holdall_measure("x", 1)
        loaded = {name for name in sys.modules if name.partition(".")[0][:7] == "holdall"}
        assert loaded == {"holdall_plugins", "holdall_plugins.pytest_recorder"}
"""


def test_without_the_option_nothing_of_holdall_is_imported(tmp_path: Path) -> None:
    done = run(suite(tmp_path / "suite", test_small=UNRECORDED))

    assert done.returncode == 0, done.stdout
