"""One word on the whole session, PASS or FAIL.

What makes a session pass is said in `holdall.exports.verdict`; it is the same
rule that `holdall run` exits with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from holdall.exports.cleaning import line_text
from holdall.exports.verdict import verdict

if TYPE_CHECKING:
    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.exports.view import SessionView


@dataclass(frozen=True)
class Options:
    """What the verdict says.

    Attributes:
        form: The word alone, or with the reasons for a FAIL on lines of their own.
    """

    form: Literal["word", "reasons"] = "word"


class VerdictExporter:
    """PASS or FAIL and a newline."""

    summary: ClassVar[str] = "one word, PASS or FAIL"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the word, and the reasons if they were asked for."""
        found = verdict(view)
        sink.write(f"{found.word}\n".encode())
        if context.options.form == "reasons":
            for reason in found.reasons:
                sink.write(f"{line_text(str(reason))}\n".encode())


if TYPE_CHECKING:
    _: type[Exporter] = VerdictExporter
