"""What commands do around a report, in the process of the test."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from holdall.cli import cli
from holdall.cli.diagnostics import show_log
from holdall.cli.export import options_by_target, write_reports
from holdall.cli.options import ExportTarget
from holdall.registry import Registry
from holdall.session import ReportRequest
from holdall.testing.sessions import empty_session

if TYPE_CHECKING:
    from collections.abc import Iterator


class Printing:
    """Says something where only the report should be, and whether it could be in colours."""

    summary, suffix, media_type = "Lines", ".txt", "text/plain"

    def export(self, view: Any, sink: Any, context: Any) -> None:
        del view
        print("got here")  # noqa: T201 - the subject
        sink.write(f"color={context.color}\n".encode())


@pytest.fixture
def registry() -> Registry:
    found = Registry.empty()
    found.register("exporters", "acme.x", Printing)
    return found


@pytest.fixture
def listening() -> Iterator[logging.Logger]:
    logger = logging.getLogger("holdall")
    show_log()
    yield logger
    logger.handlers.clear()


def test_what_a_plugin_prints_is_no_part_of_a_report(
    registry: Registry, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    write_reports(empty_session().view(), [ReportRequest(exporter="acme.x")], registry)

    written = capsysbinary.readouterr()
    assert (written.out, written.err) == (b"color=False\n", b"got here\n")


def test_an_exporter_of_others_is_told_of_colours_like_our_own(
    registry: Registry,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)

    write_reports(empty_session().view(), [ReportRequest(exporter="acme.x")], registry)

    assert capsysbinary.readouterr().out == b"color=True\n"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("width=1", [["width=1"], ["width=1"], ["width=1"]]),
        ("text.width=1", [["width=1"], [], ["width=1"]]),
        ("holdall.text.width=1", [["width=1"], [], ["width=1"]]),
        ("text@1.width=1", [["width=1"], [], []]),
        ("holdall.text@2.width=1", [[], [], ["width=1"]]),
        ("json@1.logs=a@2.b", [[], ["logs=a@2.b"], []]),
    ],
)
def test_an_option_is_given_to_the_reports_that_its_name_means(
    given: str, meant: list[list[str]]
) -> None:
    targets = [ExportTarget(name, f"{name}.x") for name in ("text", "json", "text")]

    assert options_by_target([given], targets, Registry.discover()) == meant


def test_plugins_show_lists_the_hooks_that_a_plugin_implements() -> None:
    done = CliRunner().invoke(cli, ["plugins", "show", "redaction", "--json"])

    (shown,) = json.loads(done.output)
    assert (shown["state"], shown["hooks"]) == ("loaded", ["filter_view"])


def test_what_the_library_logs_is_one_line_with_the_reason(
    listening: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    show_log()

    listening.error("the observer failed", exc_info=ValueError("two\nlines"))
    listening.info("nothing of interest")

    assert capsys.readouterr().err == "holdall: the observer failed: ValueError: two lines\n"
