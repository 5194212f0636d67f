"""What a plugin of each kind must look like, checked when it is loaded."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Attributes that must be there, by kind of plugin; "" marks any type.
_ATTRIBUTES: Final[Mapping[str, Mapping[str, type]]] = {
    "exporters": {"summary": str, "suffix": str, "media_type": str, "Options": type},
}

# What marks a dataclass, an attrs class and a msgspec Struct; none of them is imported to know.
_OPTION_CLASSES: Final = ("__dataclass_fields__", "__attrs_attrs__", "__struct_fields__")

# Methods, and the arguments that holdall calls them with: positional, then keywords.
_METHODS: Final[Mapping[str, Mapping[str, tuple[int, tuple[str, ...]]]]] = {
    "exporters": {"export": (3, ())},
    "repositories": {
        "from_url": (2, ("options",)),
        "create": (1, ("first",)),
        "open": (1, ("mode", "take_over")),
        "ids": (0, ()),
        "remove": (1, ()),
    },
    "provider_loaders": {"accepts": (1, ()), "load": (1, ())},
    "runners": {"run": (1, ()), "interrupted": (1, ())},
    "importers": {"load": (1, ())},
}


def misfits(kind: str, plugin: Any) -> list[str]:
    """Return everything that keeps *plugin* from being one of its kind, in words."""
    if kind not in _METHODS:
        return []
    if not isinstance(plugin, type):
        return [f"it is {plugin!r} and not a class"]
    found = [*_attribute_misfits(kind, plugin), *_method_misfits(kind, plugin)]
    if "Options" in _ATTRIBUTES.get(kind, {}):
        found += _option_misfits(getattr(plugin, "Options", None))
    return found


def _attribute_misfits(kind: str, plugin: type) -> Iterator[str]:
    for name, wanted in _ATTRIBUTES.get(kind, {}).items():
        value = getattr(plugin, name, None)
        if value is None:
            yield f"it has no attribute {name!r}"
        elif not isinstance(value, wanted):
            yield f"its {name!r} must be a {wanted.__name__}, not {value!r}"


def _option_misfits(options: Any) -> Iterator[str]:
    if not isinstance(options, type):
        return  # told already
    if not any(hasattr(options, mark) for mark in _OPTION_CLASSES):
        yield "its 'Options' must be a dataclass, an attrs class or a msgspec Struct"
        return
    try:
        inspect.signature(options).bind()
    except TypeError as error:
        yield f"every field of its 'Options' must have a default ({error})"
    except ValueError:
        return  # a signature that Python can't tell


def _method_misfits(kind: str, plugin: type) -> Iterator[str]:
    for name, (positional, keywords) in _METHODS[kind].items():
        method = inspect.getattr_static(plugin, name, None)
        if method is None or not callable(getattr(plugin, name)):
            yield f"it has no method {name!r}"
            continue
        bound = isinstance(method, classmethod)
        try:
            signature = inspect.signature(getattr(plugin, name))
            arguments = [None] * (positional + (0 if bound else 1))
            signature.bind(*arguments, **dict.fromkeys(keywords))
        except TypeError as error:
            takes = f"{positional} argument{'' if positional == 1 else 's'}"
            also = f" and the keywords {', '.join(keywords)}" if keywords else ""
            yield f"its method {name!r} must take {takes}{also} ({error})"
        except ValueError:
            continue  # a signature that Python can't tell, of a class written in C
