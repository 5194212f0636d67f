"""The grammar of records, rule by rule; each difference to Checkbox has a test of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.errors import RecordSyntaxError
from holdall.units.records import Record, format_record, parse_records


def records(text: str) -> list[Record]:
    found = list(parse_records(text))
    assert not [item for item in found if isinstance(item, RecordSyntaxError)]
    return [item for item in found if isinstance(item, Record)]


def fields(text: str) -> dict[str, str]:
    (record,) = records(text)
    return record.fields


def fault(text: str) -> tuple[int, str]:
    (error,) = [item for item in parse_records(text) if isinstance(item, RecordSyntaxError)]
    return error.line, error.reason


def test_a_record_is_its_fields_and_the_lines_they_stand_on() -> None:
    text = "# head\n\nid: a\ncommand:\n one\n two\nuser: root\n\n\nid: b\n"

    assert records(text) == [
        Record(
            {"id": "a", "command": "one\ntwo", "user": "root"},
            first_line=3,
            last_line=7,
            field_lines={"id": 3, "command": 4, "user": 7},
        ),
        Record({"id": "b"}, first_line=10, last_line=10, field_lines={"id": 10}),
    ]


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n", "# only\n# comments\n", "\ufeff"])
def test_a_text_without_fields_has_no_records(text: str) -> None:
    assert records(text) == []


def test_a_comment_in_the_first_column_is_dropped_even_inside_a_value() -> None:
    assert fields("a:\n one\n# not this\n two\n") == {"a": "one\ntwo"}


def test_a_hash_behind_a_blank_belongs_to_the_value() -> None:
    assert fields("a:\n # one\n two\n") == {"a": "# one\ntwo"}


@pytest.mark.parametrize("blanks", ["", " ", " \t ", "\r"])
def test_a_line_of_blanks_ends_a_record(blanks: str) -> None:
    assert [record.fields for record in records(f"a: 1\n{blanks}\nb: 2")] == [
        {"a": "1"},
        {"b": "2"},
    ]


def test_a_key_is_all_before_the_first_colon_and_keeps_its_case() -> None:
    text = "Depends : a\ndepends: b\n_with-all_ sorts: c: d\n"

    assert fields(text) == {"Depends": "a", "depends": "b", "_with-all_ sorts": "c: d"}


def test_a_key_may_be_empty() -> None:
    assert fields(": value\n") == {"": "value"}


def test_a_first_line_that_is_empty_is_no_part_of_the_value() -> None:
    assert fields("a:   \n one\n") == {"a": "one"}


def test_common_indentation_is_cut_from_a_value_of_several_lines() -> None:
    assert fields("a:\n    if x\n      y\n    fi\n") == {"a": "if x\n  y\nfi"}


def test_a_value_that_begins_beside_its_key_keeps_the_indentation_of_the_rest() -> None:
    assert fields("a: if x\n   y\n fi\n") == {"a": "if x\n  y\nfi"}


def test_a_lone_dot_stands_for_an_empty_line() -> None:
    assert fields("a:\n one\n  . \n two\n") == {"a": "one\n\ntwo"}


def test_a_lone_dot_that_is_all_of_the_value_stays() -> None:
    assert fields("a:\n .\n") == {"a": "."}
    assert fields("a: .\n") == {"a": "."}


def test_a_lone_dot_below_a_first_line_goes_with_the_blanks_at_the_end() -> None:
    assert fields("a: x\n .\n") == {"a": "x"}


def test_trap_two_dots_are_read_as_the_lone_dot_they_were_written_for() -> None:
    assert fields("a:\n one\n ..\n two\n") == {"a": "one\n.\ntwo"}


def test_three_dots_are_no_escape() -> None:
    assert fields("a:\n one\n ...\n two\n") == {"a": "one\n...\ntwo"}


def test_trap_a_tab_continues_a_value_as_a_blank_does() -> None:
    assert fields("a:\n\tb: 2\n\tc\n") == {"a": "b: 2\nc"}


def test_trap_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert fields("\ufeffid: a\n") == {"id": "a"}


@pytest.mark.parametrize(
    "char", ["\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"], ids=ascii
)
def test_trap_only_a_newline_ends_a_line(char: str) -> None:
    assert fields(f"a: one{char}b: two\n") == {"a": f"one{char}b: two"}


def test_carriage_returns_before_newlines_are_dropped() -> None:
    assert fields("a: one\r\nb:\r\n two\r\n three\r\n") == {"a": "one", "b": "two\nthree"}


def test_a_continued_line_needs_a_field_above() -> None:
    assert fault("\n one\na: b\n") == (2, "a continued line, but no field before it")


def test_a_field_stands_only_once_even_if_it_was_empty() -> None:
    assert fault("x: 1\na:\nb: 2\na: 3\n") == (
        4,
        "the field 'a' stands twice, first on line 2",
    )


def test_a_line_without_a_colon_is_an_error_on_its_own_line() -> None:
    assert fault("# one\na: 1\n# two\nwhat\n") == (
        4,
        "neither a field nor a continued line: 'what'",
    )


def test_trap_a_bad_record_costs_only_itself() -> None:
    found = list(parse_records("a: 1\n\nwhat\nb: 2\n\nc: 3\n"))

    assert [item.fields if isinstance(item, Record) else item.line for item in found] == [
        {"a": "1"},
        3,
        {"c": "3"},
    ]


def test_a_value_may_be_huge() -> None:
    line = "x" * 1_000_000

    assert fields(f"a:\n {line}\n {line}\n") == {"a": f"{line}\n{line}"}


def test_a_record_is_written_as_people_write_it() -> None:
    text = format_record({"id": "a", "command": "one\n\n  .\ntwo", "environ": ""})

    assert text == "id: a\ncommand:\n one\n .\n   ..\n two\nenviron:\n\n"


@pytest.mark.parametrize(
    "unwritable",
    [
        pytest.param({}, id="no field"),
        pytest.param({"a:b": "c"}, id="colon in a key"),
        pytest.param({"#a": "b"}, id="key like a comment"),
        pytest.param({"a\nb": "c"}, id="two lines in a key"),
        pytest.param({"a": "b "}, id="blank at the end"),
        pytest.param({"a": " b\n c"}, id="common indentation"),
        pytest.param({"a": "b\n..\nc"}, id="what stands for a lone dot"),
        pytest.param({"a": "b\n \nc"}, id="line of blanks"),
        pytest.param({"a": "b\r\nc"}, id="carriage return"),
    ],
)
def test_what_the_grammar_cannot_hold_is_refused(unwritable: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no record can hold"):
        format_record(unwritable)


keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_ -]{0,8}[a-z]", fullmatch=True)
lines = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"])).filter(
    lambda line: line.strip() != ".." and not line.isspace()
)
values = st.lists(lines, max_size=5).map("\n".join)


@given(st.dictionaries(keys, values, min_size=1, max_size=6))
def test_a_written_record_reads_back_the_same_or_is_refused(written: dict[str, str]) -> None:
    try:
        text = format_record(written)
    except ValueError:
        # Only what is not in the form that reading gives may be refused.
        assert any(value != value.strip() or "\n " in value for value in written.values())
    else:
        assert fields(text) == written


@given(st.text())
def test_no_text_makes_the_parser_raise(text: str) -> None:
    count = text.count("\n") + 1

    for item in parse_records(text):
        if isinstance(item, Record):
            assert 1 <= item.first_line <= item.last_line <= count
        else:
            assert 1 <= item.line <= count


def test_the_text_behind_the_key_is_a_line_without_indentation() -> None:
    (record,) = parse_records("v: x  \n   y\n z\n")

    assert isinstance(record, Record)
    assert record.fields == {"v": "x  \n  y\nz"}


def test_one_line_is_stripped_wherever_it_stands() -> None:
    (record,) = parse_records("a:   x  \nb:\n    y  \nc: \n")

    assert isinstance(record, Record)
    assert record.fields == {"a": "x", "b": "y", "c": ""}
