"""What `--junitxml` and `--holdall` say of one run of pytest, test by test.

    pytest --junitxml=report.xml --holdall=STORE ...
    python tests/e2e/junit_beside.py report.xml STORE

It prints how many tests have which outcomes, and each test of which the two say something else.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import TYPE_CHECKING

from defusedxml.ElementTree import parse

from holdall import SessionView, list_sessions, open_repository

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from holdall.view import JobView

Outcomes = dict[tuple[str, str], frozenset[str]]
"""By class and name, as JUnit has them, all that is said of a test."""

_WORDS = {"failure": "fail", "error": "error", "skipped": "skip"}


def in_junit(report: Path | str) -> Outcomes:
    """Return the outcomes in a report of pytest."""
    said: dict[tuple[str, str], set[str]] = {}
    for case in parse(report).iter("testcase"):
        words = {word(child) for child in case if child.tag in _WORDS} or {"pass"}
        key = (case.get("classname", ""), case.get("name", ""))
        said.setdefault(key, set()).update(words)
    # A test that fails twice, in the test and in its tear-down, has two cases.
    return {key: frozenset(words - {"pass"} or {"pass"}) for key, words in said.items()}


def word(child: Element) -> str:
    """Return the word for what one element says."""
    return "xfail" if child.get("type") == "pytest.xfail" else _WORDS[child.tag]


def in_session(store: str, session_id: str = "") -> Outcomes:
    """Return the outcomes in a session, the newest of a store."""
    repository = open_repository(store)
    session_id = session_id or list_sessions(repository)[0].id
    storage = repository.open(session_id, mode="r")
    try:
        return {junit_name(job.id): words_of(job) for job in SessionView.of(storage).jobs()}
    finally:
        storage.close()


def words_of(job: JobView) -> frozenset[str]:
    """Return what JUnit would say of a job."""
    if job.xfail and job.outcome in {"fail", "pass"}:
        return frozenset({"xfail" if job.outcome == "fail" else "fail"})
    if job.outcome == "skip" and "[NOTRUN]" in job.skip_reason:
        return frozenset({"xfail"})
    outcome = "error" if job.outcome == "crash" else str(job.outcome)
    also = {"error" for part in job.subtests if part.name == "tear-down"}
    return frozenset({outcome} | also)


def junit_name(job_id: str) -> tuple[str, str]:
    """Return the class and the name that pytest makes of a node id."""
    path, bracket, parameters = job_id.partition("[")
    names = path.split("::")
    names[0] = re.sub(r"\.py$", "", names[0].replace("/", "."))
    names[-1] += bracket + parameters
    return ".".join(names[:-1]), escaped(names[-1])


def escaped(name: str) -> str:
    """Return a name as pytest makes visible what XML can't hold."""
    return re.sub(
        r"[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]",
        lambda found: f"#x{ord(found[0]):02X}",
        name,
    )


def main(report: str, store: str) -> int:
    """Print the comparison."""
    theirs, ours = in_junit(report), in_session(store)
    for name, said in (("junit", theirs), ("holdall", ours)):
        counts = Counter("+".join(sorted(words)) for words in said.values())
        print(f"{name:8} {len(said):6} {dict(sorted(counts.items()))}")
    differing = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
    for key in differing:
        print(key, theirs.get(key), ours.get(key))
    print(f"{len(differing)} differ")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
