"""The page in Chromium where its script can't run, on paper, and what the script adds of parts.

python -m pytest -m browser tests/browser/test_html_static.py
"""

from __future__ import annotations

import struct
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.browser.test_html_report import OPEN_DETAILS, VIOLATIONS, check, shown
from tests.unit.test_html_static import MEASURED, PASS, failed, session

from holdall.journal.events import (
    CategoryDefined,
    DeviceAdded,
    JobDefined,
    JobRecord,
    ResultRecorded,
    SessionCreated,
)
from holdall.results import Attachment, JobResult
from holdall.testing.exporters import exported
from holdall.testing.sessions import START, SampleSession, big_session, sample_session
from holdall_exporters.html import HtmlExporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# What Jenkins sends with what a build made, and what a server may send that knows no sandbox.
POLICIES: Final = {
    "jenkins": "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';",
    "no sandbox": "default-src 'none'; img-src 'self'; style-src 'self'",
}
# Sizes of text on paper, smallest first; seven points are 9.33 pixels.
SIZES: Final = """
(() => {
  dispatchEvent(new Event('beforeprint'));
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const sizes = new Set();
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const svg = element.closest('svg');
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    sizes.add(parseFloat(getComputedStyle(element).fontSize) * scale);
  }
  return [...sizes].sort((a, b) => a - b);
})()
"""


# Facts, cells and headings from left to right; one of the facts is a duration.
ORDER: Final = """
(() => {
  const left = (each) => each.getBoundingClientRect().left;
  return [...document.querySelectorAll('.line bdi, #rows td, #rows .name, h1, h3')]
    .sort((one, other) => left(one) - left(other))
    .map((each) => [each.innerText.includes('12.0 s'), each.tagName, each.className]);
})()
"""


def picture(width: int, height: int) -> bytes:
    """Return a PNG, red all over."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        size, digest = len(content), zlib.crc32(kind + content)
        return struct.pack(">I", size) + kind + content + struct.pack(">I", digest)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xff\0\0" * width) * height
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return what writes the page of a session."""
    folder = tmp_path_factory.mktemp("made")

    def write(name: str, of: SampleSession, **options: Any) -> Path:
        path = folder / f"{name}.html"
        path.write_bytes(exported(HtmlExporter, of, options))
        return path

    return write


@pytest.fixture
def served(made: Callable[..., Path]) -> Iterator[str]:
    """Return the address of pages: `/POLICY/NAME` under that policy."""
    folder = made("nothing", session()).parent

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            policy, _, name = self.path.removeprefix("/").replace("%20", " ").partition("/")
            content = (folder / name).read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICIES[policy])
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


STATES: Final = {
    "new": session(left=3),
    "unfinished": session(PASS, left=2),
    "unfinished after a failure": session(PASS, failed(1), left=1),
    "failed": session(PASS, failed(1)),
    "passed": session(PASS),
}


def test_states_differ_in_words_and_in_colours(
    browser: Any, made: Callable[..., Path], screenshots: Path
) -> None:
    seen = {}
    for name, of in STATES.items():
        shown(browser, made(name, of))
        browser.screenshot(screenshots / f"state-{name}.png")
        seen[name] = browser.run(
            "[...document.querySelectorAll('.outcome strong')].map((each) =>"
            " [each.innerText, getComputedStyle(each).backgroundColor])"
        )
        check(browser)

    words = {name: [word for word, _ in each] for name, each in seen.items()}
    assert words == {
        "new": ["Not started"],
        "unfinished": ["Unfinished"],
        "unfinished after a failure": ["Unfinished", "FAIL"],
        "failed": ["FAIL"],
        "passed": ["PASS"],
    }
    colours = {colour for each in seen.values() for _, colour in each}
    assert len(colours) == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1600])
def test_causes_and_parts_fit_and_axe_finds_nothing(  # noqa: PLR0917 - fixtures
    browser: Any,
    axe: str,
    screenshots: Path,
    made: Callable[..., Path],
    width: int,
    scheme: str,
) -> None:
    log = [(0.0, "stdout", b"".join(b"line %d\n" % number for number in range(30)))]
    results = [failed(number, io_log=log) for number in range(12)]
    path = made("causes", session(PASS, MEASURED, (failed(1), PASS), *results, blockers=(5,)))
    shown(browser, path, width=width, height=1400, prefers_color_scheme=scheme)
    browser.screenshot(screenshots / f"causes-{width}-{scheme}.png")
    browser.run(axe)

    assert browser.run(VIOLATIONS) == []
    assert browser.run("document.documentElement.scrollWidth") == width
    check(browser)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_page_is_readable_where_neither_style_nor_script_is_allowed(
    browser: Any, made: Callable[..., Path], screenshots: Path, served: str, policy: str
) -> None:
    made("causes", session(PASS, MEASURED, (failed(1), PASS), failed(2), failed(3)))
    for scheme in ("light", "dark"):
        address = f"{served}/{policy.replace(' ', '%20')}/causes.html"
        browser.open(address, prefers_color_scheme=scheme)
        time.sleep(0.3)  # a page in a sandbox has no timers to wait by
        browser.screenshot(screenshots / f"policy-{policy}-{scheme}.png")
    words = browser.run("document.body.innerText").replace("\xa0", " ")

    assert browser.run("getComputedStyle(document.body).margin") == "8px"  # no style of ours
    for each in ("FAIL", "3 jobs failed", "2 \u00d7 no such device: \u2026", "below the limit"):
        assert each in words
    assert browser.run("document.querySelector('.ring').getBoundingClientRect().width") == 144
    widest = "Math.max(...[...document.querySelectorAll('.mark')].map((one) => one.clientWidth))"
    assert browser.run(widest) <= 20
    rows = "document.querySelectorAll('.plain tbody tr').length"
    assert browser.run(rows) == 5
    assert browser.run("document.querySelector('.plain').getBoundingClientRect().height") > 90
    for hidden in ("#dialog", "#filter", "#table", ".open-job"):
        assert browser.run(f"document.querySelector({hidden!r}).checkVisibility()") is False


def test_the_plain_table_is_gone_where_the_script_runs(
    browser: Any, made: Callable[..., Path]
) -> None:
    shown(browser, made("many", big_session(1200)))

    assert browser.run("document.querySelector('#plain')") is None


def test_the_plain_table_is_there_where_the_data_can_not_be_read(
    browser: Any, made: Callable[..., Path]
) -> None:
    path = made("broken", big_session(30))
    page = path.read_text()
    at = page.index("H4sI")
    path.write_text(page[:at] + "AAAA" + page[at + 4 :])
    browser.open(path)
    browser.wait_for("document.querySelector('#problem').hidden === false")

    assert browser.run("document.querySelector('#plain').checkVisibility()") is True


def test_310_jobs_print_on_twelve_pages_at_most_and_can_be_read(
    browser: Any, made: Callable[..., Path], screenshots: Path
) -> None:
    logs = b"".join(b"a line of output, number %d\n" % number for number in range(2000))
    results = [
        failed(number, io_log=[(0.0, "stdout", logs)]) if number % 10 == 0 else PASS
        for number in range(310)
    ]
    shown(browser, made("paper", session(*results)))

    (screenshots / "paper.pdf").write_bytes(paper := browser.pdf())
    pages = paper.count(b"/Type /Page\n")
    print(f"\n310 jobs print on {pages} pages")
    assert 2 < pages <= 12
    browser.media("print")
    assert browser.run(SIZES)[0] >= 9.33


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_details_show_parts_and_images_and_save_the_rest(
    browser: Any, axe: str, made: Callable[..., Path], screenshots: Path, scheme: str
) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='document.title=1'/>"
    shot = picture(32, 16)
    files = [
        Attachment(name=name, media_type=kind, size=len(content), data=content)
        for name, kind, content in (
            ("shot.png", "image/png", shot),
            ("drawing.svg", "image/svg+xml", svg),
            ("film.mp4", "video/mp4", b"film"),
            ("facts.json", "application/json", b'{"a":[1,2]}'),
        )
    ]
    result = JobResult(
        outcome="fail",
        measurements=MEASURED.measurements,
        subtests=MEASURED.subtests,
        attachments=files,
    )
    path = made("parts", session(result, PASS))
    shown(browser, path, fragment="#job=com.example%3A%3Aj0", prefers_color_scheme=scheme)
    browser.wait_for(OPEN_DETAILS)
    browser.wait_for("document.querySelector('#details img')?.naturalWidth === 32")
    browser.run("Promise.all(document.getAnimations().map((each) => each.finished))")
    browser.screenshot(screenshots / f"parts-{scheme}.png")
    browser.run(axe)

    assert browser.run(VIOLATIONS) == []
    words = browser.run("document.querySelector('#details').innerText").replace("\xa0", " ")
    for each in ("below the limit", "\u2265 100 MB/s", "byte 7 differs", '"a": ['):
        assert each in words
    assert browser.run("document.querySelectorAll('#details img').length") == 1
    links = browser.run(
        "[...document.querySelectorAll('#details a[download]')].map((each) =>"
        " [each.download, each.href.split(',')[0]])"
    )
    kind = "data:application/octet-stream;base64"
    assert links == [[each.name, kind] for each in files]
    assert browser.run("document.title").startswith("FAIL: ")
    assert browser.errors == []
    assert {url.partition(":")[0] for url in browser.requests} <= {"about", "data", "file"}


def test_a_name_from_right_to_left_leaves_what_stands_beside_it_in_its_place(
    browser: Any, made: Callable[..., Path], screenshots: Path
) -> None:
    places = {}
    for lang, name in (("latin", "disk 12"), ("hebrew", "\u05d3\u05d9\u05e1\u05e7 12")):
        result = JobResult(outcome="fail", comments=name, execution_duration=12)
        record = JobRecord(id=name, summary=name, category_id="c")
        events = (
            SessionCreated(at=START, session_id="s", title=name),
            DeviceAdded(at=START, device=name),
            CategoryDefined(at=START, id="c", name=name),
            JobDefined(at=START, device=name, job=record),
            ResultRecorded(at=START, device=name, job_id=name, result=result),
        )
        shown(browser, made(lang, SampleSession(events)))
        browser.screenshot(screenshots / f"direction-{lang}.png")
        places[lang] = browser.run(ORDER)
        starts = browser.run(
            "[...document.querySelectorAll('h1 bdi, h3 bdi, #rows .name bdi')].map((each) =>"
            " each.getBoundingClientRect().left - each.parentElement.getBoundingClientRect().left)"
        )
        assert max(starts) < 90
        check(browser)

    assert places["hebrew"] == places["latin"]


def test_opening_a_job_of_a_sample_of_everything_makes_no_mistake(
    browser: Any, made: Callable[..., Path]
) -> None:
    path = made("everything", sample_session(), logs="all")
    for name in ("big-log", "hostile-markup", "flaky"):
        shown(browser, path, fragment=f"#q={name}")
        browser.run("document.querySelector('#rows .name').click()")
        browser.wait_for(OPEN_DETAILS)
        assert browser.errors == []
