"""Output in the details of the HTML report, in Chromium."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.sessions import logs_session
from tests.browser.test_html_report import OPEN_DETAILS, VIOLATIONS, check, shown

from holdall.testing.exporters import exported
from holdall_exporters.html import HtmlExporter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LOG = "document.querySelector('#details section > pre')"
TOLD = "document.querySelector('.log-tools output').value"
PLAIN = b"".join(b"%d: a line with a needle\n" % number for number in range(500))
WIDE = b"x" * 4000 + b"\n"
PROGRESS = (
    b"".join(b"\rloading %d%%" % n for n in range(100))
    + b"\rloaded\x1b[K\ndone\r\n"
    + b"a typo\b\b\b\bline\n"
)
# Each second character has another colour, as the output of some programs has.
DENSE = (b"".join(b"\x1b[3%dm%s\x1b[0m" % (1 + n % 6, b"ab") for n in range(40)) + b"\n") * 800
NODES = """
(() => {
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
  let count = 0;
  while (walker.nextNode()) count += 1;
  return count;
})()
"""
PAINTED = """
new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
  done(performance.now()))))
"""
RANGES = "[CSS.highlights.get('found').size, CSS.highlights.get('here').size]"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs") / "report.html"
    session = logs_session(PLAIN, WIDE, PROGRESS, DENSE, b"short\n")
    path.write_bytes(exported(HtmlExporter, session))
    return path


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hundred") / "report.html"
    path.write_bytes(exported(HtmlExporter, logs_session(*[DENSE] * 100)))
    return path


def opened(browser: Any, path: Path, job: int, **how: Any) -> None:
    shown(browser, path, fragment=f"#job=job-{job}", **how)
    browser.wait_for(f"{OPEN_DETAILS} && {LOG} !== null")
    browser.run("Promise.all(document.getAnimations().map((each) => each.finished))")


def press_tool(browser: Any, name: str) -> None:
    browser.run(
        "[...document.querySelectorAll('.log-tools button')]"
        f".find((each) => each.textContent === {json.dumps(name)}).click()"
    )


def seek(browser: Any, words: str) -> None:
    browser.run(
        "(() => { const input = document.querySelector('.log-tools input'); input.focus();"
        f" input.value = {json.dumps(words)};"
        " input.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def test_output_is_shown_as_a_terminal_would(browser: Any, logs: Path) -> None:
    opened(browser, logs, 2)

    assert browser.run(f"{LOG}.textContent") == "loaded\ndone\na line\n"
    check(browser)


def test_a_hundred_dense_logs_are_few_elements_and_painted_at_once(
    browser: Any, hundred: Path
) -> None:
    paints = []
    for _ in range(3):
        shown(browser, hundred)
        paints.append(browser.run(PAINTED))
    nodes = browser.run(NODES)
    browser.run("document.querySelector('.open-job').click()")
    browser.wait_for(f"{OPEN_DETAILS} && {LOG}.querySelector('.f1') !== null")
    in_panel = browser.run(f"{LOG}.querySelectorAll('*').length")

    print(
        f"\n100 dense logs: {hundred.stat().st_size / 1e6:.2f} MB; painted in {min(paints):.0f} to"
        f" {max(paints):.0f} ms; {nodes} nodes, {in_panel} elements of a log in the panel"
    )
    assert nodes < 100_000
    assert in_panel < 5000
    assert browser.run(f"{LOG}.textContent").count("abab") > 2000
    check(browser)


def test_colours_are_where_the_log_is_seen(browser: Any, logs: Path) -> None:
    opened(browser, logs, 3)
    coloured = f"[...{LOG}.children].map((piece) => piece.children.length > 0)"
    browser.wait_for(f"{coloured}[0]")
    assert browser.run(f"{coloured}.at(-1)") is False

    press_tool(browser, "To the end")

    browser.wait_for(f"{coloured}.at(-1) && !{coloured}[0]")
    check(browser)


def test_output_is_searched_and_each_hit_is_shown(browser: Any, logs: Path) -> None:
    opened(browser, logs, 0)
    seek(browser, "NEEDLE")
    assert browser.run(TOLD) == "1 of 500"
    assert browser.run(RANGES) == [499, 1]

    browser.press("Enter", 13)
    assert browser.run(TOLD) == "2 of 500"
    seek(browser, "499: a line")
    assert browser.run(TOLD) == "1 of 1"
    assert browser.run(f"{LOG}.scrollTop") > 1000

    seek(browser, "hay")
    assert browser.run(TOLD) == "Not found"
    browser.press("Escape", 27)
    assert browser.run("document.querySelector('#dialog').open") is True
    assert browser.run("document.querySelector('.log-tools input').value") == ""
    assert browser.run(RANGES) == [0, 0]
    check(browser)


def test_hits_in_coloured_output_are_marked_where_they_are_seen(browser: Any, logs: Path) -> None:
    opened(browser, logs, 3)
    seek(browser, "baba")

    browser.wait_for(f"{RANGES}[0] > 10")
    assert browser.run(RANGES)[0] < 3000


def test_long_lines_wrap_or_not(browser: Any, logs: Path) -> None:
    opened(browser, logs, 1)
    overflows = f"{LOG}.scrollWidth > {LOG}.clientWidth"
    assert browser.run(overflows) is False

    press_tool(browser, "Wrap lines")
    assert browser.run(overflows) is True

    browser.run("document.querySelector('#next').click()")
    browser.wait_for("document.querySelector('#details h2').textContent === 'Job 2'")
    assert browser.run(f"getComputedStyle({LOG}).whiteSpace") == "pre"
    check(browser)


def test_a_long_log_is_expanded_and_its_end_shown(browser: Any, logs: Path) -> None:
    opened(browser, logs, 0)
    height = f"{LOG}.clientHeight"
    before = browser.run(height)
    press_tool(browser, "To the end")
    assert browser.run(f"{LOG}.scrollTop + {height} >= {LOG}.scrollHeight - 2") is True

    press_tool(browser, "Expand")

    assert browser.run(height) > 5 * before
    press_tool(browser, "To the end")
    bottom = browser.run(f"{LOG}.getBoundingClientRect().bottom")
    assert bottom <= 1000 + 60
    check(browser)


def test_output_is_copied_as_text(browser: Any, logs: Path) -> None:
    opened(browser, logs, 0)
    browser.run(
        "navigator.clipboard.writeText = async (text) => { document.title = text.slice(-9); }"
    )

    press_tool(browser, "Copy")

    browser.wait_for(f"{TOLD} === 'Copied.'")
    assert browser.run("document.title") == "a needle"


def test_without_a_clipboard_the_output_is_selected(browser: Any, logs: Path) -> None:
    opened(browser, logs, 4)
    browser.run(
        "navigator.clipboard.writeText = () => Promise.reject(new Error());"
        "document.execCommand = () => false"
    )

    press_tool(browser, "Copy")

    browser.wait_for(f"{TOLD}.startsWith('This browser does not let')")
    assert browser.run("getSelection().toString().trim()") == "short"


def test_a_short_log_has_few_tools(browser: Any, logs: Path) -> None:
    opened(browser, logs, 4)

    assert browser.run("document.querySelectorAll('.log-tools button').length") == 2
    assert browser.run("document.querySelectorAll('.log-tools input').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
def test_axe_finds_nothing_in_a_log_that_is_searched(  # noqa: PLR0917 - fixtures
    browser: Any, axe: str, screenshots: Path, logs: Path, width: int, scheme: str
) -> None:
    opened(browser, logs, 0, width=width, prefers_color_scheme=scheme)
    seek(browser, "needle")
    browser.run(axe)
    browser.screenshot(screenshots / f"log-{width}-{scheme}.png")

    assert browser.run(VIOLATIONS) == []
    assert browser.run("document.querySelector('#dialog').scrollWidth") <= width
    check(browser)
