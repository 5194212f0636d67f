"""The Test Anything Protocol, versions 12 to 14, and the kernel's dialect of it, KTAP.

A test point is a job. Points of a subtest are jobs below the name of the point that they are
part of; that one is a job itself only where its outcome does not follow from its parts. A plan
that was not kept, a missing plan and a bail-out are a job, so that no cut looks whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.reading import text_lines

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.recording import Recorder

_POINT: Final = re.compile(r"(not )?ok\b(?:[ \t]+([0-9]+))?(?:[ \t]*-?[ \t]*(.*))?", re.ASCII)
_PLAN: Final = re.compile(r"1\.\.([0-9]{1,9})(?:\s*#\s*(?:skip\S*\s*)?(.*))?\s*", re.IGNORECASE)
_DIRECTIVE: Final = re.compile(r"(.*?)(?<!\\)#\s*(skip|todo)\S*\s*(.*)", re.IGNORECASE)
_SUBTEST: Final = re.compile(r"#\s*Subtest(?::\s*(.*))?")
_VERSION: Final = re.compile(r"(K?TAP) version ([0-9]+)", re.IGNORECASE)
_STAMP: Final = re.compile(r"\[ *[0-9]+\.[0-9]+\](?:\[[ \w]+\])? ?")
_BEGIN: Final = re.compile(
    r"(?:K?TAP version [0-9]+|1\.\.[0-9]+\b.*|(?:not )?ok [0-9]+\b.*)", re.IGNORECASE
)
_MOST: Final = 256 * 1024
_PLAN_JOB: Final = "plan"


class TapImporter:
    """Records the points of a TAP stream."""

    indent = 4

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether it begins with a version, or with a plan or a point that a point follows."""
        lines = _lines(head)
        if any(_version(line) == "ktap" for line in lines):
            return False
        if any(_version(line) == "tap" for line in lines):
            return True
        points = sum(_POINT.fullmatch(line) is not None for line in lines)
        begins = next((line for line in lines if not line.startswith("#")), "")
        return points > 0 and _BEGIN.fullmatch(begins) is not None

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record the stream."""
        stream = _Stream(recorder, self.indent)
        for number, line in text_lines(source, errors="backslashreplace"):
            stream.take(number, line.rstrip())
        stream.finish()


class KtapImporter(TapImporter):
    """Records the points of a KTAP stream, also in a log of the kernel with moments."""

    indent = 2

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether one of the first lines says that it is KTAP."""
        return any(_version(line) == "ktap" for line in _lines(head))


def _lines(head: bytes) -> list[str]:
    text = head.decode("utf-8", "replace").lstrip("\ufeff")
    return [_STAMP.sub("", line, count=1).strip() for line in text.splitlines() if line.strip()]


def _version(line: str) -> str:
    match = _VERSION.fullmatch(line)
    return match[1].lower() if match else ""


class _Point(NamedTuple):
    """A test point: its name, outcome, and the reason behind the directive."""

    name: str
    outcome: str
    reason: str
    expected: bool


class _Level:
    """Points of one depth: how many were planned and seen, and what the last one said."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.planned: int | None = None
        self.seen = 0
        self.failed = False
        self.point: _Point | None = None
        self.point_name: str | None = None
        self.had_parts = False
        self.said: list[str] = []
        self.before: list[str] = []
        self.waiting: list[tuple[str, _Point, list[str], dict[str, Any]]] = []
        self.yaml: list[str] | None = None
        self.facts: dict[str, Any] = {}
