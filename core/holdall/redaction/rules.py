"""Rules of redaction: what must be masked, in reports or before anything is stored."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.redaction.masker import Masker


@dataclass(frozen=True, kw_only=True)
class RedactionRules:
    """Secrets by name, regular expressions, and names whose values are secret.

    Attributes:
        secrets: The secret by the name that the report may show, say that of a variable.
        patterns: Regular expressions; what they match is masked, 64 KiB at most.
        keys: Names such as `password`; what stands behind them is masked.
    """

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    patterns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, secret in self.secrets.items():
            if not secret.strip():
                raise ValueError(f"the secret {name!r} is empty, so nothing can be masked")
        for pattern in self.patterns:
            try:
                compiled = re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
            if compiled.match(""):
                raise ValueError(f"the regular expression {pattern!r} matches nothing at all")
        if not all(key.strip() for key in self.keys):
            raise ValueError("a key to mask can't be empty")

    def __bool__(self) -> bool:
        return bool(self.secrets or self.patterns or self.keys)

    @property
    def names(self) -> tuple[str, ...]:
        """What each rule is called in an `ExportReport`; no name holds a secret."""
        return (
            *(f"redacted: secret {name}" for name in self.secrets),
            *(f"redacted: regex {number}" for number, _ in enumerate(self.patterns, start=1)),
            *(f"redacted: key {key}" for key in self.keys),
        )


NOTHING_SECRET: Final = RedactionRules()
"""The rules that mask nothing."""


def masker_of(rules: RedactionRules | None) -> Masker | None:
    """Return what masks by *rules*; None where they mask nothing."""
    if not rules:
        return None
    from holdall.redaction.masker import Masker  # who masks nothing does not pay for it

    return Masker(rules)
