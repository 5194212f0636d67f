"""A page by a template of the user's own, in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall.testing.exporters import exported
from holdall.testing.sessions import sample_session
from holdall_exporters.html import HtmlExporter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MINE = """{% extends "holdall/report.html" %}
{% block style %}
.brand { color: rgb(1, 2, 3) }
{% endblock %}
{% block before %}<p class="brand">The lab</p>{% endblock %}
"""


def test_a_style_of_ones_own_is_allowed_and_nothing_else_changes(
    browser: Any, tmp_path: Path
) -> None:
    template = tmp_path / "mine.html"
    template.write_text(MINE)
    page = tmp_path / "report.html"
    page.write_bytes(exported(HtmlExporter, sample_session(), {"template": str(template)}))

    browser.open(page)
    browser.wait_for("document.querySelector('#table')?.hidden === false")

    assert (
        browser.run("getComputedStyle(document.querySelector('.brand')).color") == "rgb(1, 2, 3)"
    )
    assert browser.errors == []


def test_a_script_of_a_templates_own_is_not_run(browser: Any, tmp_path: Path) -> None:
    template = tmp_path / "mine.html"
    template.write_text(
        '{% extends "holdall/report.html" %}'
        "{% block before %}<script>document.title = 'changed'</script>{% endblock %}"
    )
    page = tmp_path / "report.html"
    page.write_bytes(exported(HtmlExporter, sample_session(), {"template": str(template)}))

    browser.open(page)
    browser.wait_for("document.querySelector('#table')?.hidden === false")

    assert browser.run("document.title") != "changed"
    assert any("Content Security Policy" in each for each in browser.errors)
