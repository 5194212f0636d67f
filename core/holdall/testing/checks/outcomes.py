"""Outcomes of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class CheckFailed(AssertionError):  # noqa: N818 - what failed is a check
    """A promise is not kept; the message says which and how."""


class CheckSkipped(Exception):  # noqa: N818 - it is no error
    """The check can't be made here; the message says why."""


class Finding(NamedTuple):
    """The outcome of one check.

    Attributes:
        check: Name of the check.
        promise: What it is about, in one line.
        outcome: `pass`, `fail` or `skip`.
        message: Why it did not pass.
        traceback: Where what it raised came from; empty if nothing was raised.
    """

    check: str
    promise: str
    outcome: str
    message: str = ""
    traceback: str = ""


def require(kept: object, message: str) -> None:
    """Fail with *message* unless the promise was kept.

    Raises:
        CheckFailed: It was not.
    """
    if not kept:
        raise CheckFailed(message)


def raises(work: Callable[[], object], *kinds: type[BaseException]) -> bool:
    """Whether *work* raises one of these; whatever else it raises goes on."""
    try:
        work()
    except kinds:
        return True
    return False
