"""The fixtures that are shipped for authors: there when asked for, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

AUTHORS = """
import sys
from holdall import Registry, export

SOURCE = '''
from dataclasses import dataclass
@dataclass
class Options: pass
class Exporter:
    summary, suffix, media_type = "Good", ".good", "text/plain"
    Options = Options
    def export(self, view, sink, context): sink.write(str(view.job_count).encode())
'''

def test_the_registry_is_empty(holdall_registry):
    assert holdall_registry.candidates("exporters") == []

def test_a_made_plugin_is_found_and_exports_the_session(
    holdall_plugin, holdall_session, tmp_path
):
    points = {"holdall.exporters": {"made.one": "made_one:Exporter"}}
    holdall_plugin("made-one", {"made_one.py": SOURCE}, points, requires=("holdall",))
    registry = Registry.discover()
    report = export(holdall_session, "made.one", tmp_path / "r", registry=registry)
    assert (report.distribution, report.version) == ("made-one", "1.0")

def test_it_is_gone_in_the_next_test():
    assert "made_one" not in sys.modules
    assert all(each.id != "made.one" for each in Registry.discover().candidates("exporters"))
"""


def authors(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_mine.py").write_text(dedent(AUTHORS))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *options, str(folder)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_fixtures_work_where_they_are_asked_for(tmp_path: Path) -> None:
    done = authors(tmp_path, "-p", "holdall.testing.plugin")

    assert "3 passed" in done.stdout, done.stdout


def test_nothing_is_loaded_into_tests_that_did_not_ask(tmp_path: Path) -> None:
    done = authors(tmp_path)

    assert "fixture 'holdall_registry' not found" in done.stdout
    ours = [each.value for each in entry_points(group="pytest11") if "holdall" in each.value]
    assert ours == ["holdall_plugins.pytest_recorder"]  # which imports nothing until it records


@pytest.mark.parametrize("module", ["holdall.testing", "holdall.testing.checks"])
def test_importing_the_suites_imports_no_pytest(module: str) -> None:
    program = f"import {module}, sys; sys.exit('pytest' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
