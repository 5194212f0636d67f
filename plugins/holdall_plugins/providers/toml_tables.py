"""The tables of a TOML file, with their lines; one that can't be read costs itself alone."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS: Final = ("provider", "job", "category", "plan")
"""What tables define; all but the first have a name behind a dot."""

DEFINITION: Final = "provider.toml"
"""The file that makes a provider of the folder it lies in."""

LARGEST: Final = 16 * 2**20
"""Bytes that a file may have."""


class Table(NamedTuple):
    """One definition.

    Attributes:
        kind: One of `KINDS`.
        name: What stands behind the dot; empty for the provider.
        content: Its keys and values.
        line: That of its header, counted from 1; 0 if it has none of its own.
        lines: The line of each key, as far as it is easy to see.
    """

    kind: str
    name: str
    content: Mapping[str, Any]
    line: int
    lines: Mapping[str, int]


class Fault(NamedTuple):
    """What is wrong with a part of a file.

    Attributes:
        kind: What the part defines, if that can be seen.
        name: What it would have been called.
    """

    line: int
    text: str
    kind: str = ""
    name: str = ""


def has_tables(head: str) -> bool:
    """Whether a text has a table of ours."""
    return _HEADER.search(head) is not None


def parse_tables(data: bytes) -> Iterator[Table | Fault]:
    """Yield the tables of a file in their order, and what is wrong with it."""
    if len(data) > LARGEST:
        yield Fault(0, f"it has more than {LARGEST >> 20} MiB; divide it into several files")
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        yield Fault(line, "it is not UTF-8 here; save it as UTF-8")
        text = data.decode("utf-8-sig", errors="backslashreplace")
    parts = list(_parts(text))
    whole = _parsed(text)
    if not isinstance(whole, Fault):
        yield from _of_document(whole, parts)
        return
    # Something is wrong somewhere: what can be read by itself is read.
    seen: set[tuple[str, str]] = set()
    for part in parts:
        parsed = _parsed(part.text)
        if isinstance(parsed, Fault):
            line = part.line + max(1, parsed.line) - 1
            yield Fault(line, parsed.text, part.kind, part.name)
            continue
        if part.kind and (part.kind, part.name) in seen:
            text = f"the table [{_shown(part)}] stands there twice; the first counts"
            yield Fault(part.line, text)
            continue
        seen.add((part.kind, part.name))
        yield from _of_document(parsed, [part])


class _Part(NamedTuple):
    """A part of a file, from one header to the next."""

    kind: str
    name: str
    line: int
    text: str


def _parts(text: str) -> Iterator[_Part]:
    headers = list(_HEADER.finditer(text))
    first = headers[0].start() if headers else len(text)
    if text[:first].strip():
        yield _Part("", "", 1, text[:first])
    line = 1 + text.count("\n", 0, first)
    ends = [*(header.start() for header in headers[1:]), len(text)]
    for header, end in zip(headers, ends, strict=False):
        part = text[header.start() : end]
        kind, name = _named(header)
        if kind:
            yield _Part(kind, name, line, part)
        line += part.count("\n")


def _named(header: re.Match[str]) -> tuple[str, str]:
    """Return the kind and the name that the line of a header says."""
    try:
        content: Any = tomllib.loads(header[0])
    except (ValueError, RecursionError):
        return header["kind"], ""
    below = content[header["kind"]]
    name = next(iter(below), "") if isinstance(below, dict) else ""
    return header["kind"], name


def _parsed(text: str) -> Mapping[str, Any] | Fault:
    try:
        return tomllib.loads(text)
    except RecursionError:
        return Fault(1, "it is nested too deep")
    except ValueError as error:  # tomllib's own, and that of a date that is none
        reason = str(error)
        match = _AT.search(reason)
        line = int(match[1]) if match else text.count("\n") if "end of document" in reason else 1
        return Fault(line, f"it is no TOML: {_AT.sub('', reason)}")


def _of_document(content: Mapping[str, Any], parts: list[_Part]) -> Iterator[Table | Fault]:
    places = {(part.kind, part.name): part for part in reversed(parts)}
    tables = []
    for kind, below in content.items():
        if kind not in KINDS:
            yield _unknown(kind, parts)
        elif not isinstance(below, dict):
            shape = f"[{kind}.NAME]" if kind != "provider" else "[provider]"
            yield Fault(_line_of(kind, parts), f"{kind!r} is a table; begin it with {shape}")
        elif kind == "provider":
            tables.append(_table(kind, "", below, places.get((kind, ""))))
        else:
            for name, value in below.items():
                place = places.get((kind, name))
                if isinstance(value, dict):
                    tables.append(_table(kind, name, value, place))
                else:
                    text = f"the {kind} {name!r} is a table; begin it with [{kind}.{_key(name)}]"
                    yield Fault(_line_of(name, parts), text)
    yield from sorted(tables, key=lambda table: table.line)


def _table(kind: str, name: str, content: Mapping[str, Any], part: _Part | None) -> Table:
    lines: dict[str, int] = {}
    for number, text in enumerate(part.text.splitlines() if part else ()):
        match = _KEY.match(text)
        if match and part:
            lines.setdefault(match[1].strip("\"'"), part.line + number)
    return Table(kind, name, content, part.line if part else 0, lines)


def _unknown(name: str, parts: list[_Part]) -> Fault:
    known = ", ".join(f"[{kind}]" if kind == "provider" else f"[{kind}.NAME]" for kind in KINDS)
    return Fault(_line_of(name, parts), f"holdall knows no table {name!r} (tables: {known})")


def _line_of(name: str, parts: list[_Part]) -> int:
    """Return the line that begins with this key or table, or 0."""
    begins = re.compile(rf"\s*\[*\s*[\"']?{re.escape(name)}[\"']?\s*[].=]")
    for part in parts:
        for number, line in enumerate(part.text.splitlines()):
            if begins.match(line):
                return part.line + number
    return 0


def _shown(part: _Part) -> str:
    return f"{part.kind}.{_key(part.name)}" if part.name else part.kind


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


_HEADER: Final = re.compile(
    rf"^[ \t]*\[[ \t]*(?P<kind>{'|'.join(KINDS)})[ \t]*(?:\.[^\n]*?)?\][ \t]*(?:#[^\n]*)?\r?$",
    re.MULTILINE,
)
_AT: Final = re.compile(r" \(at line (\d+), column \d+\)")
_KEY: Final = re.compile(r"[ \t]*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*[.=]")
