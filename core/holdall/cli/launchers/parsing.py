"""Launchers and configuration files of Checkbox: the text, section by section, and its faults."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from holdall.errors import ConfigurationError, near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Kind = Literal["text", "list", "truth", "number"]


class Key(NamedTuple):
    """A key that a section may have.

    Attributes:
        values: All that a text may be; anything if there are none.
    """

    kind: Kind = "text"
    values: tuple[str, ...] = ()


_TEXT: Final = Key()
_LIST: Final = Key("list")
_TRUTH: Final = Key("truth")
_NUMBER: Final = Key("number")
_DIGITS: Final = 6  # seconds and attempts of a lifetime
_TYPES: Final = ("interactive", "silent", "converged", "converged-submission")
OUTPUTS: Final = ("show", "hide", "hide-resource-and-attachment", "hide-automated")

SECTIONS: Final[Mapping[str, Mapping[str, Key]]] = {
    "config": {"config_filename": _TEXT},
    "launcher": {
        "launcher_version": _NUMBER,
        "app_id": _TEXT,
        "app_version": _TEXT,
        "stock_reports": _LIST,
        "local_submission": _TRUTH,
        "session_title": _TEXT,
        "session_desc": _TEXT,
    },
    "test plan": {"filter": _LIST, "unit": _TEXT, "forced": _TRUTH},
    "test selection": {"forced": _TRUTH, "exclude": _LIST, "match": _LIST},
    "features": {
        "strict_template_expansion": _TRUTH,
        "systemd_based_job_runner": _TRUTH,
    },
    "ui": {
        "type": Key(values=_TYPES),
        "output": Key(values=OUTPUTS),
        "dont_suppress_output": _TRUTH,
        "verbosity": Key(
            values=("normal", "verbose", "debug"),
        ),
        "auto_retry": _TRUTH,
        "max_attempts": _NUMBER,
        "delay_before_retry": _NUMBER,
    },
    "agent": {"normal_user": _TEXT},
    "restart": {"strategy": _TEXT},
    "report": {"exporter": _TEXT, "transport": _TEXT, "forced": _TRUTH},
    "transport": {
        "type": Key(values=("stream", "file", "submission-service")),
        "stream": Key(values=("stdout", "stderr")),
        "path": _TEXT,
        "secure_id": _TEXT,
        "staging": _TRUTH,
    },
    "exporter": {"unit": _TEXT, "options": _LIST},
}
"""The keys of each section; sections with a name of their own are `report:NAME` and so on."""

NAMED: Final = frozenset({"report", "transport", "exporter"})
FREE: Final = frozenset({"environment", "manifest"})
"""Sections whose keys are names of variables, and ids of manifest entries."""

_RENAMED: Final = {"daemon": "agent"}
_GONE: Final = frozenset({"api_flags", "api_version"})
_TRUTHS: Final = {"yes": True, "true": True, "no": False, "false": False}
_SECTION: Final = re.compile(r"\[([^]]*)\]\s*")


class Value(NamedTuple):
    """A value as it was written, and where."""

    text: str
    location: str


class Problem(NamedTuple):
    """Something of a file that does not count, or not as it may be meant."""

    location: str
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message}"


class Parsed(NamedTuple):
    """One file: the values that count, by section and key, and its problems."""

    values: dict[tuple[str, str], Value]
    problems: list[Problem]


def parse_file(path: Path) -> Parsed:
    """Return what a launcher or a configuration file says.

    Raises:
        ConfigurationError: It can't be read, or is no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin files with a mark
    except OSError as error:
        raise ConfigurationError(str(path), str(error.strerror or error)) from error
    except ValueError as error:
        raise ConfigurationError(str(path), "it is not UTF-8") from error
    if "\0" in text:
        raise ConfigurationError(str(path), "it is no text, but holds null bytes")
    return parse(text, str(path))


def parse(text: str, name: str) -> Parsed:
    """Return what the text of a file *name* says; keys are told from values by `=` alone."""
    parsed = Parsed({}, [])
    for section, key, value in _lines(text, name, parsed.problems):
        name_now = _RENAMED.get(section, section)
        counts, problem = _checked(name_now, key, value.text)
        if problem:
            parsed.problems.append(Problem(value.location, problem))
        if counts:
            parsed.values[name_now, key] = value
    return parsed


def _lines(text: str, name: str, problems: list[Problem]) -> Iterator[tuple[str, str, Value]]:
    section: str | None = None
    key, value = "", Value("", "")
    for number, line in enumerate(text.split("\n"), start=1):
        location = f"{name}:{number}"
        line = line.rstrip()  # noqa: PLW2901 - the end of a line says nothing
        if not line or line.lstrip()[0] in "#;":
            continue
        if line[0].isspace() and key:
            value = value._replace(text=f"{value.text}\n{line.strip()}".lstrip("\n"))
            continue
        if section is not None and key:
            yield section, key, value
        key = ""
        header = _SECTION.fullmatch(line)
        if header:
            section = header[1]
            fault = _fault_of_section(_RENAMED.get(section, section))
            if fault:
                problems.append(Problem(location, fault))
            continue
        key, equals, content = (part.strip() for part in line.partition("="))
        if not equals or not key:
            problems.append(Problem(location, f"{line.strip()!r} is not KEY = VALUE"))
            key = ""
        elif section is None:
            problems.append(Problem(location, f"{key!r} stands in no section"))
            key = ""
        value = Value(content, location)
    if section is not None and key:
        yield section, key, value


def _fault_of_section(section: str) -> str:
    kind, colon, name = section.partition(":")
    if section in SECTIONS.keys() - NAMED | FREE or (kind in NAMED and name):
        return ""
    if kind in NAMED:
        return f"the section [{section}] needs a name, such as [{kind}:mine]"
    known = [*(SECTIONS.keys() - NAMED), *FREE, *(f"{kind}:" for kind in NAMED)]
    hint = near(section, known) if not colon else near(kind, NAMED)
    return f"there is no section [{section}]{hint}; nothing of it counts"


def _checked(section: str, key: str, text: str) -> tuple[bool, str]:
    """Return whether a value counts, and what is to be said of it."""
    if section in FREE:
        return True, ""
    if _fault_of_section(section):
        return False, ""  # the section itself is a problem
    keys = SECTIONS[section.partition(":")[0]]
    if key in _GONE:
        return False, f"Checkbox has no key {key!r} any more"
    if key not in keys:
        return False, f"[{section}] has no key {key!r}{near(key, keys)}; it does not count"
    known = keys[key]
    try:
        typed(known.kind, text)
    except ValueError as error:
        return False, f"{key} = {text} does not count: {error}"
    if known.values and text not in known.values:
        return (
            True,
            f"{key} = {text} is none of {', '.join(known.values)}{near(text, known.values)}",
        )
    if known.kind == "truth" and text.lower() not in _TRUTHS:
        return True, f"{key} = {text} means no: only yes and true mean yes"
    return True, ""


def typed(kind: Kind, text: str) -> str | list[str] | bool | int:
    """Return a value as its kind reads it.

    Raises:
        ValueError: It is none.
    """
    match kind:
        case "text":
            return text
        case "list":
            return shlex.split(text.replace(",", " "))
        case "truth":
            return _TRUTHS.get(text.lower(), False)
        case "number":
            if not text.isdecimal() or len(text) > _DIGITS:
                raise ValueError("it is no number from 0 to 999999")
            return int(text)
