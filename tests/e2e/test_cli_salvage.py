"""A damaged session at the command line: what the error names, and what salvaging prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli

DEFINITIONS = "\n".join(
    f"id: job-{number}\nplugin: shell\ncommand: echo {number}\n" for number in range(3)
)


@pytest.fixture
def damaged(holdall: Cli, provider: Callable[[str], str]) -> str:
    """Return the id of a session of which the second result is damaged."""
    assert holdall("run", provider(DEFINITIONS)).code == 0
    [journal] = holdall.store.glob("*.session/journal-*")
    lines = journal.read_bytes().splitlines(keepends=True)
    second = [number for number, line in enumerate(lines) if b'"type":"result"' in line][1]
    lines[second] = lines[second].replace(b"pass", b"fail")
    journal.write_bytes(b"".join(lines))
    return journal.parent.name.removesuffix(".session")


def test_the_error_names_the_command_that_salvages(holdall: Cli, damaged: str) -> None:
    commands = (
        ["resume", damaged],
        ["export", damaged, "text"],
        ["sessions", "show", "last"],
    )
    for command in commands:
        refused = holdall(*command)

        assert refused.code == 3
        assert f"`holdall sessions salvage {damaged}` makes another session" in refused.err


def test_a_salvaged_session_is_resumed_and_reported(holdall: Cli, damaged: str) -> None:
    salvaged = holdall("sessions", "salvage", damaged)
    resumed = holdall("resume", "--export", "text")

    assert salvaged.code == 0
    assert f"were copied to the session {damaged}.salvaged-1; what was" in salvaged.out
    assert "results kept: 1 of 3\n" in salvaged.out
    assert "jobs without a result now: lab::job-1, lab::job-2\n" in salvaged.out
    assert resumed.code == 0
    assert "3 passed" in resumed.out


def test_a_session_that_is_whole_is_not_salvaged(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    assert holdall("run", provider(DEFINITIONS)).code == 0

    refused = holdall("sessions", "salvage", "last")

    assert refused.code == 3
    assert "it is whole; `holdall resume" in refused.err
