"""The HTML report in a language of longer words: nothing is covered, and its script speaks it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.test_html_report import FOUND, OPEN_DETAILS, SEARCH, VIOLATIONS, check, shown

from holdall.exports.pipeline import export
from holdall.testing.sessions import big_session, sample_session

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# The pairs of controls of which one lies over the other.
COVERED = """
(() => {
  const all = document.querySelectorAll('#filter :is(input, button, select, output)');
  const boxes = [...all].map((each) => [each.innerText, each.getBoundingClientRect()]);
  const over = ([, a], [, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return boxes.flatMap((one, at) =>
    boxes.slice(at + 1).filter((other) => over(one, other)).map((other) => [one[0], other[0]]));
})()
"""
# By how much the head of the table is away from the lower end of the filter above it.
GAP = """
(() => {
  document.querySelector('#table').scrollIntoView();
  scrollBy(0, 300);
  const bottom = document.querySelector('#filter').getBoundingClientRect().bottom;
  return document.querySelector('#table thead th').getBoundingClientRect().top - bottom;
})()
"""
LANGUAGES = ["de", "en"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a page with everything in it by language, and one with many rows in German."""
    folder = tmp_path_factory.mktemp("pages")
    sessions = {"de": sample_session(), "en": sample_session(), "many": big_session(4250)}
    for name, session in sessions.items():
        lang = "en" if name == "en" else "de"
        options = {"logs": "all", "lang": lang}
        export(session, "html", folder / f"{name}.html", options=options)
    return {name: folder / f"{name}.html" for name in sessions}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
def test_the_german_page_fits_and_axe_finds_nothing(  # noqa: PLR0917 - fixtures
    browser: Any, axe: str, screenshots: Path, pages: dict[str, Path], width: int, scheme: str
) -> None:
    shown(browser, pages["de"], width=width, prefers_color_scheme=scheme)
    browser.screenshot(screenshots / f"german-{width}-{scheme}-top.png")
    browser.run(axe)
    browser.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert browser.run(VIOLATIONS) == []
    browser.run("document.querySelector('#results').scrollIntoView()")
    browser.screenshot(screenshots / f"german-{width}-{scheme}-table.png")

    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.run("document.documentElement.lang") == "de"
    check(browser)


@pytest.mark.parametrize("width", [360, 700, 900, 1120, 1300, 1600])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_control_covers_another(
    browser: Any, pages: dict[str, Path], lang: str, width: int
) -> None:
    shown(browser, pages[lang], width=width)

    assert browser.run(COVERED) == []
    assert browser.run("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_head_of_the_table_sticks_below_the_filter(
    browser: Any, pages: dict[str, Path], lang: str
) -> None:
    shown(browser, pages[lang], width=1600)

    browser.wait_for(f"Math.abs({GAP.strip()}) < 1")  # the page measures once it is laid out


def test_the_script_counts_in_german(browser: Any, pages: dict[str, Path]) -> None:
    shown(browser, pages["many"])
    assert browser.run(FOUND) == "4.250 Tests"

    browser.run(SEARCH % json.dumps("part 1234"))
    assert browser.run(FOUND) == "1 von 4.250 Tests"
    browser.run(
        "document.querySelector('#reset').click(); dispatchEvent(new Event('beforeprint'))"
    )
    assert browser.run("document.querySelector('#left-out').innerText").startswith(
        "2.250 weitere Tests sind hier nicht gedruckt"
    )
    check(browser)


def test_the_details_of_a_job_are_german(browser: Any, pages: dict[str, Path]) -> None:
    shown(browser, pages["de"], fragment="#job=com.example::big-log")
    browser.wait_for(OPEN_DETAILS)

    words = browser.run("document.querySelector('#dialog').innerText")
    for each in ("Schließen", "Zertifizierung", "Anhänge", "5 Bytes", "1 h 06 min"):
        assert each in words
    assert "1.234.567 weitere Bytes wurden nicht behalten" in words
    check(browser)
