"""`holdall export --follow`: lines of a session that runs, each once and in order."""

from __future__ import annotations

import json
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.conftest import Cli

STEPS = 3
STEP = """
[job.step-{number}]
command = "echo {number}; until test -e {folder}/go-{number}; do sleep 0.05; done"
"""


@pytest.fixture
def run(holdall: Cli) -> Iterator[subprocess.Popen[str]]:
    """Return a run whose steps each wait for a file `go-NUMBER`, and which was recorded."""
    steps = (STEP.format(number=number, folder=holdall.folder) for number in range(STEPS))
    text = '[provider]\nname = "com.example:steps"\n' + "".join(steps)
    (holdall.folder / "steps.toml").write_text(text)
    process = holdall.start("run", "steps.toml")
    wait_for(lambda: holdall("sessions", "show", "last").code == 0)
    try:
        yield process
    finally:
        for number in range(STEPS):  # or a step would wait for its file for ever
            go(holdall, number)
        process.communicate(timeout=60)


def wait_for(is_there: Callable[[], bool]) -> None:
    until = monotonic() + 60
    while not is_there():
        assert monotonic() < until
        sleep(0.05)


def go(holdall: Cli, number: int) -> None:
    (holdall.folder / f"go-{number}").touch()


def lines(path: Path) -> list[dict[str, Any]]:
    whole = [line for line in path.read_text().splitlines(keepends=True) if line[-1] == "\n"]
    return [json.loads(line) for line in whole] if path.exists() else []


def ended(path: Path) -> list[str]:
    """Return the jobs whose attempts are in a file."""
    return [line["job"] for line in lines(path) if line["type"] == "attempt"]


def test_lines_come_while_the_session_runs_and_a_killed_follower_goes_on(
    holdall: Cli, run: subprocess.Popen[str]
) -> None:
    target = holdall.folder / "lines.ndjson"
    target.touch()
    arguments = ("export", "last", "ndjson=lines.ndjson", "--follow")
    follower = holdall.start(*arguments)
    go(holdall, 0)
    wait_for(lambda: len(ended(target)) == 1)
    follower.kill()
    follower.communicate()
    go(holdall, 1)
    with target.open("a") as file:
        file.write('{"type":"att')  # as a kill may leave it

    follower = holdall.start(*arguments)
    wait_for(lambda: len(ended(target)) == 2)
    assert "end" not in {line["type"] for line in lines(target)}
    go(holdall, 2)
    _out, err = follower.communicate(timeout=60)
    run.communicate(timeout=60)

    whole = holdall("export", "last", "ndjson").out.splitlines()
    written = target.read_text().splitlines()
    assert (follower.returncode, err) == (0, "")
    assert sorted(written[:-1]) == sorted(whole[:-1])
    assert ended(target) == [f"com.example::step-{number}" for number in range(STEPS)]
    assert json.loads(written[-1])["state"] == "finished"
    assert json.loads(written[-1])["lines"] == len(written) - 1


def test_a_follower_ends_after_a_while_in_which_nothing_came(
    holdall: Cli, run: subprocess.Popen[str]
) -> None:
    assert run.poll() is None

    found = holdall("export", "last", "ndjson", "--follow", "--timeout", "0.5")

    assert found.code == 0, found.err
    end = json.loads(found.out.splitlines()[-1])
    assert (end["type"], end["state"], len(end["in_flight"])) == ("end", "unfinished", 1)
