from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.testing import ExporterContract
from holdall.testing.exporters import exported

from acme_markdown import MarkdownExporter

if TYPE_CHECKING:
    from holdall.testing.sessions import SampleSession


class TestMarkdownExporter(ExporterContract):
    """It keeps the promises of every exporter."""

    exporter = MarkdownExporter


def test_each_job_is_a_line_with_its_outcome(holdall_session: SampleSession) -> None:
    report = exported(MarkdownExporter, holdall_session, ["bullet=*"]).decode()

    assert "* pass `com.example::outcome-pass`\n" in report
    assert report.count("\n* ") == holdall_session.view().job_count


def test_comments_are_shown_where_they_are_wanted(holdall_session: SampleSession) -> None:
    short = exported(MarkdownExporter, holdall_session).decode()
    long = exported(MarkdownExporter, holdall_session, {"comments": True}).decode()

    assert "seen by a person" not in short
    assert "  seen by a person\n" in long
