"""The HTML exporter: one page that asks for nothing and trusts nothing."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from lxml import html

from holdall.errors import OptionValueError
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import HOSTILE, big_session, empty_session, sample_session
from holdall_exporters.html import HtmlExporter


class TestHtmlExporter(ExporterContract):
    """The HTML exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[HtmlExporter]] = HtmlExporter


def page(session: Any = None, **options: Any) -> html.HtmlElement:
    report = exported(HtmlExporter, session or sample_session(), options)
    return html.document_fromstring(report.decode())


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_the_page_has_language_title_viewport_and_one_first_heading() -> None:
    found = page()

    assert found.get("lang") == "en"
    assert found.findtext(".//title") == 'FAIL: Sample <session> & "more"'
    assert found.xpath("string(//meta[@name='viewport']/@content)").startswith("width=device")
    assert [text(each) for each in found.iter("h1")] == ['Sample <session> & "more"']


def test_the_page_allows_itself_its_own_style_and_script_and_no_request() -> None:
    found = page()
    policy = found.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")

    def digest(tag: str) -> str:
        content = found.findtext(f".//{tag}") or ""
        return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"

    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src {digest('style')}",
        f"script-src {digest('script')}",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_nothing_in_the_page_comes_from_elsewhere() -> None:
    found = page(logs="all")

    assert found.xpath("//@src | //@href | //@style | //link | //img | //iframe | //object") == []
    assert found.xpath("//@*[starts-with(name(), 'on')]") == []
    assert len(found.findall(".//script")) == 1
    assert "@import" not in (found.findtext(".//style") or "")
    assert "url(" not in (found.findtext(".//style") or "")


def test_every_job_has_a_row_in_its_table() -> None:
    found = page()
    view = sample_session().view()

    ids = [text(each) for each in found.xpath("//table[@class='results']//span[@class='id']")]
    assert sorted(ids) == sorted(" ".join(job.id.split()) for job in view.jobs())


def test_failures_come_first_with_their_output() -> None:
    found = page()

    articles = found.findall(".//article")
    assert [text(each.find(".//h3")) for each in articles][:3] == [
        "Summary of outcome-fail",
        "Summary of outcome-crash",
        "Summary of interrupted",
    ]
    assert articles[0].findtext(".//pre") == (
        "plain line\nnot UTF-8: \\xff\\xfe\\x80\ncut character: café, cut escape: red\n"
    )
    assert found.xpath("//main/section[1]/h2/text()") == ["What went wrong"]


def test_reasons_comments_and_attempts_are_shown() -> None:
    words = text(page())

    assert "why it was not-supported" in words
    assert "seen by a person" in words
    assert "3 attempts: failed, crashed (interrupted by a reboot), passed" in words


def test_a_long_log_is_cut_visibly() -> None:
    found = page(log_max=20)

    cuts = [text(each) for each in found.find_class("cut")]
    assert "1,234,567 bytes more were not kept" in cuts[2]
    assert re.match(r"\d[\d,]+ characters more are not shown here", cuts[0])
    assert found.xpath("//article[1]//pre/text()") == ["plain line\nnot UTF-8"]


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

    assert bool(found.xpath("//article//pre")) == failures
    assert bool(found.xpath("//table//pre")) == rows


def test_hostile_text_is_text() -> None:
    found = page(logs="all")

    headings = [each.text for each in found.xpath("//article//h3")]
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


def test_a_session_that_passed_shows_no_failures() -> None:
    found = page(big_session(9))

    assert found.find_class("verdict")[0].text == "PASS"
    assert found.findall(".//article") == []


def test_an_empty_session_is_a_page_too() -> None:
    assert "No job was selected." in text(page(empty_session()))
