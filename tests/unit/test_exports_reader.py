"""The JSON document: valid by the schema that is shipped, and read back whole."""

from __future__ import annotations

import io
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from holdall.cli import cli
from holdall.errors import ExportError, PluginCallError
from holdall.exports.pipeline import export
from holdall.registry.registry import Registry
from holdall.testing.sessions import big_session, empty_session, sample_session
from holdall.testing.strategies import hostile_sessions
from holdall_exporters.json import JsonExporter
from holdall_exporters.json.document import session_schema
from holdall_exporters.json.reader import read_session

if TYPE_CHECKING:
    from holdall.testing.sessions import SampleSession

REGISTRY = Registry.discover()
SCHEMA = files("holdall_exporters.json") / "session.schema.json"
GOLDEN = Path(__file__).parents[1] / "golden" / "sample.json"


def document(session: object, *options: str) -> bytes:
    stream = io.BytesIO()
    export(session, "json", stream, options=options, registry=REGISTRY)  # type: ignore[arg-type]
    return stream.getvalue()


def faults(report: bytes) -> list[str]:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    return [error.message for error in validator.iter_errors(json.loads(report))]


def test_the_schema_that_is_shipped_is_the_one_of_the_reader() -> None:
    """To accept a change: HOLDALL_WRITE_GOLDEN=1 pytest tests/unit/test_exports_reader.py."""
    text = json.dumps(session_schema(), indent=2) + "\n"
    if os.environ.get("HOLDALL_WRITE_GOLDEN"):
        Path(str(SCHEMA)).write_text(text)

    assert SCHEMA.read_text("utf-8") == text
    Draft202012Validator.check_schema(json.loads(text))


def test_the_command_line_prints_the_schema() -> None:
    done = CliRunner().invoke(cli, ["schema", "session"])

    assert json.loads(done.output) == session_schema()


def test_the_golden_document_is_valid() -> None:
    assert faults(GOLDEN.read_bytes()) == []


@pytest.mark.parametrize(
    ("session", "options"),
    [
        pytest.param(sample_session(), (), id="everything"),
        pytest.param(sample_session(), ("logs=none", "only=fail"), id="a part"),
        pytest.param(empty_session(), (), id="empty"),
        pytest.param(big_session(100), (), id="many jobs"),
    ],
)
def test_every_document_is_valid(session: SampleSession, options: tuple[str, ...]) -> None:
    assert faults(document(session, *options)) == []


def test_a_document_that_lacks_something_is_not_valid() -> None:
    found = json.loads(document(empty_session()))
    del found["session"]["id"]

    assert faults(json.dumps(found).encode()) == ["'id' is a required property"]


@settings(max_examples=50, deadline=None)
@given(session=hostile_sessions())
def test_a_document_is_valid_and_read_back_whole(session: SampleSession) -> None:
    report = document(session)

    assert faults(report) == []
    assert document(read_session(report)) == report


def test_the_sample_is_read_back_whole() -> None:
    report = document(sample_session())

    assert document(read_session(report)) == report


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "truncated"),
        (b"{}", "missing required field"),
        (b'{"format": "holdall-session", "format_version": 2}', "format_version"),
    ],
)
def test_what_is_no_such_document_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        read_session(text)


class Forgetful(JsonExporter):
    """Forgets the last line."""

    def export(self, view, sink, context) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
        stream = io.BytesIO()
        super().export(view, stream, context)
        sink.write(stream.getvalue()[:-3])


def test_a_report_that_can_not_be_read_back_is_not_published(tmp_path: Path) -> None:
    registry = Registry.empty()
    registry.register("exporters", "acme.json", Forgetful)
    target, stream = tmp_path / "report.json", io.BytesIO()
    target.write_text("old")

    for each in (target, stream):
        with pytest.raises(PluginCallError, match="reading its report back"):
            export(sample_session(), "acme.json", each, verify=True, registry=registry)

    assert target.read_text() == "old"
    assert stream.getvalue() == b""
    assert list(tmp_path.iterdir()) == [target]
