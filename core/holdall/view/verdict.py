"""The one word on a session, and why: the same in every report and for the exit code.

A session passes if at least one job passed, none failed, crashed or could not be
performed, and nothing is left to do: no job of the run list without a result,
none undecided, none in flight. A job that is expected to fail passes by failing, and is
a failure if it passes. Skipped jobs don't matter, and neither does the certification
status: a non-blocker that fails is a failure too. Another `VerdictPolicy` may say
otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from holdall.languages import ENGLISH, NN_, grouped
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.languages import Catalog
    from holdall.view.job import JobView
    from holdall.view.session import SessionView

EXAMPLES: Final = 10
"""How many jobs a reason names at most; it knows how many more there are."""

# What speaks against a pass, worst first, with the messages for one job and for several.
_AGAINST: Final[Mapping[str, tuple[str, str]]] = {
    "failed": NN_("{count} job failed", "{count} jobs failed"),
    "unexpected-pass": NN_("{count} job passed unexpectedly", "{count} jobs passed unexpectedly"),
    "crashed": NN_("{count} job crashed", "{count} jobs crashed"),
    "error": NN_("{count} job could not be performed", "{count} jobs could not be performed"),
    "in-flight": NN_(
        "{count} job was started and has not ended",
        "{count} jobs were started and have not ended",
    ),
    "undecided": NN_("{count} job is undecided", "{count} jobs are undecided"),
    "not-started": NN_("{count} job was not started", "{count} jobs were not started"),
    "skipped": NN_("{count} job was skipped", "{count} jobs were skipped"),
    "not-supported": NN_("{count} job is not supported", "{count} jobs are not supported"),
    "not-implemented": NN_("{count} job is not implemented", "{count} jobs are not implemented"),
}
_TOO_FEW: Final = NN_("only {count} job had a result", "only {count} jobs had a result")
_CODES: Final[Mapping[Outcome, str]] = {
    Outcome.FAIL: "failed",
    Outcome.CRASH: "crashed",
    Outcome.ERROR: "error",
    Outcome.UNDECIDED: "undecided",
    Outcome.NONE: "not-started",
    Outcome.SKIP: "skipped",
    Outcome.SKIPPED_DEPENDENCY: "skipped",
    Outcome.SKIPPED_RESOURCE: "skipped",
    Outcome.SKIPPED_MANIFEST: "skipped",
    Outcome.NOT_SUPPORTED: "not-supported",
    Outcome.NOT_IMPLEMENTED: "not-implemented",
}

_TESTED: Final = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.CRASH})

Against = Literal[
    "failed",
    "unexpected-pass",
    "crashed",
    "error",
    "in-flight",
    "undecided",
    "not-started",
    "skipped",
    "not-supported",
    "not-implemented",
]
"""What may speak against a pass: each is a `Reason.code`."""


@dataclass(frozen=True)
class VerdictPolicy:
    """The conditions under which a session passes.

    Attributes:
        fail_on: What speaks against a pass.
        empty: What a session is in which no job passed and nothing speaks against it.
        min_tests: Jobs that passed, failed or crashed at least.
        ignore: Ids of jobs that don't matter; `*` stands for anything.
        blockers_only: Only jobs whose certification status is `blocker` can speak against it.
    """

    fail_on: tuple[Against, ...] = (
        "failed",
        "unexpected-pass",
        "crashed",
        "error",
        "in-flight",
        "undecided",
        "not-started",
    )
    empty: Literal["fail", "pass"] = "fail"
    min_tests: int = 0
    ignore: tuple[str, ...] = ()
    blockers_only: bool = False

    def against(self, job: JobView) -> str | None:
        """Return the code of the reason for which *job* prevents a pass, None if it does not."""
        code = "in-flight" if job.in_flight else _CODES.get(job.counts_as)
        if code == "failed" and job.outcome is Outcome.PASS:
            code = "unexpected-pass"
        if code not in self.fail_on:
            return None
        return None if self.blockers_only and job.certification_status != "blocker" else code

    def ignores(self, job: JobView) -> bool:
        """Whether *job* does not matter."""
        return any(fnmatchcase(job.id, pattern) for pattern in self.ignore)


STRICT: Final = VerdictPolicy()
"""The policy of all reports and of the exit code."""


class JobName(NamedTuple):
    """The name of a job in a session: its device and its id."""

    device: str
    id: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason that keeps a session from passing.

    Attributes:
        code: One of `Against`, `nothing-passed` or `too-few`.
        count: How many jobs it is about.
        jobs: The first of them, `EXAMPLES` at most.
        several_devices: Whether the session has several, so that texts name the job's.
    """

    code: str
    count: int = 0
    jobs: tuple[JobName, ...] = ()
    several_devices: bool = False

    @property
    def more(self) -> int:
        """How many jobs it is about besides `jobs`."""
        return max(0, self.count - len(self.jobs)) if self.jobs else 0

    def as_dict(self) -> dict[str, object]:
        """Return the reason as JSON has it, in English."""
        return {
            "code": self.code,
            "count": self.count,
            "jobs": [job._asdict() for job in self.jobs],
            "more": self.more,
            "text": str(self),
        }

    @property
    def headline(self) -> str:
        """The reason without the jobs: `2 jobs failed`."""
        return self.headline_in(ENGLISH)

    def headline_in(self, catalog: Catalog) -> str:
        """Return `headline` in the language of *catalog*."""
        if self.code == "nothing-passed":
            return catalog.gettext("no job passed")
        one, several = _TOO_FEW if self.code == "too-few" else _AGAINST[self.code]
        count = grouped(self.count, catalog)
        return catalog.ngettext(one, several, self.count).format(count=count)

    def __str__(self) -> str:
        return self.text_in(ENGLISH)

    def text_in(self, catalog: Catalog) -> str:
        """Return the reason and its jobs, as `str` does, in the language of *catalog*."""
        headline = self.headline_in(catalog)
        if not self.jobs:
            return headline
        jobs = ", ".join(
            f"{job.device}: {job.id}" if self.several_devices else job.id for job in self.jobs
        )
        if not self.more:
            return f"{headline}: {jobs}"
        text = catalog.ngettext("{jobs} and {count} more", "{jobs} and {count} more", self.more)
        return f"{headline}: {text.format(jobs=jobs, count=grouped(self.more, catalog))}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a session passed, and the reasons against it, worst first.

    Attributes:
        passed: Whether it passed.
        reasons: What keeps it from passing; nothing if it passed.
    """

    passed: bool
    reasons: tuple[Reason, ...] = ()

    @property
    def word(self) -> str:
        """`PASS` or `FAIL`."""
        return "PASS" if self.passed else "FAIL"


def verdict(view: SessionView, policy: VerdictPolicy = STRICT) -> Verdict:
    """Return the verdict on the whole session; an empty one has not passed."""
    counts = dict.fromkeys(_AGAINST, 0)
    examples: dict[str, list[JobName]] = {code: [] for code in _AGAINST}
    several = len(view.devices) > 1
    passed = tried = 0
    for job in view.whole.jobs():
        if policy.ignore and policy.ignores(job):
            continue
        tried += job.outcome in _TESTED
        if job.counts_as is Outcome.PASS:
            passed += 1
            if not job.in_flight:
                continue  # as most do; nothing may speak against a pass
        code = policy.against(job)
        if code is None:
            continue
        counts[code] += 1
        if len(examples[code]) < EXAMPLES:
            examples[code].append(JobName(job.device_id, job.id))
    reasons = [Reason(code, n, tuple(examples[code]), several) for code, n in counts.items() if n]
    if not passed and policy.empty == "fail":
        reasons.append(Reason("nothing-passed"))
    if tried < policy.min_tests:
        reasons.append(Reason("too-few", tried))
    return Verdict(not reasons, tuple(reasons))
