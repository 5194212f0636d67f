"""The types that an option may have: a closed list, so that every option can be given as text."""

from __future__ import annotations

import sys
from dataclasses import fields
from enum import Enum, Flag
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin
from typing import get_type_hints as type_hints

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES: Final[tuple[type, ...]] = (str, bool, int, float)
"""The types of one value, besides `Path`, `Literal` and enumerations."""

LISTS: Final[tuple[type, ...]] = (list, tuple, set, frozenset)
"""What may hold several values; a tuple any number of them, `tuple[str, ...]`."""

# What marks a dataclass, an attrs class and a msgspec Struct; none of them is imported to know.
_CLASSES: Final = ("__dataclass_fields__", "__attrs_attrs__", "__struct_fields__")

_ALLOWED: Final = (
    "str, bool, int, float, Path, a Literal, an Enum, one of these or None, or a list of them"
)


def is_options_class(kind: Any) -> bool:
    """Whether *kind* is a dataclass, an attrs class or a msgspec Struct."""
    return isinstance(kind, type) and any(hasattr(kind, mark) for mark in _CLASSES)


def option_misfits(options: type) -> Iterator[str]:
    """Yield a message for each option of a class whose type is not supported."""
    try:
        hints = type_hints(options, include_extras=True)
    except Exception as error:  # noqa: BLE001 - evaluating annotations runs a stranger's code
        yield f"the types of its 'Options' can't be read ({type(error).__name__}: {error})"
        return
    for name in _field_names(options):
        if not is_allowed(hints.get(name)):
            shown = getattr(hints.get(name), "__qualname__", hints.get(name))
            yield f"its option {name!r} is a {shown}, and an option is a {_ALLOWED}"


def is_allowed(hint: Any) -> bool:
    """Whether an option may have that type."""
    plain = _unannotated(hint)
    if get_origin(plain) in {Union, UnionType}:
        others = [argument for argument in get_args(plain) if argument is not NoneType]
        return len(others) == 1 and NoneType in get_args(plain) and is_allowed(others[0])
    return _is_value(plain) or _is_list(plain)


def _field_names(options: Any) -> list[str]:
    if hasattr(options, "__struct_fields__"):
        return list(options.__struct_fields__)
    if hasattr(options, "__attrs_attrs__"):
        return [field.name for field in options.__attrs_attrs__]
    return [field.name for field in fields(options)]


def _unannotated(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _is_value(hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return _are_texts(get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return not issubclass(hint, Flag) and _are_texts([member.value for member in hint])
    return hint in VALUES or _is_path(hint)


def _is_path(hint: Any) -> bool:
    # Who has an option of that type imported it; listing plugins has no use for it, nor time.
    pathlib = sys.modules.get("pathlib")
    return pathlib is not None and hint is pathlib.Path


def _are_texts(values: Any) -> bool:
    """Whether *values* are distinct as text: all are strings, or all are numbers."""
    return bool(values) and {type(value) for value in values} in ({str}, {int})


def _is_list(hint: Any) -> bool:
    kind, arguments = get_origin(hint), get_args(hint)
    if kind is tuple and arguments[1:] != (...,):
        return False
    return kind in LISTS and _is_value(_unannotated(arguments[0])) and arguments[0] is not bool
