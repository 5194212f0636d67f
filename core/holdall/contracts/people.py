"""The contract of the person that a run may ask: questions, and replies."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from holdall.results import JobResult, Outcome
from holdall.units import Device, Job

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from holdall.results import Stream


Keep = Callable[[Outcome, str], object]
"""Keeps an outcome and comments with a question that is not answered yet."""


class AttemptEnded(KeyboardInterrupt):
    """The person ended the attempt that is running, and nothing but that."""


class Move(StrEnum):
    """What a person may want at a question."""

    RUN = "run"
    DECIDE = "decide"
    BACK = "back"
    PAUSE = "pause"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to become of a job.

    Attributes:
        move: `run` its command, for the first time or again; `decide` what it came to; go
            `back` to the question before; `pause` the session.
        outcome: What was decided.
        comments: What the person says of the job.
    """

    move: Move
    outcome: Outcome = Outcome.NONE
    comments: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked about one job.

    Attributes:
        job: The job.
        device: The device that it is performed on.
        category: Heading of the category in force, empty if it has none.
        certification_status: The one in force.
        result: What the command came to; None if none ran.
        comments: What the person said of the job before.
        number: Position of the job among all that are to run, from 1.
        total: How many jobs are to run.
        seconds_left: How long what has no result yet should take.
        is_least: Whether some of these jobs do not say how long they take.
        can_go_back: Whether there is a question before.
        outcome: What the person chose before and did not comment on; `NONE` if nothing.
        keep: To be called with what the person says before the question is answered: it is
            durable then, and part of the question when that is asked again after an interruption.
    """

    job: Job
    device: Device
    category: str = ""
    certification_status: str = "non-blocker"
    result: JobResult | None = None
    comments: str = ""
    number: int = 1
    total: int = 1
    seconds_left: float = 0.0
    is_least: bool = False
    can_go_back: bool = False
    outcome: Outcome = Outcome.NONE
    keep: Keep = lambda _outcome, _comments: None

    def needs_comment(self, outcome: Outcome) -> bool:
        """Whether *outcome* needs a comment: that of a blocker, or where the unit says so."""
        if outcome is Outcome.FAIL and "explicit-fail" in self.job.flags:
            return True
        return self.certification_status == "blocker" and outcome in {Outcome.FAIL, Outcome.SKIP}


class Person(Protocol):
    """Somebody who performs manual jobs and reports their outcome."""

    @property
    def stdin(self) -> int | None:
        """The file descriptor that commands of jobs which need a person read from, or None."""
        ...

    def announce(self, question: Question) -> None:
        """Show what a command is for that runs unasked, and on which the person decides."""
        ...

    def prepare(self, question: Question) -> Reply:
        """Show what is to be done, and wait until the command may run; no decision is a pass."""
        ...

    def decide(self, question: Question) -> Reply:
        """Show what is to be verified, and return what the person decides."""
        ...

    def watch(self, job: Job) -> AbstractContextManager[None]:
        """Return what is entered while the command of *job* runs, whoever the job needs."""
        ...

    def show(self, stream: Stream, data: bytes) -> None:
        """Show what the command wrote just now; nothing, a few times a second, if it is silent.

        Raises:
            AttemptEnded: The person wants the attempt to end, and the run to go on.
        """
        ...
