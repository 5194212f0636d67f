"""Markdown pages in GitHub's own parser."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.test_exporter_markdown import MARKUP

from holdall.testing.exporters import exported
from holdall.testing.sessions import HOSTILE, hostile_session
from holdall_exporters.markdown import MarkdownExporter

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = {
    *("h1", "h2", "h3", "p", "strong", "code", "pre", "ul", "li", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


class Elements(HTMLParser):
    """Gathers the elements of a page, and what stands outside of code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text = ""
        self._inside = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.names.append(tag)
        self._inside += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag == "code"

    def handle_data(self, data: str) -> None:
        self.text += data if not self._inside else "?"


def elements(page: str) -> Elements:
    cmarkgfm = pytest.importorskip("cmarkgfm", reason="GitHub's parser: pip install cmarkgfm")
    options = pytest.importorskip("cmarkgfm.cmark").Options
    return Elements(cmarkgfm.github_flavored_markdown_to_html(page, options.CMARK_OPT_UNSAFE))


@pytest.mark.parametrize("text", [*MARKUP.values(), *HOSTILE.values()], ids=[*MARKUP, *HOSTILE])
def test_github_finds_no_element_that_is_not_ours(text: str) -> None:
    plain, hostile = (
        elements(exported(MarkdownExporter, hostile_session(each)).decode())
        for each in ("plain", text)
    )

    assert hostile.names == plain.names
    assert hostile.text == plain.text


def test_github_finds_no_other_element_in_any_session(
    written: Callable[..., dict[str, Any]],
) -> None:
    for each in written("markdown", ".md").values():
        found = elements(each.path.read_text("utf-8"))
        assert set(found.names) <= OURS
        assert "@" not in found.text
        assert "#" not in found.text
