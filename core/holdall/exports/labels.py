"""How jobs and attempts stand, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.languages import ENGLISH, N_
from holdall.results import Outcome

if TYPE_CHECKING:
    from holdall.languages import Words
    from holdall.results import Interruption

_IN_FLIGHT: Final = N_("in flight")
_INTERRUPTED: Final[dict[Interruption, str]] = {
    "killed": N_("interrupted: holdall was killed"),
    "rebooted": N_("interrupted by a reboot"),
    "unknown": N_("interrupted"),
}


class Labels:
    """The labels in one language; each was looked up once, whatever number of jobs has it.

    Attributes:
        in_flight: Stands for an attempt that has not ended.
    """

    __slots__ = ("_interrupted", "_outcomes", "in_flight")

    def __init__(self, words: Words) -> None:
        self.in_flight = words.gettext(_IN_FLIGHT)
        self._outcomes = {each: words.gettext(each.label) for each in Outcome}
        self._interrupted = {by: words.gettext(text) for by, text in _INTERRUPTED.items()}

    def of(self, outcome: Outcome, interrupted_by: Interruption | None = None) -> str:
        """Return the label of an attempt that has ended."""
        label = self._outcomes[outcome]
        return f"{label} ({self._interrupted[interrupted_by]})" if interrupted_by else label


IN_ENGLISH: Final = Labels(ENGLISH)
"""What a view says unless it was given other words."""
