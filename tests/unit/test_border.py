"""What a plugin raises or returns, as the caller of a plugin sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.errors import LockedStorageError, PluginCallError
from holdall.registry import Candidate, Identity, calling

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGIN = Identity("exporter", "acme.markdown", "acme 1.0")


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message either")


class LeavingError(Exception):
    def __str__(self) -> str:
        raise GeneratorExit


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        pytest.param(ValueError("boom"), "ValueError: boom", id="exception"),
        pytest.param(SystemExit(7), "SystemExit: 7", id="exit"),
        pytest.param(BaseException("odd"), "BaseException: odd", id="base-exception"),
        pytest.param(StopIteration(), "StopIteration", id="no-message"),
        pytest.param(ValueError("two\nlines"), "ValueError: two lines", id="two-lines"),
        pytest.param(
            LeavingError(), "LeavingError: (its message can't be read)", id="message-exits"
        ),
        pytest.param(
            UnspeakableError(), "UnspeakableError: (its message can't be read)", id="unspeakable"
        ),
    ],
)
def test_whatever_a_plugin_raises_becomes_an_error_that_names_it(
    error: BaseException, cause: str
) -> None:
    with pytest.raises(PluginCallError) as caught, calling(PLUGIN, "exporting"):
        raise error

    assert caught.value.args == ("exporter", "acme.markdown", "acme 1.0", "exporting", cause)
    assert caught.value.__cause__ is error


def test_ctrl_c_passes_the_border() -> None:
    error = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt) as caught, calling(PLUGIN, "exporting"):
        raise error

    assert caught.value is error


def test_a_generator_of_ours_can_be_closed_inside_the_border() -> None:
    def items() -> Iterator[int]:
        with calling(PLUGIN, "listing"):
            yield from iter((1, 2))

    generator = items()
    assert next(generator) == 1
    generator.close()  # type: ignore[attr-defined]


def test_a_plugin_that_raises_what_closes_generators_is_blamed() -> None:
    def export() -> None:
        raise GeneratorExit

    with (
        pytest.raises(PluginCallError, match="failed exporting: GeneratorExit;"),
        calling(PLUGIN, "exporting"),
    ):
        export()


def test_an_error_of_a_contract_passes_the_border() -> None:
    locked = LockedStorageError("s1", "memory://lab", "process 7")

    with pytest.raises(LockedStorageError) as caught, calling(PLUGIN, "opening"):
        raise locked

    assert caught.value is locked


def test_an_error_that_is_not_the_plugins_own_passes_the_border() -> None:
    own = RuntimeError("of the application")

    with (
        pytest.raises(RuntimeError) as caught,
        calling(PLUGIN, "exporting", passes=lambda error: error is own),
    ):
        raise own

    assert caught.value is own


def test_a_value_of_the_wanted_class_is_returned() -> None:
    with calling(PLUGIN, "exporting") as call:
        assert call.returned("report", str) == "report"


@pytest.mark.parametrize(
    ("value", "wanted", "cause"),
    [
        pytest.param(7, str, "it returned 7 and not a str", id="other-class"),
        pytest.param("x", type(None), "it returned 'x' and not None", id="not-none"),
        pytest.param(
            Unspeakable(),
            str,
            "it returned an object of the class Unspeakable and not a str",
            id="unspeakable",
        ),
        pytest.param("x" * 500, int, f"it returned '{'x' * 199}... and not an int", id="long"),
    ],
)
def test_a_value_that_the_contract_does_not_allow_is_blamed_on_the_plugin(
    value: object, wanted: type, cause: str
) -> None:
    with pytest.raises(PluginCallError) as caught, calling(PLUGIN, "exporting") as call:
        call.returned(value, wanted)

    assert caught.value.cause == cause


def test_a_candidate_says_which_plugin_it_is() -> None:
    candidate = Candidate("exporters", "acme.markdown", "acme:M", "acme", "1.0")

    assert candidate.identity == PLUGIN
