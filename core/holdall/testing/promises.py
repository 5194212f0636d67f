"""How the contract classes make the checks of their kinds: a test for each, with its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from holdall.testing.checks import CheckSkipped, suite_of

if TYPE_CHECKING:
    from collections.abc import Callable

S = TypeVar("S")


def each_promise(kind: str) -> pytest.MarkDecorator:
    """Return the mark that makes a test with the argument `check` one for each check of a kind."""
    return pytest.mark.parametrize("check", suite_of(kind).checks, ids=lambda each: each.__name__)


def require_kept(check: Callable[[S], None], subject: S) -> None:
    """Make a check; one that can't be made here skips the test, with the reason."""
    try:
        check(subject)
    except CheckSkipped as reason:
        pytest.skip(str(reason))
