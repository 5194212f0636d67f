"""Jobs that run as another account: through sudo, as root, or not at all."""

from __future__ import annotations

import os
import pwd
import stat
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.test_local_runner import gone
from tests.unit.test_run import ScriptedRunner, new

from holdall.processes import is_alive
from holdall.results import Outcome
from holdall.session.accounts import account_of
from holdall.session.folders import session_share
from holdall.session.reading import unreadable
from holdall.session.run import RunSettings, run_session
from holdall.units import Device, Job, make_unit
from holdall_plugins.runners import accounts as accounts_module
from holdall_plugins.runners.accounts import Accounts
from holdall_plugins.runners.local import LocalRunner
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import ProcessMark
    from holdall.results import JobResult, Stream

OWN = pwd.getpwuid(os.geteuid()).pw_name
OTHER = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != os.geteuid())
NOT_ROOT = 12345
SUDO = """\
#!/bin/sh
echo "$@" >> {log}
while [ "$1" != env ] && [ "$1" != true ] && [ "$1" != kill ]; do shift; done
exec env -i PATH="$PATH" LC_ALL=from-sudo "$@"
"""
REFUSING = """\
#!/bin/sh
echo "sudo: a password is required" >&2
exit 1
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


class AccountTask:
    """A task as an account, that keeps what it is told."""

    stdin: int | None = None
    device = Device()
    timeout = None

    def __init__(
        self, folder: Path, user: str, seen: Mapping[str, str], command: str, **fields: str
    ) -> None:
        made = make_unit({"id": "a", "plugin": "shell", "command": command, **fields})
        assert isinstance(made, Job)
        self.job = made
        self.folder = folder
        self.user = user
        self.environ = dict(seen)
        self.marks: list[ProcessMark | None] = []
        self.written: dict[str, bytes] = {"stdout": b"", "stderr": b""}

    def started(self, process: ProcessMark | None) -> None:
        self.marks.append(process)

    def output(self, stream: Stream, data: bytes) -> None:
        self.written[stream] += data


@pytest.fixture
def folder() -> Any:
    """A folder that other accounts can reach, which those of pytest are not."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="holdall-test-", dir="/tmp") as name:
        yield Path(name)


def with_sudo(folder: Path, script: str = SUDO, **environ: str) -> tuple[Accounts, Path]:
    """Return the accounts of somebody who is not root and has this sudo."""
    programs = folder / "programs"
    programs.mkdir()
    sudo, log = programs / "sudo", folder / "sudo.log"
    sudo.write_text(script.format(log=log))
    sudo.chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    return Accounts(NOT_ROOT, {"PATH": path, **environ}), log


def perform(accounts: Accounts, task: AccountTask) -> tuple[JobResult, dict[str, str]]:
    result = LocalRunner(accounts=accounts).run(task)
    lines = task.written["stdout"].decode().splitlines()
    return result, dict(line.split("=", 1) for line in lines if "=" in line)


# Through sudo


def test_a_job_for_root_runs_through_sudo_that_asks_for_no_password(tmp_path: Path) -> None:
    accounts, log = with_sudo(tmp_path)

    result, _ = perform(accounts, AccountTask(tmp_path, OTHER, os.environ, "true"))

    assert result.outcome is Outcome.PASS
    assert f"--non-interactive --user {OTHER} env" in log.read_text()


def test_sudo_is_given_what_differs_from_the_callers_variables_and_what_the_job_names(
    tmp_path: Path,
) -> None:
    own = {"COLOUR": "red", "SIZE": "big", "MOOD": "good"}
    accounts, _ = with_sudo(tmp_path, **own)
    seen = {**own, "SIZE": "small", "NEW": "yes", "NORMAL_USER": "ann"}

    _, variables = perform(accounts, AccountTask(tmp_path, OTHER, seen, "env", environ="COLOUR"))

    assert (
        variables.items()
        >= {
            "COLOUR": "red",
            "SIZE": "small",
            "NEW": "yes",
            "NORMAL_USER": "ann",
        }.items()
    )
    assert "MOOD" not in variables


def test_the_language_that_sudo_keeps_is_reset_for_a_job_that_wants_it(tmp_path: Path) -> None:
    accounts, _ = with_sudo(tmp_path)
    plain = AccountTask(tmp_path, OTHER, {}, "env")
    reset = AccountTask(tmp_path, OTHER, {}, "env", flags="reset-locale")

    _, kept = perform(accounts, plain)
    _, variables = perform(accounts, reset)

    assert kept["LC_ALL"] == "from-sudo"
    assert (variables["LANG"], variables["LANGUAGE"], variables["LC_ALL"]) == (
        "C.UTF-8",
        "",
        "C.UTF-8",
    )


def test_the_account_that_runs_holdall_needs_no_sudo(tmp_path: Path) -> None:
    accounts, log = with_sudo(tmp_path)
    own = Accounts(os.geteuid(), {"PATH": str(log.parent / "programs")})

    result, variables = perform(own, AccountTask(tmp_path, OWN, {**os.environ, "A": "1"}, "env"))

    assert result.outcome is Outcome.PASS
    assert variables["A"] == "1"
    assert not log.exists()
    assert accounts.problem("") is None


@pytest.mark.parametrize(
    ("user", "script", "words"),
    [
        pytest.param("no-such-one", SUDO, "has no account 'no-such-one'", id="no account"),
        pytest.param(OTHER, REFUSING, "a password is required; start holdall as root", id="asks"),
        pytest.param(OTHER, "", "sudo does not work", id="broken"),
    ],
)
def test_what_sudo_can_not_do_is_known_before_and_the_job_could_not_be_performed(
    tmp_path: Path, user: str, script: str, words: str
) -> None:
    accounts, _ = with_sudo(tmp_path, script)
    task = AccountTask(tmp_path, user, os.environ, "true")

    result, _ = perform(accounts, task)

    assert words in (accounts.problem(user) or "")
    assert result.outcome is Outcome.ERROR
    assert words in (result.comments or "")
    assert task.marks == []


def test_a_sudo_that_does_not_answer_is_waited_for_once_and_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not to be confused with the sleep of another test; and it holds its streams open.
    script = "#!/bin/sh\necho $$ >> {log}\nsleep 600 &\necho $! >> {log}\nwait\n"
    accounts, log = with_sudo(tmp_path, script)
    monkeypatch.setattr(accounts_module, "_PROBE_S", 0.5)

    problems = {accounts.problem(OTHER) for _again in range(3)}

    (problem,) = problems
    pids = [int(pid) for pid in log.read_text().split()]
    assert len(pids) == 2
    assert all(map(gone, pids))
    words = f"whether commands may run as {OTHER!r} without a password, and did not answer within"
    assert words in (problem or "")
    assert "start holdall as root" in (problem or "")


def test_ctrl_c_ends_a_sudo_that_does_not_answer(tmp_path: Path) -> None:
    accounts, log = with_sudo(
        tmp_path, "#!/bin/sh\necho $$ > {log}; sleep 0.5\nkill -INT $PPID\nsleep 600\n"
    )

    with pytest.raises(KeyboardInterrupt):
        accounts.problem(OTHER)

    assert gone(int(log.read_text()))


def test_sudo_is_waited_for_a_few_seconds() -> None:
    assert 5 <= accounts_module._PROBE_S <= 10


def test_without_sudo_the_problem_says_what_to_do(tmp_path: Path) -> None:
    accounts = Accounts(NOT_ROOT, {"PATH": str(tmp_path)})

    assert accounts.problem(OTHER) == "there is no sudo; start holdall as root, or install it"


# As root


@as_root
def test_root_becomes_the_account_with_its_home_and_what_is_the_jobs(folder: Path) -> None:
    own = {"PATH": os.environ["PATH"], "SECRET": "of root", "LANG": "C.UTF-8"}
    accounts = Accounts(0, own)
    seen = {**own, "GIVEN": "yes", "NORMAL_USER": "nobody"}
    command = "id -un; id -G; env"

    task = AccountTask(folder, "nobody", seen, command)
    result, variables = perform(accounts, task)

    nobody = pwd.getpwnam("nobody")
    assert (result.outcome, result.comments) == ("pass", None)
    assert task.written["stdout"].decode().splitlines()[:2] == ["nobody", str(nobody.pw_gid)]
    assert (variables["USER"], variables["HOME"]) == ("nobody", nobody.pw_dir)
    assert (variables["GIVEN"], variables["LANG"]) == ("yes", "C.UTF-8")
    assert "SECRET" not in variables


@as_root
def test_the_other_account_can_write_to_its_folder_and_to_its_streams(folder: Path) -> None:
    accounts = Accounts(0, os.environ)
    command = "touch mine && echo told > /dev/stderr && stat -c %U mine"

    task = AccountTask(folder, "nobody", os.environ, command)
    result, _ = perform(accounts, task)

    assert result.comments is None
    assert task.written == {"stdout": b"nobody\n", "stderr": b"told\n"}


@as_root
def test_the_other_account_can_not_become_root_again(folder: Path) -> None:
    command = "python3 -c 'import os; os.setuid(0)'"

    result, _ = perform(Accounts(0), AccountTask(folder, "nobody", os.environ, command))

    assert result.outcome is Outcome.FAIL


@as_root
def test_what_another_account_leaves_behind_is_ended(folder: Path) -> None:
    task = AccountTask(folder, "nobody", os.environ, "setsid sleep 600 & echo left=$!")

    result, variables = perform(Accounts(0), task)

    patience = time.monotonic() + 5
    while Path(f"/proc/{variables['left']}").exists() and time.monotonic() < patience:
        time.sleep(0.01)
    assert "left processes behind" in (result.comments or "")
    assert not Path(f"/proc/{variables['left']}").exists()
    assert not [mark for mark in task.marks if mark and is_alive(mark)]


# In a session


class ParticularRunner(ScriptedRunner):
    """Performs no job as the accounts that it has something against."""

    def __init__(self, **problems: str) -> None:
        super().__init__()
        self.problems = problems
        self.asked: list[str] = []
        self.users: dict[str, str] = {}

    def account_problem(self, user: str) -> str | None:
        self.asked.append(user)
        return self.problems.get(user)

    def run(self, task: Any) -> JobResult:
        self.users[task.job.id] = task.user
        return super().run(task)


def job(job_id: str, **fields: str) -> Job:
    made = make_unit({"id": job_id, "plugin": "shell", "command": "true", **fields})
    assert isinstance(made, Job)
    return made


def performed(runner: Any, *jobs: Job, **settings: Any) -> tuple[Any, list[str]]:
    manager, state = new(*jobs)
    warnings: list[str] = []
    chosen = RunSettings({}, warn=warnings.append, **settings)
    run_session(manager, chosen, runners={"local": runner})
    return state, warnings


def test_jobs_that_can_not_run_as_their_account_are_named_before_and_are_no_pass(
    tmp_path: Path,
) -> None:
    runner = ParticularRunner(root="sudo asks for a password")
    jobs = (job("a"), job("b", user="root"), job("c", user="root"), job("d", depends="b"))

    state, warnings = performed(runner, *jobs, shares=tmp_path)

    outcomes = {job_id: str(known.result.outcome) for job_id, known in state.job_state_map.items()}
    (warning,) = warnings
    assert warning == (
        "2 of the jobs can't run as 'root' and count as not performed: "
        "sudo asks for a password (b, c)"
    )
    assert outcomes == {"a": "pass", "b": "error", "c": "error", "d": "skipped-dependency"}
    assert runner.asked == ["root"]
    assert "password" in (state.job_state_map["b"].result.comments or "")


def test_jobs_that_name_no_account_run_as_the_normal_user(tmp_path: Path) -> None:
    runner = ParticularRunner()

    performed(runner, job("a"), job("b", user="root"), normal_user="ann", shares=tmp_path)

    assert runner.users == {"a": "ann", "b": "root"}
    assert account_of(job("a"), "") == ""


def test_a_runner_that_does_not_know_accounts_is_not_asked(tmp_path: Path) -> None:
    state, warnings = performed(ScriptedRunner(), job("a", user="root"), shares=tmp_path)

    assert warnings == []
    assert state.job_state_map["a"].result.outcome is Outcome.PASS


def test_the_folder_that_jobs_of_several_accounts_share_is_open_to_them(tmp_path: Path) -> None:
    repository = MemoryRepository()
    storage = repository.create("s")

    with session_share(storage, print, tmp_path / "shares") as share:
        (share / "note").touch()
    with session_share(storage, print, tmp_path / "shares") as again:
        assert (again / "note").exists()
        (again / "note").unlink()

    assert share == again
    assert not share.exists()


def test_an_open_folder_lies_in_one_that_only_its_owner_writes_to(tmp_path: Path) -> None:
    storage = MemoryRepository().create("s")

    with session_share(storage, print, tmp_path / "shares") as share:
        assert stat.S_IMODE(share.stat().st_mode) == 0o777
        assert not stat.S_IMODE(share.parent.stat().st_mode) & 0o022


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that others reach as well, which pytest's own are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name).resolve()


@as_root
def test_what_keeps_an_account_out_is_the_first_folder_on_the_way(open_folder: Path) -> None:
    closed, file = open_folder / "a", open_folder / "a" / "b" / "file"
    file.parent.mkdir(parents=True)
    file.touch()
    closed.chmod(0o700)

    assert unreadable([file], OTHER) == closed
    closed.chmod(0o711)
    assert unreadable([file], OTHER) is None
    file.chmod(0o600)
    assert unreadable([file], OTHER) == file
    os.chown(file, pwd.getpwnam(OTHER).pw_uid, -1)
    assert unreadable([file], OTHER) is None
    assert unreadable([file], "root") is None
    assert unreadable([file], "no such account") is None
