"""The text exporter: lines that can be trusted, in a terminal too."""

from __future__ import annotations

import re
import unicodedata
from io import BytesIO
from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from holdall.exports.pipeline import export
from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    ResultRecorded,
    SessionCreated,
)
from holdall.results import JobResult, Outcome
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import (
    START,
    SampleSession,
    big_session,
    empty_session,
    sample_session,
)
from holdall.writing import columns_of, line_text, wrapped
from holdall_exporters.text import TextExporter


class TestTextExporter(ExporterContract):
    """The text exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[TextExporter]] = TextExporter


def lines(session: SampleSession, **options: str) -> list[str]:
    return exported(TextExporter, session, options).decode().splitlines()


def section(found: list[str], heading: str) -> list[str]:
    """Return the lines below *heading*, up to an empty one."""
    start = found.index(heading) + 2
    return found[start : found.index("", start)]


def test_a_job_is_a_line_of_outcome_duration_summary_and_id() -> None:
    assert "FAILED         0.25 s  Summary of outcome-fail (com.example::outcome-fail)" in lines(
        sample_session()
    )


def test_all_names_of_jobs_stand_below_each_other() -> None:
    found = lines(sample_session())
    jobs = [line for line in found if " Summary of " in line and " - " not in line]

    assert {line.index("Summary of ") for line in jobs} == {23}


def test_a_long_name_goes_on_where_it_begins() -> None:
    found = lines(sample_session(), width="60")
    start = next(number for number, line in enumerate(found) if line.endswith("outcome-fail"))

    assert found[start + 1] == " " * 23 + "(com.example::outcome-fail)"


def test_a_skipped_job_says_what_kept_it() -> None:
    found = lines(sample_session())

    assert "    skipped (unmet resource): why it was skipped-resource" in found
    assert "    not supported: why it was not-supported" in found


def test_jobs_stand_below_their_device() -> None:
    found = lines(sample_session())

    assert "(com.example::outcome-pass)" in "".join(section(found, "this machine (local)"))
    assert "(com.example::in-flight)" in "".join(section(found, "device on the bench (dut-7)"))


def test_reasons_comments_and_attempts_stand_below_the_job() -> None:
    found = lines(sample_session())

    assert "    reason: why it was skip" in found
    assert "    comment: seen by a person" in found
    assert "    3 attempts: failed, crashed (interrupted by a reboot), passed" in found


def test_an_interrupted_job_is_marked() -> None:
    found = lines(sample_session())
    start = next(n for n, line in enumerate(found) if "Summary of interrupted" in line)

    assert found[start].startswith("CRASHED ")
    assert found[start + 1] == "    crashed (interrupted by a reboot)"


def test_failures_are_listed_again_at_the_end_with_their_reasons_and_the_verdict() -> None:
    found = lines(sample_session())
    end = found[found.index("verdict: FAIL") - 17 :]

    assert end[0].startswith("    FAILED     local: com.example::outcome-fail - ")
    assert "    CRASHED    local: com.example::interrupted - holdall was ended" in found
    assert "    in flight  dut-7: com.example::in-flight" in end
    assert "    1 job is undecided: local: com.example::outcome-undecided" in end


def test_a_session_that_is_not_over_says_so() -> None:
    assert "state    unfinished" in lines(sample_session())
    assert "state    not started" in lines(empty_session())
    assert not any(line.startswith("state") for line in lines(big_session(3)))


def test_the_totals_tell_flaky_jobs_and_the_time_that_went_by() -> None:
    results = [
        JobResult(outcome=outcome, started_at=start, execution_duration=5)
        for outcome, start in (("fail", 100), ("pass", 160))
    ]
    events = [ResultRecorded(at=START, job_id="a", result=result) for result in results]
    session = SampleSession((SessionCreated(at=START, session_id="s"), *events))

    assert "1 job in 5.00 s (1 min 05 s from start to end): 1 passed, 1 flaky" in lines(session)


def test_the_width_is_that_of_the_terminal_unless_it_was_said() -> None:
    def widest(columns: int, *options: str) -> int:
        stream = BytesIO()
        export(sample_session(), "text", stream, options=options, columns=columns)
        return max(map(columns_of, stream.getvalue().decode().splitlines()))

    assert widest(60) <= 60
    assert widest(0) > 100
    assert widest(60, "width=0") > 100
    assert 60 < widest(60, "width=80") <= 80


def test_an_empty_session_says_so() -> None:
    assert lines(empty_session())[-3:] == [
        "0 jobs in 0.00 s: nothing to show",
        "verdict: FAIL",
        "    no job passed",
    ]


def test_no_log_is_shown_unless_asked_for() -> None:
    assert not any("|" in line and "plain line" in line for line in lines(sample_session()))


def test_logs_of_failed_jobs_stand_below_them_with_a_bar() -> None:
    found = lines(sample_session(), logs="failed")

    start = next(n for n, line in enumerate(found) if "(com.example::outcome-fail)" in line)
    assert found[start + 1 : start + 4] == [
        "    | plain line",
        "    | not UTF-8: \\xff\\xfe\\x80",
        "    | cut character: café, cut escape: red",
    ]
    assert "    (1,234,567 bytes more were not kept)" in found


def test_all_logs_can_be_asked_for() -> None:
    assert "    | key: value" in lines(sample_session(), logs="all")
    assert "    | key: value" not in lines(sample_session(), logs="failed")


def test_nothing_in_the_text_steers_a_terminal() -> None:
    text = exported(TextExporter, sample_session(), {"logs": "all"}).decode()

    assert {c for c in text if unicodedata.category(c) == "Cc"} == {"\n", "\t"}
    assert not set(text) & set("\u202e\u2066\u2028")


def test_hostile_text_begins_no_line_of_its_own() -> None:
    hostile = [line for line in lines(sample_session()) if "second line" in line]

    whole = re.compile("first line:? second line( third)?")  # the reason in a line has two of it
    assert all(whole.search(line) for line in hostile)


def test_the_slowest_jobs_can_be_listed() -> None:
    text = exported(TextExporter, big_session(120), ["slowest=2"]).decode()

    listed = text.partition("\nslowest\n")[2].splitlines()[:2]
    assert [line.split()[0] for line in listed] == ["12.4", "12.2"]


def test_the_slowest_jobs_of_several_devices_say_on_which() -> None:
    text = exported(TextExporter, big_session(120, devices=2), ["slowest=2"]).decode()

    listed = text.partition("\nslowest\n")[2].splitlines()[:2]
    assert [re.findall(r" s  (\S+): ", line) for line in listed] == [["dut-1"], ["dut-2"]]


def columns(line: str) -> int:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in plain)


def test_characters_that_are_two_columns_wide_make_a_line_longer() -> None:
    session = SampleSession(
        (
            SessionCreated(at=1, session_id="s"),
            JobDefined(at=1, job=JobRecord(id="a", summary="\u4e2d\u6587 " * 20)),
            ResultRecorded(at=1, job_id="a", result=JobResult(outcome="pass")),
        )
    )

    text = exported(TextExporter, session, ["width=40"]).decode()

    assert max(map(columns, text.splitlines())) <= 40
    assert "\0" not in text
    assert text.count("\u4e2d\u6587") == 20


def test_lines_are_as_narrow_as_was_asked_for() -> None:
    wide = exported(TextExporter, sample_session()).decode()
    text = exported(TextExporter, sample_session(), ["width=60"]).decode()

    assert max(map(columns, wide.splitlines())) > 60
    assert max(map(columns, text.splitlines())) <= 60
    assert "".join(text.split()) == "".join(wide.split())


def test_colours_are_there_only_when_they_are_wanted() -> None:
    assert b"\x1b" not in exported(TextExporter, sample_session(), ["color=auto"])
    assert b"\x1b[1;31mFAILED\x1b[0m" in exported(TextExporter, sample_session(), ["color=always"])


def test_comments_and_history_can_be_left_out() -> None:
    text = exported(TextExporter, sample_session(), ["no-comments", "no-history"]).decode()

    assert "comment: " not in text
    assert "attempts: " not in text


WIDE = "\u663e\u793a \u65e5\u672c\u8a9e\u30c6\u30b9\u30c8 \ud55c\uad6d\uc5b4"
MARKS = "e\u0301a\u0308 \u0915\u094d\u0937\u093f"
EMOJI = (
    "\U0001f9ea \U0001f468\u200d\U0001f469\u200d\U0001f467 "
    "\u2764\ufe0f \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea"
)


@settings(deadline=None, max_examples=60)
@given(
    text=st.text(st.sampled_from(f"{WIDE}{MARKS}{EMOJI}ab -"), max_size=120),
    width=st.integers(2, 120),
    color=st.sampled_from(("always", "never")),
)
def test_no_line_is_wider_than_the_width(text: str, width: int, color: str) -> None:
    result = JobResult(outcome=Outcome.FAIL, comments=text, skip_reason=text)
    session = SampleSession(
        (
            SessionCreated(at=START, session_id="s", title=text),
            DeviceAdded(at=START, device="a", description=text),
            DeviceAdded(at=START, device="b"),
            JobDefined(at=START, device="a", job=JobRecord(id="job", summary=text)),
            ResultRecorded(at=START, device="a", job_id="job", result=result),
        )
    )

    report = exported(TextExporter, session, [f"width={width}", f"color={color}"]).decode()

    assert all(columns(line) <= width for line in report.splitlines())
    shown = re.sub(r"\s|\x1b\[[0-9;]*m", "", report)
    assert "".join(line_text(text).split()) in shown


def test_a_line_is_not_broken_within_a_character() -> None:
    text = "\U0001f468\u200d\U0001f469e\u0301" * 20

    lines = list(wrapped(text, 11, ""))

    assert "".join(lines) == text
    assert all(line[0] in "\U0001f468e" for line in lines)
