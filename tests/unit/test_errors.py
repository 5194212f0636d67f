from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from holdall import errors

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, errors.HoldallError)
]
WITH_DATA = [each for each in CLASSES if "__init__" in vars(each)]

_SAMPLES: dict[str, Any] = {
    "Sequence[str]": ("one", "two"),
    "float": 1.5,
    "int": 7,
    "str": "word",
    "State": "broken",
}


def sample(kind: type[errors.HoldallError]) -> errors.HoldallError:
    parameters = list(inspect.signature(kind).parameters.values())
    return kind(*(_SAMPLES[str(parameter.annotation)] for parameter in parameters))


@pytest.mark.parametrize("kind", WITH_DATA, ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling_with_its_data_and_words(
    kind: type[errors.HoldallError],
) -> None:
    error = sample(kind)

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert type(again) is kind
    assert vars(again) == vars(error)
    assert str(again) == str(error)


@pytest.mark.parametrize("kind", WITH_DATA, ids=lambda kind: kind.__name__)
def test_an_error_is_one_line_without_a_full_stop(kind: type[errors.HoldallError]) -> None:
    words = str(sample(kind))

    assert "\n" not in words
    assert not words.endswith(".")
    assert words


def test_every_error_has_one_root() -> None:
    assert all(issubclass(kind, errors.HoldallError) for kind in CLASSES)
    assert not issubclass(errors.HoldallError, ValueError)


def test_lookups_that_fail_are_lookup_errors() -> None:
    assert issubclass(errors.UnknownPluginError, LookupError)
    assert issubclass(errors.UnknownSessionError, LookupError)
    assert issubclass(errors.UnknownUnitError, KeyError)
    assert issubclass(errors.UnknownOptionError, ValueError)
