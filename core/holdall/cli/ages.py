"""Ages as people write them: `30d`."""

from __future__ import annotations

import re
from typing import Final

AGE: Final = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhdw])"
"""An age as a regular expression: a number and a unit."""

_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}


def seconds_of(text: str) -> float | None:
    """Return the seconds of an age, None if *text* is no number with a unit."""
    match = re.fullmatch(AGE, text)
    return float(match[1]) * _SECONDS[match[2]] if match else None
