from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from holdall import load_provider
from holdall.testing import ProviderContract

NAME = "disks"
DATA = Path(__file__).parents[1] / "src" / "holdall_provider_disks" / "data"


class TestDisksProvider(ProviderContract):
    """It keeps the promises of every provider."""

    provider = NAME


def test_the_plan_passes_on_this_machine(tmp_path: Path) -> None:
    command = ["run", NAME, "--json", "--store", f"file://{tmp_path}/store"]
    done = subprocess.run(
        [sys.executable, "-m", "holdall", *command], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcomes"] == {"pass": 4}


def test_too_little_room_fails_the_job() -> None:
    command = [sys.executable, str(DATA / "space.py"), "--at-least", str(10**9), "tmp"]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stderr == "1000000000 MiB are needed at /tmp\n"


def test_each_job_says_what_it_is_for() -> None:
    jobs = [unit for unit in load_provider(NAME).unit_list if unit.kind == "job"]

    assert [job.id for job in jobs if not job.get("purpose")] == []
