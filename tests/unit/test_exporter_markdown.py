"""The Markdown exporter: within its budget, and nothing of the session is markup."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.unit.one_job import session_of, with_jobs

from holdall.exports import export
from holdall.results import IOLogRecord, JobResult
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import (
    HOSTILE,
    devices_session,
    empty_session,
    hostile_session,
    sample_session,
)
from holdall.testing.strategies import hostile_sessions
from holdall_exporters.markdown import MarkdownExporter

if TYPE_CHECKING:
    from holdall.testing.sessions import (
        SampleSession,
    )

OUTPUT = f"{'out' * 50}\n" * 5
SKIP = "\U0001f9ea" * 300  # as long as it may be, in bytes
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKUP = {
    "link": "[here](https://x.com) <https://x.com> http://example.com www.example.com",
    "mail": "someone@example.com <someone@example.com>",
    "mention": "@octocat @org/team",
    "reference": "#1 GH-1 owner/name#1 owner/name@deadbeef",
    "html": "<details open><summary>x</summary></details> <!-- <b>",
    "emphasis": "*a* **b** _c_ __d__ ~~e~~ \\*",
    "heading": "# a\n## b\n===\n---",
    "list": "- a\n* b\n1. c\n- [ ] d",
    "quote": "> a\n> b",
    "table": "| a | b |\n|--|--|\n| c | d |",
    "fence": "```\n````\n~~~\n```text\n# a",
    "span": "`a` ``b`` ```c``` ` `` ``` ````",
    "mathematics": "$x$ $`y`$ $$z$$",
    "image": "![a](https://example.com/a.png)",
    "definition": "[a]: https://example.com\n[^1]: b",
    "entity": "&lt;b&gt; &#35;",
    "indented": "    code\n\tcode",
    "emoji": ":tada:",
}


@pytest.mark.sampled(6)
class TestMarkdownExporter(ExporterContract):
    """The Markdown exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[MarkdownExporter]] = MarkdownExporter


def page(session: SampleSession, **options: str) -> str:
    return exported(MarkdownExporter, session, options).decode()


def skeleton(text: str) -> list[str]:
    """Return what a parser makes of a page, without what stands in code."""
    found: list[str] = []
    for token in PARSER.parse(text):
        found.append(token.type)
        found += [
            child.type if child.type == "code_inline" else f"{child.type} {child.content}"
            for child in token.children or ()
        ]
    return found


def code(text: str) -> list[str]:
    """Return what stands in code."""
    tokens = PARSER.parse(text)
    inside = [child for token in tokens for child in token.children or ()]
    return [token.content for token in (*tokens, *inside) if token.type.startswith(("code", "fe"))]


def failed(comments: str, output: str = "") -> JobResult:
    log = [IOLogRecord(0, "stdout", output.encode())] if output else []
    return JobResult(outcome="fail", comments=comments, io_log=log)


@pytest.mark.parametrize("text", [*MARKUP.values(), *HOSTILE.values()], ids=[*MARKUP, *HOSTILE])
def test_no_text_of_a_session_is_markup(text: str) -> None:
    plain = skeleton(page(hostile_session("plain")))

    assert skeleton(page(hostile_session(text))) == plain


@settings(max_examples=8, deadline=None)
@given(st.text(st.sampled_from("a`~#*_[]()<>|@&\\-+.:/ \t\n1"), max_size=40))
def test_no_text_that_is_made_up_is_markup(text: str) -> None:
    plain = skeleton(page(hostile_session("plain")))

    assert skeleton(page(hostile_session(f"a\n{text}\nb"))) == plain


def test_words_of_a_session_stand_in_code_as_they_are() -> None:
    text = page(session_of(failed("no ``such`` device | <b>", "1\n```\n2\n"), title="`a` b"))

    assert {"`a` b", "no ``such`` device | <b>", "1\n```\n2\n"} <= set(code(text))


def test_the_verdict_and_the_counts_come_first() -> None:
    head, _heading, _rest = page(sample_session()).partition("\n## ")

    assert head.startswith('# `Sample <session> & "more"`\n\nThis session has not been finished.')
    assert "**FAIL**: 13 jobs failed; 2 jobs crashed;" in head
    assert "\n42 jobs, 1 h 06 min, 1 of them flaky\n" in head
    assert "\n| passed | 17 |\n" in head


def test_a_session_that_passed_says_no_more() -> None:
    text = page(session_of(JobResult(outcome="pass", execution_duration=2)))

    assert "**PASS**\n\n1 job, 2.00 s\n" in text
    assert "## What went wrong" not in text


def test_an_empty_session_has_no_table() -> None:
    assert page(empty_session()) == (
        "# `sample-empty`\n\n**FAIL**: no job passed\n\n0 jobs, 0.00 s\n\n"
        "---\n\n`sample-empty` · `application`.\n"
    )


def test_failures_stand_by_cause_with_their_last_lines() -> None:
    text = page(
        with_jobs(
            one=failed("", "1\n2\n3\nno device 1\n"),
            two=failed("", "no device 2\n"),
            three=failed("out of paper"),
        ),
        lines="2",
    )

    assert (
        "### 2 x failed: `no device #`\n\n"
        "Jobs: `com.example::one`, `com.example::two`\n\n"
        "```text\n3\nno device 1\n```\n\n"
        "### 1 x failed: `out of paper`\n\nJobs: `com.example::three`\n\n"
    ) in text


def test_jobs_beyond_the_first_ones_of_a_cause_are_counted() -> None:
    session = with_jobs(**{f"j{number}": failed("gone") for number in range(13)})
    text = page(session)
    report = export(session, "markdown", io.BytesIO())

    assert "### 13 x failed: `gone`" in text
    assert "`com.example::j9` and 3 more\n" in text
    assert report.changes == {"names of jobs left out": 3}


def test_the_slowest_jobs_and_the_others_have_lists_of_their_own() -> None:
    jobs = {
        f"j{number}": JobResult(outcome="pass", execution_duration=number) for number in range(3)
    }
    text = page(with_jobs(**jobs), slowest="2")

    assert (
        "## Slowest jobs\n\n- 2.00 s: `com.example::j2`\n- 1.00 s: `com.example::j1`\n\n"
        "## Other jobs\n\n- passed: `com.example::j0`, 0.00 s\n"
    ) in text
    assert "## Slowest" not in page(with_jobs(**jobs), slowest="0")
    assert "## Other" not in page(with_jobs(**jobs), others="no")


def test_jobs_of_several_devices_are_told_apart() -> None:
    assert "Jobs: `dut-2: com.example::disk`, `dut-2: com.example::cpu`" in page(devices_session())


def test_what_has_no_room_goes_from_the_end_and_is_counted() -> None:
    names = [f"j{number:03}" for number in range(200)]
    good = {name: JobResult(outcome="pass", execution_duration=1) for name in names}
    bad = {f"bad-{name}": failed(f"cause {'x' * int(name[1:])}", OUTPUT) for name in names}

    most, some, few = (
        page(with_jobs(**good, **bad), budget=budget) for budget in ("250k", "100k", "4k")
    )

    assert "## Slowest jobs" in most
    assert "Left out" not in most
    assert "## Slowest jobs" not in some
    assert re.search(
        r"room: the output of \d+ causes; \d+ causes, of \d+ jobs; the 10 slowest jobs; "
        r"200 other jobs\.",
        some,
    )
    assert "**FAIL**: 200 jobs failed" in few
    assert few.count("\n### ") < some.count("\n### ") < most.count("\n### ") == 195


@settings(max_examples=6, deadline=None)
@given(session=hostile_sessions(), budget=st.integers(4096, 20_000))
def test_a_page_never_has_more_bytes_than_its_budget(session: SampleSession, budget: int) -> None:
    report = exported(MarkdownExporter, session, {"budget": str(budget)})

    assert len(report) <= budget


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("size", [1, 5000])
def test_no_text_is_too_long_for_the_least_budget(text: str, size: int) -> None:
    session = hostile_session(text * size)

    assert len(page(session, budget="4096", lang="de").encode()) <= 4096


@pytest.mark.parametrize(
    ("place", "most", "size"), [("summary", 1 << 20, 900), ("check", 65_535, 80)]
)
def test_a_place_takes_so_much(place: str, most: int, size: int) -> None:
    names = [f"{number:03}{'j' * 80}" for number in range(size)]
    long = with_jobs(**{name: JobResult(outcome="skip", skip_reason=SKIP) for name in names})

    assert most - 4096 < len(page(long, place=place).encode()) <= most
