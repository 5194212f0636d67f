"""What came of one export."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExportWarning(NamedTuple):
    """Something that a report had to leave out or change: a word for programs, and a sentence."""

    code: str
    text: str


class ReportKind(NamedTuple):
    """What an exporter's reports are: its canonical id, their file name ending, their type."""

    id: str
    suffix: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What was written where, by which exporter, or why it was not.

    Attributes:
        exporter: Canonical id; the name that was asked for if no exporter was found.
        target: The path, or what is known of the stream.
        size: Bytes written.
        sha256: Digest of the bytes written.
        distribution: Name of the distribution that the exporter comes from.
        version: Version of that distribution.
        warnings: What was left out or changed.
        changes: How often something was masked, cut or left out before the exporter saw it,
            by what it was: `redacted: secret TOKEN`, `logs cut`, `jobs left out`...
        parts: Further files, where the report was split.
        ignored_options: Names of options that the exporter does not have.
        duration_s: Seconds it took.
        exception: What went wrong; None if nothing did.
    """

    exporter: str
    target: str
    size: int = 0
    sha256: str = ""
    media_type: str = ""
    distribution: str = ""
    version: str = ""
    warnings: tuple[ExportWarning, ...] = ()
    changes: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    ignored_options: tuple[str, ...] = ()
    duration_s: float = 0.0
    exception: Exception | None = field(default=None, compare=False)

    @property
    def error(self) -> str | None:
        """What went wrong, in words; None if nothing did."""
        return None if self.exception is None else str(self.exception)

    def as_dict(self) -> dict[str, object]:
        """Return the report as values that JSON knows."""
        return {
            "exporter": self.exporter,
            "target": self.target,
            "size": self.size,
            "sha256": self.sha256,
            "media_type": self.media_type,
            "distribution": self.distribution,
            "version": self.version,
            "warnings": [warning._asdict() for warning in self.warnings],
            "changes": dict(self.changes),
            "parts": list(self.parts),
            "ignored_options": list(self.ignored_options),
            "duration_s": round(self.duration_s, 6),
            "error": self.error,
        }
