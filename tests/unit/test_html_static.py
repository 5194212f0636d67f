"""The page without its script: states, causes, parts, attachments, the plain table."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final

import pytest
from lxml import html
from tests.unit.test_exporter_html import articles, data, page, text

import holdall
from holdall import SessionManager
from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    ResultRecorded,
    SessionCreated,
)
from holdall.results import Attachment, JobResult, Measurement, Subtest
from holdall.testing.exporters import exported
from holdall.testing.sessions import START, SampleSession, big_session, empty_session
from holdall.units import Job, make_unit
from holdall_exporters.html import HtmlExporter
from holdall_exporters.html.parts import number_text
from holdall_exporters.json.reader import read_session

if TYPE_CHECKING:
    from pathlib import Path

PASS: Final = JobResult(outcome="pass", execution_duration=2, started_at=START)
LINES: Final = b"".join(b"line %d\n" % number for number in range(20))


def session(
    *results: JobResult | tuple[JobResult, ...],
    left: int = 0,
    started: int | None = None,
    blockers: tuple[int, ...] = (),
) -> SampleSession:
    """Return a session whose jobs have these results, and of which some jobs are left."""
    ids = [f"com.example::j{number}" for number in range(len(results) + left)]
    events: list[Any] = [SessionCreated(at=START, session_id="s"), DeviceAdded(at=START)]
    for number, job_id in enumerate(ids):
        status = "blocker" if number in blockers else "non-blocker"
        record = JobRecord(id=job_id, summary=f"Check {number}", certification_status=status)
        events.append(JobDefined(at=START, job=record))
    events.append(JobsSelected(at=START, run_list=tuple(ids)))
    for job_id, result in zip(ids, results, strict=False):
        attempts = result if isinstance(result, tuple) else (result,)
        events += [ResultRecorded(at=START + 1, job_id=job_id, result=one) for one in attempts]
    if started is not None:
        events.append(JobStarted(at=START + 2, job_id=ids[started]))
    return SampleSession(tuple(events))


def failed(number: int, **more: Any) -> JobResult:
    return JobResult(outcome="fail", comments=f"no such device: /dev/sd{number}", **more)


def head(found: html.HtmlElement) -> str:
    return text(found.find_class("outcome")[0])


def test_a_running_session_says_so_and_is_no_failure(tmp_path: Path) -> None:
    with SessionManager.create("memory://state") as manager:
        context = manager.add_local_device_context()
        unit = {"plugin": "shell", "command": "true"}
        added = [context.add_unit(make_unit({"id": f"j{number}", **unit})) for number in range(3)]
        jobs = [job for job in added if isinstance(job, Job)]
        context.state.update_desired_job_list(jobs)
        context.state.update_job_result(jobs[0], JobResult(outcome="pass"))
        context.state.job_started(jobs[1])
        manager.checkpoint()
        manager.create_exporter("html").export_to(tmp_path / "page.html")
        manager.create_exporter("json").export_to(tmp_path / "document.json")

    found: Any = html.document_fromstring((tmp_path / "page.html").read_text())
    assert head(found) == "Running 1 of 3 jobs are done; nothing that has ended went wrong"
    assert found.find(".//title").text.startswith("Running: ")
    assert found.find_class("verdict") == []
    assert articles(found) == {}
    document = (tmp_path / "document.json").read_bytes()
    assert json.loads(document)["state"] == read_session(document).state == "running"


@pytest.mark.parametrize(
    ("made", "words", "title"),
    [
        pytest.param(
            session(PASS, left=2),
            "Unfinished 1 of 3 jobs are done; nothing that has ended went wrong; "
            "the run was interrupted, or goes on elsewhere",
            "Unfinished: s",
            id="interrupted",
        ),
        pytest.param(
            session(PASS, failed(1), left=1),
            "Unfinished FAIL 2 of 3 jobs are done; 1 job failed; "
            "the run was interrupted, or goes on elsewhere",
            "Unfinished, FAIL: s",
            id="interrupted after a failure",
        ),
        pytest.param(
            session(left=2), "Not started 0 of 2 jobs are done", "Not started: s", id="new"
        ),
        pytest.param(
            session(PASS), "PASS nothing failed and nothing is left to do", "PASS: s", id="passed"
        ),
        pytest.param(
            session(failed(1)), "FAIL 1 job failed; no job passed", "FAIL: s", id="failed"
        ),
    ],
)
def test_the_state_stands_before_the_verdict(made: SampleSession, words: str, title: str) -> None:
    found = page(made)

    assert head(found) == words
    assert found.findtext(".//title") == title


def test_an_empty_session_has_not_started() -> None:
    assert head(page(empty_session())) == "Not started no job was selected"


def test_a_job_in_flight_went_wrong_if_nobody_runs_it() -> None:
    found = page(session(PASS, left=1, started=1))

    assert "1 job was started and has not ended" in head(found)
    assert list(articles(found)) == ["Check 1"]


def test_the_time_of_jobs_and_what_a_clock_showed_are_told_apart() -> None:
    facts = page(session(PASS, PASS)).find_class("meta")[0]

    told = {text(each.find("dt")): text(each.find("dd")) for each in facts}
    assert (told["Elapsed"], told["Job time"]) == ("2.00 s", "4.00 s")


def test_jobs_stand_with_those_of_the_same_cause_and_blockers_come_first() -> None:
    many = [failed(number) for number in range(12)]
    crash = JobResult(outcome="crash", comments="it fell over")
    found = page(session(*many, crash, failed(12), blockers=(12,)))

    headings = [text(each) for each in found.xpath("//main/section[1]//h3")]
    assert headings == ["crashed Check 12", "13 \u00d7 no such device: \u2026"]
    cause = found.find_class("cause")[0]
    assert len(cause.findall("article")) == 10
    assert "3 more went wrong in the same way." in text(cause)


def test_a_blocker_is_the_first_of_its_cause() -> None:
    found = page(session(failed(0), failed(1), failed(2), blockers=(1,)))

    assert list(articles(found)) == ["Check 1", "Check 0", "Check 2"]
    assert text(found.find_class("blocker")[0]) == "blocker"


def test_as_many_causes_are_shown_as_there_is_room_for_before_more_jobs_of_one() -> None:
    words = ("a", "a", "a", "b", "c", "d")
    found = page(
        session(*(JobResult(outcome="fail", comments=each) for each in words)), failures_max=3
    )

    assert list(articles(found)) == ["Check 0", "Check 3", "Check 4"]
    assert "1 more is not repeated here" in text(found)
    assert "2 more went wrong in the same way." in text(found)


def test_the_outcome_stands_beside_the_title_and_the_facts_on_the_next_line() -> None:
    article = articles(page(session(failed(1, return_code=3))))["Check 0"]

    assert text(article.find("h3")) == "failed Check 0"
    assert text(article.find_class("line")[0]).startswith(
        "com.example::j0 \u00b7 Uncategorised \u00b7 exit code 3"
    )


def test_the_last_five_lines_are_read_without_a_click() -> None:
    article = articles(page(session(failed(1, io_log=[(0, "stdout", LINES)]))))["Check 0"]

    assert article.find("pre").text == "line 15\nline 16\nline 17\nline 18\nline 19\n"
    assert text(article.find("details/summary")) == "15 lines before"
    assert article.find("details/pre").text.endswith("line 13\nline 14\n")


def test_the_last_lines_of_many_that_end_alike_are_shown_once() -> None:
    logs = [failed(number, io_log=[(0, "stdout", LINES)]) for number in range(4)]
    found = list(articles(page(session(*logs))).values())

    assert [len(each.findall("pre")) for each in found] == [1, 0, 0, 0]
    assert text(found[1].find("details/summary")) == "Output: 20 lines, the last ones as above"
    assert found[1].find("details/pre").text == LINES.decode()


@pytest.mark.parametrize(
    ("result", "options", "words"),
    [
        (JobResult(outcome="crash"), {}, "It wrote nothing, and no reason was recorded."),
        (
            JobResult(outcome="fail", io_log=[(0, "stdout", b"x")]),
            {"logs": "none"},
            "Its output is not in this report.",
        ),
    ],
)
def test_no_failure_is_without_a_word(
    result: JobResult, options: dict[str, Any], words: str
) -> None:
    article = articles(page(session(result), **options))["Check 0"]

    assert text(article.find_class("words")[0]) == words


def cells(table: Any) -> list[list[str]]:
    return [[text(cell) for cell in row] for row in table.iter("tr")]


MEASURED: Final = JobResult(
    outcome="fail",
    measurements=[
        Measurement(name="rate", value=91.5, unit="MB/s", lower=100),
        Measurement(name="load", value=12_000, upper=9_000),
        Measurement(name="heat", value=-4.5, unit="K", lower=-10, upper=70),
        Measurement(name="ready", value=True),
    ],
    subtests=[
        Subtest(name="write", outcome="pass", duration=0.5),
        Subtest(name="read", outcome="fail", message="byte 7 differs"),
    ],
)


def test_measurements_and_subtests_are_tables_and_what_is_out_of_limits_is_marked() -> None:
    article = articles(page(session(MEASURED)))["Check 0"]

    assert [cells(each) for each in article.iter("table")] == [
        [
            ["Measurement", "Value", "Limits", "Outcome"],
            ["rate", "91.5 MB/s", "\u2265 100 MB/s", "below the limit"],
            ["load", "12,000", "\u2264 9,000", "above the limit"],
            ["heat", "\u22124.5 K", "\u221210 to 70 K", "passed"],
            ["ready", "yes", "", ""],
        ],
        [
            ["Subtest", "Outcome", "Duration", "Reason"],
            ["write", "passed", "0.50 s", ""],
            ["read", "failed", "", "byte 7 differs"],
        ],
    ]
    assert article.xpath("(.//table)[1]/tbody/tr/@class") == ["fail", "fail", "pass", "open"]


def test_the_details_have_all_parts_and_the_failure_those_that_went_wrong() -> None:
    many = [Measurement(name=f"m{number}", value=number, lower=5) for number in range(20)]
    found = page(session(JobResult(outcome="fail", measurements=many)))

    (details,) = data(found)[1]
    rows = details["attempts"][0]["measurements"]
    assert [row[0] for row in rows] == [f"m{number}" for number in range(20)]
    assert rows[0] == ["m0", "0", "\u2265 5", "fail", "below the limit"]
    article = articles(found)["Check 0"]
    assert [text(each) for each in article.xpath(".//tbody//th")] == ["m0", "m1", "m2", "m3", "m4"]
    assert "15 more measurements and subtests are in the details." in text(article)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (1234567, "1,234,567"), (-0.25, "\u22120.25"), (1e300, "1e+300"), (5.0, "5")],
)
def test_a_measured_number_has_its_own_digits(value: float, shown: str) -> None:
    assert number_text(value, holdall.languages.ENGLISH) == shown


def attached(*files: tuple[str, str, bytes], **options: Any) -> tuple[list[Any], list[str]]:
    """Return what the page knows of files, and the contents in it."""
    given = tuple(
        Attachment(name=name, media_type=kind, size=len(content), data=content)
        for name, kind, content in files
    )
    found = page(session(JobResult(outcome="pass", attachments=given)), **options)
    (details,) = data(found)[1]
    contents = found.get_element_by_id("contents").text or ""
    return details["attempts"][0]["files"], contents.split("\n")


def test_images_are_shown_and_whatever_may_hold_a_script_is_saved_only() -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    files, contents = attached(
        ("a.png", "image/png", b"png"),
        ("b.svg", "image/svg+xml", svg),
        ("c.html", "text/html", b"<b>"),
        ("d.mp4", "video/mp4", b"film"),
    )

    assert [each.get("image") for each in files] == ["image/png", None, None, None]
    assert [each["line"] for each in files] == [0, 1, 2, 3]
    assert [b64decode(line) for line in contents] == [b"png", svg, b"<b>", b"film"]
    assert files[2]["text"] == "<b>"


def test_json_on_one_line_is_shown_in_several() -> None:
    files, _contents = attached(
        ("a.json", "application/json", b'{"a":[1.50,2]}'), ("b.json", "application/json", b"{no}")
    )

    assert [each["text"] for each in files] == ['{\n  "a": [\n    1.50,\n    2\n  ]\n}', "{no}"]


def test_contents_beyond_a_limit_are_counted_and_said_to_be_missing(tmp_path: Path) -> None:
    files, contents = attached(
        ("a.png", "image/png", b"x" * 11),
        ("b.png", "image/png", b"x" * 10),
        ("c.png", "image/png", b"x" * 10),
        ("d.png", "image/png", b"y"),
        embed_max=10,
        embed_total=15,
    )

    assert [each.get("line") for each in files] == [None, 0, None, 1]
    assert contents == [b64encode(b"x" * 10).decode(), b64encode(b"y").decode()]
    png = Attachment(name="a.png", media_type="image/png", size=2, data=b"ab")
    made = session(JobResult(outcome="pass", attachments=[png]))
    report = holdall.export(made, "html", tmp_path / "page.html", options=["embed-max=1"])
    assert report.changes["contents of attachments left out"] == 1


def test_in_an_archive_only_images_are_in_the_page_and_nothing_is_left_out(tmp_path: Path) -> None:
    files = (("a.png", "image/png", b"png"), ("b.bin", "application/x", b"bin"))
    known, contents = attached(*files, archive="yes")

    assert [each.get("line") for each in known] == [0, None]
    assert contents == [b64encode(b"png").decode()]
    given = [Attachment(name=n, media_type=t, size=len(c), data=c) for n, t, c in files]
    made = session(JobResult(outcome="pass", attachments=given))
    options = ["archive"]
    report = holdall.export(made, "html", tmp_path / "page.html", options=options)
    assert report.changes == {}


def test_a_content_that_the_session_has_not_got_is_a_warning(tmp_path: Path) -> None:
    lost = Attachment(name="a.png", media_type="image/png", size=2, ref="sha256:" + "0" * 64)
    note = Attachment(name="b.txt", media_type="text/plain", size=2, ref="sha256:" + "1" * 64)
    made = session(JobResult(outcome="pass", attachments=[lost, note]))

    report = holdall.export(made, "html", tmp_path / "page.html", verify=True)

    assert [each.code for each in report.warnings] == ["left-out", "left-out"]
    assert "'a.png' is not in the page" in report.warnings[0].text


def test_the_plain_table_has_the_first_jobs_and_says_how_many_there_are() -> None:
    found = page(big_session(30), plain_max=20)
    plain = found.get_element_by_id("plain")

    rows = [[text(cell) for cell in row] for row in plain.findall("table/tbody/tr")]
    assert len(rows) == 20
    assert rows[9] == [
        "failed",
        "Check part 9 of the machine & its <friends>",
        "com.example::job/9",
        "Category 9",
        "1.12 s",
    ]
    assert "The table of all 30 jobs needs JavaScript" in text(plain)
    assert "Here are the first 20 of them." in text(plain)


def test_sizes_and_colours_that_mean_something_need_no_style() -> None:
    found = page()

    ring = found.find_class("ring")[0]
    assert (ring.get("width"), ring.get("height"), ring.get("fill")) == ("144", "144", "none")
    assert all(each.get("stroke", "").startswith("#") for each in ring.iter("circle"))
    marks = found.find_class("mark")
    assert all(int(each.get("width")) <= 20 and each.get("fill") for each in marks)
    assert {each.get("hidden") is not None for each in found.find_class("open-job")} == {True}


def test_flaky_jobs_are_counted_and_the_count_leads_to_them() -> None:
    found = page(session((failed(1), PASS), PASS))

    assert text(found.find_class("flaky")[0]) == "1 flaky"
    assert found.xpath("//li[@class='flaky']/a/@href") == ["#flaky=yes"]


def test_what_the_session_says_is_isolated_from_the_words_around_it() -> None:
    name = "\u05e9\u05dc\u05d5\u05dd 1"
    events = (
        SessionCreated(at=START, session_id="s", title=name),
        DeviceAdded(at=START, device=name, description=name, facts={name: name}),
        JobDefined(at=START, device=name, job=JobRecord(id=name, summary=name, category_id=name)),
        JobsSelected(at=START, device=name, run_list=(name,)),
        ResultRecorded(
            at=START,
            device=name,
            job_id=name,
            result=JobResult(outcome="fail", comments=name, io_log=[(0, "stdout", name.encode())]),
        ),
    )
    found = page(SampleSession(events))

    holders = found.xpath(f"//*[not(self::script or self::title)][text()[contains(., '{name}')]]")
    assert len(holders) > 10
    assert [each.tag for each in holders if each.tag != "bdi" and each.get("dir") != "auto"] == []


def test_the_same_page_is_made_twice() -> None:
    made = session(MEASURED, failed(1, io_log=[(0, "stdout", LINES)]), left=1)

    assert exported(HtmlExporter, made) == exported(HtmlExporter, made)


@pytest.mark.parametrize("depth", [20, 90, 900, 5000])
def test_a_preview_of_json_is_no_longer_than_the_page_can_hold(depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    one = Attachment(name="deep.json", media_type="application/json", size=len(deep), data=deep)

    found = exported(HtmlExporter, session(JobResult(outcome="fail", attachments=[one] * 64)), [])

    assert len(found) < 400_000 + 64 * 3 * len(deep)  # the contents, and not what indents them
