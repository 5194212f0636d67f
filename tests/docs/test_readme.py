"""The README's promises that need more than running its blocks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from holdall import Registry

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = re.findall(r"^```sh\n(.*?)\n```$", README, re.MULTILINE | re.DOTALL)
ENVIRONMENT = "python3 -m venv .venv && . .venv/bin/activate && "


def block(file: str) -> str:
    found = re.search(
        rf"^```\w+ file={re.escape(file)}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL
    )
    assert found is not None, file
    return found[1]


def test_there_are_two_set_up_commands_that_make_an_environment_first() -> None:
    assert len(SET_UP) == 2
    assert all(command.startswith(ENVIRONMENT) and "\n" not in command for command in SET_UP)


def test_ci_runs_the_set_up_commands_as_they_are_written() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = [
        step for command in SET_UP for step in command.removeprefix(ENVIRONMENT).split(" && ")
    ]

    assert [step for step in steps if step not in script] == []
    assert 'pip install -e ".[test]" && python -m pytest\n' in script


def test_ci_can_be_started_and_its_syntax_is_right() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    subprocess.run(["/usr/bin/env", "bash", "-n", ".ci/run"], cwd=ROOT, check=True)


def test_the_exporter_of_fifteen_lines_is_found_and_used(tmp_path: Path) -> None:
    module = block("acme_markdown.py")
    points = tomllib.loads(block("entry-points.toml"))["project"]["entry-points"]
    (tmp_path / "acme_markdown.py").write_text(module)
    info = tmp_path / "acme_markdown-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.3\nName: acme-markdown\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in names.items())
            for group, names in points.items()
        )
    )
    environ = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "HOLDALL_STORE": f"file://{tmp_path}/sessions",
    }

    done = subprocess.run(
        [sys.executable, "-m", "holdall", "run", "smoke", "--job", "executable", "--export", "md"],
        env=environ,
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stdout == "- pass holdall.smoke::executable\n"
    assert len([line for line in module.splitlines() if line]) <= 15


def test_the_table_of_what_is_built_in_is_complete() -> None:
    registry = Registry.discover()
    rows = dict(re.findall(r"^\| ([\w ]+?) +\| (.*) \|$", README, re.MULTILINE))
    kinds = {
        "exporters": "exporters",
        "stores": "repositories",
        "loaders of providers": "provider_loaders",
        "providers": "providers",
        "runners": "runners",
    }

    for row, kind in kinds.items():
        own = [each for each in registry.candidates(kind) if each.distribution == "holdall"]
        names = {(each.aliases or (each.id,))[0] for each in own}
        assert names == set(re.findall(r"`([a-z][a-z0-9]*)`", rows[row])), row
