"""Reports that are read back before they are published: whole ones are, cut ones are not."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import PluginCallError
from holdall.exports.pipeline import export
from holdall.registry.registry import Registry
from holdall.testing.sessions import big_session, devices_session, empty_session, sample_session

if TYPE_CHECKING:
    from pathlib import Path

REGISTRY = Registry.discover()
VARIANTS = {
    "tap": ("tap", []),
    "ndjson": ("ndjson", []),
    "csv": ("csv", []),
    "agent": ("agent", []),
    "markdown": ("markdown", []),
    "ctrf": ("ctrf", []),
    "html": ("html", []),
    "html with all logs": ("html", ["logs=all", "lang=de"]),
    "json": ("json", []),
    "json of Checkbox": ("json", ["dialect=checkbox"]),
    "junit": ("junit", []),
    "otr": ("otr", []),
    "tar": ("tar", ["contents=html,text"]),
    "test plan": ("testplan", []),
    "test plan as CSV": ("csv", ["test-plan"]),
    "text": ("text", ["logs=all"]),
    "text in colours": ("text", ["color=always", "width=60"]),
    "word": ("global", []),
    "reasons": ("global", ["form=reasons", "lang=de"]),
    "JSON verdict": ("global", ["form=json"]),
    "badge": ("global", ["form=badge"]),
    "xlsx": ("xlsx", []),
}
SESSIONS = {
    "sample": sample_session(),
    "empty": empty_session(),
    "devices": devices_session(),
    "big": big_session(600),
}


def written(name: str, options: list[str], session: Any, **more: Any) -> bytes:
    stream = io.BytesIO()
    report = export(session, name, stream, options=options, registry=REGISTRY, **more)
    assert not [each for each in report.warnings if each.code == "not-verified"]
    return stream.getvalue()


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_format_reads_its_own_reports_back(variant: str, session: str) -> None:
    assert written(*VARIANTS[variant], SESSIONS[session], verify=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_report_that_is_cut_short_is_not_whole(variant: str) -> None:
    name, options = VARIANTS[variant]
    report = written(name, options, sample_session())
    verify = REGISTRY.load("exporters", name).verify

    verify(io.BytesIO(report))
    for size in (len(report) // 3, len(report) - 3):
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever its parser raises
            verify(io.BytesIO(report[:size]))


def test_a_page_whose_data_are_damaged_is_not_whole() -> None:
    page = written("html", [], big_session(600))
    start = page.index(b'id="data"')
    end = page.index(b"</script>", start)
    without_a_line = page[: page.rindex(b"\n", start, end)] + page[end:]
    verify = REGISTRY.load("exporters", "html").verify

    with pytest.raises(ValueError, match="its data have 600 rows, and details of 512"):
        verify(io.BytesIO(without_a_line))


def test_a_text_that_would_steer_a_terminal_is_refused() -> None:
    verify = REGISTRY.load("exporters", "text").verify

    with pytest.raises(ValueError, match="line 2 would steer a terminal"):
        verify(io.BytesIO(b"\x1b[1;31mfine\x1b[0m\n\x1b[2J\n"))


def test_a_page_of_ones_own_is_read_as_text_alone(tmp_path: Path) -> None:
    template = tmp_path / "mine.html"
    template.write_text("<p>{{ title }}</p>")

    assert written("html", [f"template={template}"], sample_session(), verify=True)


def test_an_old_report_stays_where_the_new_one_can_not_be_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "verdict.txt"
    target.write_text("PASS\n")
    monkeypatch.setitem(
        REGISTRY.load("exporters", "global").export.__globals__["_FORMS"],
        "word",
        lambda *_: "PERHAPS\n",
    )

    with pytest.raises(PluginCallError, match="it should say PASS or FAIL, and says 'PERHAPS"):
        export(sample_session(), "global", target, registry=REGISTRY, verify=True)
    assert target.read_text() == "PASS\n"
