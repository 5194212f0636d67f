from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

from holdall.errors import ReportTemplateError
from holdall.exports.pipeline import export
from holdall.registry.registry import Registry
from holdall.testing import ExporterContract
from holdall.testing.exporters import exported
from holdall.testing.sessions import HOSTILE, sample_session
from holdall_exporters.template import TemplateExporter

if TYPE_CHECKING:
    from pathlib import Path

REGISTRY = Registry.discover()


class TestTemplate(ExporterContract):
    """The example template keeps every promise of an exporter."""

    exporter = TemplateExporter


def made(path: Path, text: str | bytes, **options: str) -> str:
    """Return the report of a template *text* that is written to *path*."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return exported(
        TemplateExporter, sample_session(), {"template": str(path), **options}
    ).decode()


def test_the_example_tells_the_verdict_and_every_job() -> None:
    session = sample_session()

    lines = exported(TemplateExporter, session).decode().splitlines()

    assert lines[0] == f"FAIL: {session.view().title}"
    assert len([line for line in lines if "::" in line]) >= session.view().job_count


def test_a_template_sees_the_session_and_what_is_said_of_it(tmp_path: Path) -> None:
    words = "{{ title }}|{{ verdict.word }}|{{ now.year }}|{{ lang }}|{{ provenance }}|{{ data }}"

    title, word, year, lang, provenance, data = made(tmp_path / "a.txt", words).split("|")

    view = sample_session().view()
    assert (title, word, lang, data) == (view.title, "FAIL", "en", "{}")
    assert year.isdigit()
    assert provenance


@pytest.mark.parametrize("name", ["a.html", "a.htm.j2", "a.xml", "a.svg.jinja2"])
def test_text_is_escaped_in_markup(tmp_path: Path, name: str) -> None:
    page = made(
        tmp_path / name, "{% for job in view.jobs() %}<p>{{ job.summary }}</p>{% endfor %}"
    )

    assert "<script>" not in page
    texts = [each.text for each in html.fromstring(page).findall(".//p")]
    assert HOSTILE["markup"] in texts


@pytest.mark.parametrize("name", ["a.txt", "a.md.j2", "a"])
def test_text_is_left_as_it_is_elsewhere(tmp_path: Path, name: str) -> None:
    assert made(tmp_path / name, "{{ '<b>' }} & more\n") == "<b> & more\n"


JSON = """{"jobs": [
{%- for job in view.jobs() %}{{ "," if not loop.first }}
  {"id": {{ job.id | jsonify }}, "summary": {{ job.summary | jsonify }}}
{%- endfor %}]}
"""


def test_trap_json_by_a_template_holds_quotes_backslashes_and_line_ends(tmp_path: Path) -> None:
    report = made(tmp_path / "a.json.j2", JSON)

    jobs = [(job.id, job.summary) for job in sample_session().view().jobs()]
    assert [(each["id"], each["summary"]) for each in json.loads(report)["jobs"]] == jobs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            '{"a": [1,}', "Expecting value: line 1 column 10 (char 9), near '{\"a\": [1,}'"
        ),
        pytest.param('{"a": NaN}', "NaN is no number"),
        pytest.param("", "Expecting value: line 1 column 1"),
    ],
)
def test_json_that_is_none_is_refused_whole_with_what_stands_around_the_place(
    tmp_path: Path, text: str, words: str
) -> None:
    template = tmp_path / "a.json"
    target = tmp_path / "report.json"
    template.write_text(text)
    target.write_text("the old report")

    with pytest.raises(ReportTemplateError) as caught:
        export(sample_session(), "template", target, options={"template": template})

    assert f"a.json: it made no JSON: {words}" in str(caught.value)
    assert target.read_text() == "the old report"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("a\n{% for x %}", 2, "expected token 'in'", id="syntax"),
        pytest.param("a\nb\n{{ nothing }}", 3, "'nothing' is undefined", id="undefined"),
        pytest.param("\n\n\n{{ view.nothing }}", 4, "no attribute 'nothing'", id="attribute"),
        pytest.param("a\n{{ 1 / 0 }}", 2, "division by zero", id="arithmetic"),
        pytest.param(
            "{% macro m() %}\n{{ nothing }}\n{% endmacro %}\n{{ m() }}",
            2,
            "'nothing' is undefined",
            id="in a macro",
        ),
        pytest.param("a\n{{ x | nofilter }}", 2, "No filter named 'nofilter'", id="filter"),
        pytest.param(
            "a\n{% include 'no.txt' %}", 2, "there is no template 'no.txt'", id="include"
        ),
        pytest.param("{% extends 'no.txt' %}", 1, "there is no template 'no.txt'", id="extends"),
        pytest.param(b"\xff", 0, "not UTF-8 (byte 0)", id="encoding"),
        pytest.param("a\n{{ '' | log }}", 2, "io_log", id="in a filter"),
    ],
)
def test_an_error_is_told_with_file_and_line(
    tmp_path: Path, text: str | bytes, line: int, words: str
) -> None:
    path = tmp_path / "mine.txt"

    with pytest.raises(ReportTemplateError) as caught:
        made(path, text)

    assert (caught.value.template, caught.value.line) == (str(path), line)
    assert words in caught.value.reason


def test_an_error_in_an_included_file_is_told_with_that_file(tmp_path: Path) -> None:
    (tmp_path / "part.txt").write_text("fine\n{{ nothing }}\n")

    with pytest.raises(ReportTemplateError) as caught:
        made(tmp_path / "mine.txt", "{% include 'part.txt' %}")

    assert (caught.value.template, caught.value.line) == (str(tmp_path / "part.txt"), 2)


@pytest.mark.parametrize("name", ["no.txt", "."])
def test_a_template_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReportTemplateError, match="there is no such file"):
        exported(TemplateExporter, sample_session(), {"template": str(tmp_path / name)})


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ view.__dict__ }}",
        "{{ view.jobs.__func__.__globals__ }}",
        "{{ view.plugins.append(1) }}",
        "{{ data.update({}) }}",
        "{{ include_file('../outside.txt') }}",
        "{{ include_file('/etc/hostname') }}",
        "{% include '../outside.txt' %}",
        "{{ '{0.__class__}'.format(view) }}",
    ],
)
def test_a_template_can_reach_nothing_but_the_session_and_its_folders(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    (tmp_path / "inside").mkdir()

    with pytest.raises(ReportTemplateError):
        made(tmp_path / "inside" / "a.txt", text)


@pytest.mark.parametrize(
    ("text", "report"),
    [
        pytest.param("{{ 'com.example::a/b' | strip_ns }}", "a/b", id="strip_ns"),
        pytest.param("{{ 'plain' | strip_ns }}", "plain", id="strip_ns without one"),
        pytest.param(
            """{{ '{"z": 1, "a": 2}' | json_load_ordered_dict | list }}""",
            "[&#39;z&#39;, &#39;a&#39;]",
            id="json_load_ordered_dict",
        ),
        pytest.param(
            "{{ 'a: <1>' | highlight_keys }}", "<b>a: </b>&lt;1&gt;", id="highlight_keys"
        ),
        pytest.param("{{ '<a>\nb' | nl2br }}", "&lt;a&gt;<br>\nb", id="nl2br"),
        pytest.param("{{ 'name' is is_name }} {{ 1 is is_name }}", "True False", id="is_name"),
        pytest.param("{{ 'a\x1b' | visible }}", "a␛", id="visible"),
        pytest.param("{{ 61 | duration }}", "1 min 01 s", id="duration"),
        pytest.param("{{ 0 | iso }}", "1970-01-01T00:00:00Z", id="iso"),
        pytest.param("{{ [1, 'ö'] | jsonify | safe }}", '[1, "ö"]', id="jsonify"),
    ],
)
def test_filters_of_plainbox_and_others_are_there(tmp_path: Path, text: str, report: str) -> None:
    assert made(tmp_path / "a.html", text) == report


def test_what_a_job_wrote_is_text_and_cut_visibly(tmp_path: Path) -> None:
    jobs = "{% for job in view.jobs() if job.io_log_size > 20 %}"

    whole = made(tmp_path / "a.txt", f"{jobs}{{{{ job | log }}}}{{% endfor %}}")
    cut = made(tmp_path / "a.txt", f"{jobs}{{{{ job | log(3) }}}}{{% endfor %}}")

    assert "\x1b" not in whole
    assert "characters left out ...]" in cut
    assert len(cut) < len(whole)


def test_files_come_from_the_extra_paths_too(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "head.txt").write_text("<{{ title|length }}>")

    report = made(
        tmp_path / "a.html",
        "{% include 'head.txt' %}{{ include_file('head.txt') }}",
        extra_paths=str(tmp_path / "parts"),
    )

    length = len(sample_session().view().title)
    assert report == f"<{length}><{{{{ title|length }}}}>"


def test_a_report_is_written_in_pieces(tmp_path: Path) -> None:
    class Pieces(io.RawIOBase):
        sizes: list[int] = []  # noqa: RUF012 - of one test

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.sizes.append(len(data))
            return len(data)

    template = tmp_path / "a.txt"
    template.write_text("{% for x in range(20000) %}{{ '0123456789' }}{% endfor %}")

    export(
        sample_session(), "template", Pieces(), options={"template": template}, registry=REGISTRY
    )

    assert sum(Pieces.sizes) == 200_000
    assert max(Pieces.sizes) < 80_000
