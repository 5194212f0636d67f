"""Robot's output in JSON, of version 7."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdall.reading import json_parts
from holdall_plugins.importers.robot.tests import Ending, Recording, Test, lasted, started

if TYPE_CHECKING:
    from pathlib import Path

_SUITES: Final = ".suites.item"
_PARTS: Final = frozenset({"name", "source", "teardown", "metadata", "doc"})


class _Suite:
    """What is said of a suite, partly behind its tests."""

    def __init__(self) -> None:
        self.facts: Final[dict[str, Any]] = {}

    @property
    def teardown(self) -> Ending | None:
        """How its tear-down ended, if it did not pass."""
        value = self.facts.get("teardown")
        if isinstance(value, dict) and value.get("status") in {"FAIL", "SKIP"}:
            return Ending(value["status"], _text(value, "message") or _failure(value))
        return None


def read(source: Path, recording: Recording) -> None:
    """Record each test of a file.

    Raises:
        ValueError: It is no such file, or damaged; the message says near which byte.
    """
    suites, by_robot = _suites(source)
    for suite in suites.values():
        metadata = suite.facts.get("metadata")
        if isinstance(metadata, dict):
            recording.metadata({str(name): str(value) for name, value in metadata.items() if name})
        if suite.facts.get("doc"):
            recording.recorder.leave_out("documentation of suites")
    for number, (path, value) in enumerate(json_parts(source, _is_test), start=1):
        if not isinstance(value, dict):
            raise ValueError(f"test {number}: it is no object")
        chain = [suites[path[:end]] for end in range(1, len(path) + 1) if path[:end] in suites]
        names = tuple(_text(suite.facts, "name") for suite in chain)
        test = Test(
            tuple(filter(None, names)),
            _text(value, "name"),
            str(value.get("lineno", "")),
            _text(chain[-1].facts, "source") if chain else "",
            _text(value, "doc"),
            [str(tag) for tag in _list(value, "tags")],
        )
        teardowns = [suite.teardown for suite in chain if suite.teardown] if by_robot else []
        try:
            _fill(test, value)
            recording.record(test, teardowns[-1] if teardowns else None)
        except ValueError as error:
            raise ValueError(f"test {number} ({test.name!r}): {error}") from error


def _suites(source: Path) -> tuple[dict[tuple[int, ...], _Suite], bool]:
    """Return the suites by where they stand, and whether Robot wrote the file, and not Rebot."""
    suites: dict[tuple[int, ...], _Suite] = {}
    by_robot = True
    for path, value in json_parts(source, _is_of_suite):
        if not path:
            by_robot = str(value).startswith("Robot")
    return suites, by_robot
