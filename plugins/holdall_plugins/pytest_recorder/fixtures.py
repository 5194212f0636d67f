"""Types of what the fixtures give to tests, for their annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import os


class Attach(Protocol):
    """What `holdall_attach` gives a test."""

    def __call__(
        self,
        content: str | os.PathLike[str] | bytes,
        *,
        name: str = "",
        media_type: str = "",
    ) -> None:
        """Keep a file, or bytes, with the result of the test."""
        ...


class Measure(Protocol):
    """What `holdall_measure` gives a test."""

    def __call__(
        self,
        name: str,
        value: float | str,
        unit: str = "",
        lower: float | None = None,
        upper: float | None = None,
    ) -> None:
        """Record a value; the test fails if it is out of its limits."""
        ...
