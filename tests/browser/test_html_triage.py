"""Going through failures in Chromium: the page keeps the place where one was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.sessions import lab_session
from tests.browser.test_html_report import FOCUSED, FOUND, OPEN_DETAILS, check, shown

from holdall.testing.exporters import exported
from holdall_exporters.html import HtmlExporter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CLOSED = "!document.querySelector('#dialog').open"
NAME = "document.querySelector('#details h2').textContent"
PLACE = "document.querySelector('#place').textContent"
CARD = "document.querySelectorAll('.failure .open-job')[%d]"
# What of the page is at the top of the window, whatever else the page loads later.
TOP = "Math.round(scrollY)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lab") / "report.html"
    path.write_bytes(exported(HtmlExporter, lab_session()))
    return path


def open_card(browser: Any, number: int) -> int:
    """Open a failure that is in the middle of the window, and return how far it is scrolled."""
    card = CARD % number
    browser.run(f"{card}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    top: int = browser.run(TOP)
    browser.run(f"{card}.focus({{preventScroll: true}}); {card}.click()")
    browser.wait_for(OPEN_DETAILS)
    return top


@pytest.mark.parametrize("way", ["escape", "close", "back"])
def test_closing_returns_to_the_failure_that_was_opened(browser: Any, lab: Path, way: str) -> None:
    shown(browser, lab)
    before = open_card(browser, 5)

    if way == "escape":
        browser.press("Escape", 27)
    elif way == "back":
        browser.go(-1)
    else:
        browser.run("document.querySelector('#close').click()")
    browser.wait_for(f"{CLOSED} && location.hash === ''")

    browser.wait_for(f"document.activeElement === {CARD % 5}")
    assert browser.run(TOP) == before
    check(browser)


def test_next_and_previous_stay_within_the_failures(browser: Any, lab: Path) -> None:
    shown(browser, lab)
    open_card(browser, 5)
    cards = browser.run("document.querySelectorAll('.failure .open-job').length")
    assert browser.run(PLACE) == f"6 of {cards}"

    names = set()
    for _ in range(cards - 6):
        browser.run("document.querySelector('#next').click()")
        browser.wait_for("document.querySelector('#details h2') !== null")
        names.add(browser.run(f"{NAME} + location.hash"))
    assert browser.run(PLACE) == f"{cards} of {cards}"
    assert browser.run("document.querySelector('#next').disabled") is True
    assert all(
        "Check " in name and int(name.split("#")[0].split()[-1]) % 10 == 3 for name in names
    )

    browser.press("Escape", 27)
    browser.wait_for(f"document.activeElement === {CARD % (cards - 1)}")
    box = browser.run(f"{CARD % (cards - 1)}.getBoundingClientRect().toJSON()")
    assert 0 <= box["top"] <= 1000
    check(browser)


def test_next_and_previous_stay_within_the_filter(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#flaky=yes&device=laptop-2")
    browser.run("document.querySelectorAll('#rows button')[1].click()")
    browser.wait_for(OPEN_DETAILS)
    assert browser.run(NAME) == "Check 18"
    assert browser.run(PLACE) == "2 of 6"

    browser.press("ArrowRight", 39)
    browser.wait_for(f"{NAME} === 'Check 28'")
    assert browser.run("location.hash") == (
        "#flaky=yes&device=laptop-2&job=lab%3A%3Acheck-28&on=laptop-2"
    )
    browser.press("Escape", 27)
    browser.wait_for(f"{CLOSED} && {FOCUSED} === 'Check 28'")
    assert browser.run(FOUND) == "6 of 120 jobs"
    check(browser)


def test_a_link_to_a_job_names_it_and_its_device(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#job=lab::check-7&on=laptop-2")
    browser.wait_for(OPEN_DETAILS)

    assert browser.run(NAME) == "Check 7"
    assert "laptop-2" in browser.run("document.querySelector('#details .facts').innerText")
    browser.press("Escape", 27)
    browser.wait_for(f"{CLOSED} && {FOCUSED} === 'Check 7'")
    assert browser.run("document.activeElement.closest('tr').innerText").count("laptop-2") == 1
    assert browser.run("location.hash") == ""
    check(browser)


def test_every_link_of_a_failure_leads_to_it(browser: Any, lab: Path) -> None:
    shown(browser, lab)
    links = browser.run("[...document.querySelectorAll('.failure .open-job')].map((a) => a.hash)")

    assert len(links) == len(set(links)) >= 10
    assert all(link.startswith("#job=lab%3A%3Acheck-") and "&on=laptop-" in link for link in links)


def test_a_shared_link_shows_the_table(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#outcome=fail")

    browser.wait_for("document.querySelector('#results').getBoundingClientRect().top < 200")
    assert browser.run(FOUND) == "12 of 120 jobs"


def test_back_from_a_count_leads_up_again(browser: Any, lab: Path) -> None:
    shown(browser, lab)
    browser.run("document.querySelector('.counts a').click()")
    browser.wait_for(f"{FOUND} === '12 of 120 jobs' && scrollY > 500")

    browser.go(-1)

    browser.wait_for(f"{FOUND} === '120 jobs' && scrollY < 10")
    check(browser)


def test_forward_opens_the_panel_again(browser: Any, lab: Path) -> None:
    shown(browser, lab)
    open_card(browser, 2)
    name = browser.run(NAME)
    browser.go(-1)
    browser.wait_for(CLOSED)

    browser.go(1)

    browser.wait_for(f"{OPEN_DETAILS} && {NAME} === '{name}'")


def test_arrows_in_the_search_of_the_output_stay_there(browser: Any, lab: Path) -> None:
    shown(browser, lab)
    open_card(browser, 2)
    name = browser.run(NAME)
    browser.run("document.querySelector('.log-tools input').focus()")

    browser.press("ArrowRight", 39)

    assert browser.run(NAME) == name
