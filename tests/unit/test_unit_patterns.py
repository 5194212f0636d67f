"""The grammar of lists, and what their words mean; the rules are Checkbox's."""

from __future__ import annotations

import re
from itertools import product
from re import _parser  # type: ignore[attr-defined]  # what Checkbox asks

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdall.units import free, list_words, selector, target
from holdall.units.lists import statement

IDS = ["ns::a", "ns::apple", "ns::zebra", "ns::disk", "ns::Disk", "ns::dot.name", "ns::dotXname"]
IDS += ["other::a", "ns::x/y", "ns::disk/read_1", "ns::aaa", "ns::a=b"]


def meant(word: str) -> list[str]:
    pattern = selector(word, "ns")
    return [name for name in IDS if pattern.matches_id(name)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b,c\nd", ["a", "b", "c", "d"]),
        ("a # b\nc#d\n# e", ["a", "c"]),
        ('"a b" c', ["a b", "c"]),
        ('a"b c', ['a"b', "c"]),
        ("a=b", ["a", "b"]),
        ('a "b c', ["a"]),
        (r"a\ b", ["a\\", "b"]),
        ("", []),
    ],
)
def test_words_end_at_blanks_commas_signs_and_comments(text: str, expected: list[str]) -> None:
    assert list_words(text) == tuple(expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a", ("a", ())),
        ("a b=c, d=e", ("a", (("b", "c"), ("d", "e")))),
        ('"a b" c="d e"', ("a b", (("c", "d e"),))),
        ("a b = c # d", ("a", (("b", "c"),))),
        ("  # a", None),
        ("", None),
    ],
)
def test_a_statement_is_a_word_and_settings(
    line: str, expected: tuple[str, tuple[tuple[str, str], ...]] | None
) -> None:
    assert statement(line) == expected


@pytest.mark.parametrize(
    "line", ["a b", "a, b", "a b=c d=e", "a b=", "= a", '"a', ", a", "a b=c,"]
)
def test_what_is_no_statement_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        statement(line)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a", ["ns::a"]),
        ("^a$", ["ns::a"]),
        ("dot.name", ["ns::dot.name", "ns::dotXname"]),
        (r"dot\.name", []),
        (r"x\/y", []),
        (r"disk/read_\d+", ["ns::disk/read_1"]),
        ("a|zebra", ["ns::a", "ns::apple", "ns::aaa", "ns::a=b"]),
        ("(a|zebra)", ["ns::a", "ns::zebra"]),
        ("(?i)Disk", []),
        ("(?i)DISK.*", ["ns::disk", "ns::Disk", "ns::disk/read_1"]),
        ("(?i:Disk).*", ["ns::disk", "ns::Disk", "ns::disk/read_1"]),
        (".*::a", ["ns::a", "other::a"]),
        ("zebr[a]", []),
        ("zebr[ab]", ["ns::zebra"]),
        ("a{2,3}", ["ns::aaa"]),
        ("a=b", ["ns::a=b"]),
        (r"(?!a|z|d|D|x).*", []),
        ("[", None),
        ("a(", None),
        ("a{99999999999999}", None),
    ],
)
def test_a_word_selects_what_checkbox_selects(word: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="no regular expression"):
            selector(word, "ns")
    else:
        assert meant(word) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (r"dot\.name", ["ns::dot.name"]),
        ("dot.name", ["ns::dot.name", "ns::dotXname"]),
        (r"x\/y", ["ns::x/y"]),
        ("^a$", []),
        ("a", ["ns::a"]),
        ("a.+", ["ns::apple", "ns::aaa", "ns::a=b"]),
    ],
)
def test_an_override_is_always_an_expression(word: str, expected: list[str]) -> None:
    pattern = target(word, "ns")

    assert [name for name in IDS if pattern.matches_id(name)] == expected


def test_a_free_expression_needs_no_namespace_and_is_anchored_at_its_beginning() -> None:
    assert not free("a").matches_id("ns::a")
    assert free(".*::dis").matches_id("ns::disk")
    assert free("(?i)NS::d").matches_id("ns::disk")


SIGNS = st.text(r"ab.\/*+?()[]{}|^$,0-9d_", max_size=8)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@given(SIGNS)
def test_a_word_is_an_id_exactly_if_it_is_literal_for_python(word: str) -> None:
    try:
        literal = all(op is _parser.LITERAL for op, _ in _parser.parse(word))
    except (re.error, OverflowError):
        literal = False
    assume("(?" not in word and "()" not in word)  # empty groups vanish where Python parses
    assume("[" not in word or "\\" not in word)  # Python takes `[a\a]` for a class of one
    try:
        assert selector(word, "ns").fixed == literal
    except ValueError:
        assert not literal or not word


WORDS = ["ab*", "ab?", "ab{0,2}", "a+b", "a|b", "ab|b.*", "(a|b)a", "a(b|)", "a[|]?b", r"a\.b*"]
WORDS += [r"a\|b", ".*::ab*", "x.*::a|n::b", "(x::b|n)::a", "[x::b]+::a", "^ab", "a.b", "ab.*"]
NAMES = ["".join(signs) for size in (1, 2, 3) for signs in product("ab.", repeat=size)]


@pytest.mark.parametrize("word", WORDS)
def test_what_an_expression_matches_begins_with_its_prefix(word: str) -> None:
    for pattern in (target(word, "n"), target(word, "n.s"), free(word)):
        for namespace in ("n", "n.s", "x", "x::b"):
            for name in NAMES:
                if pattern.matches_id(f"{namespace}::{name}"):
                    assert name.startswith(pattern.prefix), (pattern, namespace, name)


@pytest.mark.parametrize(("word", "prefix"), [("ab.*", "ab"), (r"a\.b*", "a."), ("x::ab.*", "ab")])
def test_the_prefix_is_as_long_as_it_can_be_for_plain_beginnings(word: str, prefix: str) -> None:
    assert target(word, "com.example").prefix == prefix
