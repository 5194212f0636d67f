"""Options: strings, mappings and instances become one typed instance, or a precise error."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import attrs
import msgspec
import pytest

from holdall.errors import OptionValueError, UnknownOptionError
from holdall.exports.options import OptionRow, describe_options, parse_options
from holdall.registry import Identity

ACME = Identity("exporter", "acme.x", "acme 1.0")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Options:
    """Options of a test.

    Attributes:
        comments: Whether to show comments,
            in one line.
        log_max: Bytes of a log.
        logs: Whose logs.
        ratio: A share.
        only: Outcomes to show.
        colour: A colour.
        title: A heading.
        folder: A place.

    More words that belong to no option.
    """

    comments: bool = False
    log_max: int = 1024
    logs: Literal["none", "failed", "all"] = "failed"
    ratio: float | None = None
    only: tuple[str, ...] = ()
    colour: Colour = Colour.RED
    title: str = ""
    folder: Path | None = None


@attrs.frozen
class AttrsOptions:
    comments: bool = False


class StructOptions(msgspec.Struct, frozen=True, rename="kebab"):
    log_max: int = 1


def parsed(given: Any, *, strict: bool = True, kind: type = Options) -> Any:
    return parse_options(ACME, kind, given, strict=strict)[0]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param([], Options(), id="nothing"),
        pytest.param(["comments"], Options(comments=True), id="bare name"),
        pytest.param(["no-comments"], Options(comments=False), id="no-name"),
        pytest.param(["comments=on"], Options(comments=True), id="on"),
        pytest.param(["comments=No"], Options(comments=False), id="No"),
        pytest.param(["comments = true"], Options(comments=True), id="blanks"),
        pytest.param(["log-max=10MiB"], Options(log_max=10 << 20), id="MiB"),
        pytest.param(["log_max=64k"], Options(log_max=64 << 10), id="k"),
        pytest.param(["log_max=1.5 KB"], Options(log_max=1536), id="fraction"),
        pytest.param(["log-max=7"], Options(log_max=7), id="number"),
        pytest.param(["logs=all"], Options(logs="all"), id="literal"),
        pytest.param(["ratio=0.5"], Options(ratio=0.5), id="float"),
        pytest.param(["only=fail, crash"], Options(only=("fail", "crash")), id="list"),
        pytest.param(["colour=blue"], Options(colour=Colour.BLUE), id="enum"),
        pytest.param(["title=a=b,c; d"], Options(title="a=b,c; d"), id="value is not split"),
        pytest.param(["title="], Options(title=""), id="empty value"),
        pytest.param(["folder=/tmp/x"], Options(folder=Path("/tmp/x")), id="path"),
        pytest.param("comments", Options(comments=True), id="one string"),
        pytest.param(
            {"log-max": 5, "comments": "yes"}, Options(comments=True, log_max=5), id="mapping"
        ),
        pytest.param(Options(title="x"), Options(title="x"), id="instance"),
    ],
)
def test_options_are_read_in_every_form(given: Any, wanted: Options) -> None:
    assert parsed(given) == wanted


def test_attrs_classes_and_structs_are_options_too() -> None:
    assert parsed(["comments"], kind=AttrsOptions) == AttrsOptions(comments=True)
    assert parsed(["log-max=2k"], kind=StructOptions) == StructOptions(log_max=2048)


@pytest.mark.parametrize("name", ["coments", "no-logs", "with-io-log=1"])
def test_an_unknown_name_is_refused_when_strict(name: str) -> None:
    with pytest.raises(UnknownOptionError) as caught:
        parsed([name])

    assert caught.value.option == name.partition("=")[0]
    assert "log-max" in str(caught.value)


def test_an_unknown_name_gets_the_nearest_one_suggested() -> None:
    with pytest.raises(UnknownOptionError, match="did you mean 'comments'"):
        parsed(["coments"])


def test_unknown_names_are_listed_and_known_values_kept_when_not_strict() -> None:
    options, ignored = parse_options(
        ACME, Options, ["with-job-via", "logs=none", "a=b"], strict=False
    )

    assert (options, ignored) == (Options(logs="none"), ("with-job-via", "a"))


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("given", "option", "words"),
    [
        pytest.param("logs=some", "logs", "choose one of none, failed, all", id="literal"),
        pytest.param("colour=green", "colour", "choose one of red, blue", id="enum"),
        pytest.param("log-max=many", "log-max", "int", id="number"),
        pytest.param("comments=maybe", "comments", "bool", id="truth"),
        pytest.param("logs", "logs", "it needs a value, logs=...; choose one of none", id="bare"),
        pytest.param("title", "title", "it needs a value, title=...", id="bare text"),
    ],
)
def test_a_bad_value_is_always_refused(
    given: str, option: str, words: str, *, strict: bool
) -> None:
    with pytest.raises(OptionValueError) as caught:
        parsed(["ratio=0.5", given], strict=strict)

    assert caught.value.option == option
    assert words in caught.value.reason


@pytest.mark.parametrize("given", [["log-max=1", "log_max=1"], ["comments", "no-comments"]])
def test_an_option_given_twice_is_refused(given: list[str]) -> None:
    with pytest.raises(OptionValueError, match="it was given twice"):
        parsed(given)


def test_a_refusal_by_the_class_itself_is_an_option_error() -> None:
    @dataclass(frozen=True)
    class Range:
        low: int = 0
        high: int = 9

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low is above high")

    with pytest.raises(OptionValueError, match="low is above high"):
        parsed(["low=7", "high=5"], kind=Range)
    assert parsed(["low=20", "high=30"], kind=Range) == Range(20, 30)


@pytest.mark.parametrize("given", [5, [5], {1, 2}])
def test_what_is_no_option_is_a_type_error(given: Any) -> None:
    with pytest.raises(TypeError):
        parsed(given)


def test_options_describe_themselves() -> None:
    assert describe_options(Options) == [
        OptionRow("comments", "yes|no", "no", "Whether to show comments, in one line."),
        OptionRow("log-max", "number", "1024", "Bytes of a log."),
        OptionRow("logs", "none|failed|all", "failed", "Whose logs."),
        OptionRow("ratio", "number|none", "", "A share."),
        OptionRow("only", "text,...", "", "Outcomes to show."),
        OptionRow("colour", "red|blue", "red", "A colour."),
        OptionRow("title", "text", "", "A heading."),
        OptionRow("folder", "path|none", "", "A place."),
    ]
