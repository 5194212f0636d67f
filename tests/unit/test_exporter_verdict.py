"""The verdict exporter: one word."""

from __future__ import annotations

from typing import ClassVar

from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import big_session, empty_session, sample_session
from holdall_exporters.verdict import VerdictExporter


class TestVerdictExporter(ExporterContract):
    """The verdict exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[VerdictExporter]] = VerdictExporter


def test_it_is_one_word_and_a_newline() -> None:
    assert exported(VerdictExporter, big_session(9)) == b"PASS\n"
    assert exported(VerdictExporter, sample_session()) == b"FAIL\n"
    assert exported(VerdictExporter, empty_session()) == b"FAIL\n"


def test_the_reasons_can_be_asked_for() -> None:
    assert exported(VerdictExporter, big_session(9), ["form=reasons"]) == b"PASS\n"
    assert exported(VerdictExporter, big_session(10), ["form=reasons"]) == (
        b"FAIL\n1 job failed: com.example::job/9\n"
    )
