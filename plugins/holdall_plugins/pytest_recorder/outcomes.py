"""Reports of pytest's phases as the outcome of one attempt at a test."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from holdall import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pytest

    from holdall_plugins.pytest_recorder.workers import Measured

Report = Any
"""A `TestReport`, a `CollectReport`, or what other plugins report in their way."""

WORKER_CRASHED: Final = "???"
"""The phase that pytest-xdist names in the report on a test whose worker died."""

_STRICT: Final = "[XPASS(strict)]"
_NOT_RUN: Final = "[NOTRUN]"
_LONGEST_COMMENT: Final = 2000


class Ending(NamedTuple):
    """How an attempt at a test ended.

    Attributes:
        xfail: Whether the test was expected to fail, so that `fail` counts as a pass.
        phases: Outcomes of the phases, where the one outcome does not say it all.
    """

    outcome: str
    comments: str | None = None
    skip_reason: str | None = None
    xfail: bool = False
    phases: tuple[tuple[str, str, str | None], ...] = ()


NOT_CALLED: Final = Ending("skip", skip_reason="pytest did not call the test")
"""How an attempt ended that has no report on the test itself, as with `--setup-only`."""

REPEATED: Final = Ending("fail", comments="it failed, and the plugin flaky tried it again")
"""What that means where flaky, which reports the last try alone, is at work."""


def ending(
    phases: Mapping[str, Report], failed_subtests: int = 0, *, without_call: Ending = NOT_CALLED
) -> Ending:
    """Return how an attempt with these reports, by phase, ended."""
    crashed = phases.get(WORKER_CRASHED)
    if crashed is not None:
        return Ending("crash", comments=message(crashed))
    result = _of_test(phases, failed_subtests) or without_call
    teardown = phases.get("teardown")
    if teardown is None or not has_failed(teardown):
        return result
    reason = f"tear-down failed: {message(teardown)}"
    parts = (("test", result.outcome, result.comments), ("tear-down", "error", message(teardown)))
    if result.outcome in {"error", "crash"} or (result.outcome == "fail" and not result.xfail):
        comments = "\n".join(text for text in (result.comments, reason) if text)
        return result._replace(comments=comments, phases=parts)
    return Ending("error", comments=reason, phases=parts)


def has_failed(report: Report) -> bool:
    """Whether a phase failed; pytest-rerunfailures renames the failure that it repeats."""
    return report.outcome in {"failed", "rerun"}


def _of_test(phases: Mapping[str, Report], failed_subtests: int) -> Ending | None:
    """Return how set-up and test ended; None without a report on the test."""
    for phase in ("setup", "call"):
        report = phases.get(phase)
        if report is not None and (report.outcome != "passed" or hasattr(report, "wasxfail")):
            return _of_phase(report)
    if failed_subtests:
        several = "subtests" if failed_subtests > 1 else "subtest"
        return Ending("fail", comments=f"contains {failed_subtests} failed {several}")
    return Ending("pass") if "call" in phases else None


def _of_phase(report: Report) -> Ending:
    if hasattr(report, "wasxfail"):
        return _of_expected(report)
    text = report.longrepr
    if isinstance(text, str) and text.startswith(_STRICT):
        return Ending("pass", comments=text, xfail=True)
    if report.outcome == "skipped":
        return Ending("skip", skip_reason=skip_reason(report))
    if report.when == "call":
        return Ending("fail", comments=message(report))
    return Ending("error", comments=f"set-up failed: {message(report)}")


def _of_expected(report: Report) -> Ending:
    reason = str(report.wasxfail).removeprefix("reason: ")
    why = f": {reason}" if reason else ""
    if report.outcome == "passed":
        return Ending("pass", comments=f"passed, though it was expected to fail{why}")
    if reason.startswith(_NOT_RUN):
        return Ending("skip", skip_reason=reason)
    return Ending("fail", comments=f"expected to fail{why}", xfail=True)


def skip_reason(report: Report) -> str:
    """Return why a test, or a file, was skipped."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text).removeprefix("Skipped: ") or "skipped"


def message(report: Report) -> str:
    """Return what a failure says, without the code around it."""
    text = _said(report)
    if len(text) > _LONGEST_COMMENT:
        text = f"{text[:_LONGEST_COMMENT]}... (all of it is in the output)"
    return text or "it gave no reason"


def _said(report: Report) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash is not None else report.longrepr or "").strip()


def collection_error(report: Report) -> str:
    """Return what made a collection fail: the last line of what is told, which names the error."""
    lines = report.longreprtext.strip().splitlines()
    return lines[-1].removeprefix("E").strip() if lines else "it gave no reason"


def subtest_outcome(report: Report) -> tuple[str, str | None]:
    """Return the outcome of a subtest, and why."""
    if hasattr(report, "wasxfail"):
        return "skip", f"expected to fail: {str(report.wasxfail).removeprefix('reason: ')}"
    if report.outcome == "skipped":
        return "skip", skip_reason(report)
    if not has_failed(report):
        return "pass", None
    # The traceback, which has all of the message, begins with code; what it says stands above it.
    said, whole = _said(report).partition("\n")[0], report.longreprtext.strip()
    return "fail", whole if whole.startswith(said) else f"{said}\n\n{whole}"


def subtest_name(report: Report) -> str | None:
    """Return the name of the subtest that *report* is about, None if it is about a test.

    pytest 9 and pytest-subtests describe a subtest in the same words, by different classes.
    """
    context = getattr(report, "context", None)
    if context is None or not hasattr(context, "kwargs"):
        return None
    values = ", ".join(f"{key}={value}" for key, value in context.kwargs.items())
    parts = (context.msg or "", f"({values})" if values else "")
    return " ".join(part for part in parts if part) or "(subtest)"


def output_of(
    sections: Iterable[tuple[str, str]],
) -> Iterator[tuple[Literal["stdout", "stderr"], bytes]]:
    """Yield what a test wrote, and what it logged, from the sections of a report."""
    for title, text in sections:
        if title.startswith("Captured stdout"):
            yield "stdout", encoded(text)
        elif title.startswith("Captured stderr"):
            yield "stderr", encoded(text)
        elif text.strip():
            yield "stderr", encoded(f"--- {title} ---\n{text.rstrip()}\n")


def encoded(text: str) -> bytes:
    """Return *text* as UTF-8, what that can't hold as escapes."""
    return text.encode("utf-8", "backslashreplace")


def measured(value: object) -> float | str | bool:
    """Return the value of a property as measurements have it: numbers stay numbers."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        try:
            is_finite = math.isfinite(value)
        except OverflowError:  # a whole number that no float can hold is kept as text
            is_finite = False
        if is_finite:
            return value
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - the text of a stranger's object
        return f"{type(value).__name__}, whose text raises {type(error).__name__}"


def checked_measurement(
    name: str, value: object, unit: str, lower: float | None, upper: float | None
) -> Measured:
    """Return a measurement as plain values, which travel from a worker.

    Raises:
        TypeError, ValueError: It can't be one.
    """
    plain = measured(value) if lower is None and upper is None else value
    made = Measurement(name=name, value=plain, unit=unit, lower=lower, upper=upper)  # type: ignore[arg-type]  # it checks
    return made.name, made.value, made.unit, made.lower, made.upper


def duration_of(phases: Mapping[str, pytest.TestReport]) -> float:
    """Return the seconds of all phases."""
    return math.fsum(report.duration for report in phases.values())
