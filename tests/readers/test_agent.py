"""The report for programs, read by one: its commands are run by a shell as they stand."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

PROVIDER = """\
[provider]
name = "com.example:disks"

[job.good]
command = "true"

[job.bad]
command = "echo no such device >&2; exit 1"
"""
COMMAND = re.compile(r"^  [^|:\n]+: (holdall .+)$", re.MULTILINE)


def test_its_commands_run_as_they_stand(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: Callable[[str], str],
    run: Callable[..., str],
) -> None:
    (tmp_path / "disks.toml").write_text(PROVIDER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDALL_STORE", f"file://{tmp_path}/sessions")
    shell = program("sh")
    holdall = Path(sys.executable).with_name("holdall")

    def ran(command: str) -> str:
        return run(
            shell, "-c", f"{command.replace('holdall', str(holdall), 1)} 2>&1 || test $? = 1"
        )

    ran("holdall run disks.toml")
    commands = COMMAND.findall(ran("holdall export last agent"))

    outputs = {command.split()[1]: ran(command) for command in commands if "json" not in command}
    assert "no such device" in outputs["export"]
    again = json.loads(ran("holdall export last json"))["jobs"]
    assert [job["id"] for job in again] == ["com.example::bad"]
    assert "FAIL" in outputs["run"]
    (everything,) = (command for command in commands if "json" in command)
    assert len(json.loads(ran(everything))["jobs"]) == 2
