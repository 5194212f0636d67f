"""What comes of a check."""

from __future__ import annotations

from typing import NamedTuple


class CheckFailed(AssertionError):  # noqa: N818 - what failed is a check
    """A promise is not kept; the words say which and how."""


class CheckSkipped(Exception):  # noqa: N818 - it is no error
    """The check can't be made here; the words say why."""


class Finding(NamedTuple):
    """What came of one check.

    Attributes:
        check: Name of the check.
        promise: What it is about, in one line.
        outcome: `pass`, `fail` or `skip`.
        words: Why it did not pass.
    """

    check: str
    promise: str
    outcome: str
    words: str = ""


def require(kept: object, words: str) -> None:
    """Fail with *words* unless the promise was kept.

    Raises:
        CheckFailed: It was not.
    """
    if not kept:
        raise CheckFailed(words)
