"""The promises of stores: which test is about which, how it tests, and what came of it."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.testing.checks.outcomes import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

URL: Final = "HOLDALL_CHECK_URL"
"""Variable with the URL of the store to check, in which `{folder}` stands for a new folder."""

GUARANTEES: Final[Mapping[str, str]] = {
    "G1": "a batch is entirely there or entirely absent after any crash",
    "G2": "what is recovered is a prefix of what was appended, with everything acknowledged",
    "G3": "entries are numbered without gaps; two different ones never get one number",
    "G4": "after a take-over nothing of the old writer is accepted",
    "G5": "readers see a prefix, and hold no lock between two entries",
    "G6": "an entry never names a blob less durable than itself",
    "G7": "recovery reads the last snapshot, what follows it, and at most 1 MiB more",
    "G8": "a flipped, missing or doubled byte is reported, never returned as data",
    "G9": "repeating an operation after an unclear failure is safe",
    "G10": "after `remove` nothing can be read; an interrupted one is finished later",
    "G11": "a damaged session never hinders others",
    "G12": "a durable step that failed is never reported as done",
}
"""What a store promises, by the names that the tests use."""

ONE: Final = "one process"
_HOW: Final = {
    "ThreadGuarantees": "threads",
    "ProcessGuarantees": "killed processes",
    "DeviceGuarantees": "system calls",
}
_NAMED: Final = re.compile(r"G\d+(?:, G\d+)*:")


class Promise(NamedTuple):
    """What one test of the contract is about.

    Attributes:
        test: Name of the test.
        guarantees: The guarantees that it is about, `G1` and so on; some are about none.
        how: How it tests them.
        needs: What a store must be for it: `durable`, `processes`, both or nothing.
    """

    test: str
    guarantees: tuple[str, ...]
    how: str
    needs: frozenset[str]


def promises(contract: type) -> Iterator[Promise]:
    """Yield what each test of a contract class is about."""
    for kind in reversed(contract.__mro__):
        for name, test in vars(kind).items():
            if not name.startswith("test_"):
                continue
            named = _NAMED.match(test.__doc__ or "")
            source = inspect.getsource(test)
            needs = {"durable": "needs_durability()", "processes": "needs_processes()"}
            yield Promise(
                name,
                tuple(named[0].rstrip(":").split(", ")) if named else (),
                _HOW.get(kind.__name__, ONE),
                frozenset(need for need, call in needs.items() if call in source),
            )


def coverage(contract: Any) -> dict[str, str]:
    """Return how each guarantee is tested for the store of a contract class."""
    has = {need for need in ("durable", "processes") if getattr(contract, need)}
    ways: dict[str, list[str]] = {guarantee: [] for guarantee in GUARANTEES}
    for promise in promises(contract):
        for guarantee in promise.guarantees if promise.needs <= has else ():
            if promise.how not in ways[guarantee]:
                ways[guarantee].append(promise.how)
    return {guarantee: ", ".join(how) or "not applicable" for guarantee, how in ways.items()}


class Outcomes:
    """A plugin of pytest that keeps what came of each test of a contract."""

    def __init__(self, contract: type) -> None:
        self._promises = {promise.test: promise for promise in promises(contract)}
        self.findings: list[tuple[Promise, Finding]] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the outcome of a test, or of its preparation if that failed."""
        if report.when != "call" and report.outcome == "passed":
            return
        name = report.nodeid.rpartition("::")[2]
        promise = self._promises[name.partition("[")[0]]
        outcome = {"passed": "pass", "failed": "fail"}.get(report.outcome, "skip")
        trace = report.longreprtext if outcome == "fail" else ""
        about = ", ".join(promise.guarantees)
        finding = Finding(name, about, outcome, _reason(report), trace)
        self.findings.append((promise, finding))


def by_guarantee(
    outcomes: Iterable[tuple[Promise, Finding]],
) -> Iterator[tuple[str, str, str]]:
    """Yield guarantee, how it was tested, and what came of that."""
    cells: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for promise, finding in outcomes:
        for guarantee in promise.guarantees:
            cells[guarantee, promise.how].append(finding)
    for guarantee in GUARANTEES:
        for how in (ONE, *_HOW.values()):
            findings = cells.get((guarantee, how))
            if findings:
                yield guarantee, how, _summed(findings)


def _summed(findings: list[Finding]) -> str:
    failed = [finding.check for finding in findings if finding.outcome == "fail"]
    if failed:
        return f"failed: {', '.join(failed)}"
    passed = sum(finding.outcome == "pass" for finding in findings)
    skipped = sorted({finding.message for finding in findings if finding.outcome == "skip"})
    if not passed:
        return "; ".join(skipped)
    return f"{passed} passed" + (f", {len(findings) - passed} skipped" if skipped else "")


def _reason(report: Any) -> str:
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    if report.outcome == "failed":
        crash = getattr(report.longrepr, "reprcrash", None)
        return str(crash.message if crash else report.longrepr).partition("\n")[0]
    return ""
