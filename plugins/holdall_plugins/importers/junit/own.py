"""Reports that holdall wrote, back into what they were written of."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from holdall import Measurement, Outcome, Subtest
from holdall.units import LOCAL, UNCATEGORISED
from holdall_plugins.importers.findings import Finding, comment_of, duration_of
from holdall_plugins.importers.junit.cases import Case, origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall import Recorder
    from holdall.reading import LongText, XmlNode
    from holdall_plugins.importers.findings import Devices
    from holdall_plugins.importers.junit.cases import Reading

_FACT: Final = "holdall.device."
_SESSION: Final = ("holdall.session", "holdall.title", "holdall.test-plans")
_AGAIN: Final = frozenset({"flakyFailure", "flakyError", "rerunFailure", "rerunError"})
_VERDICT: Final = "nothing-passed"
_UNEXPECTED: Final = "unexpected-pass"
_IN_FLIGHT: Final = "in-flight"

_WORDS: Final = frozenset(map(str, Outcome))
_JUDGED: Final = "|".join(sorted(_WORDS))
_LABELS: Final = {
    **{outcome.label: (str(outcome), False) for outcome in Outcome},
    Outcome.FAIL.label_of(xfail=True): ("fail", True),
}
_NUMBER: Final = r"-?\d[\d.]*(?:e[+-]?\d+)?"
_MEASURED: Final = re.compile(
    rf"(?P<value>{_NUMBER})(?: (?P<unit>[^(]+?))?"
    rf"(?: \((?:from (?P<lower>{_NUMBER}))?(?: ?to (?P<upper>{_NUMBER}))?\))?"
    rf"(?:: (?P<outcome>{_JUDGED}))?"
)
_STATED: Final = re.compile(rf"(?P<outcome>{_JUDGED})(?:: (?P<message>.*))?", re.DOTALL)


class OwnReport:
    """What is the same for all suites of a report of holdall."""

    @staticmethod
    def device(
        facts: dict[str, str], attributes: Mapping[str, str], devices: Devices
    ) -> str | None:
        """Take in what a suite says of its device, and return the device's id."""
        host = attributes.get("hostname", "")
        device = None if host in {"", LOCAL} else host
        known = device or devices.recorder.device_id
        description = facts.pop("holdall.device", "")
        if description not in {"", host}:
            devices.descriptions[known] = description
        of_device = {
            name.removeprefix(_FACT): value
            for name, value in facts.items()
            if name.startswith(_FACT) and name != _FACT
        }
        devices.add(device, of_device, "facts of devices")
        if any(facts.get(name) for name in _SESSION):
            devices.recorder.leave_out("ids, titles and test plans of sessions")
        return device

    def case(
        self, node: XmlNode, suite: str, attributes: Mapping[str, str], reading: Reading
    ) -> Case | None:
        """Return what a case says; None for the one that says that no job passed."""
        facts = {child.tag: child for child in node.children if child.tag not in _AGAIN}
        wrong = facts.get("failure") or facts.get("error") or facts.get("skipped")
        kind = "" if wrong is None else wrong.attributes.get("type", "")
        if kind == _VERDICT and node.attributes.get("name") == "verdict":
            reading.recorder.leave_out("cases that say that no job passed")
            return None
        host = attributes.get("hostname", "")
        if node.attributes.get("classname", "").startswith(_before_category(host)):
            suite = suite.removeprefix(f"{host}: ")
        finding = Finding("pass", duration_of(node.attributes.get("time"), reading.recorder))
        case = Case(
            node.attributes.get("name", ""),
            "" if attributes.get("package") == UNCATEGORISED else suite,
            None if host in {"", LOCAL} else host,
            node.line,
            [finding],
        )
        case.tags = facts.keys()
        case.origin = origin_of(node.attributes)
        if wrong is not None:
            self._state(wrong, kind, case, reading.recorder)
        attempts, lines = self._properties(facts.get("properties"), case, reading.recorder)
        if wrong is not None and finding.comments:
            finding.comments = _without(finding.comments, lines)
        for tag in ("system-out", "system-err"):
            if tag in facts:
                reading.output(facts[tag], finding)
        self._earlier(node, case, attempts, reading)
        return case

    @staticmethod
    def history(text: LongText, recorder: Recorder) -> None:
        """Count the lines that say how earlier attempts ended, which cases say as well."""
        if text:
            lines = text.head(2**20).strip().count("\n") + 1
            recorder.leave_out("lines about earlier attempts at jobs", lines)

    @staticmethod
    def _state(wrong: XmlNode, kind: str, case: Case, recorder: Recorder) -> None:
        """Take in the outcome, and why it is so."""
        finding, message = case.last, wrong.attributes.get("message", "")
        label, reason = _label_of(message)
        if kind == _UNEXPECTED:
            case.xfail = True
        elif kind in _WORDS:
            finding.outcome = kind
        elif kind == _IN_FLIGHT:
            finding.outcome, finding.comments = "crash", message
            return
        elif label is not None:
            finding.outcome, case.xfail = label
        else:
            finding.outcome = "skip" if wrong.tag == "skipped" else "fail"
            reason = message
        if wrong.tag != "skipped":
            comment = comment_of(wrong.text, recorder)
            # A body is never empty: without a comment it says what the message does.
            finding.comments = "" if comment == message else comment
        elif case.xfail:
            finding.comments = reason
        else:
            finding.skip_reason = reason

    @staticmethod
    def _properties(  # noqa: C901 - a case for each name
        node: XmlNode | None, case: Case, recorder: Recorder
    ) -> tuple[int | None, list[str]]:
        """Return the number of attempts, and the lines that stand behind the comment as well."""
        finding, attempts, lines = case.last, None, []
        for child in node.children if node is not None else ():
            name, value = child.attributes.get("name", ""), child.attributes.get("value", "")
            kind, _space, part = name.partition(" ")
            if kind == "subtest" and part and (stated := _STATED.fullmatch(value)):
                subtest = Subtest(name=part, outcome=stated["outcome"], message=stated["message"])
                finding.add_subtest(subtest)
                if subtest.outcome.failed:
                    lines.append(f"subtest {part}: {value}\n")
            elif kind == "measurement" and part:
                measurement = _measurement(part, value)
                finding.add_measurement(measurement)
                if measurement.outcome is not None and measurement.outcome.failed:
                    lines.append(f"measurement {part}: {value}\n")
            elif name == "summary":
                case.summary = "" if value == case.job_id else value
            elif name == "xfail":
                case.xfail = value == "true"
            elif name == "outcome":
                finding.outcome = value if value in _WORDS else finding.outcome
            elif name == "attempts" and value.isdecimal():
                attempts = int(value[:9])
            elif name == "plugin":
                case.plugin = value
            elif name == "certification-status":
                case.certification_status = value
            else:
                recorder.leave_out("attachments" if name == "attachment" else "properties")
        return attempts, lines

    @staticmethod
    def _earlier(node: XmlNode, case: Case, attempts: int | None, reading: Reading) -> None:
        """Put the attempts before the last one that went wrong in front of it."""
        for child in node.children:
            if child.tag in _AGAIN:
                kind = child.attributes.get("type", "")
                message = child.attributes.get("message", "")
                _label, reason = _label_of(message)
                finding = Finding(kind if kind in _WORDS else "fail", comments=reason)
                for part in child.children:
                    if part.tag == "system-out":
                        reading.output(part, finding)
                    elif part.tag == "stackTrace":
                        text = comment_of(part.text, reading.recorder)
                        finding.comments = "" if text == message else text
                case.attempts.insert(-1, finding)
        last = case.last
        if last.outcome == "none":
            case.attempts.clear()
        elif attempts is not None and attempts > len(case.attempts):
            reading.recorder.leave_out(
                "earlier attempts of which the report says no more than that they were",
                attempts - len(case.attempts),
            )


def _label_of(message: str) -> tuple[tuple[str, bool] | None, str]:
    """Return the outcome whose label a message begins with, and the reason behind it."""
    label, colon, reason = message.partition(": ")
    known = _LABELS.get(label)
    return (known, reason) if known is not None and (colon or not reason) else (None, message)


def _without(comment: str, lines: list[str]) -> str:
    """Return a comment without the end of its line, and the lines that were put behind it."""
    return comment.removesuffix("".join(lines)).removesuffix("\n")


def _measurement(name: str, value: str) -> Measurement:
    """Return what was measured; only what has limits or an outcome is surely no text."""
    found = _MEASURED.fullmatch(value)
    if found is not None and (found["lower"] or found["upper"] or found["outcome"]):
        number = found["value"]
        with suppress(ValueError):
            return Measurement(
                name=name,
                value=int(number) if number.lstrip("-").isdecimal() else float(number),
                unit=found["unit"] or "",
                lower=None if found["lower"] is None else float(found["lower"]),
                upper=None if found["upper"] is None else float(found["upper"]),
                outcome=found["outcome"],
            )
    return Measurement(name=name, value=value)


def _before_category(device: str) -> tuple[str, str]:
    """Return what class names begin with where there are several devices, in each flavour."""
    escaped = device.replace("%", "%25").replace("/", "%2F")
    whole = device.replace(".", "\N{ONE DOT LEADER}")
    return f"{escaped}/", f"{whole}."
