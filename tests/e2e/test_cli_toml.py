"""Jobs in TOML on the command line: a file to begin with, and the schemas."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

from click.testing import CliRunner
from jsonschema import Draft7Validator, Draft202012Validator

from holdall import load_provider
from holdall.cli.providers import providers
from holdall.cli.schema import schema
from holdall.validation import validate

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from tests.e2e.conftest import Cli


def test_a_new_file_runs_at_once_and_is_not_overwritten(holdall: Cli) -> None:
    assert holdall("providers", "new", "disks").code == 0

    done = holdall("run", "./disks.toml")
    again = holdall("providers", "new", "disks")

    assert done.code == 0, done.err
    assert holdall.outcomes() == {
        "place": ["pass"],
        "disk-write": ["pass"],
        "disk-room": ["pass"],
        "disk-known": ["fail"],
        "disk-listed-root": ["pass"],
        "disk-listed-tmp": ["pass"],
    }
    assert (again.code, "cannot write 'disks.toml': File exists" in again.err) == (2, True)


def test_new_files_are_valid_and_keep_to_the_printed_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for form in ("toml", "pxu"):
        done = CliRunner().invoke(providers, ["new", "disks", "--format", form])
        assert done.exit_code == 0, done.output
        assert validate([load_provider(f"disks.{form}")]) == []

    printed = json.loads(CliRunner().invoke(schema, ["provider"]).stdout)

    Draft7Validator.check_schema(printed)
    content = tomllib.loads((tmp_path / "disks.toml").read_text())
    assert list(Draft7Validator(printed).iter_errors(content)) == []


def test_a_provider_is_called_by_one_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(providers, ["new", "../disks"])

    assert done.exit_code == 2
    assert "can't be the name of a provider" in done.output
    assert list(tmp_path.iterdir()) == []


def test_schemas_are_printed_by_those_who_have_one() -> None:
    done = CliRunner().invoke(schema, ["provider", "pxu"])
    report = json.loads(CliRunner().invoke(schema, ["report"]).stdout)

    assert (done.exit_code, "pxu has no JSON Schema of its files" in done.output) == (2, True)
    Draft202012Validator.check_schema(report)
