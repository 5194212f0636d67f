"""Reports on all kinds of sessions, as files for programs that are not holdall's."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from holdall.exports.pipeline import export
from holdall.registry.registry import Registry
from holdall.testing.sessions import big_session, devices_session, empty_session, sample_session
from holdall.testing.strategies import hostile_sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

    from holdall.testing.sessions import SampleSession

HOSTILE = 20


class Written(NamedTuple):
    """A report in a file, and what it is a report on."""

    path: Path
    session: SampleSession


@pytest.fixture(scope="session")
def sessions() -> dict[str, SampleSession]:
    """Return sessions of all kinds by name; the made-up ones are the same every time."""
    made_up: list[SampleSession] = []

    @settings(
        max_examples=HOSTILE,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(session=hostile_sessions())
    def draw(session: SampleSession) -> None:
        made_up.append(session)

    draw()
    return {
        "sample": sample_session(),
        "empty": empty_session(),
        "devices": devices_session(),
        "big": big_session(200),
        **{f"hostile-{number}": session for number, session in enumerate(made_up)},
    }


@pytest.fixture
def written(
    sessions: dict[str, SampleSession], tmp_path: Path
) -> Callable[..., dict[str, Written]]:
    """Return what writes the reports of one exporter on all sessions."""
    registry = Registry.discover()

    def write(
        exporter: str, suffix: str, *options: str, only: Container[str] | None = None
    ) -> dict[str, Written]:
        found = {}
        for name, session in sessions.items():
            if only is not None and name not in only:
                continue
            path = tmp_path / f"{name}{suffix}"
            export(session, exporter, path, options=options, registry=registry, verify=True)
            found[name] = Written(path, session)
        return found

    return write


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """Return what runs a program and gives what it printed; one that fails fails the test."""

    def call(*command: str | Path, text: bytes | None = None, timeout: float = 100) -> str:
        done = subprocess.run(
            list(map(str, command)),
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        words = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert done.returncode == 0, words[-5000:]
        return done.stdout.decode("utf-8", "replace")

    return call
