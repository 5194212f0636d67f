r"""Records of `key: value` fields, as unit files hold them and resource jobs print them.

The grammar is the one Checkbox documents for its unit files:

- `#` in the first column makes a comment, also inside a value
- a line of blanks ends the record
- a line that starts with a blank continues the value above; one blank is cut
- `key: value` starts a field; everything before the first colon is the key
- in a value of several lines a lone `.` stands for an empty line (`..` for a
  lone dot) and the common indentation is cut

Three things differ on purpose: a tab continues a value as a space does, a byte
order mark is skipped, and only ``\n`` ends a line, wherever the text comes from.
"""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, NamedTuple

from holdall.errors import RecordSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Record(NamedTuple):
    """The fields of one record, and the lines it stands on (from 1)."""

    fields: dict[str, str]
    first_line: int
    last_line: int
    field_lines: dict[str, int]


def parse_records(text: str) -> Iterator[Record | RecordSyntaxError]:
    """Yield each record of *text*, or what is wrong with it.

    A bad record costs itself only: parsing goes on behind the next blank line.
    """
    block: list[tuple[int, str]] = []
    number = 0
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.startswith("#"):
            continue
        if line and not line.isspace():
            block.append((number, line))
        elif block:
            yield _record(block)
            block = []
    if block:
        yield _record(block)


def format_record(fields: Mapping[str, str]) -> str:
    """Return a record that `parse_records` reads back as exactly these fields.

    Raises:
        ValueError: The grammar has no way to write one of them, such as a value
            that ends in a blank, or a key with a colon.
    """
    text = "".join(map(_field, fields, fields.values())) + "\n"
    match list(parse_records(text)):
        case [Record(fields=read)] if read == dict(fields):
            return text
        case _:
            raise ValueError(f"no record can hold these fields as they are: {dict(fields)!r}")


def _field(key: str, value: str) -> str:
    if "\n" not in value:
        return f"{key}: {value}\n" if value else f"{key}:\n"
    return f"{key}:\n" + "".join(f" {_escaped(line)}\n" for line in value.split("\n"))


def _escaped(line: str) -> str:
    return line.replace(".", "..") if line.strip() == "." else line or "."


def _record(block: list[tuple[int, str]]) -> Record | RecordSyntaxError:
    lines: dict[str, list[str]] = {}
    field_lines: dict[str, int] = {}
    value: list[str] | None = None
    for number, line in block:
        if line[0] in " \t":
            if value is None:
                return RecordSyntaxError(number, "a continued line, but no field before it")
            value.append(line[1:].rstrip("\r"))
            continue
        key, colon, rest = line.partition(":")
        if not colon:
            return RecordSyntaxError(number, f"neither a field nor a continued line: {line!r}")
        key = key.strip()
        if key in lines:
            return RecordSyntaxError(
                number, f"the field {key!r} stands twice, first on line {field_lines[key]}"
            )
        rest = rest.lstrip().rstrip("\r")
        value = lines[key] = [rest] if rest else []
        field_lines[key] = number
    fields = {key: _value(value) for key, value in lines.items()}
    return Record(fields, block[0][0], block[-1][0], field_lines)


def _value(lines: list[str]) -> str:
    if len(lines) < 2:
        return lines[0].strip() if lines else ""
    return dedent("\n".join(map(_unescaped, lines))).strip()


def _unescaped(line: str) -> str:
    if "." not in line:
        return line
    match line.strip():
        case ".":
            return ""
        case "..":
            return line.replace("..", ".")
        case _:
            return line
