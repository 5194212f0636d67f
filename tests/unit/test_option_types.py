"""The closed list of types that an option may have: each is read, shown and written down."""

from __future__ import annotations

import enum
import re
from dataclasses import InitVar, field, make_dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import attrs
import msgspec
import pytest

from holdall.errors import OptionValueError, PluginCallError
from holdall.exports import describe_options, options_schema
from holdall.exports.options import parse_options
from holdall.registry import Identity
from holdall.registry.option_types import option_misfits

ACME = Identity("exporter", "acme.x", "acme 1.0")
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "exporters.md"


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Bits(enum.IntFlag):
    A = 1


class Mixed(enum.Enum):
    A = "a"
    B = 2


def options(kind: Any, default: Any = None) -> type:
    """Return a class of options with one option `x`."""
    made: type = make_dataclass(
        "Options", [("x", kind, field(default_factory=lambda: default))], frozen=True
    )
    return made


def parsed(kind: Any, text: str) -> Any:
    return parse_options(ACME, options(kind), [text], strict=True)[0].x


# Each type of the list: how it is shown, what is given, and what that is.
LISTED = [
    pytest.param(str, "text", "x=none", "none", id="str"),
    pytest.param(bool, "yes|no", "x", True, id="bool"),
    pytest.param(int, "number", "x=10k", 10240, id="int"),
    pytest.param(float, "number", "x=0.5", 0.5, id="float"),
    pytest.param(Path, "path", "x=/tmp/x", Path("/tmp/x"), id="path"),
    pytest.param(Literal["a", "none"], "a|none", "x=none", "none", id="words"),
    pytest.param(Literal["some", "all", "none"], "some|all|none", "x=all", "all", id="unsorted"),
    pytest.param(Literal["b", "a"] | None, "b|a|none", "x=a", "a", id="unsorted or none"),
    pytest.param(Literal[1, 2], "1|2", "x=2", 2, id="numbers"),
    pytest.param(Colour, "red|blue", "x=blue", Colour.BLUE, id="enum"),
    pytest.param(Level, "1|2", "x=2", Level.HIGH, id="int enum"),
    pytest.param(int | None, "number|none", "x=none", None, id="int or none"),
    pytest.param(Optional[int], "number|none", "x=1k", 1024, id="Optional"),  # noqa: UP045 - the subject
    pytest.param(Union[bool, None], "yes|no|none", "x=no", False, id="bool or none"),  # noqa: UP007 - the subject
    pytest.param(str | None, "text|none", "x=None", None, id="text or none"),
    pytest.param(Path | None, "path|none", "x=none", None, id="path or none"),
    pytest.param(Colour | None, "red|blue|none", "x=red", Colour.RED, id="enum or none"),
    pytest.param(tuple[str, ...], "text,...", "x=a, b", ("a", "b"), id="tuple"),
    pytest.param(list[int], "number,...", "x=1,2k", [1, 2048], id="list"),
    pytest.param(set[Level], "1|2,...", "x=2,1", {Level.LOW, Level.HIGH}, id="set"),
    pytest.param(frozenset[Path], "path,...", "x=a", frozenset({Path("a")}), id="frozenset"),
    pytest.param(list[str] | None, "text,...|none", "x=none", None, id="list or none"),
    pytest.param(Annotated[int, msgspec.Meta(ge=1)], "number", "x=2", 2, id="with limits"),
    pytest.param(
        Annotated[int, msgspec.Meta(ge=1)] | None, "number|none", "x=none", None, id="both"
    ),
]


@pytest.mark.parametrize(("kind", "shown", "given", "value"), LISTED)
def test_a_type_of_the_list_is_loaded_shown_and_read(
    kind: Any, shown: str, given: str, value: Any
) -> None:
    made = options(kind)

    assert list(option_misfits(made)) == []
    assert [row.type for row in describe_options(made)] == [shown]
    assert "x" in options_schema("acme.x", made)["properties"]
    assert parsed(kind, given) == value


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(dict[str, str], id="dict"),
        pytest.param(dict[str, str] | None, id="dict or none"),
        pytest.param(bytes, id="bytes"),
        pytest.param(int | str, id="union"),
        pytest.param(bool | Literal["auto"], id="bool or word"),
        pytest.param(tuple[int, str], id="pair"),
        pytest.param(list[list[int]], id="list of lists"),
        pytest.param(list[bool], id="list of bool"),
        pytest.param(list[int | None], id="list of optional"),
        pytest.param(list, id="bare list"),
        pytest.param(date, id="date"),
        pytest.param(re.Pattern, id="pattern"),
        pytest.param(Bits, id="flags"),
        pytest.param(Mixed, id="mixed enum"),
        pytest.param(Literal["a", 1], id="mixed words"),
        pytest.param(Literal[True], id="literal bool"),
        pytest.param(type(None), id="none alone"),
        pytest.param(Any, id="any"),
        pytest.param(object, id="object"),
    ],
)
def test_any_other_type_is_refused_with_the_option_and_its_type(kind: Any) -> None:
    (reason,) = option_misfits(options(kind))

    assert reason.startswith("its option 'x' is a ")
    assert "and an option is a str, bool, int, float, Path" in reason


def test_types_that_can_not_be_read_are_refused_with_the_reason() -> None:
    (reason,) = option_misfits(options("SomethingElse"))

    assert reason == (
        "the types of its 'Options' can't be read (NameError: name 'SomethingElse' is not defined)"
    )


def test_attrs_classes_and_structs_are_looked_at_too() -> None:
    @attrs.frozen
    class Attrs:
        good: int = 1
        bad: bytes = b""

    class Struct(msgspec.Struct):
        good: int = 1
        bad: bytes = b""

    for kind in (Attrs, Struct):
        (reason,) = option_misfits(kind)
        assert "'bad' is a bytes" in reason


def test_limits_that_mean_nothing_are_the_exporters_fault() -> None:
    made = options(Annotated[str, msgspec.Meta(ge=1)])

    with pytest.raises(PluginCallError, match="describing its options: TypeError"):
        parse_options(ACME, made, [], strict=True)


def test_what_is_only_for_the_making_of_options_is_no_option() -> None:
    made = make_dataclass("Options", [("x", int, 1), ("seed", InitVar[bytes], b"")])

    assert list(option_misfits(made)) == []


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        pytest.param(int, "x=none", id="not listed for numbers"),
        pytest.param(bool, "x=none", id="nor for yes and no"),
        pytest.param(int | None, "x=null", id="and null is no word for it"),
        pytest.param(Colour, "x=none", id="nor for words"),
    ],
)
def test_none_is_taken_where_it_is_listed_and_nowhere_else(kind: Any, given: str) -> None:
    with pytest.raises(OptionValueError):
        parsed(kind, given)


def test_null_is_a_text_like_any_other() -> None:
    assert parsed(str | None, "x=null") == "null"


def test_the_words_of_an_inherited_option_are_those_of_its_class() -> None:
    class Base(msgspec.Struct):
        """What is common.

        Attributes:
            y: A y.
        """

        y: int = 1

    class Options(Base):
        """What is special.

        Attributes:
            x: An x.
        """

        x: int = 1

    assert {row.name: row.help for row in describe_options(Options)} == {"y": "A y.", "x": "An x."}


def test_the_page_lists_every_type_as_it_is_shown() -> None:
    section = PAGE.read_text("utf-8").partition("## Types of options\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    cells = [re.split(r"(?<!\\)\|", row)[2] for row in rows]
    shown = {cell.strip("` ").replace("\\", "") for cell in cells}

    assert shown == {
        "text",
        "yes|no",
        "number",
        "path",
        "a|b",
        "number|none",
        "text,...",
    }
