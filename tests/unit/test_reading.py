"""Files of strangers are read step by step; what could hurt is refused with its place."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from holdall.reading import (
    End,
    Root,
    Start,
    Text,
    Unpacking,
    json_items,
    json_parts,
    packing_of,
    text_lines,
    xml_root,
    xml_steps,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


def test_lines_are_numbered_and_lose_their_ends(source: Path) -> None:
    source.write_bytes(b"one\r\ntwo\n\nlast")

    assert list(text_lines(source)) == [(1, "one"), (2, "two"), (3, ""), (4, "last")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
def test_lines_are_read_in_the_encoding_that_the_file_begins_with(
    source: Path, encoding: str
) -> None:
    lines = ["caf\u00e9", "\u0a00\u000b \u010a \u0a0d", "\U0001f600", ""]
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    source.write_bytes((mark + "\n".join(lines)).encode(encoding))

    assert [text for _number, text in text_lines(source)] == lines[:-1]


def test_bytes_that_are_no_text_have_a_line_and_a_place(source: Path) -> None:
    source.write_bytes(b"one\ntw\xff\n")

    with pytest.raises(ValueError, match="line 2: not UTF-8: the byte 0xff at 3"):
        list(text_lines(source))
    assert list(text_lines(source, errors="replace")) == [(1, "one"), (2, "tw\ufffd")]


def test_a_line_without_end_is_not_gathered(source: Path) -> None:
    with source.open("wb") as file:
        file.write(b"one\n")
        file.truncate(2**30)

    assert refused_in(text_lines(source), "line 2: longer than") < 64


def test_xml_is_read_step_by_step_with_lines(source: Path) -> None:
    source.write_text('<a xmlns="urn:x" b="1">\n<c d="2">t&amp;u</c></a>')

    assert list(xml_steps(source)) == [
        Start("a", {"b": "1"}, 1),
        Text("\n"),
        Start("c", {"d": "2"}, 2),
        Text("t&u"),
        End("c", 2),
        End("a", 2),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<a>\n<b></a>", "line 2, column [0-9]+: no well-formed XML: mismatched tag"),
        ("<a>\n", "line 2, column [0-9]+: no well-formed XML: no element found"),
        ("<a>\x00</a>", "line 1, column [0-9]+: no well-formed XML: not well-formed"),
        ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'>\n<a/>", "line 1: it has a document type"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a>&b;</a>", "line 1: it has a document type"),
        ("<a>&b;</a>", "line 1, column [0-9]+: no well-formed XML: undefined entity"),
        ("<a>" * 2000, "line 1: elements are nested more than 1000 deep"),
        ("<?xml version='1.0' encoding='klingon'?><a/>", "line 1: "),
        ("<a/><b/>", "line 1, column [0-9]+: no well-formed XML: junk after document element"),
        ("", "no element found"),
    ],
)
def test_xml_that_can_not_be_read_says_where(source: Path, text: str, words: str) -> None:
    source.write_text(text)

    with pytest.raises(ValueError, match=words):
        list(xml_steps(source))


@pytest.mark.parametrize("begin", ['<a b="', "<!--", "<?p "])
def test_an_attribute_or_comment_without_end_is_not_gathered(source: Path, begin: str) -> None:
    with source.open("wb") as file:
        file.write(b"<r>\n" + begin.encode())
        for _piece in range(12):
            file.write(b"x" * 2**20)

    # The parser's own buffer is not counted here; it may double before the piece is refused.
    assert refused_in(xml_steps(source), "line 2: a tag has more than") < 64


def test_text_of_any_size_comes_in_pieces(source: Path) -> None:
    with source.open("wb") as file:
        file.write(b"<r>")
        for _piece in range(100):
            file.write(b"x" * 2**20)
        file.write(b"</r>")

    size = peak = 0
    for step in xml_steps(source):
        if isinstance(step, Text):
            size += len(step.text)
            peak = max(peak, len(step.text))
    assert size == 100 * 2**20
    assert peak <= 2**16


def test_the_root_of_a_beginning_is_found() -> None:
    head = b'<?xml version="1.0"?>\n<!-- x -->\n<t:run xmlns:t="urn:t" id="7"><t:x'

    assert xml_root(head) == Root("run", "urn:t", {"id": "7"})
    assert xml_root("<a b='\u00e9'/>".encode("utf-16")) == Root("a", "", {"b": "\u00e9"})
    assert xml_root(b"<!DOCTYPE suite SYSTEM 'x'><suite/>") == Root("suite", "", {})


@pytest.mark.parametrize("head", [b"", b"<a b='", b"{}", b"\xff\x00", b"text", b"<?xml?>"])
def test_what_shows_no_root_has_none(head: bytes) -> None:
    assert xml_root(head) is None


def test_items_of_a_document_come_one_at_a_time(source: Path) -> None:
    source.write_text(json.dumps({"results": {"tests": [{"a": 1}, {"b": 1.5}]}}))

    assert list(json_items(source, "results.tests.item")) == [{"a": 1}, {"b": 1.5}]
    assert list(json_items(source, "results.other.item")) == []
    assert list(json_items(source, "")) == [{"results": {"tests": [{"a": 1}, {"b": 1.5}]}}]


@pytest.mark.parametrize(
    "text", ["", "{", '{"a": [1, 2}', '{"a": [tru]}', '{"a": ["\\x"]}', "\x00", '{"a": [1]} x']
)
def test_what_is_no_json_says_where(source: Path, text: str) -> None:
    source.write_text(text)

    with pytest.raises(ValueError, match=r"no JSON near byte [0-9]+: "):
        list(json_items(source, "a.item"))


def test_an_item_without_end_is_not_gathered(source: Path) -> None:
    with source.open("wb") as file:
        file.write(b'{"a": ["one", "')
        for _piece in range(40):
            file.write(b"x" * 2**20)

    assert refused_in(json_items(source, "a.item"), "has more than") < 80


def test_what_stands_in_front_of_a_damage_is_told(source: Path) -> None:
    source.write_text("<a>\n<b/></c>")
    steps = xml_steps(source)
    assert [next(steps) for _step in range(4)][2:] == [Start("b", {}, 2), End("b", 2)]
    with pytest.raises(ValueError, match=r"line 2, column 7: no well-formed XML: mismatched tag"):
        next(steps)


def test_items_in_front_of_a_damage_are_told(source: Path) -> None:
    source.write_text('{"a": [' + ", ".join(f'"{"x" * 100}"' for _item in range(500)) + ", !")

    items = json_items(source, "a.item")
    assert sum(1 for _item in islice(items, 350)) == 350
    with pytest.raises(ValueError, match=r"no JSON near byte [0-9]+: "):
        list(items)


def test_what_is_not_wanted_may_be_as_long_as_it_is(source: Path) -> None:
    with source.open("w") as file:
        file.write('{"a": [')
        file.write(",".join(['"' + "x" * 2**16 + '"'] * 600))
        file.write('], "b": [1]}')

    assert list(json_items(source, "b.item")) == [1]


def test_what_unpacks_without_end_is_refused(source: Path) -> None:
    source.write_bytes(gzip.compress(bytes(2**24), 9))

    with pytest.raises(ValueError, match="it unpacks to more than 4194304 bytes"):
        for _piece in Unpacking(source, limit=2**22).pieces():
            pass
    assert sum(map(len, Unpacking(source).pieces())) == 2**24


def test_only_what_was_packed_can_be_unpacked(source: Path) -> None:
    source.write_bytes(b"plain")

    assert packing_of(b"plain") == ""
    with pytest.raises(ValueError, match="'source' is packed by none of gzip, bzip2, xz"):
        Unpacking(source)


def refused_in(items: Iterable[Any], words: str) -> float:
    """Return how many MiB it took at most to find out that the items can't be read."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words):
            for _item in items:
                pass
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak / 2**20


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_json_that_is_nested_without_end_is_refused_in_little_memory(
    tmp_path: Path, opening: bytes
) -> None:
    source = tmp_path / "deep.json"
    source.write_bytes(b'{"jobs":[' + opening * 5_000)

    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"near byte \d+: values are nested"):
            list(json_items(source, "jobs.item"))
        with pytest.raises(ValueError, match="nested more than 1000 deep"):
            list(json_parts(source, lambda where: where == "jobs.item"))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_json_may_begin_with_a_mark_of_the_order_of_bytes(tmp_path: Path) -> None:
    source = tmp_path / "marked.json"
    source.write_bytes(b'\xef\xbb\xbf{"jobs":[1,2]}')

    assert list(json_items(source, "jobs.item")) == [1, 2]
    assert [value for _n, _where, value in json_parts(source, "jobs.item".__eq__)] == [1, 2]
