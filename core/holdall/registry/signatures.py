"""The signatures that each kind of plugin must have, checked at load."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, Final

from holdall.registry.option_types import is_options_class, option_misfits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# With the arguments that holdall calls them with: positional, then keywords.
METHODS: Final[Mapping[str, Mapping[str, tuple[int, tuple[str, ...]]]]] = {
    "exporters": {"export": (3, ())},
    "repositories": {
        "from_url": (2, ("options",)),
        "create": (1, ("first",)),
        "open": (1, ("mode", "take_over")),
        "ids": (0, ()),
        "remove": (1, ()),
    },
    "provider_loaders": {"accepts": (1, ()), "load": (1, ())},
    "runners": {"from_url": (1, ("options",)), "run": (1, ()), "interrupted": (1, ())},
    "importers": {"accepts": (2, ()), "load": (2, ())},
}
"""The methods that a plugin of each kind has."""

# Methods that a plugin may have besides, with the same arguments.
_OPTIONAL: Final[Mapping[str, Mapping[str, tuple[int, tuple[str, ...]]]]] = {
    "exporters": {"verify": (1, ()), "json_schema": (0, ())},
    "importers": {"accepts_folder": (1, ())},
}

# Attributes that an exporter must have, the pattern of each, and its description.
_ATTRIBUTES: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "summary": (re.compile(r"(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]+"), "one line of text"),
    "suffix": (re.compile(r"\.[^/\\\s\x00-\x1f\x7f]+"), "a file name ending like '.md'"),
    "media_type": (
        re.compile(r"[!-.0-~]+/[!-.0-~]+( *;[ -~]*)?"),
        "a media type like 'text/markdown'",
    ),
}

# Methods whose result is iterated, so that they may be generators.
_MAY_YIELD: Final = {("repositories", "list"), ("repositories", "ids")}

OUTPUTS: Final = ("file", "parts", "folder")
"""What an exporter may say in `output`; one that says nothing writes a file."""


def misfits(kind: str, plugin: Any) -> list[str]:
    """Return a message for everything that keeps *plugin* from being one of its kind."""
    if kind not in METHODS:
        return []
    if not isinstance(plugin, type):
        return [f"it is {plugin!r} and not a class"]
    reasons = [*_method_misfits(kind, plugin)]
    if kind == "exporters":
        reasons = [*_attribute_misfits(plugin), *reasons, *_options_misfits(plugin)]
    return reasons


def _attribute_misfits(plugin: type) -> Iterator[str]:
    output = getattr(plugin, "output", "file")
    if output not in OUTPUTS:
        yield f"its 'output' must be one of {', '.join(map(repr, OUTPUTS))}, not {output!r}"
    for name, (pattern, meaning) in _ATTRIBUTES.items():
        value = getattr(plugin, name, None)
        if value is None:
            yield f"it has no attribute {name!r}"
        elif not isinstance(value, str):
            yield f"its {name!r} must be a str, not {value!r}"
        elif name == "suffix" and output == "folder" and not value:
            continue  # a folder needs no ending
        elif not pattern.fullmatch(value):
            yield f"its {name!r} must be {meaning}, not {value!r}"


def _options_misfits(plugin: Any) -> Iterator[str]:
    """Yield what is wrong with the plugin's `Options` class."""
    if not hasattr(plugin, "Options"):
        return
    options = plugin.Options
    if not is_options_class(options):
        yield "its 'Options' must be a dataclass, an attrs class or a msgspec Struct"
        return
    yield from option_misfits(options)
    try:
        inspect.signature(options).bind()
    except TypeError as error:
        yield f"every field of its 'Options' must have a default ({error})"
    except ValueError:
        return  # Python knows no signature


def _method_misfits(kind: str, plugin: type) -> Iterator[str]:
    optional = _OPTIONAL.get(kind, {})
    for name, (positional, keywords) in {**METHODS[kind], **optional}.items():
        method = inspect.getattr_static(plugin, name, None)
        if method is None or not callable(getattr(plugin, name)):
            if method is not None or name not in optional:
                yield f"it has no method {name!r}"
            continue
        if (kind, name) not in _MAY_YIELD and _never_runs(method):
            yield f"its method {name!r} is a {_never_runs(method)}, which would never run"
            continue
        # A class is called through an instance, so that any kind of method will do.
        itself = 0 if isinstance(method, classmethod | staticmethod) else 1
        try:
            signature = inspect.signature(getattr(plugin, name))
            signature.bind(*[None] * (positional + itself), **dict.fromkeys(keywords))
        except TypeError as error:
            takes = f"{positional} argument{'' if positional == 1 else 's'}"
            also = f" and the keywords {', '.join(keywords)}" if keywords else ""
            yield f"its method {name!r} must take {takes}{also} ({error})"
        except ValueError:
            continue  # Python knows no signature of a class written in C


def _never_runs(method: Any) -> str:
    """Return what a method is that only makes an object when it is called; empty if it runs."""
    function = getattr(method, "__func__", method)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return "coroutine"
    return "generator" if inspect.isgeneratorfunction(function) else ""
