"""The HTML exporter: one page that asks for nothing and trusts nothing."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from itertools import pairwise
from typing import Any, ClassVar

import msgspec
import pytest
from lxml import html

from holdall.errors import OptionValueError
from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    ResultRecorded,
    SessionCreated,
)
from holdall.results import JobResult
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import (
    HOSTILE,
    START,
    SampleSession,
    big_session,
    empty_session,
    sample_session,
)
from holdall.writing.cleaning import html_text
from holdall_exporters.html import HtmlExporter
from holdall_exporters.html.datablock import BLOCK


class TestHtmlExporter(ExporterContract):
    """The HTML exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[HtmlExporter]] = HtmlExporter


def page(session: Any = None, **options: Any) -> html.HtmlElement:
    report = exported(HtmlExporter, session or sample_session(), options)
    return html.document_fromstring(report.decode())


def lines(found: html.HtmlElement) -> list[str]:
    return (found.findtext(".//script[@id='data']") or "").split("\n")


def data(found: html.HtmlElement) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows and the details of all jobs."""
    first, *blocks = (json.loads(gzip.decompress(b64decode(line))) for line in lines(found))
    rows = [
        {
            "label": first["labels"][label],
            "name": summary or job_id,
            "id": job_id,
            "category": first["categories"][category],
            "device": first["devices"][device],
            "seconds": seconds,
            "note": note or "",
            "start": start,
        }
        for label, summary, job_id, category, device, seconds, note, start in first["rows"]
    ]
    return rows, [details for block in blocks for details in block]


def articles(found: html.HtmlElement) -> dict[str, html.HtmlElement]:
    """Return the failures by the names of their jobs."""
    return {text(each.find(".//*/bdi")): each for each in found.iter("article")}


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_a_heading_is_never_empty() -> None:
    session = SampleSession(
        (
            SessionCreated(at=1, session_id=" "),
            JobDefined(at=1, job=JobRecord(id="", summary=" \n")),
            ResultRecorded(at=1, job_id="", result=JobResult(outcome="fail")),
        )
    )

    found = page(session)

    headings = [text(each) for each in found.iter("h1", "h2", "h3")]
    assert headings == ["unnamed", "What went wrong", "failed unnamed", "All results"]


def test_the_page_has_language_title_viewport_and_one_first_heading() -> None:
    found = page()

    assert found.get("lang") == "en"
    assert found.findtext(".//title") == 'Unfinished, FAIL: Sample <session> & "more"'
    assert found.xpath("string(//meta[@name='viewport']/@content)").startswith("width=device")
    assert [text(each) for each in found.iter("h1")] == ['Sample <session> & "more"']


def test_the_page_allows_itself_its_own_style_and_script_and_no_request() -> None:
    found = page()
    policy = found.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")

    def digest(path: str) -> str:
        content = found.findtext(path) or ""
        return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"

    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src {digest('.//style')}",
        f"script-src {digest('.//head/script')} {digest('.//body/script[3]')}",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_nothing_in_the_page_comes_from_elsewhere() -> None:
    found = page(logs="all")

    assert found.xpath("//@src | //@style | //link | //img | //iframe | //object") == []
    assert [link for link in found.xpath("//@href") if not link.startswith("#")] == []
    assert found.xpath("//@*[starts-with(name(), 'on')]") == []
    assert [each.get("type") for each in found.iter("script")] == [
        None,
        "application/gzip",
        "application/octet-stream",
        None,
    ]
    assert "@import" not in (found.findtext(".//style") or "")
    assert "url(" not in (found.findtext(".//style") or "")


def test_the_data_block_holds_every_job_in_order() -> None:
    rows, details = data(page())
    jobs = list(sample_session().view().jobs())

    assert [row["id"] for row in rows] == [html_text(job.id) for job in jobs]
    assert [row["name"] for row in rows] == [html_text(job.summary) for job in jobs]
    assert [row["category"] for row in rows] == [html_text(job.category) for job in jobs]
    assert [row["device"] for row in rows] == [job.device_id for job in jobs]
    assert [row["seconds"] for row in rows][:4] == [None, 0.12, 0.25, 0.37]
    assert [each.get("description", "") for each in details] == [
        html_text(job.description) for job in jobs
    ]
    assert [len(each.get("attempts", ())) for each in details] == [
        job.attempt_count for job in jobs
    ]


def test_a_big_session_has_its_details_in_several_lines() -> None:
    found = page(big_session(2 * BLOCK + 1))

    rows, details = data(found)
    assert len(lines(found)) == 4
    assert len(rows) == len(details) == 2 * BLOCK + 1
    assert details[9]["attempts"][0]["log"][0].startswith("0: a line of output")


def test_a_definition_that_devices_share_is_there_once() -> None:
    events = big_session(2).events
    second = [
        msgspec.structs.replace(each, device="dut-2")
        for each in events
        if isinstance(each, DeviceAdded | JobDefined | JobsSelected | ResultRecorded)
    ]
    _rows, details = data(page(SampleSession((*events, *second))))

    assert [each.get("like") for each in details] == [None, None, 0, 1]
    assert [len(each["attempts"]) for each in details] == [1, 1, 1, 1]


def test_the_data_block_can_not_end_its_element() -> None:
    assert "".join(lines(page(logs="all"))).isascii()
    assert re.fullmatch(r"[A-Za-z0-9+/=]*", "".join(lines(page(logs="all"))))


def test_all_attempts_are_in_the_details() -> None:
    rows, details = data(page())
    flaky = next(n for n, row in enumerate(rows) if row["id"] == "com.example::flaky")

    attempts = details[flaky]["attempts"]
    assert [each.get("label") for each in attempts] == [
        "failed",
        "crashed (interrupted by a reboot)",
        None,
    ]
    assert attempts[0]["code"] == -11
    assert attempts[0]["started"] == START + 1
    assert attempts[1]["words"] == ["holdall was ended"]


def test_attachments_are_named_and_small_texts_shown() -> None:
    _rows, details = data(page())
    files = next(a["files"] for each in details for a in each.get("attempts", ()) if "files" in a)

    assert files == [
        {"name": "notes.txt", "type": "text/plain", "size": 5, "text": "notes", "line": 0},
        {
            "name": "../Shot.png",
            "type": "image/png",
            "size": 264,
            "image": "image/png",
            "line": 1,
        },
        {"name": "notes.txt", "type": "text/plain", "size": 4, "text": "more", "line": 2},
    ]


def test_a_text_attachment_beyond_the_limit_is_only_named() -> None:
    _rows, details = data(page(attachment_max=4))
    files = next(a["files"] for each in details for a in each.get("attempts", ()) if "files" in a)

    assert [each.get("text") for each in files] == [None, None, "more"]


def test_the_title_can_be_given() -> None:
    found = page(title="Nightly <1>")

    assert text(found.find(".//h1")) == "Nightly <1>"
    assert found.findtext(".//title") == "Unfinished, FAIL: Nightly <1>"


def test_the_ring_has_its_numbers_as_text() -> None:
    label = page().xpath("string(//svg[@role='img']/@aria-label)")

    assert label.startswith(
        "40% passed: 13 failed, 2 crashed, 1 could not be performed, 1 in flight, "
    )


def test_few_failures_show_their_output_at_once() -> None:
    assert page(big_session(30)).xpath("//article/details/@open") == ["", "", ""]
    assert page(big_session(40)).xpath("//article/details/@open") == []


def test_failures_beyond_the_limit_are_counted() -> None:
    found = page(failures_max=2)

    assert len(found.findall(".//article")) == 2
    assert "15 more are not repeated here" in text(found)


def test_failures_come_first_with_their_output() -> None:
    found = page()

    shown = articles(found)
    assert list(shown)[:2] == ["Summary of outcome-fail", "Summary of big-log"]
    first = shown["Summary of outcome-fail"]
    assert first.find(".//pre").text_content() == (
        "plain line\nnot UTF-8: \\xff\\xfe\\x80\ncut character: café, cut escape: red\n"
    )
    assert first.xpath(".//pre/span[@class='f1']/text()") == ["red"]
    assert found.xpath("//main/section[1]/h2/text()") == ["What went wrong"]


def test_reasons_and_comments_are_in_the_rows() -> None:
    notes = [row["note"] for row in data(page())[0]]

    assert "why it was not-supported" in notes
    assert "seen by a person" in notes


def test_a_long_log_is_cut_visibly() -> None:
    found = page(log_max=20)

    assert found.xpath("//article[1]//pre")[0].text_content() == (
        "plain\n[... 62 characters left out ...]\n red\n"
    )
    assert "1,234,567 bytes more were not kept" in text(found)


def test_a_log_can_not_be_cut_to_less_than_nothing() -> None:
    with pytest.raises(OptionValueError, match="log-max"):
        page(log_max="-1")


@pytest.mark.parametrize(
    ("logs", "failures", "rows"),
    [
        pytest.param("none", False, False, id="none"),
        pytest.param("failed", True, False, id="failed"),
        pytest.param("all", True, True, id="all"),
    ],
)
def test_logs_are_shown_as_asked_for(logs: str, *, failures: bool, rows: bool) -> None:
    found = page(logs=logs)

    _rows, details = data(found)
    passed = next(each for each in details if each.get("plugin") == "resource")
    assert bool(found.xpath("//article//pre")) == failures
    assert ("log" in passed["attempts"][0]) == rows


def test_hostile_text_is_text() -> None:
    found = page(logs="all")

    headings = [each.text_content() for each in found.xpath("//article//bdi[1]")]
    assert HOSTILE["markup"] in headings
    assert HOSTILE["template"] in headings
    assert any("user\\u202egpj.exe" in (heading or "") for heading in headings)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\u202e]", text(found))


def test_ids_of_elements_are_used_once_and_labels_find_them() -> None:
    found = page()

    ids = found.xpath("//@id")
    assert len(set(ids)) == len(ids)
    assert set(found.xpath("//@aria-labelledby")) <= set(ids)


def test_headings_do_not_skip_a_level() -> None:
    levels = [int(each.tag[1]) for each in page().iter("h1", "h2", "h3", "h4")]

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_facts_of_devices_are_shown() -> None:
    assert "4 x Cortex-A72" in text(page())


@pytest.mark.parametrize("name", ["", " ", "\u3000\n"])
def test_no_heading_is_empty_whatever_a_device_is_called(name: str) -> None:
    session = SampleSession((DeviceAdded(at=START, device=name, facts={"cpu": "4 x Cortex-A72"}),))

    headings = [each.text_content().strip() for each in page(session).iter("h1", "h2", "h3")]

    assert "unnamed" in headings
    assert "" not in headings


def test_a_session_that_passed_shows_no_failures() -> None:
    found = page(big_session(9))

    assert found.find_class("verdict")[0].text == "PASS"
    assert found.findall(".//article") == []


def test_an_empty_session_is_a_page_too() -> None:
    assert "No job was selected." in text(page(empty_session()))
