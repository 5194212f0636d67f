"""The filter of the HTML report in Chromium: what is counted is what is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.sessions import lab_session
from tests.browser.test_html_report import FOUND, ROWS, SEARCH, check, shown

from holdall.testing.exporters import exported
from holdall.testing.sessions import sample_session
from holdall_exporters.html import HtmlExporter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# Chips and entries with the numbers in them, as they are read.
CHIPS = """
[...document.querySelectorAll('#chips button')].map((each) => each.innerText.trim())
"""
ENTRIES = "[...document.querySelector('#%s').options].slice(1).map((each) => each.text)"
NUMBER = "Number(document.querySelector('#found').value.split(' ')[0].replaceAll(',', ''))"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lab") / "report.html"
    path.write_bytes(exported(HtmlExporter, lab_session()))
    return path


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "report.html"
    path.write_bytes(exported(HtmlExporter, sample_session()))
    return path


def click(browser: Any, selector: str) -> None:
    browser.run(f"document.querySelector({json.dumps(selector)}).click()")


def choose(browser: Any, name: str, text: str) -> None:
    browser.run(
        f"(() => {{ const select = document.querySelector('#{name}');"
        f" select.value = [...select.options].find((each) => each.text.startsWith("
        f"{json.dumps(text)})).value;"
        " select.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )


def test_each_chip_finds_what_it_counts(browser: Any, sample: Path) -> None:
    shown(browser, sample)
    chips = browser.run("document.querySelectorAll('#chips button').length")

    for at in range(chips):
        chip = f"document.querySelectorAll('#chips button')[{at}]"
        counted = browser.run(f"Number({chip}.lastChild.textContent)")
        browser.run(f"{chip}.click()")
        assert browser.run(NUMBER) == counted
        browser.run(f"{chip}.click()")
    assert chips > 12
    check(browser)


def test_each_count_above_the_table_is_a_link_to_just_these(browser: Any, sample: Path) -> None:
    shown(browser, sample)
    counts = browser.run("document.querySelectorAll('.counts a').length")

    for at in range(counts):
        link = f"document.querySelectorAll('.counts a')[{at}]"
        text = browser.run(f"{link}.innerText")
        browser.run(f"{link}.click()")
        browser.wait_for(f"{FOUND}.startsWith('{text.split()[0]} of ')")
        pressed = "[...document.querySelectorAll('#chips [aria-pressed=true]')]"
        assert browser.run(f"{pressed}.map((each) => each.innerText.trim())") == [
            " ".join([*text.split()[1:], text.split()[0]])
        ]
    check(browser)


def test_counts_follow_the_other_filters(browser: Any, lab: Path) -> None:
    shown(browser, lab)
    assert browser.run(CHIPS) == [
        "failed 12",
        "passed 96",
        "skipped (unmet resource) 12",
        "flaky 12",
    ]

    choose(browser, "device", "laptop-1")
    choose(browser, "category", "Audio")

    assert browser.run(CHIPS) == [
        "failed 2",
        "passed 16",
        "skipped (unmet resource) 2",
        "flaky 2",
    ]
    click(browser, "#chips .flaky")
    assert browser.run(CHIPS) == [
        "failed 0",
        "passed 2",
        "skipped (unmet resource) 0",
        "flaky 2",
    ]
    assert browser.run(ENTRIES % "category") == ["Audio (2)", "Disks & drives (2)", "Wi-Fi (2)"]
    assert browser.run(ENTRIES % "device") == ["laptop-1 (2)", "laptop-2 (2)"]
    assert browser.run(FOUND) == "2 of 120 jobs"
    check(browser)


def test_flaky_jobs_are_marked_and_so_is_the_link_to_them(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#flaky=yes")

    assert browser.run(FOUND) == "12 of 120 jobs"
    assert browser.run("document.querySelectorAll('#rows .chip.flaky').length") == 12
    assert browser.run("document.querySelector('#chips .flaky').ariaPressed") == "true"


def test_the_certification_status_is_a_filter(browser: Any, lab: Path) -> None:
    shown(browser, lab)
    assert browser.run(ENTRIES % "status") == ["blocker (60)", "non-blocker (60)"]

    choose(browser, "status", "blocker")

    assert browser.run(FOUND) == "60 of 120 jobs"
    assert browser.run("location.hash") == "#status=blocker"
    check(browser)


def test_nothing_found_says_so_and_offers_the_way_out(browser: Any, lab: Path) -> None:
    shown(browser, lab)
    browser.run(SEARCH % json.dumps("no such words"))

    assert browser.run("document.querySelector('#nothing').innerText").startswith(
        "No job matches the filter."
    )
    assert browser.run("document.querySelector('#table').hidden") is True
    click(browser, "#reset-nothing")
    assert browser.run(FOUND) == "120 jobs"
    assert browser.run("document.querySelector('#nothing').hidden") is True
    assert browser.run("document.activeElement.id") == "words"
    check(browser)


@pytest.mark.parametrize(
    ("link", "named"),
    [
        pytest.param("#device=nope", "nope", id="device"),
        pytest.param("#category=%3Cimg%3E", "<img>", id="category"),
        pytest.param("#outcome=bogus", "bogus", id="outcome"),
        pytest.param("#job=99999", "99999", id="job"),
        pytest.param("#sort=nope&view=nope", "nope, nope", id="order-and-view"),
    ],
)
def test_what_a_link_asks_for_and_is_not_there_is_named(
    browser: Any, lab: Path, link: str, named: str
) -> None:
    shown(browser, lab, fragment=link)

    assert browser.run("document.querySelector('#problem').innerText").endswith(f": {named}")
    assert browser.run(FOUND) == "120 jobs"
    assert browser.run("document.querySelector('#dialog').open") is False
    check(browser)


def test_names_are_in_natural_order(browser: Any, lab: Path) -> None:
    shown(browser, lab, fragment="#device=laptop-1&sort=job")

    assert browser.run(ROWS)[:12] == [f"lab::check-{number}" for number in range(12)]


def test_the_search_has_a_row_of_its_own(browser: Any, lab: Path) -> None:
    for width in (360, 768, 1600):
        shown(browser, lab, width=width)
        box = browser.run("document.querySelector('#words').getBoundingClientRect().toJSON()")
        others = browser.run(
            "[...document.querySelectorAll('#filter button, #filter select')]"
            ".map((each) => each.getBoundingClientRect().top)"
        )
        assert min(others) >= box["bottom"]
        assert box["width"] > 0.8 * min(width, 1376) - 40


@pytest.mark.parametrize("words", ["check 5", "CHECK 5", "no camera", "5 check check"])
def test_words_are_found_wherever_they_are(browser: Any, lab: Path, words: str) -> None:
    shown(browser, lab)
    browser.run(SEARCH % json.dumps(words))

    expected = [
        n
        for n in range(60)
        if all(
            word in f"check {n} lab::check-{n} {'no camera' if n % 10 == 6 else ''}"
            for word in words.lower().split()
        )
    ]
    assert browser.run(NUMBER) == 2 * len(expected)
