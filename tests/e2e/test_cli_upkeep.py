"""Stored sessions at the command line: copied, packed, checked, pruned, watched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli

DEFINITIONS = "\n".join(
    f"id: job-{number}\nplugin: shell\ncommand: seq 2000\n" for number in range(2)
)


@pytest.fixture
def session(holdall: Cli, provider: Callable[[str], str]) -> str:
    """Return the id of a finished session, in the store of the test."""
    assert holdall("run", provider(DEFINITIONS), "--title", "The night").code == 0
    [folder] = holdall.store.glob("*.session")
    return folder.name.removesuffix(".session")


def test_a_session_goes_round_and_its_reports_are_equal(holdall: Cli, session: str) -> None:
    database = f"sqlite:///{holdall.folder}/b.db"
    folder = f"file://{holdall.folder}/c"

    moved = holdall("sessions", "move", "last", "--to", database)
    packed = holdall("sessions", "pack", session[:-3], "-o", "n.zip", "--store", database)
    unpacked = holdall("sessions", "unpack", "n.zip", "--store", folder)
    copied = holdall("sessions", "copy", session, "--to", holdall.environ["HOLDALL_STORE"],
                     "--store", folder, "--json")  # fmt: skip
    reports = {
        holdall("export", session, "json", "--store", store).out
        for store in (database, folder, holdall.environ["HOLDALL_STORE"])
    }

    assert [moved.code, packed.code, unpacked.code, copied.code] == [0] * 4
    assert moved.out.startswith(f"{session}: ")
    assert unpacked.out == f"unpacked n.zip as {session}\n"
    assert json.loads(copied.out)[0]["blobs"] == 2
    assert len(reports) == 1


def test_the_last_session_is_the_first_of_the_list(
    holdall: Cli, session: str, provider: Callable[[str], str]
) -> None:
    copies = f"file://{holdall.folder}/copies"
    assert holdall("run", provider(DEFINITIONS)).code == 0
    [newer] = {path.name.removesuffix(".session") for path in holdall.store.iterdir()} - {session}
    for name in (newer, session):
        assert holdall("sessions", "copy", name, "--to", copies).code == 0

    listed = json.loads(holdall("sessions", "list", "--json", "--store", copies).out)
    removed = holdall("sessions", "rm", "last", "--store", copies)

    assert [info["id"] for info in listed] == [newer, session]
    assert removed.out == f"removed {newer}\n"


def test_a_check_of_what_is_damaged_exits_with_3(holdall: Cli, session: str) -> None:
    whole = holdall("sessions", "check", "--deep")
    blob = max(holdall.store.glob("*.session/blobs/**/*"), key=lambda path: path.is_file())
    blob.chmod(0o600)
    blob.write_bytes(b"other bytes")
    shallow = holdall("sessions", "check")
    deep = holdall("sessions", "check", "last", "--deep", "--json")

    assert (whole.code, shallow.code, deep.code) == (0, 0, 3)
    assert whole.out.splitlines()[1].split()[1] == "whole"
    [found] = json.loads(deep.out)
    assert found["session"] == session
    assert "its bytes are those of" in found["damage"][0]


def test_sessions_are_pruned_by_hand_and_after_a_run(
    holdall: Cli, session: str, provider: Callable[[str], str]
) -> None:
    (holdall.folder / "holdall.toml").write_text(
        f'[stores.lab]\nurl = "file://{holdall.store}"\nretention = {{keep = 1}}\n'
    )

    nothing = holdall("sessions", "prune")
    dry = holdall("sessions", "prune", "--keep", "0", "--dry-run")
    ran = holdall("run", provider(DEFINITIONS), "--store", "lab")
    listed = holdall("sessions", "list", "--json", "--newer", "1h", "--state", "finished")
    pruned = holdall("sessions", "prune", "--older", "0s", "--json")

    assert (nothing.code, ran.code) == (2, 0)
    assert "say which: --older, --keep or --max-bytes" in nothing.err
    assert dry.out.startswith(f"would remove {session}, last written ")
    assert "removed 1 session that the store need not keep" in ran.err
    [left] = json.loads(listed.out)
    assert left["id"] != session
    assert json.loads(pruned.out) == [left["id"]]


def test_results_are_watched_as_they_come(holdall: Cli, session: str) -> None:
    over = holdall("sessions", "watch", "last", "--timeout", "0.1", "--json")
    events = [json.loads(line) for line in over.out.splitlines()]
    number = next(event["number"] for event in events if event["type"] == "result")
    behind = holdall("sessions", "watch", session, "--after", str(number), "--timeout", "0.1")

    watching = subprocess.Popen(
        holdall.command("sessions", "watch", session),
        env=holdall.environ,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert watching.stdout is not None
    lines = [watching.stdout.readline() for _number in range(4)]
    watching.send_signal(signal.SIGINT)

    assert watching.wait(30) == 130
    assert len([event for event in events if event["type"] == "result"]) == 2
    assert len(behind.out.splitlines()) == 2
    assert [line.split()[1] for line in lines] == ["started", "passed"] * 2
    watching.stdout.close()


def test_what_is_swept_is_said(holdall: Cli, session: str) -> None:
    young = holdall("sessions", "gc")
    swept = holdall("sessions", "gc", "--grace", "0s", "--dry-run", session)

    assert young.out.startswith(f"{session}: left alone, it was written ")
    assert swept.out == f"{session}: 0 blobs and 0 logs would be dropped\n"


def test_an_archive_goes_through_a_pipe(holdall: Cli, session: str) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as target:
        packing = subprocess.Popen(
            holdall.command("sessions", "pack", session, "-o", "-"),
            env=holdall.environ,
            stdout=target,
        )
    with os.fdopen(reader, "rb") as archive:
        (holdall.folder / "piped.zip").write_bytes(archive.read())
    assert packing.wait(30) == 0

    unpacked = holdall(
        "sessions", "unpack", "piped.zip", "--json", "--store", f"file://{holdall.folder}/p"
    )

    assert json.loads(unpacked.out) == [session]
