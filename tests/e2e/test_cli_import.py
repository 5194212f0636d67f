"""`holdall import`: files of other tools into sessions, by an importer of a stranger's."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Cli

MODULE = """\
class LinesImporter:
    def accepts(self, head, name):
        return head.startswith(b"LINES\\n")

    def load(self, source, recorder):
        print("reading")
        with source.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line != "LINES\\n":
                    name, _, outcome = line.strip().partition("=")
                    if not outcome:
                        raise ValueError(f"line {number} has no outcome")
                    recorder.record(name, outcome=outcome)
"""


@pytest.fixture
def source(holdall: Cli) -> Path:
    """A file that the installed importer reads."""
    site = holdall.folder / "site"
    info = site / "acme_lines-1.2.dist-info"
    info.mkdir(parents=True)
    (site / "acme_lines.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.3\nName: acme-lines\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[holdall.importers]\nlines = acme_lines:LinesImporter")
    (info / "RECORD").write_text("acme_lines.py,,\n")
    before = holdall.environ.get("PYTHONPATH", "")
    holdall.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(site), before)))
    path = holdall.folder / "night.txt"
    path.write_text("LINES\ndisk=pass\nnet=fail\n")
    return path


def test_a_file_becomes_a_session_and_a_report(holdall: Cli, source: Path) -> None:
    done = holdall("import", str(source), "--title", "Night", "--device", "dut-7")
    report = holdall("export", "last", "text")

    assert (done.code, done.out) == (0, "")
    assert "FAIL: 1 pass, 1 fail\nsession holdall-" in done.err
    assert "Night" in report.out
    assert "dut-7" in report.out


def test_standard_input_is_imported(holdall: Cli, source: Path) -> None:
    command = [*holdall.command("import", "-", "--json")]
    done = subprocess.run(
        command,
        input=source.read_text(),
        env=holdall.environ,
        capture_output=True,
        check=True,
        text=True,
    )

    (row,) = json.loads(done.stdout)
    assert (row["importers"], row["outcomes"]) == (["lines"], {"pass": 1, "fail": 1})


def test_a_damaged_file_leaves_the_others_alone(holdall: Cli, source: Path) -> None:
    damaged = holdall.folder / "damaged.txt"
    damaged.write_text("LINES\ndisk=pass\nnet\n")
    done = holdall("import", str(damaged), str(source), "--json")

    first, second = json.loads(done.out)
    assert done.code == 2
    assert first["error"].startswith(
        f"cannot import {str(damaged)!r} by the importer 'lines' of acme-lines 1.2: line 3 has no "
        "outcome"
    )
    assert second["verdict"] == "FAIL"
    assert f"\nholdall: {first['error']}\n" in done.err


def test_a_file_with_nothing_in_it_is_an_error_and_no_session(holdall: Cli, source: Path) -> None:
    source.write_text("")
    done = holdall("import", str(source), "--as", "lines")
    listed = holdall("sessions", "list", "--json")

    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("by the importer 'lines' of acme-lines 1.2: no result is in it\n")
    assert json.loads(listed.out) == []


def test_a_file_that_nobody_takes_says_who_was_asked(holdall: Cli, source: Path) -> None:
    source.write_text("something else")
    done = holdall("import", str(source))
    named = holdall("import", str(source), "--as", "lines")

    assert (done.code, named.code) == (2, 2)
    assert " lines," in done.err.partition("(asked: ")[2]
    assert "); install one for its format, or name one (--as NAME" in done.err
    assert "by the importer 'lines' of acme-lines 1.2: line 1 has no outcome" in named.err


def test_what_is_to_be_masked_is_masked_before_it_is_stored(holdall: Cli, source: Path) -> None:
    source.write_text("LINES\ndisk-s3cret=pass\n")
    holdall.environ["LAB_NAME"] = "s3cret"
    done = holdall("import", str(source), "--redact-env", "LAB_NAME")

    assert done.code == 0
    assert "s3cret" not in holdall("export", "last", "json").out


def test_standard_input_is_read_once(holdall: Cli) -> None:
    refused = holdall("import", "-", "-")

    assert refused.code == 2
    assert "standard input (-) can be read once" in refused.err
