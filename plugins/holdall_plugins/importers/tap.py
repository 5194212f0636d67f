"""The Test Anything Protocol, versions 12 to 14, and the kernel's dialect of it, KTAP.

A test point is a job. Points of a subtest are jobs below the name of the point that they are
part of; that one is a job itself only where its outcome does not follow from its parts. A plan
that was not kept, a missing plan and a bail-out are a job, so that no cut looks whole.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from holdall.reading import seconds_of, text_lines
from holdall.results import Outcome
from holdall_plugins.importers.findings import Names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdall.contracts import Importer
    from holdall.recording import Recorder

_POINT: Final = re.compile(r"(not )?ok\b(?:[ \t]+([0-9]+))?(?:[ \t]*-?[ \t]*(.*))?", re.ASCII)
_PLAN: Final = re.compile(r"1\.\.([0-9]{1,9})(?:\s*#\s*(?:skip\S*\s*)?(.*))?\s*", re.IGNORECASE)
_DIRECTIVE: Final = re.compile(r"(.*?)(?<!\\)#\s*(skip|todo)\S*\s*(.*)", re.IGNORECASE)
_SUBTEST: Final = re.compile(r"#\s*Subtest(?::\s*(.*))?")
_VERSION: Final = re.compile(r"(K?TAP) version ([0-9]+)", re.IGNORECASE)
_TIME: Final = re.compile(
    r"(.*?)(?:#\s*(?:time=|in )|(?<=\s)in (?=[0-9]+ms$))([0-9]+(?:\.[0-9]+)?)\s*(ms|s|sec)",
    re.ASCII,
)
_ESCAPED: Final = re.compile(r"\\([\\#])")
_STAMP: Final = re.compile(r"\[ *[0-9]+\.[0-9]+\](?:\[[ \w]+\])? ?")
_BEGIN: Final = re.compile(
    r"(?:K?TAP version [0-9]+|1\.\.[0-9]+\b.*|(?:not )?ok [0-9]+\b.*)", re.IGNORECASE
)
_MOST: Final = 256 * 1024
_CRASHES: Final = frozenset({"testTimeoutFailure", "testAborted", "cancelledByParent"})  # of Node
_SAID: Final = {  # what our own exporter says besides
    "fail": frozenset({"crash", "error", "undecided"}),
    "skip": frozenset(outcome for outcome in Outcome if outcome.skipped),
}
_DEEPEST: Final = 100
_PLAN_JOB: Final = "plan"


class TapImporter:
    """Records the points of a TAP stream; what is said of a point stands behind it."""

    indent = 4
    speaks_before = False

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether it begins with a version, or has points and begins with one or a plan."""
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
        stream = _Stream(recorder, self.indent, speaks_before=self.speaks_before)
        number = 0
        try:
            for number, line in text_lines(source, errors="backslashreplace"):  # noqa: B007 - for the message
                stream.take(line.rstrip())
            stream.finish()
        except ValueError as error:
            with suppress(ValueError):
                stream.finish()  # the last point counts, where the import is partial
            reason = str(error)
            raise ValueError(
                reason if reason.startswith("line ") else f"line {number}: {reason}"
            ) from error


class KtapImporter(TapImporter):
    """Records the points of a KTAP stream, in which what is said of a point stands before it.

    The stream may be part of a log of the kernel, with a moment before each line.
    """

    indent = 2
    speaks_before = True

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
    """A test point as its line says it."""

    name: str
    outcome: str
    reason: str = ""
    is_expected: bool = False
    duration: float | None = None


class _Told(NamedTuple):
    """A test point with what stands around it, which becomes a job."""

    point: _Point
    text: str
    facts: Mapping[str, Any]


class _Level:
    """Points of one depth: how many were planned and seen, and what belongs to the last one."""

    def __init__(self, name: str | None, indent: int) -> None:
        self.name = name
        self.indent: Final = indent
        self.planned: int | None = None
        self.is_behind_plan = False
        self.seen = 0
        self.failed = False
        self.point: _Point | None = None
        # Whether parts of the last point failed, and those of the next one, which stand before it.
        self.parts_failed: bool | None = None
        self.next_parts_failed: bool | None = None
        self.lines: list[str] = []
        self.size = 0
        self.yaml: list[str] = []
        self.in_yaml = False
        self.waiting: list[tuple[str, _Told]] = []


class _Stream:
    """A stream as it comes: levels of subtests, the outermost first."""

    def __init__(self, recorder: Recorder, indent: int, *, speaks_before: bool) -> None:
        self._recorder: Final = recorder
        self._indent: Final = indent
        self._speaks_before: Final = speaks_before
        self._levels: Final = [_Level("", 0)]
        self._next_name: str | None = None
        self._names: Final = Names()
        self._is_bailed = False
        self._escapes = False

    def take(self, line: str) -> None:
        """Take in one line."""
        line = _STAMP.sub("", line, count=1)
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if self._took_yaml(line, text):
            return
        if _version(text):
            self._escapes |= text.endswith(" 14")
            return
        if text.startswith("pragma "):
            return
        subtest = _SUBTEST.fullmatch(text)
        plan, point = _PLAN.fullmatch(text), _POINT.fullmatch(text)
        if subtest:
            if self._is_part(indent) and self._next_name is not None:
                self._level(indent)  # the first part of a point that was announced before
            self._next_name = subtest[1] or None
        elif text.lower().startswith("bail out!"):
            self._bail_out(text[len("bail out!") :].strip())
        elif plan:
            self._plan(self._level(indent), plan)
        elif point:
            self._point(self._level(indent), point)
        elif text:
            self._say(text)

    def _took_yaml(self, line: str, text: str) -> bool:
        """Keep a line of the YAML block behind a point."""
        level = self._levels[-1]
        if level.in_yaml:
            if text == "...":
                level.in_yaml = False
            elif level.size < _MOST:
                level.yaml.append(line)
                level.lines.append(line)
                level.size += len(line)
            return True
        if text == "---" and level.point is not None and not level.yaml:
            level.in_yaml = True
            return True
        return False

    def _is_part(self, indent: int) -> bool:
        """Whether a line with that indentation begins a subtest."""
        return indent >= self._levels[-1].indent + self._indent

    def _level(self, indent: int) -> _Level:
        """Return the level with that indentation; deeper ones are over."""
        while self._levels[-1].indent > indent:
            self._close()
        if self._is_part(indent):
            if len(self._levels) > _DEEPEST:
                raise ValueError(f"subtests are nested more than {_DEEPEST} deep")
            self._flush(self._levels[-1])
            self._levels.append(_Level(self._next_name, indent))
            self._next_name = None
        return self._levels[-1]

    def _plan(self, level: _Level, plan: re.Match[str]) -> None:
        if level.planned is None:  # a second plan does not make good what the first one lacks
            level.planned = int(plan[1])
        level.is_behind_plan = level.seen > 0
        if not level.planned and level is self._levels[0] and not level.seen:
            reason = plan[2] or "no test was planned"
            self._tell(_Told(_Point(_PLAN_JOB, "skip", reason), "", {}))

    def _point(self, level: _Level, match: re.Match[str]) -> None:
        self._flush(level)
        level.parts_failed, level.next_parts_failed = level.next_parts_failed, None
        level.seen, level.is_behind_plan = level.seen + 1, False
        level.point = _point_of(match, level.seen, escapes=self._escapes)
        level.failed |= level.point.outcome == "fail" and not level.point.is_expected
        self._next_name = None
        for name, told in level.waiting:
            self._emit(level, f"{level.point.name} / {name}", told)
        level.waiting.clear()
        if self._speaks_before:
            self._flush(level)

    def _say(self, text: str) -> None:
        level = self._levels[-1]
        if level.is_behind_plan:
            self._recorder.leave_out("lines behind the plan")
        elif level.size < _MOST:
            level.lines.append(text)
            level.size += len(text)
        else:
            self._recorder.leave_out("lines of output of one test beyond 256 KiB")

    def _bail_out(self, reason: str) -> None:
        while len(self._levels) > 1:
            self._close()
        self._flush(self._levels[0])
        self._is_bailed = True
        said = f"the run bailed out: {reason}" if reason else "the run bailed out"
        self._tell(_Told(_Point("Bail out!", "error", said), "", {}))

    def _flush(self, level: _Level) -> None:
        """Record the last point of a level, unless its parts say it all."""
        point, parts_failed = level.point, level.parts_failed
        if point is not None:
            facts = _facts(level.yaml)
            if facts.get("type") == "suite" and point.outcome == "pass" and parts_failed is None:
                self._recorder.leave_out("suites without tests")  # Node counts none either
            elif parts_failed is None or not _is_explained(
                point, facts, parts_failed=parts_failed
            ):
                self._emit(level, point.name, _Told(point, "\n".join(level.lines), facts))
            level.lines, level.size = [], 0
        level.point, level.parts_failed, level.yaml, level.in_yaml = None, None, [], False

    def _emit(self, level: _Level, name: str, told: _Told) -> None:
        """Record a point under the names of all levels around it, once they are known."""
        place = self._levels.index(level)
        if not place:
            self._tell(told._replace(point=told.point._replace(name=name)))
        elif level.name is None:
            self._levels[place - 1].waiting.append((name, told))
        else:
            self._emit(self._levels[place - 1], f"{level.name} / {name}", told)

    def _close(self) -> None:
        """End the innermost level; the point that it is part of stands behind it."""
        level = self._levels[-1]
        self._flush(level)
        for name, told in level.waiting:  # no point stands behind what was indented too far
            self._emit(level, name, told)
        level.waiting.clear()
        if level.planned is not None and level.planned != level.seen and not self._is_bailed:
            level.failed = True
            self._emit(level, _PLAN_JOB, _unkept(level.planned, level.seen))
        self._levels.pop()
        outer = self._levels[-1]
        outer.next_parts_failed = level.failed or bool(outer.next_parts_failed)

    def _tell(self, told: _Told) -> None:
        point = told.point
        job_id = self._names.unique(point.name)
        messages = (told.facts.get(name) for name in ("message", "error"))
        said = next((text for text in messages if isinstance(text, str)), told.text)
        is_skipped = point.outcome == "skip"
        if point.outcome == "fail" and told.facts.get("failureType") in _CRASHES:
            point = point._replace(outcome="crash")
        elif told.facts.get("outcome") in _SAID.get(point.outcome, ()):
            point = point._replace(outcome=told.facts["outcome"])
        comments = point.reason if not is_skipped else ""
        if point.outcome != "pass" and not is_skipped and not comments:
            comments = said
        self._recorder.job(
            job_id, category=point.name.rpartition(" / ")[0], xfail=point.is_expected
        )
        self._recorder.record(
            job_id,
            outcome=point.outcome,
            duration=_duration(told),
            comments=comments.strip() or None,
            skip_reason=point.reason or None if is_skipped else None,
            output=told.text.encode("utf-8", "surrogatepass"),
        )

    def finish(self) -> None:
        """Record what the end of the stream says of the plan."""
        while len(self._levels) > 1:
            self._close()
        root = self._levels[0]
        self._flush(root)
        for name, told in root.waiting:
            self._tell(told._replace(point=told.point._replace(name=name)))
        if self._is_bailed:
            return
        if root.planned is None:
            said = "there is no plan; the stream may be cut off"
            self._tell(_Told(_Point(_PLAN_JOB, "error", said), "", {}))
        elif root.planned != root.seen:
            self._tell(_unkept(root.planned, root.seen))


def _is_explained(point: _Point, facts: Mapping[str, Any], *, parts_failed: bool) -> bool:
    """Whether a point with parts says what they say; Node counts its tests all the same."""
    if "duration_ms" in facts and facts.get("type") != "suite":
        return False
    return point.outcome == ("fail" if parts_failed else "pass")


def _unkept(planned: int, seen: int) -> _Told:
    return _Told(_Point(_PLAN_JOB, "error", f"{planned} tests were planned, {seen} ran"), "", {})


def _point_of(match: re.Match[str], number: int, *, escapes: bool) -> _Point:
    """Return what the line of a point says; one without a name is called by its number.

    Args:
        escapes: Whether a backslash stands for itself only if there are two, as in version 14.
    """
    text, outcome, reason, is_expected = (match[3] or "").strip(), "pass", "", False
    if match[1]:
        outcome = "fail"
    directive = _DIRECTIVE.fullmatch(text)
    if directive:
        text, reason = directive[1].strip(), directive[3].strip()
        if directive[2].lower() == "skip":
            outcome = "skip"
        elif outcome == "fail":
            is_expected = True
        else:
            reason = f"passed, though it is to do: {reason}".rstrip(": ")
    timed = _TIME.fullmatch(text)
    duration = None
    if timed:
        text = timed[1].strip()
        duration = seconds_of(timed[2])
        if duration is not None and timed[3].startswith("m"):
            duration /= 1000
    if escapes:
        text, reason = _ESCAPED.sub(r"\1", text), _ESCAPED.sub(r"\1", reason)
    name = (text if escapes else text.replace("\\#", "#")) or f"test {match[2] or number}"
    return _Point(name, outcome, reason, is_expected, duration)


def _facts(lines: list[str]) -> Mapping[str, Any]:
    """Return what a YAML block says; its text is kept as output in any case."""
    if not lines:
        return {}
    try:
        # All of it as text: no number, moment or merge of a stranger is evaluated.
        found = yaml.load("\n".join(lines), Loader=yaml.BaseLoader)  # noqa: S506 - makes no objects
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _duration(told: _Told) -> float | None:
    text = told.facts.get("duration_ms")
    milliseconds = seconds_of(text) if isinstance(text, str) else None
    return told.point.duration if milliseconds is None else milliseconds / 1000


if TYPE_CHECKING:
    _: type[Importer] = TapImporter
