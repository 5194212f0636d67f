"""What an author should know of a definition, and the line that it is about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from holdall.units import Unit

Severity = Literal["error", "warning", "advice"]


class Issue(NamedTuple):
    """Something about a definition that its author should know.

    Attributes:
        line: Counted from 1; 0 if the file as a whole is meant.
        severity: `error` if something is lost or can never work, `warning` if it may not do
            what it seems to, `advice` otherwise.
        unit: Qualified id of the unit, empty if none is meant.
        field: The field at fault, with `_` for every `-`; empty if none is.
    """

    file: str
    line: int
    severity: Severity
    message: str
    unit: str = ""
    field: str = ""

    def __str__(self) -> str:
        location = f"{self.file}:{self.line}" if self.line else self.file
        return f"{location}: {self.severity}: {self.message}"


class Remark(NamedTuple):
    """An issue before its line is known.

    Attributes:
        word: What of the field's value is meant, to find its line; empty if all of it is.
    """

    severity: Severity
    field: str
    message: str
    word: str = ""


class Locator:
    """Finds the lines of fields in the files that units were read from."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def issue(self, unit: Unit, remark: Remark) -> Issue:
        """Return what *remark* says of *unit*, with the line it is about."""
        message = f"{unit.kind} {unit.id!r}: {remark.message}"
        if unit.origin is None:
            return Issue("", 0, remark.severity, message, unit.id, remark.field)
        file, first = unit.origin.file, unit.origin.line
        line = self._line(file, first, remark.field, remark.word)
        return Issue(file, line, remark.severity, message, unit.id, remark.field)

    def _line(self, file: str, first: int, field: str, word: str) -> int:
        """Return the line of *word* in the field, or of the field, or else the unit's first."""
        is_yaml = file.endswith((".yaml", ".yml"))
        of_field = similar = 0
        is_inside = False
        whole = re.compile(rf"(?<![^\s{_AROUND}]){re.escape(word)}(?![^\s{_AROUND}])")
        for number, line in enumerate(self._lines(file)[first - 1 :], start=first):
            is_end = line.startswith("---") if is_yaml else not line.strip()
            if is_end and number > first:
                break
            key = _KEY.match(line)
            if key:
                is_inside = key[1].replace("-", "_") == field
                of_field = of_field or (number if is_inside else 0)
            if is_inside and word and not line.startswith("#"):
                if whole.search(line) or whole.search(line.replace("\\", "")):
                    return number
                similar = similar or (number if word in line else 0)
        return similar or of_field or first

    def _lines(self, file: str) -> list[str]:
        if file not in self._files:
            try:
                text = Path(file).read_text("utf-8", errors="backslashreplace")
            except OSError:
                text = ""
            self._files[file] = text.split("\n")
        return self._files[file]


_AROUND: Final = r""",;:="'#\[\](){}"""  # what may stand beside a word, blanks aside
_KEY: Final = re.compile(r"_?([A-Za-z][\w-]*)\s*:")
