"""The views of the HTML report in Chromium: table, matrix, timeline and the slowest jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.sessions import CATEGORIES, lab_session
from tests.browser.test_html_report import FOUND, OPEN_DETAILS, VIOLATIONS, check

from holdall.testing.exporters import exported
from holdall.testing.sessions import big_session
from holdall_exporters.html import HtmlExporter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

VIEWS = ["matrix", "timeline", "slowest"]
SHOWN = "document.querySelector('#views [aria-current]')?.textContent"
CELLS = """
[...document.querySelectorAll('.matrix tbody tr')].map((row) =>
  [...row.cells].map((cell) => cell.innerText.trim()))
"""
NAME = "document.querySelector('#details h2').textContent"
POINTED = "document.querySelector('.pointed').textContent"
LANE = "document.querySelectorAll('.lane')[%d]"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lab") / "report.html"
    path.write_bytes(exported(HtmlExporter, lab_session(100, 12)))
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "report.html"
    path.write_bytes(exported(HtmlExporter, big_session(100_000), {"logs": "none"}))
    return path


def shown(browser: Any, path: Path, **how: Any) -> None:
    browser.open(path, **how)
    browser.wait_for("document.querySelector('#views')?.hidden === false")


def choose(browser: Any, view: str) -> None:
    browser.run(
        "[...document.querySelectorAll('#views a')]"
        f".find((each) => each.hash.includes('view={view}')).click()"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1600])
@pytest.mark.parametrize("view", VIEWS)
def test_the_views_fit_and_axe_finds_nothing(  # noqa: PLR0917 - fixtures
    browser: Any, axe: str, screenshots: Path, lab: Path, view: str, width: int, scheme: str
) -> None:
    shown(browser, lab, width=width, prefers_color_scheme=scheme, fragment=f"#view={view}")
    browser.screenshot(screenshots / f"{view}-{width}-{scheme}.png")
    browser.run(axe)

    assert browser.run(VIOLATIONS) == []
    assert browser.run("document.documentElement.scrollWidth") == width
    check(browser)


def test_the_views_are_a_navigation_and_back_leads_through_them(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#outcome=fail")
    names = browser.run("[...document.querySelectorAll('#views a')].map((a) => a.textContent)")
    assert names == ["Table", "Devices and categories", "Timeline", "Slowest"]

    for view in VIEWS:
        choose(browser, view)
        assert browser.run("location.hash") == f"#outcome=fail&view={view}"
        assert browser.run("document.querySelector('#table').hidden") is True
    for name in ("Timeline", "Devices and categories", "Table"):
        browser.go(-1)
        browser.wait_for(f"{SHOWN} === '{name}'")
    assert browser.run("document.querySelector('#table').hidden") is False
    assert browser.run(FOUND) == "120 of 1,200 jobs"
    check(browser)


def test_each_cell_of_the_matrix_finds_its_jobs(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#view=matrix&flaky=yes")
    cells = browser.run(CELLS)
    heads = browser.run(
        "[...document.querySelectorAll('.matrix thead th')].map((th) => th.innerText)"
    )
    # Equally bad names are in natural order.
    assert heads == ["All devices", *[f"laptop-{number + 1}" for number in range(12)]]
    assert [row[0] for row in cells] == list(CATEGORIES)

    number = int(cells[1][2].split()[0])
    browser.run("document.querySelectorAll('.matrix tbody tr')[1].cells[2].firstChild.click()")

    assert browser.run(FOUND) == f"{number} of 1,200 jobs"
    assert browser.run("location.hash") == "#flaky=yes&category=Disks+%26+drives&device=laptop-1"
    browser.go(-1)
    browser.wait_for(f"{SHOWN} === 'Devices and categories'")
    check(browser)


def test_the_matrix_says_how_many_went_wrong(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#view=matrix")

    cells = browser.run(CELLS)
    wrong = sum(int(row[1].split(" of ")[0]) for row in cells)
    assert wrong == 120
    label = browser.run(
        "document.querySelectorAll('.matrix tbody tr')[0].cells[2].firstChild.ariaLabel"
    )
    assert label.startswith(f"{cells[0][0]}, laptop-1: ")
    assert "passed" in label


def test_the_timeline_leads_from_job_to_job_by_the_keyboard(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#view=timeline")
    assert browser.run("document.querySelectorAll('.lane').length") == 12
    assert browser.run(f"{LANE % 1}.ariaLabel") == "laptop-2"
    browser.run(f"{LANE % 1}.focus()")
    assert browser.run(POINTED).startswith("Check 0 · passed · 1.00 s")

    for _ in range(3):
        browser.press("ArrowRight", 39)
    assert browser.run(f"{LANE % 1}.ariaValueText").startswith("Check 3 · failed")
    assert browser.run(f"{LANE % 1}.ariaValueNow") == "4"
    browser.press("Enter", 13)
    browser.wait_for(f"{OPEN_DETAILS} && {NAME} === 'Check 3'")
    assert browser.run("document.querySelector('#place').textContent") == "4 of 100"
    browser.run("document.querySelector('#next').click()")
    browser.wait_for(f"{NAME} === 'Check 4'")
    browser.press("Escape", 27)
    browser.wait_for(f"document.activeElement === {LANE % 1}")
    browser.wait_for(f"{LANE % 1}.ariaValueNow === '5'")
    check(browser)


def test_a_click_on_the_timeline_opens_what_is_there(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#view=timeline&outcome=fail")
    browser.run(
        f"(() => {{ const box = {LANE % 0}.getBoundingClientRect();"
        f" {LANE % 0}.dispatchEvent(new MouseEvent('click',"
        " {clientX: box.right - 3, clientY: box.top + 5, bubbles: true})); })()"
    )

    browser.wait_for(f"{OPEN_DETAILS} && {NAME} === 'Check 93'")
    check(browser)


def test_the_slowest_come_first_and_open(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#view=slowest&device=laptop-3")
    times = browser.run("[...document.querySelectorAll('.slowest .time')].map((t) => t.innerText)")

    assert len(times) == 50
    assert times == sorted(times, key=lambda text: -float(text.split()[0]))
    assert browser.run("document.querySelector('#view p').textContent").startswith(
        "These 50 jobs took "
    )
    browser.run("document.querySelectorAll('.slowest button')[1].click()")
    browser.wait_for(OPEN_DETAILS)
    assert browser.run("document.querySelector('#place').textContent") == "2 of 50"
    browser.press("Escape", 27)
    browser.wait_for("document.activeElement === document.querySelectorAll('.slowest button')[1]")
    check(browser)


def test_views_of_nothing_say_so(browser: Any, many: Path) -> None:
    shown(browser, many, fragment="#view=timeline")
    assert "not known when these jobs were started" in browser.run(
        "document.querySelector('#view').innerText"
    )
    shown(browser, many, fragment="#view=matrix&q=zzz")
    assert browser.run("document.querySelector('#nothing').hidden") is False
    check(browser)


def test_views_of_a_hundred_thousand_jobs_are_drawn_at_once(browser: Any, many: Path) -> None:
    shown(browser, many)
    cost = {}
    for view in VIEWS:
        cost[view] = browser.run(
            "(() => { const start = performance.now();"
            f" [...document.querySelectorAll('#views a')].find((a) => a.hash.includes('{view}'))"
            ".click(); document.body.getBoundingClientRect();"
            " return performance.now() - start; })()"
        )

    print("\n100000 jobs:", ", ".join(f"{view} {ms:.0f} ms" for view, ms in cost.items()))
    assert browser.run("document.querySelectorAll('*').length") < 5000
    check(browser)
