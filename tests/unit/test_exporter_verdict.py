"""The verdict exporter: one word."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from lxml import etree

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


def test_the_verdict_can_be_json() -> None:
    found = json.loads(exported(VerdictExporter, big_session(10), ["form=json"]))

    assert found == {
        "session": "sample-big",
        "verdict": "FAIL",
        "passed": False,
        "reasons": [
            {
                "code": "failed",
                "count": 1,
                "jobs": [{"device": "local", "id": "com.example::job/9"}],
                "more": 0,
                "text": "1 job failed: com.example::job/9",
            }
        ],
    }


def test_the_verdict_can_be_a_badge() -> None:
    badge = etree.fromstring(exported(VerdictExporter, big_session(9), ["form=badge"]))

    assert badge.findtext("{http://www.w3.org/2000/svg}title") == "session: PASS"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        pytest.param([], b"FAIL\n", id="one failed"),
        pytest.param(["fail-on=crashed"], b"PASS\n", id="failures don't count"),
        pytest.param(["ignore=*job/9"], b"PASS\n", id="ignored"),
        pytest.param(["ignore=com.example::job/8"], b"FAIL\n", id="another one ignored"),
        pytest.param(["blockers-only"], b"PASS\n", id="no blocker"),
        pytest.param(["blockers-only", "min-tests=10"], b"PASS\n", id="enough"),
        pytest.param(["blockers-only", "min-tests=11"], b"FAIL\n", id="too few"),
    ],
)
def test_the_verdict_goes_by_the_policy(options: list[str], word: bytes) -> None:
    assert exported(VerdictExporter, big_session(10), options) == word


def test_an_empty_session_passes_only_if_that_was_said() -> None:
    assert exported(VerdictExporter, empty_session(), ["empty=pass"]) == b"PASS\n"
    assert exported(VerdictExporter, empty_session(), ["empty=pass", "min-tests=1"]) == b"FAIL\n"


def test_trap_a_crash_is_no_pass() -> None:
    """Plainbox looks for failures alone."""
    session = sample_session()

    found = json.loads(exported(VerdictExporter, session, ["form=json", "ignore=*fail*"]))

    assert "crashed" in {each["code"] for each in found["reasons"]}
