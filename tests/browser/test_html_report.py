"""The HTML report in Chromium: what it must have is in `INSTALL` of tests/conftest.py.

    python -m pytest -m browser -s

HOLDALL_NODE_MODULES names a folder that axe-core is in, HOLDALL_SCREENSHOTS one to keep
the screenshots in.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from holdall.journal.events import ResultRecorded
from holdall.results import IOLogRecord, JobResult
from holdall.testing.exporters import exported
from holdall.testing.sessions import HOSTILE, SampleSession, big_session, sample_session
from holdall_exporters.html import HtmlExporter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MANY = 100_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VIOLATIONS = f"""
axe.run({{runOnly: {json.dumps(RULES)}}}).then((found) =>
  found.violations.map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 200))]))
"""
DRAWN = "document.querySelector('#table')?.hidden === false"
FOUND = "document.querySelector('#found').value"
FOCUSED = "document.activeElement.textContent"
ROWS = """
[...document.querySelectorAll('#rows tr:not(.gap) code')].map((each) => each.textContent)
"""
SEARCH = """
(async () => {
  const words = document.querySelector('#words');
  const start = performance.now();
  words.value = %s;
  words.dispatchEvent(new Event('input', {bubbles: true}));
  document.body.getBoundingClientRect();
  return performance.now() - start;
})()
"""
OPEN_DETAILS = "document.querySelector('#dialog').open && !!document.querySelector('#details h2')"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "report.html"
    path.write_bytes(exported(HtmlExporter, sample_session(), {"logs": "all"}))
    return path


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("thousand") / "report.html"
    path.write_bytes(exported(HtmlExporter, big_session(1000)))
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "report.html"
    path.write_bytes(exported(HtmlExporter, big_session(MANY), {"logs": "none"}))
    return path


def shown(browser: Any, path: Path, **how: Any) -> None:
    browser.open(path, **how)
    browser.wait_for(DRAWN)


def check(browser: Any) -> None:
    """Nothing was complained about, and nothing asked for but the page itself."""
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith(("file:", "about:"))] == []
    assert len([url for url in browser.requests if url.startswith("file:")]) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("size", ["sample", "thousand", "many"])
def test_the_page_fits_and_axe_finds_nothing(  # noqa: PLR0917 - fixtures
    browser: Any,
    axe: str,
    screenshots: Path,
    request: pytest.FixtureRequest,
    size: str,
    width: int,
    scheme: str,
) -> None:
    shown(browser, request.getfixturevalue(size), width=width, prefers_color_scheme=scheme)
    browser.screenshot(screenshots / f"{size}-{width}-{scheme}-top.png")
    browser.run(axe)
    assert browser.run(VIOLATIONS) == []
    browser.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert browser.run(VIOLATIONS) == []
    browser.run("document.querySelector('#results').scrollIntoView()")
    browser.screenshot(screenshots / f"{size}-{width}-{scheme}-table.png")

    assert browser.run("document.documentElement.scrollWidth") == width
    check(browser)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_details(
    browser: Any, axe: str, screenshots: Path, sample: Path, scheme: str
) -> None:
    for job in ("outcome-fail", "flaky", "big-log", "outcome-skip"):
        shown(browser, sample, fragment=f"#job=com.example::{job}", prefers_color_scheme=scheme)
        browser.wait_for(OPEN_DETAILS)
        browser.run(axe)
        browser.run("Promise.all(document.getAnimations().map((each) => each.finished))")
        assert browser.run(VIOLATIONS) == []
        browser.screenshot(screenshots / f"details-{job}-{scheme}.png")
        check(browser)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_output_can_be_read(
    browser: Any, axe: str, screenshots: Path, tmp_path: Path, scheme: str
) -> None:
    codes = [0, 1, 3, 4, 9, *range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)]
    words = "".join(f"\x1b[{code}mcolour {code}\x1b[0m " for code in codes).encode()
    log = [IOLogRecord(0.0, "stdout", words), IOLogRecord(0.1, "stderr", words)]
    events = sample_session().events
    recorded = next(each for each in events if isinstance(each, ResultRecorded))
    result = JobResult(outcome="fail", io_log=log)
    colourful = SampleSession((events[0], msgspec.structs.replace(recorded, result=result)))
    path = tmp_path / "report.html"
    path.write_bytes(exported(HtmlExporter, colourful))

    shown(browser, path, prefers_color_scheme=scheme)
    browser.screenshot(screenshots / f"colours-{scheme}.png")
    browser.run(axe)

    assert browser.run("document.querySelectorAll('article pre span').length") > 60
    assert browser.run(VIOLATIONS) == []


def test_a_hundred_thousand_rows_are_painted_and_filtered_at_once(
    browser: Any, many: Path
) -> None:
    paints = []
    for _ in range(3):
        shown(browser, many)
        paints.append(
            browser.run(
                "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>"
                " done(performance.now()))))"
            )
        )
    first = browser.run("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    heap = browser.run("performance.memory.usedJSHeapSize") / 2**20
    nodes = browser.run("document.querySelectorAll('*').length")
    searches = [browser.run(SEARCH % json.dumps(words)) for words in ("9", "part 77", "zzz", "")]
    sort = "document.querySelector('[data-sort=job] button').click()"
    sorting = browser.run(
        f"(() => {{ const t = performance.now(); {sort}; return performance.now() - t; }})()"
    )

    print(
        f"\n{MANY} rows: {many.stat().st_size / 1e6:.2f} MB; first paint {first:.0f} ms, table"
        f" drawn {min(paints):.0f} to {max(paints):.0f} ms; filtered in"
        f" {', '.join(f'{each:.0f}' for each in searches)} ms; sorted in {sorting:.0f} ms;"
        f" {nodes} elements; heap {heap:.0f} MiB"
    )
    assert many.stat().st_size < 5_000_000
    assert nodes < 3000
    check(browser)


def test_words_outcomes_and_categories_filter_and_are_in_the_address(
    browser: Any, thousand: Path
) -> None:
    shown(browser, thousand)
    assert browser.run(FOUND) == "1,000 jobs"

    browser.run(SEARCH % json.dumps("part 77"))
    assert browser.run(FOUND) == "19 of 1,000 jobs"
    browser.run("document.querySelector('#chips .fail').click()")
    browser.run("document.querySelector('[data-sort=job] button').click()")
    assert browser.run(ROWS) == ["com.example::job/779"]

    assert browser.run("location.hash") == "#q=part+77&outcome=fail&sort=job"
    browser.run("document.querySelector('#reset').click()")
    assert browser.run(FOUND) == "1,000 jobs"
    assert browser.run("location.hash") == ""
    check(browser)


def test_an_address_brings_the_filter_back(browser: Any, thousand: Path) -> None:
    address = "#q=part&outcome=fail,pass&category=Category+9&sort=-duration"
    shown(browser, thousand, fragment=address)

    assert browser.run(FOUND) == "50 of 1,000 jobs"
    chosen = "document.querySelector('#category').selectedOptions[0].text"
    assert browser.run(chosen) == "Category 9 (50)"
    assert browser.run("document.querySelector('[data-sort=duration]').ariaSort") == "descending"
    assert browser.run("document.querySelector('#table').ariaRowCount") == "51"
    check(browser)


def test_the_table_can_be_used_with_the_keyboard(browser: Any, thousand: Path) -> None:
    shown(browser, thousand)
    browser.run("document.querySelector('#rows button').focus()")

    browser.press("ArrowDown", 40)
    browser.press("ArrowDown", 40)
    assert browser.run(FOCUSED).startswith("Check part 2 ")
    browser.press("End", 35)
    assert browser.run(FOCUSED).startswith("Check part 999 ")
    assert browser.run("document.activeElement.closest('tr').ariaRowIndex") == "1001"
    browser.press("Enter", 13)
    browser.wait_for(OPEN_DETAILS)
    assert "13: a line of output" in browser.run("document.querySelector('#details').innerText")
    assert browser.run("location.hash") == "#job=com.example%3A%3Ajob%2F999"
    browser.press("Escape", 27)
    browser.wait_for("!document.querySelector('#dialog').open")
    browser.wait_for(f"{FOCUSED}.startsWith('Check part 999 ')")
    check(browser)


def test_the_row_with_the_focus_stays_when_it_is_scrolled_away(
    browser: Any, thousand: Path
) -> None:
    shown(browser, thousand)
    browser.run("document.querySelector('#rows button').focus()")
    browser.run("scrollTo(0, document.body.scrollHeight)")
    browser.wait_for(f"{ROWS.strip()}.includes('com.example::job/999')")

    assert browser.run(FOCUSED).startswith("Check part 0 ")
    assert browser.run("document.querySelectorAll('#rows tr').length") < 80


def test_hostile_text_stays_text_in_the_details(browser: Any, sample: Path) -> None:
    shown(browser, sample, fragment="#q=hostile-markup")
    browser.run("document.querySelector('#rows tr:not(.gap)').click()")
    browser.wait_for(OPEN_DETAILS)

    assert browser.run("document.querySelector('#details h2').textContent") == HOSTILE["markup"]
    assert browser.run("document.querySelectorAll('#details b, #details script').length") == 0
    check(browser)


def test_colours_of_output_are_classes(browser: Any, sample: Path) -> None:
    shown(browser, sample, fragment="#job=com.example::outcome-fail")

    browser.wait_for("document.querySelector('#details pre .f1')?.textContent === 'red'")


def test_paper_gets_rows_up_to_a_number_and_says_so(browser: Any, many: Path) -> None:
    shown(browser, many)
    browser.run("dispatchEvent(new Event('beforeprint'))")

    assert browser.run("document.querySelectorAll('#rows tr').length") == 2000
    assert browser.run("document.querySelector('#left-out').innerText").startswith(
        "98,000 more jobs not printed here"
    )
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run("document.querySelectorAll('#rows tr').length") < 80
    check(browser)


def test_a_printed_page_has_the_rows(browser: Any, thousand: Path) -> None:
    shown(browser, thousand)

    pages = browser.pdf().count(b"/Type /Page\n")

    print(f"\n1000 rows print on {pages} pages")
    assert 10 < pages < 30


def test_reduced_motion_and_forced_colours_are_heeded(
    browser: Any, screenshots: Path, sample: Path
) -> None:
    shown(
        browser,
        sample,
        fragment="#job=com.example::outcome-fail",
        prefers_reduced_motion="reduce",
        forced_colors="active",
    )
    browser.wait_for(OPEN_DETAILS)

    assert (
        browser.run("getComputedStyle(document.querySelector('#dialog')).animationName") == "none"
    )
    browser.press("Escape", 27)
    browser.screenshot(screenshots / "forced-colors.png")
    check(browser)


def test_verdict_and_failures_can_be_read_without_javascript(
    browser: Any, screenshots: Path, sample: Path
) -> None:
    browser.scripts(enabled=False)
    try:
        browser.open(sample)
        words = browser.run("document.body.innerText")
        browser.screenshot(screenshots / "without-javascript.png")
    finally:
        browser.scripts(enabled=True)

    assert "FAIL" in words
    assert "Summary of outcome-crash" in words
    assert "needs JavaScript" in words
    assert "all details" not in words
