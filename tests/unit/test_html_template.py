"""A template of the user's own for the HTML page."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

from holdall.errors import ReportTemplateError
from holdall.testing.exporters import exported
from holdall.testing.sessions import HOSTILE, sample_session
from holdall_exporters.html import HtmlExporter

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = """{% extends "holdall/report.html" %}
{% block style %}.mine { color: teal }{% endblock %}
{% block head %}<meta name="mine" content="1">{% endblock %}
{% block before %}<p id="before">{{ view.job_count }}</p>{% endblock %}
{% block after %}<p id="after"></p>{% endblock %}
{% block footer %}Confidential. {% endblock %}
"""


def page(path: Path, text: str) -> str:
    path.write_text(text)
    return exported(HtmlExporter, sample_session(), {"template": str(path)}).decode()


def parsed(text: str) -> Any:
    return html.document_fromstring(text)


def test_blocks_of_the_page_can_be_filled(tmp_path: Path) -> None:
    found = parsed(page(tmp_path / "mine.html", BLOCKS))

    assert found.xpath("string(//main/*[1][@id='before'])") == str(
        sample_session().view().job_count
    )
    assert found.xpath("count(//main/*[last()][@id='after'])") == 1
    assert found.xpath("string(//footer)").startswith("Confidential. Made by")
    assert found.xpath("count(//head/meta[@name='mine'])") == 1


def test_the_policy_allows_the_style_as_it_is_then_and_no_other(tmp_path: Path) -> None:
    found = parsed(page(tmp_path / "mine.html", BLOCKS))

    style = found.xpath("string(//style)")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert style.endswith(".mine { color: teal }")
    assert f"style-src 'sha256-{digest}'" in found.xpath(
        "string(//meta/@content[contains(., 'src')])"
    )


def test_a_page_can_be_all_ones_own_and_its_text_is_escaped(tmp_path: Path) -> None:
    report = page(
        tmp_path / "own.html", "{% for job in view.jobs() %}<p>{{ job.summary }}</p>{% endfor %}"
    )

    texts = [each.text for each in parsed(report).findall(".//p")]
    assert HOSTILE["markup"] in texts
    assert len(texts) == sample_session().view().job_count


def test_an_error_is_told_with_file_and_line_and_leaves_the_old_page(tmp_path: Path) -> None:
    path = tmp_path / "mine.html"

    with pytest.raises(ReportTemplateError) as caught:
        page(path, BLOCKS + "{% block nothing %}")

    assert (caught.value.template, caught.value.line) == (str(path), 7)


def test_a_template_can_not_reach_what_is_private(tmp_path: Path) -> None:
    with pytest.raises(ReportTemplateError, match="unsafe"):
        page(tmp_path / "mine.html", "{{ view.__class__ }}")
