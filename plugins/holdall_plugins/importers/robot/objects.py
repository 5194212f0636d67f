"""Robot's output in JSON, of version 7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from holdall.reading import json_parts
from holdall_plugins.importers.robot.tests import Ending, Test, lasted, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall_plugins.importers.robot.tests import Recording

_SUITE: Final = re.compile(r"suite(?:\.suites\.item)*\.(?:name|source|doc|metadata|teardown)")
_TEST: Final = re.compile(r"suite(?:\.suites\.item)*\.tests\.item")


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
    for number, (path, _where, value) in enumerate(json_parts(source, _is_test), start=1):
        if not isinstance(value, dict):
            raise ValueError(f"test {number}: it is no object")  # noqa: TRY004 - the file's fault
        # The last number is that of the test in its suite, whose own place is before it.
        chain = [suites[path[:end]] for end in range(len(path)) if path[:end] in suites]
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
            recording.record(test, teardowns[::-1])
        except (TypeError, ValueError) as error:
            raise ValueError(f"test {number} ({test.name!r}): {error}") from error


def _suites(source: Path) -> tuple[dict[tuple[int, ...], _Suite], bool]:
    """Return the suites by where they stand, and whether Robot wrote the file, and not Rebot."""
    suites: dict[tuple[int, ...], _Suite] = {}
    by_robot = True
    for path, where, value in json_parts(source, _is_of_suite):
        if where == "generator":
            by_robot = str(value).startswith("Robot")
        else:
            suites.setdefault(path, _Suite()).facts[where.rpartition(".")[2]] = value
    return suites, by_robot


def _is_of_suite(where: str) -> bool:
    return where == "generator" or _SUITE.fullmatch(where) is not None


def _is_test(where: str) -> bool:
    return _TEST.fullmatch(where) is not None


def _fill(test: Test, value: dict[str, Any]) -> None:
    """Take in what happened in a test."""
    test.ending = _ending(value)
    parts = [("SETUP", value.get("setup")), *(("", each) for each in _list(value, "body"))]
    for kind, part in [*parts, ("TEARDOWN", value.get("teardown"))]:
        if not isinstance(part, dict):
            continue
        if part.get("type") == "MESSAGE":
            test.say(_text(part, "level"), _text(part, "message"))
            continue
        for message in _messages(part):
            test.say(_text(message, "level"), _text(message, "message"))
        test.step(_called(part, kind), _ending(part), _failure(part))


def _called(part: dict[str, Any], kind: str) -> str:
    """Return how Robot's log calls a keyword: `SETUP BuiltIn.Log`, `FOR`."""
    kind = kind or _text(part, "type")
    owner, name = _text(part, "owner"), _text(part, "name")
    called = f"{owner}.{name}" if owner and name else name
    return " ".join(filter(None, ("" if kind == "KEYWORD" else kind, called)))


def _messages(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the messages in a keyword, and in those in it."""
    for inner in (part.get("setup"), *_list(part, "body"), part.get("teardown")):
        if isinstance(inner, dict):
            if inner.get("type") == "MESSAGE":
                yield inner
            else:
                yield from _messages(inner)


def _failure(part: dict[str, Any]) -> str:
    failed = [each for each in _messages(part) if each.get("level") in {"FAIL", "SKIP"}]
    return _text(failed[-1], "message") if failed else ""


def _ending(value: dict[str, Any]) -> Ending:
    elapsed = value.get("elapsed_time")
    return Ending(
        _text(value, "status"),
        _text(value, "message"),
        started(_text(value, "start_time")),
        lasted(None, None, str(elapsed)) if elapsed is not None else None,
    )


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key)
    return text if isinstance(text, str) else ""


def _list(value: dict[str, Any], key: str) -> list[Any]:
    items = value.get(key)
    return items if isinstance(items, list) else []
