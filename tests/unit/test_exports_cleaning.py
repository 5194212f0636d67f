"""Text made safe: what each profile gives is taken by the parser it is made for."""

from __future__ import annotations

import re
import unicodedata
from io import BytesIO
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html

from holdall.writing.cleaning import (
    CELL_LENGTH,
    CELL_LINE_FEEDS,
    cell_of,
    cell_text,
    html_text,
    line_text,
    terminal_text,
    xml_text,
)

# Any code point, lone surrogates too, with those that matter much more often than by chance.
ANY_TEXT = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cc", "Cs", "Cf"]),
        st.sampled_from("\x1b[]m0;\x07\x9b\x9d\x9c\\_x0041=\r\n\t\ufffe\uffff<>&'\""),
    )
)
PLAIN_TEXT = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]))


@given(ANY_TEXT)
def test_xml_text_is_read_back_by_an_xml_parser(text: str) -> None:
    safe = xml_text(text)

    document = f"<a>{escape(safe, {chr(13): '&#13;'})}</a>".encode()
    assert (etree.fromstring(document).text or "") == safe


@given(ANY_TEXT)
def test_html_text_is_read_back_by_an_html_parser(text: str) -> None:
    safe = html_text(text)

    element = html.fragment_fromstring(f"<p>.{escape(safe)}</p>")
    assert element.text == f".{safe}"


@given(ANY_TEXT)
def test_terminal_text_holds_nothing_that_steers_a_terminal(text: str) -> None:
    safe = terminal_text(text)

    assert {c for c in safe if unicodedata.category(c) == "Cc"} <= {"\n", "\t"}
    assert not set(safe) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f")
    safe.encode()


@given(ANY_TEXT)
def test_line_text_is_one_line(text: str) -> None:
    assert len(line_text(text).splitlines()) <= 1


@given(ANY_TEXT)
def test_cell_text_fits_a_cell_and_is_read_back_by_an_xml_parser(text: str) -> None:
    safe = cell_text(text)

    etree.fromstring(f"<t>{escape(safe)}</t>".encode())
    assert len(safe.encode("utf-16-le")) // 2 <= CELL_LENGTH


@given(PLAIN_TEXT)
def test_plain_text_is_left_as_it_is(text: str) -> None:
    assert xml_text(text) == text
    assert terminal_text(text) == text
    assert html_text(text) == text


@pytest.mark.parametrize(
    ("text", "xml", "terminal"),
    [
        pytest.param("a\x00b\x1bc", "a\u2400b\u241bc", "a\u2400b", id="controls have pictures"),
        pytest.param("del\x7f", "del\x7f", "del\u2421", id="delete"),
        pytest.param("\x85", "\x85", "\\x85", id="C1"),
        pytest.param("\ufffe\uffff", "\ufffd\ufffd", "\ufffd\ufffd", id="no characters"),
        pytest.param("\udc80", "\\udc80", "\\udc80", id="lone surrogate"),
        pytest.param("a\u202eb", "a\u202eb", "a\\u202eb", id="bidi"),
        pytest.param("a\r\nb\rc", "a\r\nb\rc", "a\nb\u240dc", id="returns"),
        pytest.param("\x1b[31mred\x1b[0m", "\u241b[31mred\u241b[0m", "red", id="colours"),
    ],
)
def test_what_can_not_stay_becomes_visible(text: str, xml: str, terminal: str) -> None:
    assert xml_text(text) == xml
    assert terminal_text(text) == terminal


def test_a_cell_escapes_what_excel_would_unescape() -> None:
    assert cell_text("_x0041_ and _X0041_") == "_x005F_x0041_ and _X0041_"


def test_a_long_cell_keeps_its_beginning_and_more_of_its_end() -> None:
    cell = cell_text("a" * 20_000 + "z" * 20_000)

    beginning, mark, end = re.split(r"(\n\[.*\]\n)", cell)
    left_out = 40_000 - len(beginning) - len(end)
    assert mark == f"\n[... {left_out:,} characters left out ...]\n"
    assert CELL_LENGTH - 4 <= len(cell) <= CELL_LENGTH
    assert (set(beginning), set(end)) == ({"a"}, {"a", "z"})
    assert len(beginning) == (len(beginning) + len(end)) // 4


def test_a_cell_of_a_text_that_comes_in_pieces_is_cut_as_if_it_were_whole() -> None:
    text = "".join(f"line {number}\n" for number in range(10_000))

    assert cell_of(text[n : n + 999] for n in range(0, len(text), 999)) == cell_text(text)


@settings(deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(["a", "\n", "_x0041_", "_x005F_", "\U0001f9ea", "b" * 1000]),
        min_size=1,
        max_size=10,
    ),
    size=st.integers(1, 70_000),
)
def test_a_cell_has_both_ends_of_its_text_as_excel_reads_them(
    pieces: list[str], size: int
) -> None:
    text = ("".join(pieces) * size)[:size]
    cell = cell_text(text)

    read = re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), cell)
    match = re.fullmatch(
        r"(.*?)(?:\n(\[\.\.\. [0-9,]+ characters? left out \.\.\.\])\n(.*))?", read, re.DOTALL
    )
    assert match
    beginning, mark, end = match.groups()
    assert len(cell.encode("utf-16-le")) // 2 <= CELL_LENGTH
    assert cell.count("\n") <= CELL_LINE_FEEDS
    assert text.startswith(beginning) if mark else text == beginning
    assert not mark or text.endswith(end)


def test_a_long_cell_is_measured_as_excel_does() -> None:
    cell = cell_text("\U0001f9ea" * 17_000)

    assert CELL_LENGTH - 8 <= len(cell.encode("utf-16-le")) // 2 <= CELL_LENGTH
    assert "characters left out" in cell


def test_a_cell_that_just_fits_is_left_whole() -> None:
    assert cell_text("x" * CELL_LENGTH) == "x" * CELL_LENGTH
    assert cell_text("\n" * CELL_LINE_FEEDS) == "\n" * CELL_LINE_FEEDS


def test_a_cell_of_many_lines_is_cut_visibly() -> None:
    cell = cell_text("line\n" * 1000)

    assert cell.count("\n") == CELL_LINE_FEEDS
    assert "characters left out" in cell


def test_a_cut_cell_is_still_utf_8() -> None:
    BytesIO().write(cell_text("\udc80" * 40_000).encode())
