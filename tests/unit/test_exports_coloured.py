"""Logs with their colours: names of classes instead of escape sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.results import IOLogRecord
from holdall_exporters.html.coloured import CUT, coloured, plain_runs, split_tail

if TYPE_CHECKING:
    from holdall_exporters.html.coloured import Run


def runs(*data: bytes, limit: int = 1000) -> list[Run]:
    return coloured([IOLogRecord(0.0, "stdout", each) for each in data], limit=limit)


@pytest.mark.parametrize(
    ("escape", "classes"),
    [
        pytest.param(b"\x1b[31m", "f1", id="colour"),
        pytest.param(b"\x1b[1;92m", "bold f10", id="bold and bright"),
        pytest.param(b"\x1b[38;5;9m", "f9", id="one of 16 of 256"),
        pytest.param(b"\x1b[38;5;21m", "f12", id="one of the cube"),
        pytest.param(b"\x1b[38;5;240m", "f0", id="a grey"),
        pytest.param(b"\x1b[38;2;200;0;0m", "f9", id="red, green, blue"),
        pytest.param(b"\x1b[31;43m", "b3", id="a background hides the colour"),
        pytest.param(b"\x1b[103m", "b11", id="a bright background"),
        pytest.param(b"\x9b4m".decode("latin-1").encode(), "underline", id="C1"),
    ],
)
def test_a_sequence_becomes_classes(escape: bytes, classes: str) -> None:
    assert runs(escape + b"text\x1b[0m end") == [(classes, "text"), " end"]


@pytest.mark.parametrize("escape", [b"\x1b[38;5m", b"\x1b[38m", b"\x1b[2J", b"\x1b[999m"])
def test_a_sequence_that_says_no_colour_changes_nothing(escape: bytes) -> None:
    assert "".join(map(str, runs(b"a" + escape + b"b"))) == "ab"


def test_sequences_and_characters_that_two_records_share_are_whole() -> None:
    assert runs(b"caf\xc3", b"\xa9 \x1b[3", b"1mred") == ["café ", ("f1", "red")]


def test_the_error_stream_has_a_class_and_colours_of_its_own() -> None:
    records = [
        IOLogRecord(0.0, "stdout", b"\x1b[32mout"),
        IOLogRecord(0.1, "stderr", b"err"),
        IOLogRecord(0.2, "stdout", b"out"),
    ]

    assert coloured(records, limit=100) == [("f2", "out"), ("err", "err"), ("f2", "out")]


def test_a_long_log_keeps_its_end_and_some_of_its_beginning() -> None:
    found = runs(b"0123456789", b"0123456789", b"0123456789", limit=8)

    assert found == ["01", (CUT, "\n[... 22 characters left out ...]\n"), "456789"]


def test_no_control_character_is_left() -> None:
    assert runs(b"bell\x07 \x1b]0;title\x07 \xff\r\n") == ["bell\u2407  \\xff\n"]


PLAIN = [b"a line\n", b"caf\xc3", b"\xa9", b"\0", b""]
CARE = [b"\xff", b"\x1b[31m", b"\r", b"\x08", b"\xc2\x9b1m"]
PIECES = st.sampled_from(PLAIN + CARE)
LOGS = st.lists(
    st.builds(IOLogRecord, st.just(0.0), st.sampled_from(["stdout", "stderr"]), PIECES), max_size=6
)


@given(records=LOGS, limit=st.integers(0, 30))
def test_a_log_that_wants_no_care_is_the_same_without_it(
    records: list[IOLogRecord], limit: int
) -> None:
    plain = plain_runs(records, limit)

    assert plain is None or plain == coloured(records, limit=limit)


def test_a_plain_log_wants_no_care() -> None:
    records = [IOLogRecord(0.0, "stdout", b"out\n"), IOLogRecord(0.1, "stderr", b"err\n")]

    assert plain_runs(records, 100) == ["out\n", ("err", "err\n")]


def test_the_last_lines_are_five_and_whole_unless_they_are_long() -> None:
    text = "".join(f"line {number}\n" for number in range(9))
    head, tail = split_tail([text[:50], ("err", text[50:])])
    assert "".join(run if isinstance(run, str) else run[1] for run in head + tail) == text
    assert tail == [text[28:50], ("err", text[50:])]

    head, tail = split_tail(["x" * 5000])
    assert [len(run) for run in (*head, *tail)] == [4000, 1000]
    assert split_tail([]) == ([], [])
