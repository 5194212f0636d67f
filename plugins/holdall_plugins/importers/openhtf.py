"""Records of OpenHTF in JSON: each is the run of a test on a device, one or several in a file."""

from __future__ import annotations

import math
import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdall import Measurement, Subtest
from holdall.reading import LongText, json_parts
from holdall_plugins.importers.findings import (
    Devices,
    Finding,
    comment_of,
    joined,
    milliseconds_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from holdall import Recorder
    from holdall.contracts import Importer

_FIRST: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\[?\s*\{\s*"')
_DUT: Final = re.compile(rb'"dut_id"\s*:')
_BESIDE: Final = re.compile(
    rb'"(?:station_id|start_time_millis|end_time_millis|outcome_details)"\s*:'
)
_OUTCOMES: Final = {
    "PASS": "pass",
    "FAIL": "fail",
    "ERROR": "error",
    "TIMEOUT": "crash",
    "ABORTED": "crash",
    None: "crash",
}
_OF_PHASES: Final = {"PASS": "pass", "FAIL": "fail", "SKIP": "skip", "ERROR": "error"}
_OF_SUBTESTS: Final = {"PASS": "pass", "FAIL": "fail", "STOP": "error"}
_OF_MEASUREMENTS: Final = {
    "PASS": "pass",
    "FAIL": "fail",
    "UNSET": "none",
    "PARTIALLY_SET": "none",
    "SKIPPED": "skip",
}
_LISTS: Final = frozenset({"phases", "subtests", "diagnoses", "log_records", "outcome_details"})
_FIELDS: Final = frozenset(
    {
        *("dut_id", "station_id", "start_time_millis", "end_time_millis", "outcome"),
        *("code_info", "metadata", "marginal"),
    }
)
_COUNTED: Final = frozenset({"branches", "checkpoints"})
_NUMBER: Final = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_RANGE: Final = re.compile(
    rf"(?:{_NUMBER} <= )?(?:Marginal:\S+ <= )?x(?: <= Marginal:\S+)?(?: <= {_NUMBER})?",
    re.IGNORECASE,
)
_EQUAL: Final = re.compile(rf"x == {_NUMBER}", re.IGNORECASE)
_WITHIN: Final = re.compile(rf"'x' is within {_NUMBER}% of {_NUMBER}\..*", re.IGNORECASE)
_LEVELS: Final = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}


class OpenHtfImporter:
    """Records each run as a job of the device that was tested; phases are its parts."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether a record begins there."""
        if not _FIRST.match(head):
            return False
        return _DUT.search(head) is not None and _BESIDE.search(head) is not None

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record the runs."""
        with Devices(recorder) as devices:
            _load(source, recorder, devices)


def _load(source: Path, recorder: Recorder, devices: Devices) -> None:
    place: tuple[int, ...] = ()
    record = _Record(recorder)
    for numbers, found, value in json_parts(source, _is_wanted, several=True):
        is_listed, where = found.startswith("item."), found.removeprefix("item.")
        if numbers[: 1 + is_listed] != place:
            record.finish(place, devices)
            place, record = numbers[: 1 + is_listed], _Record(recorder)
        try:
            record.take(where.removesuffix(".item"), value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{_named(place)}: {error}") from error
    record.finish(place, devices)


def _named(place: tuple[int, ...]) -> str:
    return f"record {place[-1] + 1}"


def _is_wanted(where: str) -> bool:
    name = where.removeprefix("item.")
    if name.endswith(".item"):
        return name.removesuffix(".item") in _LISTS | _COUNTED
    return name in _FIELDS


class _Value(msgspec.Struct, kw_only=True):
    """A measurement of a phase."""

    outcome: str
    validators: list[Any] | None = None
    units: dict[str, Any] | None = None
    dimensions: list[Any] | None = None
    value: Any = msgspec.field(name="measured_value", default=None)


class _File(msgspec.Struct):
    data: str | None = None


class _Phase(msgspec.Struct, kw_only=True):
    name: str
    outcome: str | None = None
    begun: Any = msgspec.field(name="start_time_millis", default=None)
    ended: Any = msgspec.field(name="end_time_millis", default=None)
    subtest_name: str | None = None
    result: dict[str, Any] | None = None
    measurements: dict[str, _Value] | None = None
    attachments: dict[str, _File] | None = None


class _Limits(NamedTuple):
    lower: float | None = None
    upper: float | None = None


class _Record:
    """A record while it is read; it is recorded once, as one attempt."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder: Final = recorder
        self._told: Final[dict[str, Any]] = {}
        self._finding: Final = Finding("crash")
        self._log: Final = LongText()
        self._reasons: Final[list[str]] = []
        self._details: Final[list[str]] = []

    def take(self, where: str, value: Any) -> None:
        """Take in one part.

        Raises:
            TypeError, ValueError: It is not what a record has there.
        """
        if where in _COUNTED:
            self._recorder.leave_out(where)
        elif where in _FIELDS:
            self._told[where] = value
        elif not isinstance(value, dict):
            raise ValueError(f"what is in {where} is no object")
        elif where == "phases":
            self._phase(msgspec.convert(value, _Phase))
        elif where == "subtests":
            self._subtest(value)
        elif where == "log_records":
            self._say(value)
        elif where == "diagnoses":
            self._diagnose(value)
        else:
            code, description = str(value.get("code", "")), str(value.get("description") or "")
            self._details.append(f"{code}: {description}" if description else code)

    def _phase(self, phase: _Phase) -> None:
        if phase.outcome is not None and phase.outcome not in _OF_PHASES:
            known = ", ".join(_OF_PHASES)
            raise ValueError(
                f"the outcome {phase.outcome!r} of the phase {phase.name!r} is none of {known}"
            )
        name = f"{phase.subtest_name} / {phase.name}" if phase.subtest_name else phase.name
        reason = _reason(phase.result or {})
        said: list[str] = []
        for key, value in (phase.measurements or {}).items():
            said += self._measure(f"{name}.{key}", value)
        outcome = _OF_PHASES[phase.outcome] if phase.outcome else "crash"
        if outcome in {"fail", "error"}:
            self._reasons.extend(said or [f"{name}: {reason}" if reason else f"{name} failed"])
        self._finding.add_subtest(
            Subtest(
                name=name,
                outcome=outcome,
                duration=self._lasted(phase.begun, phase.ended),
                message=joined(*said, reason) or None,
            )
        )
        for file, content in (phase.attachments or {}).items():
            if content.data is None:
                self._recorder.leave_out("attachments that are not in the record")
            else:
                self._finding.attach(file or "attachment", _decoded(content.data, file))

    def _measure(self, name: str, value: _Value) -> Iterator[str]:
        """Record a measurement, and yield what is wrong with it."""
        if value.outcome not in _OF_MEASUREMENTS:
            known = ", ".join(_OF_MEASUREMENTS)
            raise ValueError(f"the outcome {value.outcome!r} of {name!r} is none of {known}")
        validators = [str(each) for each in value.validators or ()]
        limits = _limits(validators) if not value.dimensions else _Limits()
        if limits == _Limits() and validators:
            self._recorder.leave_out("conditions that are no limits", len(validators))
        unit = (value.units or {}).get("suffix") or (value.units or {}).get("name") or ""
        is_set = value.value is not None
        shown = _plain(value.value) if is_set else "not set"
        self._finding.add_measurement(
            Measurement(
                name=name,
                value=shown,
                unit=str(unit),
                lower=limits.lower,
                upper=limits.upper,
                outcome=_OF_MEASUREMENTS[value.outcome],
            )
        )
        if value.outcome == "FAIL" or not is_set:
            wanted = f", and not {', '.join(validators)}" if validators else ""
            yield f"{name} is {shown}{f' {unit}' if unit and is_set else ''}{wanted}"

    def _subtest(self, value: Mapping[str, Any]) -> None:
        outcome = value.get("outcome")
        begun, ended = value.get("start_time_millis"), value.get("end_time_millis")
        if outcome is not None and outcome not in _OF_SUBTESTS:
            known = ", ".join(_OF_SUBTESTS)
            raise ValueError(f"the outcome {outcome!r} of a subtest is none of {known}")
        self._finding.add_subtest(
            Subtest(
                name=str(value.get("name")),
                outcome=_OF_SUBTESTS[outcome] if outcome else "crash",
                duration=self._lasted(begun, ended),
            )
        )

    def _diagnose(self, value: Mapping[str, Any]) -> None:
        result, description = value.get("result"), value.get("description")
        self._finding.measure("diagnosis", str(result))
        if value.get("is_failure"):
            self._reasons.append(
                joined(f"{result}: {description}" if description else f"{result}")
            )

    def _say(self, value: Mapping[str, Any]) -> None:
        level = value.get("level")
        word = _LEVELS.get(level, str(level)) if isinstance(level, int) else str(level)
        delay = self._lasted(self._told.get("start_time_millis"), value.get("timestamp_millis"))
        moment = f"{delay:9.3f} " if delay is not None else ""
        where = f"{value.get('source')}:{value.get('lineno')}"
        self._log.add(f"{moment}{word} {where}: {value.get('message')}\n")

    def _lasted(self, begun: Any, ended: Any) -> float | None:
        first = milliseconds_of(begun, "times", self._recorder)
        last = milliseconds_of(ended, "times", self._recorder)
        if first is None or last is None:
            return None
        return round(max(last - first, 0.0), 3)  # a clock that was set back has no duration

    def finish(self, place: tuple[int, ...], devices: Devices) -> None:
        """Record the run, if there is one.

        Raises:
            ValueError: There is no such outcome.
        """
        if not self._told:
            return
        outcome = self._told.get("outcome")
        if outcome not in _OUTCOMES:
            known = ", ".join(str(word) for word in _OUTCOMES if word)
            raise ValueError(f"{_named(place)}: the outcome {outcome!r} is none of {known}")
        metadata = _dict(self._told.get("metadata"))
        name = str(metadata.get("test_name") or "openhtf_test")
        dut = self._told.get("dut_id")
        device = str(dut) if dut else None
        if self._told.get("station_id"):
            devices.add(device, {"station": str(self._told["station_id"])}, "stations of a device")
        self._define(name, device, metadata)
        finding = self._finding
        finding.outcome = _OUTCOMES[outcome]
        finding.started_at = milliseconds_of(
            self._told.get("start_time_millis"), "times", self._recorder
        )
        finding.duration = self._lasted(
            self._told.get("start_time_millis"), self._told.get("end_time_millis")
        )
        said = [*self._details, *self._reasons]
        if outcome is None:
            said.insert(0, "the run never ended")
        finding.comments = comment_of(LongText("\n".join(dict.fromkeys(said))), self._recorder)
        if self._told.get("marginal"):
            finding.add_measurement(Measurement(name="marginal", value=True))
        finding.write("stdout", self._log)
        finding.record(self._recorder, name, device)

    def _define(self, name: str, device: str | None, metadata: Mapping[str, Any]) -> None:
        code = _dict(self._told.get("code_info"))
        described = metadata.get("test_description") or code.get("docstring") or ""
        origin = str(code.get("name") or "")
        self._recorder.job(name, device=device, description=str(described), origin=origin)
        if code.get("sourcecode"):
            self._recorder.leave_out("source code of tests")
        for key, value in metadata.items():
            if key == "config":
                self._recorder.leave_out("settings of stations", len(_dict(value)))
            elif key not in {"test_name", "test_description"} and value is not None and key:
                self._finding.add_measurement(Measurement(name=key, value=_plain(value)))


def _reason(result: Mapping[str, Any]) -> str:
    """Return why a phase ended so, if it did not simply go on."""
    how = result.get("phase_result")
    if isinstance(how, dict):
        kind = str(how.get("exc_type", "")).removeprefix("<class '").removesuffix("'>")
        told = f"{kind}: {how.get('exc_val', '')}" if kind else ""
        return "\n".join(filter(None, (told, str(how.get("exc_tb") or ""))))
    if how is None and result:
        return "it did not end in time"
    return "" if how in (None, "CONTINUE") else str(how)


def _limits(validators: list[str]) -> _Limits:
    """Return the narrowest limits that validators set; they have only their text in a record."""
    limits = _Limits()
    for text in validators:
        found = _RANGE.fullmatch(text)
        equal, within = _EQUAL.fullmatch(text), _WITHIN.fullmatch(text)
        if found:
            lower, upper = found[1], found[2]
            limits = _narrowed(limits, lower and float(lower), upper and float(upper))
        elif equal:
            limits = _narrowed(limits, float(equal[1]), float(equal[1]))
        elif within:
            off = abs(float(within[2])) * float(within[1]) / 100
            limits = _narrowed(limits, float(within[2]) - off, float(within[2]) + off)
    return limits


def _narrowed(limits: _Limits, lower: Any, upper: Any) -> _Limits:
    lowers = [each for each in (limits.lower, lower) if isinstance(each, float)]
    uppers = [each for each in (limits.upper, upper) if isinstance(each, float)]
    return _Limits(max(lowers, default=None), min(uppers, default=None))


def _plain(value: Any) -> str | float:
    """Return a value that is one; of several, or of none that is finite, their text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    return msgspec.json.encode(value).decode()


def _decoded(data: str, name: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError as error:
        raise ValueError(f"the attachment {name!r}: {error}") from error


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


if TYPE_CHECKING:
    _: type[Importer] = OpenHtfImporter
