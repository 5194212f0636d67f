from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
import pytest
from jsonschema import Draft202012Validator
from msgspec import Meta

from holdall.exports.options import options_schema, parse_options
from holdall.registry import Identity
from holdall.registry.registry import Registry

ACME = Identity("exporter", "acme.x", "acme 1.0")
REGISTRY = Registry.discover()
EXPORTERS = [each.id for each in REGISTRY.candidates("exporters")]


@dataclass(frozen=True)
class Options:
    """What it holds.

    Attributes:
        level_max: How deep.
        shape: Which shape.
    """

    level_max: Annotated[int, Meta(ge=1)] = 3
    shape: Literal["round", "square"] = "round"
    folder: Path = Path("here")
    names: list[str] = field(default_factory=list)


@attrs.frozen
class AttrsOptions:
    """What it holds."""

    depth: int = 1


def accepts(options_class: type, value: dict[str, Any]) -> bool:
    return Draft202012Validator(options_schema("acme.x", options_class)).is_valid(value)


@pytest.mark.parametrize("exporter_id", EXPORTERS)
def test_every_exporter_has_a_schema_whose_defaults_it_accepts(exporter_id: str) -> None:
    options_class = REGISTRY.load("exporters", exporter_id).Options

    schema = json.loads(json.dumps(options_schema(exporter_id, options_class)))

    Draft202012Validator.check_schema(schema)
    defaults = {name: each["default"] for name, each in schema["properties"].items()}
    Draft202012Validator(schema).validate(defaults)
    assert all(each["description"] for each in schema["properties"].values())


def test_names_help_and_defaults_are_those_of_the_class() -> None:
    found = options_schema("acme.x", Options)["properties"]

    assert found["level-max"] == {
        "type": "integer",
        "minimum": 1,
        "default": 3,
        "description": "How deep.",
    }
    assert found["folder"] == {"type": "string", "default": "here", "description": ""}
    assert "log-max" in found


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        pytest.param({"level-max": 2, "shape": "square", "logs": "none"}, True, id="good"),
        pytest.param({"level-max": 0}, False, id="too small"),
        pytest.param({"shape": "oval"}, False, id="no such shape"),
        pytest.param({"colour": "red"}, False, id="no such option"),
    ],
)
def test_what_the_schema_takes_the_exporter_takes(value: dict[str, Any], *, fits: bool) -> None:
    assert accepts(Options, value) is fits
    if "logs" not in value and fits:
        parse_options(ACME, Options, value, strict=True)


def test_classes_of_attrs_have_one_too() -> None:
    assert accepts(AttrsOptions, {"depth": 4})
    assert not accepts(AttrsOptions, {"depth": "deep"})


def test_words_stand_in_the_order_of_their_author() -> None:
    @dataclass
    class Shapes:
        shape: Literal["round", "angular", "none"] = "round"

    shape = options_schema("acme.x", Shapes)["properties"]["shape"]

    assert shape["enum"] == ["round", "angular", "none"]
