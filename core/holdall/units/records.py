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
    record = _Lines()
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.startswith("#"):
            continue
        if not line or line.isspace():
            if record.first_line:
                yield record.parsed()
                record = _Lines()
        else:
            record.add(number, line)
    if record.first_line:
        yield record.parsed()


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


class _Lines:
    """The lines of one record, taken in one by one; behind an error they count no more."""

    __slots__ = (
        "error",
        "field_lines",
        "fields",
        "first_line",
        "key",
        "last_line",
        "more",
        "rest",
    )

    def __init__(self) -> None:
        self.first_line = 0
        self.last_line = 0
        self.fields: dict[str, str] = {}
        self.field_lines: dict[str, int] = {}
        self.key: str | None = None
        self.rest = ""  # what stands behind the key, on its line
        self.more: list[str] = []  # the lines behind that one
        self.error: RecordSyntaxError | None = None

    def add(self, number: int, line: str) -> None:
        self.first_line = self.first_line or number
        self.last_line = number
        if self.error is not None:
            return
        if line[0] in " \t":
            if self.key is None:
                reason = "a continued line, but no field before it"
                self.error = RecordSyntaxError(number, reason)
            self.more.append(line[1:])
            return
        key, colon, rest = line.partition(":")
        key = key.strip()
        if not colon:
            reason = f"neither a field nor a continued line: {line!r}"
            self.error = RecordSyntaxError(number, reason)
        elif key in self.fields:
            reason = f"the field {key!r} stands twice, first on line {self.field_lines[key]}"
            self.error = RecordSyntaxError(number, reason)
        else:
            self._end_field()
            self.key, self.rest = key, rest
            self.fields[key] = rest.strip()
            self.field_lines[key] = number

    def _end_field(self) -> None:
        if self.more:
            first = self.rest.lstrip()
            self.fields[self.key or ""] = _value([first, *self.more] if first else self.more)
            self.more = []

    def parsed(self) -> Record | RecordSyntaxError:
        if self.error is not None:
            return self.error
        self._end_field()
        return Record(self.fields, self.first_line, self.last_line, self.field_lines)


def _value(lines: list[str]) -> str:
    if len(lines) < 2:
        return lines[0].strip()
    lines = [_unescaped(line.rstrip("\r")) for line in lines]
    text = "\n".join(lines)
    if any(line and line[0] not in " \t" for line in lines):
        return text.strip()  # they have no indentation in common
    return dedent(text).strip()


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
