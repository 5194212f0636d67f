"""Elements as wholes, text of any length, several documents in a file, values of strangers."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from holdall.reading import (
    End,
    LongText,
    Start,
    XmlNode,
    file_below,
    json_parts,
    moment_of,
    seconds_of,
    xml_nodes,
    xml_steps,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


def told(steps: Iterable[XmlNode | Start | End]) -> list[str]:
    """Return what each step is, short enough to compare."""
    names: list[str] = []
    for step in steps:
        if isinstance(step, XmlNode):
            names.append(f"{step.tag}({' '.join(told(step.children))}){step.text.head(9)}")
        else:
            names.append(f"{'/' if isinstance(step, End) else ''}{step.tag}")
    return names


def test_wanted_elements_come_as_wholes_and_others_as_steps(source: Path) -> None:
    source.write_text(
        '<a xmlns="urn:x">lost<b n="1">one<c/>two</b>\n<d><b><b>in</b></b></d></a>',
        encoding="utf-8",
    )

    nodes = list(xml_nodes(source, {"b"}))

    assert told(nodes) == ["a", "b(c())onetwo", "d", "b(b()in)", "/d", "/a"]
    assert isinstance(nodes[1], XmlNode)
    assert (nodes[1].attributes, nodes[1].line) == ({"n": "1"}, 1)
    assert nodes[1].child("c") is nodes[1].children[0]
    assert (nodes[1].child("d"), nodes[1].text_of("c")) == (None, "")


def test_long_text_in_an_element_takes_no_memory(source: Path) -> None:
    source.write_text(f"<a><b>{'x' * 8_000_000}</b></a>", encoding="utf-8")
    tracemalloc.start()
    try:
        node = next(step for step in xml_nodes(source, {"b"}) if isinstance(step, XmlNode))
        stream = node.text.stream()
        size = sum(map(len, iter(lambda: stream.read(65_536), b"")))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (size, node.text.size) == (8_000_000, 8_000_000)
    assert peak < 3 * 2**20


@pytest.mark.parametrize("pieces", [3, 30_000])
def test_a_long_text_is_whole_whether_it_is_in_memory_or_not(pieces: int) -> None:
    text = LongText()
    for number in range(pieces):
        text.add(f"piece \u00e9 {number}\n")
    whole = "".join(f"piece \u00e9 {number}\n" for number in range(pieces))

    assert text.head(12) == whole[:12]
    assert text.stream().read() == whole.encode()
    text.add("end")
    assert text.stream().read() == (whole + "end").encode()
    assert (text.size, bool(text)) == (len(whole) + 3, True)


def test_blank_text_is_no_text() -> None:
    text = LongText()
    text.add("\n  ")

    assert not text
    assert not LongText()


@pytest.mark.parametrize("padding", [0, 65_512, 65_520, 65_536, 131_000])
def test_documents_behind_each_other_are_read_with_lines_of_the_file(
    source: Path, padding: int
) -> None:
    first = f"<a>{'x' * padding}</a>\n"
    source.write_text(f'{first}<?xml version="1.0"?>\n<b/>\n<c></c>', encoding="utf-8")

    steps = [
        step for step in xml_steps(source, several_roots=True) if isinstance(step, Start | End)
    ]

    assert [(step.tag, step.line) for step in steps[::2]] == [("a", 1), ("b", 3), ("c", 4)]


def test_a_second_document_is_refused_where_one_is_wanted(source: Path) -> None:
    source.write_text("<a/>\n<b/>", encoding="utf-8")

    with pytest.raises(ValueError, match=r"line 2, column [0-9]+: .*junk after"):
        list(xml_steps(source))


def test_what_is_no_document_behind_another_has_its_line(source: Path) -> None:
    source.write_text("<a/>\n<b>\n</c>", encoding="utf-8")

    with pytest.raises(ValueError, match=r"line 3, column [0-9]+: .*mismatched tag"):
        list(xml_steps(source, several_roots=True))


def test_parts_of_json_come_from_any_depth_with_their_places(source: Path) -> None:
    source.write_text(
        '{"s": {"t": [{"n": 1}, [2]], "s": [{"t": [3]}, {"t": [4.5, null]}]}, "t": [5]}',
        encoding="utf-8",
    )

    parts = list(json_parts(source, lambda where: where.startswith("s.") and "t.item" in where))

    assert parts == [
        ((0,), "s.t.item", {"n": 1}),
        ((1,), "s.t.item", [2]),
        ((0, 0), "s.s.item.t.item", 3),
        ((1, 0), "s.s.item.t.item", 4.5),
        ((1, 1), "s.s.item.t.item", None),
    ]


def test_parts_of_several_documents_have_the_number_of_theirs(source: Path) -> None:
    source.write_text('{"a": [1, 2]}\n{"b": 0}{"a": [3]}', encoding="utf-8")

    parts = list(json_parts(source, lambda where: where == "a.item", several=True))

    assert parts == [((0, 0), "a.item", 1), ((0, 1), "a.item", 2), ((2, 0), "a.item", 3)]
    with pytest.raises(ValueError, match="no JSON near byte"):
        list(json_parts(source, lambda where: where == "a.item"))


def test_json_that_is_cut_off_says_where(source: Path) -> None:
    source.write_text('{"a": [1, ', encoding="utf-8")

    with pytest.raises(ValueError, match="no JSON near byte 10"):
        list(json_parts(source, lambda _where: False))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1.5", 1.5),
        (" 2 ", 2.0),
        ("1,234.5", 1234.5),
        ("1,234", 1234.0),
        ("12,345,678.25", 12345678.25),
        ("0,25", 0.25),
        ("1,5", 1.5),
        ("1.234,5", 1234.5),
        ("1e-3", 0.001),
        ("", None),
        ("NaN", None),
        ("inf", None),
        ("-1", None),
        ("1,2,3", None),
        ("soon", None),
    ],
)
def test_seconds_are_read_with_the_commas_of_either_side(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-04T05:06:07Z", 1709528767.0),
        ("2024-03-04T05:06:07.2500000Z", 1709528767.25),
        ("2024-03-04T06:06:07+01:00", 1709528767.0),
        ("2024-03-04 05:06:07", 1709528767.0),
        ("0001-01-01T00:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_moments_without_a_zone_are_of_utc(text: str, moment: float | None) -> None:
    assert moment_of(text) == moment


def test_a_file_is_found_only_below_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    (folder / "in").mkdir(parents=True)
    inside, outside = folder / "in" / "a.txt", tmp_path / "b.txt"
    inside.write_text("a", encoding="utf-8")
    outside.write_text("b", encoding="utf-8")
    (folder / "link").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    (folder / "fine").symlink_to(inside)

    assert file_below(folder, "in/a.txt") == inside.resolve()
    assert file_below(folder, "in\\a.txt") == inside.resolve()
    assert file_below(folder, "fine") == inside.resolve()
    refused = ["", ".", "in", "gone", "../b.txt", "in/../../b.txt", str(outside), "link"]
    refused += [
        "in/../in/a.txt",
        str(inside),
        "up/b.txt",
        "C:\\b.txt",
        "\\\\host\\b.txt",
        "a\0b",
        "x" * 5000,
    ]
    assert [name for name in refused if file_below(folder, name) is not None] == []
