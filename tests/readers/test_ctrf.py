"""CTRF reports in the reference implementation of the format, and against its schema in ajv."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = Path(__file__).parents[1] / "data" / "ctrf-schema-0.0.json"
REFERENCE = """
const [ctrf, ...files] = process.argv.slice(1);
const { readFileSync } = require('fs');
const { calculateSummary, validateStrict } = require(ctrf);
for (const file of files) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  validateStrict(report);
  const told = report.results.summary;
  const counted = calculateSummary(report.results.tests);
  for (const name of ['tests', 'passed', 'failed', 'skipped', 'pending', 'other']) {
    if (told[name] !== counted[name]) throw new Error(`${file}: ${name}`);
  }
}
console.log(files.length);
"""
AJV = """
const [ajv, formats, schema, ...files] = process.argv.slice(1);
const { readFileSync } = require('fs');
const Ajv = require(ajv).default;
const addFormats = require(formats);
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const check = addFormats(new Ajv({ strictTypes: false })).compile(read(schema));
for (const file of files) {
  if (!check(read(file))) {
    console.error(file, check.errors);
    process.exitCode = 1;
  }
}
console.log(files.length);
"""
VARIANTS = [pytest.param([], id="as it is"), pytest.param(["logs=all"], id="with all logs")]


@pytest.mark.parametrize("options", VARIANTS)
def test_the_reference_implementation_takes_every_report_strictly(
    options: list[str],
    written: Callable[..., dict[str, Any]],
    node_module: Callable[[str], Path],
    run: Callable[..., str],
) -> None:
    ctrf = node_module("ctrf/dist/index.cjs")
    paths = [each.path for each in written("ctrf", ".json", *options).values()]

    assert run("node", "-e", REFERENCE, ctrf, *paths).split() == [str(len(paths))]


@pytest.mark.parametrize("options", VARIANTS)
def test_ajv_finds_every_report_valid(
    options: list[str],
    written: Callable[..., dict[str, Any]],
    node_module: Callable[[str], Path],
    run: Callable[..., str],
) -> None:
    ajv, formats = node_module("ajv"), node_module("ajv-formats")
    paths = [each.path for each in written("ctrf", ".json", *options).values()]

    assert run("node", "-e", AJV, ajv, formats, SCHEMA, *paths).split() == [str(len(paths))]


def test_the_schema_is_that_of_the_package(node_module: Callable[[str], Path]) -> None:
    package = node_module("ctrf/dist/ctrf-schema-0.0.json")

    assert package.read_bytes() == SCHEMA.read_bytes()
