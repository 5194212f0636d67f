"""Robot's output.xml, of versions 3 to 7."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.reading import End, Start, xml_nodes
from holdall_plugins.importers.robot.tests import Ending, Test, lasted, started

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.reading import XmlNode
    from holdall_plugins.importers.robot.tests import Recording

_WHOLES: Final = frozenset(
    {"status", "msg", "doc", "tags", "tag", "arguments", "arg", "assign", "metadata", "meta"}
    | {"timeout", "value", "statistics", "errors", "var", "return", "pattern", "arguments"}
)
_IGNORED: Final = frozenset({"arguments", "arg", "assign", "timeout", "statistics", "value"})


def read(source: Path, recording: Recording) -> None:
    """Record each test of a file.

    Raises:
        ValueError: It is no such file, or damaged; the message has the line.
    """
    teardowns = _teardowns(source)
    reading = _Reading(recording, teardowns)
    for step in xml_nodes(source, _WHOLES):
        try:
            if isinstance(step, Start):
                reading.open(step)
            elif isinstance(step, End):
                reading.close()
            else:
                reading.take(step)
        except ValueError as error:
            raise ValueError(f"line {step.line}: {error}") from error


class _Reading:
    """The suites, the test and the keywords that are open."""

    def __init__(self, recording: Recording, teardowns: dict[tuple[int, ...], Ending]) -> None:
        self._recording: Final = recording
        self._teardowns: Final = teardowns
        self._suites: Final[list[tuple[str, str]]] = []
        self._path: Final = _Path()
        self._test: Test | None = None
        self._is_begun = False
        self._inner: Final[list[Start]] = []
        self._ending: Ending | None = None
        self._failure = ""

    def open(self, step: Start) -> None:
        """Begin what is not read as a whole."""
        attributes = step.attributes
        if not self._is_begun and step.tag != "robot":
            raise ValueError(f"<{step.tag}> begins no output of Robot")
        self._is_begun = True
        if self._test is not None or step.tag not in {"robot", "suite", "test"}:
            self._inner.append(step)
            if len(self._inner) == 1:
                self._ending, self._failure = None, ""
        elif step.tag == "suite":
            self._path.enter()
            self._suites.append((attributes.get("name", ""), attributes.get("source", "")))
            if attributes.get("src"):
                self._recording.recorder.leave_out("suites that are in other files")
        elif step.tag == "test":
            names = tuple(name for name, _source in self._suites if name)
            origin = self._suites[-1][1] if self._suites else ""
            name = attributes.get("name", "")
            self._test = Test(names, name, attributes.get("line", ""), origin)

    def close(self) -> None:
        """End what was opened last."""
        if self._inner:
            step = self._inner.pop()
            if not self._inner and self._test is not None:
                ending = self._ending or Ending("NOT RUN")
                self._test.step(_called(step), ending, self._failure)
        elif self._test is not None:
            test, self._test = self._test, None
            self._recording.record(test, _of(self._teardowns, self._path.now))
        elif self._suites:
            self._suites.pop()
            self._path.leave()

    def take(self, node: XmlNode) -> None:
        """Take in what is read as a whole."""
        test, depth = self._test, len(self._inner)
        if test is None:
            self._of_suite(node)
        elif node.tag == "msg":
            text, level = node.text.head(2**20), node.attributes.get("level", "")
            test.say(level, text)
            if level == "FAIL":
                self._failure = text
        elif node.tag == "status":
            if depth == 0:
                test.ending = _ending(node)
            elif depth == 1:
                self._ending = _ending(node)
        elif depth == 0:
            self._of_test(node, test)

    def _of_test(self, node: XmlNode, test: Test) -> None:
        if node.tag == "doc":
            test.documentation = node.text.head(2**20)
        elif node.tag == "tag":
            test.tags.append(node.text.head(4096))
        elif node.tag == "tags":
            test.tags.extend(child.text.head(4096) for child in node.children)
        elif node.tag in {"var", "return"} and (status := node.child("status")) is not None:
            test.step(node.attributes.get("name") or node.tag.upper(), _ending(status), "")
        elif node.tag not in _IGNORED:
            self._recording.recorder.leave_out(f"elements <{node.tag}> of tests")

    def _of_suite(self, node: XmlNode) -> None:
        if self._inner:
            if node.tag == "msg":
                self._recording.recorder.leave_out("messages of set-ups and tear-downs of suites")
        elif node.tag == "metadata":
            items = {child.attributes.get("name", ""): child for child in node.children}
            facts = {name: child.text.head(2**20) for name, child in items.items() if name}
            self._recording.metadata(facts)
        elif node.tag == "meta" and node.attributes.get("name"):
            self._recording.metadata({node.attributes["name"]: node.text.head(2**20)})
        elif node.tag == "doc":
            self._recording.recorder.leave_out("documentation of suites")
        elif node.tag == "errors" and node.children:
            self._recording.recorder.leave_out("messages about the run", len(node.children))


class _Path:
    """Where a suite stands: its number in the suite around it, and so on."""

    def __init__(self) -> None:
        self._counts: Final[list[int]] = [0]

    @property
    def now(self) -> tuple[int, ...]:
        return tuple(self._counts[:-1])

    def enter(self) -> None:
        self._counts[-1] += 1
        self._counts.append(0)

    def leave(self) -> None:
        self._counts.pop()


def _teardowns(source: Path) -> dict[tuple[int, ...], Ending]:  # noqa: C901 - a case for each name
    """Return how the tear-downs of suites ended that did not pass.

    Robot itself makes them known to the tests only when it reads its output; in that of Rebot,
    tests know already.
    """
    found: dict[tuple[int, ...], Ending] = {}
    path, tags = _Path(), list[str]()
    is_teardown, failure = False, ""
    for step in xml_nodes(source, _WHOLES):
        if isinstance(step, Start):
            if step.tag == "robot" and not step.attributes.get("generator", "").startswith(
                "Robot"
            ):
                return {}
            if step.tag == "suite":
                path.enter()
            elif tags and tags[-1] == "suite":
                is_teardown = step.attributes.get("type", "").upper() == "TEARDOWN"
                failure = ""
            tags.append(step.tag)
        elif isinstance(step, End):
            if tags.pop() == "suite":
                path.leave()
            elif tags and tags[-1] == "suite":
                is_teardown = False
        elif (
            is_teardown and step.tag == "msg" and step.attributes.get("level") in {"FAIL", "SKIP"}
        ):
            failure = step.text.head(2**20)
        elif is_teardown and step.tag == "status" and tags[-2:-1] == ["suite"]:
            ending = _ending(step)
            if ending.status in {"FAIL", "SKIP"}:
                ending.message = ending.message or failure
                found[path.now] = ending
    return found


def _of(teardowns: dict[tuple[int, ...], Ending], path: tuple[int, ...]) -> list[Ending]:
    """Return the tear-downs of the suites around a test that did not pass, innermost first."""
    around = (path[:end] for end in range(len(path), 0, -1))
    return [teardowns[suite] for suite in around if suite in teardowns]


def _called(step: Start) -> str:
    """Return how Robot's log calls a keyword: `SETUP BuiltIn.Log`, `FOR`."""
    attributes = step.attributes
    kind = attributes.get("type", "").upper()
    owner = attributes.get("owner") or attributes.get("library", "")
    name = attributes.get("name", "")
    called = f"{owner}.{name}" if owner and name else name
    if step.tag not in {"kw", "setup", "teardown"}:
        kind = step.tag.upper()
    return " ".join(filter(None, ("" if kind in {"KW", "KEYWORD"} else kind, called)))


def _ending(node: XmlNode) -> Ending:
    attributes = node.attributes
    begin = attributes.get("start") or attributes.get("starttime")
    return Ending(
        attributes.get("status", ""),
        node.text.head(2**20).strip("\n"),
        started(begin),
        lasted(begin, attributes.get("endtime"), attributes.get("elapsed")),
    )
