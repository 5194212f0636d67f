"""The json document in jq, and against its schema in ajv and jsonschema."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKBOX = Path(__file__).parents[1] / "data" / "checkbox-submission.schema.json"
AJV = """
const [ajv, schema, ...files] = process.argv.slice(1);
const { readFileSync } = require('fs');
const Ajv = require(ajv);
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const check = new Ajv({ strict: true, allowUnionTypes: true }).compile(read(schema));
for (const file of files) {
  if (!check(read(file))) {
    console.error(file, check.errors);
    process.exitCode = 1;
  }
}
console.log(files.length);
"""
DIALECTS = [
    pytest.param([], id="holdall"),
    pytest.param(["logs=none"], id="without logs"),
    pytest.param(["dialect=checkbox"], id="checkbox"),
]


@pytest.fixture
def schemas(tmp_path: Path, run: Callable[..., str]) -> dict[bool, Path]:
    """Return the schema of a dialect, by whether it is Checkbox's."""
    path = tmp_path / "schema.json"
    path.write_text(run(sys.executable, "-m", "holdall", "schema", "session"), "utf-8")
    return {True: CHECKBOX, False: path}


@pytest.mark.parametrize("options", DIALECTS)
def test_jq_counts_the_jobs_of_every_session(
    options: list[str],
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    run: Callable[..., str],
) -> None:
    reports = written("json", ".json", *options)
    jobs = '.jobs // (.results + ."attachment-results") | length'

    found = run(program("jq"), jobs, *(each.path for each in reports.values()))

    assert list(map(int, found.split())) == [
        sum(
            "dialect=checkbox" not in options or job.in_flight or job.outcome != "none"
            for job in each.session.view().jobs()
        )
        for each in reports.values()
    ]


@pytest.mark.parametrize("options", DIALECTS)
def test_ajv_finds_every_document_valid(
    options: list[str],
    schemas: dict[bool, Path],
    written: Callable[..., dict[str, Any]],
    node_module: Callable[[str], Path],
    run: Callable[..., str],
) -> None:
    ajv = node_module("ajv/dist/2020.js")
    paths = [each.path for each in written("json", ".json", *options).values()]

    found = run("node", "-e", AJV, ajv, schemas["dialect=checkbox" in options], *paths)

    assert found.split() == [str(len(paths))]


@pytest.mark.parametrize("options", DIALECTS)
def test_jsonschema_finds_every_document_valid(
    options: list[str], schemas: dict[bool, Path], written: Callable[..., dict[str, Any]]
) -> None:
    schema = schemas["dialect=checkbox" in options]
    validator = Draft202012Validator(json.loads(schema.read_text("utf-8")))

    for each in written("json", ".json", *options).values():
        validator.validate(json.loads(each.path.read_bytes()))
