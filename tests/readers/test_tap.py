"""TAP in node-tap's own parser, and TAP 13 in Perl's `prove`."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.test_exporter_tap import FORGED

from holdall.testing.exporters import exported
from holdall.testing.sessions import HOSTILE, hostile_session
from holdall.view import verdict
from holdall_exporters.tap import TapExporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PARSE = """
const { Parser } = require(process.argv[1]);
const { readFileSync } = require('fs');
const shown = process.argv.slice(2).map((file) => {
  const points = [], extras = [];
  const parser = new Parser({ strict: true });
  parser.on('assert', (point) => points.push(point));
  parser.on('extra', (line) => extras.push(line));
  let results;
  parser.on('complete', (found) => { results = found; });
  parser.end(readFileSync(file));
  return { points, extras, results };
});
console.log(JSON.stringify(shown));
"""


@pytest.fixture
def parsed(
    node_module: Callable[[str], Path], run: Callable[..., str]
) -> Callable[..., list[dict[str, Any]]]:
    """Return what parses streams strictly."""

    def parse(*paths: Path) -> list[dict[str, Any]]:
        module = node_module("tap-parser/dist/commonjs/index.js")
        found: list[dict[str, Any]] = json.loads(run("node", "-e", PARSE, module, *paths))
        return found

    return parse


@pytest.mark.parametrize("version", ["13", "14"])
def test_node_tap_finds_a_point_for_each_job(
    version: str,
    written: Callable[..., dict[str, Any]],
    parsed: Callable[..., list[dict[str, Any]]],
) -> None:
    reports = written("tap", ".tap", "logs=all", f"version={version}")
    paths = [each.path for each in reports.values()]

    for found, each in zip(parsed(*paths), reports.values(), strict=True):
        view = each.session.view()
        assert found["extras"] == []
        assert len(found["points"]) - view.job_count in {0, 1}
        assert found["results"]["failures"] == [] or not verdict(view).passed
        assert not any(point["tapError"] for point in found["points"])
        for point, job in zip(found["points"], view.jobs(), strict=False):
            diagnosis = point["diag"] or {}
            assert (diagnosis.get("outcome", "pass") != "pass") is (
                job.in_flight or job.outcome != "pass" or job.xfail
            )


@pytest.mark.parametrize("text", [*FORGED.values(), *HOSTILE.values()], ids=[*FORGED, *HOSTILE])
def test_node_tap_takes_no_text_for_a_line_of_the_stream(
    text: str, tmp_path: Path, parsed: Callable[..., list[dict[str, Any]]]
) -> None:
    report = tmp_path / "report.tap"
    report.write_bytes(exported(TapExporter, hostile_session(text), {"logs": "all"}))

    (found,) = parsed(report)
    assert found["extras"] == []
    assert [(point["ok"], point["buffered"], point["skip"]) for point in found["points"]] == [
        (False, False, False)
    ]


def test_prove_runs_version_13(
    written: Callable[..., dict[str, Any]], program: Callable[[str], str]
) -> None:
    for each in written("tap", ".tap", "version=13", only=("sample", "devices", "big")).values():
        done = subprocess.run(
            [program("prove"), "-e", program("cat"), each.path],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert "Parse errors" not in done.stdout
        assert f"Tests={each.session.view().job_count}," in done.stdout
