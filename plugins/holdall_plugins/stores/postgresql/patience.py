"""Waiting for a server: pauses that grow, and an end to waiting for an answer."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")

_SHORTEST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 1.0


class Patience:
    """Pauses of one step, for as long as it may take.

    They are of random length, so that many who lost one server don't come back at once.
    """

    def __init__(self, seconds: float) -> None:
        self._due = time.monotonic() + seconds
        self._pause = _SHORTEST_PAUSE_S
        self._random = Random()  # noqa: S311 - the length of a pause

    def lasts(self) -> bool:
        """Pause, and return whether to try again."""
        left = self._due - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, self._pause * self._random.uniform(0.5, 1.5)))
        self._pause = min(self._pause * 1.6, _LONGEST_PAUSE_S)
        return True


class TimedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection on which a server that says nothing is not waited for for ever.

    Attributes:
        timeout_s: How long it may say nothing while something is asked.
    """

    timeout_s: float = 0.0

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Do what *gen* does until it ends, or until the server was silent for too long."""
        if self.timeout_s:
            gen = _until_silent(gen, self.timeout_s)
        return super().wait(gen, *args, **options)


def _until_silent(gen: Generator[int, int, T], seconds: float) -> Generator[int, int, T]:
    """Do what *gen* does; who drives it sends nothing, 0, ten times a second."""
    due = time.monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                due = time.monotonic() + seconds
            elif time.monotonic() > due:
                raise psycopg.OperationalError(f"the server did not answer for {seconds:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        result: T = end.value
        return result
