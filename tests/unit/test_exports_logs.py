"""Logs as text: whole characters, no escape sequences, whatever the pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.results import IOLogRecord
from holdall.writing.cleaning import EscapeStripper, strip_escapes
from holdall.writing.logs import log_text


def out(*pieces: bytes) -> list[IOLogRecord]:
    return [IOLogRecord(0.1, "stdout", piece) for piece in pieces]


def text_of(records: list[IOLogRecord]) -> str:
    return "".join(log_text(records))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param("\x1b[1;31mred\x1b[m", "red", id="CSI"),
        pytest.param("\x9b31mred", "red", id="C1 CSI"),
        pytest.param("\x1b]0;title\x07text", "text", id="OSC to BEL"),
        pytest.param("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link", id="OSC to ST"),
        pytest.param("\x9d0;title\x9ctext", "text", id="C1 OSC"),
        pytest.param("\x1bPq#0\x1b\\text", "text", id="DCS"),
        pytest.param("\x1b(Btext\x1b7\x1b8", "text", id="character set and cursor"),
        pytest.param("\x1b]0;never ends\nnext", "0;never ends\nnext", id="OSC without end"),
        pytest.param("\x1b[31", "31", id="CSI without end"),
        pytest.param("\x1b\x1b[31m[31mx", "[31mx", id="a sequence inside a sequence"),
        pytest.param("text\x1b", "text", id="a lone escape at the end"),
        pytest.param("a\x1b\nb", "a\nb", id="a lone escape"),
        pytest.param("no sequence [31m", "no sequence [31m", id="nothing to strip"),
    ],
)
def test_sequences_are_stripped_and_text_is_not(text: str, plain: str) -> None:
    stripper = EscapeStripper()

    assert strip_escapes(text) == plain
    assert "".join(map(stripper.feed, text)) + stripper.finish() == plain


def test_an_endless_string_is_not_held_back_for_ever() -> None:
    stripper = EscapeStripper()
    stripper.feed("\x1b]0;")

    assert stripper.feed("x" * 10_000) == "0;" + "x" * 10_000


@given(
    st.text(st.sampled_from("\x1b\x9b\x9d\x9c[]P0;mA\x07\\ \nä")),
    st.lists(st.integers(0, 60), max_size=4),
)
def test_stripping_in_pieces_never_lets_an_escape_through(text: str, cuts: list[int]) -> None:
    stripper = EscapeStripper()
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]

    stripped = "".join(map(stripper.feed, pieces)) + stripper.finish()

    assert not set(stripped) & set("\x1b\x9b\x9d\x9c")
    assert stripped == strip_escapes(text)


def test_a_character_cut_by_records_is_whole_in_the_text() -> None:
    assert text_of(out(b"caf\xc3", b"\xa9")) == "café"


def test_each_stream_is_decoded_on_its_own() -> None:
    records = [
        IOLogRecord(0.1, "stdout", b"\xc3"),
        IOLogRecord(0.2, "stderr", b"error\n"),
        IOLogRecord(0.3, "stdout", b"\xa9"),
    ]

    assert text_of(records) == "error\né"


def test_bytes_that_are_no_utf_8_become_visible() -> None:
    assert text_of(out(b"\xff\xfe", b"end\xc3")) == "\\xff\\xfeend\\xc3"


def test_line_ends_of_terminals_become_line_feeds() -> None:
    assert text_of(out(b"a\r", b"\nb\r\nc\rd\r")) == "a\nb\nc\rd\r"


@given(st.binary(max_size=60), st.integers(1, 7))
def test_the_text_does_not_depend_on_the_pieces(data: bytes, size: int) -> None:
    pieces = [data[start : start + size] for start in range(0, len(data), size)]

    assert text_of(out(*pieces)) == text_of(out(data))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["\x9d", "\x90\x98", "\x9da", "\x9e\x9f", "\x9b", "\x9b1", "\x1b]", "\x1bP", "\x1b["]
)
def test_beginnings_of_sequences_take_no_time_to_strip(piece: str) -> None:
    text = piece * 200_000
    stripper = EscapeStripper()

    assert strip_escapes(text) == "".join(map(stripper.feed, (text,))) + stripper.finish()
