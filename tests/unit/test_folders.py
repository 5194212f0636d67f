"""Folders of jobs: removed whatever is in them, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.session.folders import job_folder, remove_leftovers, remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

as_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may do that, on Linux"
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder that temporary folders are made in."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    # What a failed test leaves may be too deep for pytest, which removes its folders by recursion.
    subprocess.run(["/bin/rm", "-rf", folder], check=False)


def deep(folder: Path, depth: int) -> None:
    """Make a tree that no path reaches the end of."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=descriptor)
        inner = os.open("a", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("file", os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)


def locked_away(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").touch()
    (folder / "a" / "b").chmod(0)
    (folder / "a").chmod(0o555)
    folder.chmod(0o555)


def many_kinds(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    (folder / "dangling").symlink_to("nowhere")
    (folder / os.fsdecode(b"\xff\n")).touch()
    (folder / "empty").mkdir()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda folder: deep(folder, 3000), id="3 000 deep"),
        pytest.param(locked_away, id="without permission"),
        pytest.param(many_kinds, id="links, pipes and odd names"),
        pytest.param(Path.rmdir, id="gone"),
    ],
)
def test_a_folder_of_a_job_is_removed_whatever_is_in_it(
    temporary: Path, make: Callable[[Path], None]
) -> None:
    warnings: list[str] = []

    with job_folder(warnings.append) as folder:
        make(folder)

    assert (list(temporary.iterdir()), warnings) == ([], [])


def test_a_link_in_the_place_of_the_folder_is_removed_and_not_followed(
    temporary: Path, tmp_path: Path
) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()

    with job_folder(pytest.fail) as folder:
        folder.rmdir()
        folder.symlink_to(tmp_path / "precious")

    assert list(temporary.iterdir()) == []
    assert (tmp_path / "precious" / "file").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its own permissions")
def test_a_user_without_privileges_removes_folders_without_permission() -> None:
    program = (
        "import os, sys; from pathlib import Path;"
        "from holdall.session.folders import remove_tree;"
        "os.setuid(65534); root = Path(sys.argv[1]); (root / 'a' / 'b').mkdir(parents=True);"
        "(root / 'a' / 'b' / 'file').touch(); (root / 'a' / 'b').chmod(0); (root / 'a').chmod(0);"
        "root.chmod(0); print(remove_tree(root))"
    )
    with tempfile.TemporaryDirectory() as name:  # which nobody can reach, unlike `tmp_path`
        Path(name).chmod(0o777)
        done = subprocess.run(
            [sys.executable, "-c", program, f"{name}/root"], capture_output=True, check=False
        )

        assert (done.stdout, done.stderr) == (b"[]\n", b"")
        assert list(Path(name).iterdir()) == []


@as_root
@pytest.mark.parametrize("inner", ["m", "a/b/m"])
@pytest.mark.parametrize("option", ["tmpfs", "bind"])
def test_what_is_mounted_in_a_folder_is_reported_and_never_entered(
    temporary: Path, tmp_path: Path, inner: str, option: str
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    warnings: list[str] = []
    command = (
        ["/bin/mount", "--bind", precious]
        if option == "bind"
        else ["/bin/mount", "-t", option, option]
    )
    with job_folder(warnings.append) as folder:
        (folder / inner).mkdir(parents=True)
        (folder / "other").mkdir()
        if subprocess.run([*command, folder / inner], check=False).returncode:
            pytest.skip("this machine lets nothing be mounted")
        (folder / inner / "file").touch()
    left = list(temporary.rglob("file"))
    for file in left:
        subprocess.run(["/bin/umount", file.parent], check=True)

    assert len(left) == 1
    assert len(warnings) == 1
    assert "is mounted or in use" in warnings[0]
    assert not list(temporary.rglob("other"))


@as_root
def test_a_file_that_may_not_be_removed_is_reported_and_the_rest_goes(
    temporary: Path, program: Callable[[str], str]
) -> None:
    warnings: list[str] = []
    with job_folder(warnings.append) as folder:
        (folder / "fixed").touch()
        (folder / "free").touch()
        command = [program("chattr"), "+i", str(folder / "fixed")]
        if subprocess.run(command, check=False).returncode:
            pytest.skip("this file system has no immutable files")
    subprocess.run([program("chattr"), "-i", folder / "fixed"], check=True)

    reason = "'fixed': Operation not permitted"
    assert warnings == [f"cannot remove the folder of a job, {folder}: {reason}"]
    assert [path.name for path in temporary.rglob("*")] == [folder.name, "fixed"]


def test_a_folder_that_something_still_writes_to_costs_a_warning_at_most(temporary: Path) -> None:
    writer = "i=0; while :; do i=$((i+1)); mkdir -p $1/d$i && touch $1/d$i/f; done 2>/dev/null"
    warnings: list[str] = []

    with job_folder(warnings.append) as folder:
        child = subprocess.Popen(["/bin/sh", "-c", writer, "writer", folder])
    child.kill()
    child.wait()

    assert len(warnings) <= 1
    remove_tree(folder)
    assert list(temporary.iterdir()) == []


def test_folders_of_killed_runs_are_removed_and_those_of_living_ones_are_not(
    temporary: Path,
) -> None:
    program = (
        "import tempfile, time, sys; tempfile.tempdir = sys.argv[1];"
        "from holdall.session.folders import job_folder;"
        "folder = job_folder(print); path = folder.__enter__(); (path / 'file').touch();"
        "print(path, flush=True); time.sleep(600)"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", program, temporary], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    folders = []
    for run in runs:
        assert run.stdout
        folders.append(Path(os.fsdecode(run.stdout.readline().strip())))
    (temporary / "holdall-job-link").symlink_to(temporary.parent)
    os.kill(runs[0].pid, signal.SIGKILL)
    runs[0].wait()

    remove_leftovers()

    assert [path.exists() for path in folders] == [False, True]
    assert (temporary / "holdall-job-link").is_symlink()
    for run in runs:
        run.kill()
        run.communicate()


@as_root
def test_the_folders_of_another_user_are_left_alone(temporary: Path) -> None:
    path = temporary / "holdall-job-theirs"
    path.mkdir()
    os.chown(path, 65534, 65534)

    remove_leftovers()

    assert path.exists()
