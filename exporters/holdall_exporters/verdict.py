"""One word on the whole session, PASS or FAIL.

What makes a session pass is said in `holdall.view.verdict`; it is the same
rule that `holdall run` exits with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final, Literal
from xml.etree.ElementTree import fromstring

from holdall.languages import load_catalog
from holdall.view import VerdictPolicy, verdict
from holdall.writing import line_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.view import SessionView, Verdict

_WORDS: Final = ("PASS", "FAIL")


@dataclass(frozen=True)
class Options(VerdictPolicy):
    """Options of the verdict: its form and its policy.

    Attributes:
        form: The word alone; with the reasons for a FAIL on lines of their own; as a JSON object;
            or as a badge, which is an SVG picture.
        fail_on: What speaks against a pass.
        empty: What a session is in which no job passed and nothing speaks against it.
        min_tests: Jobs that passed, failed or crashed at least.
        ignore: Ids of jobs that don't matter; `*` stands for anything.
        blockers_only: Only jobs whose certification status is `blocker` can speak against it.
    """

    form: Literal["word", "reasons", "json", "badge"] = "word"


class VerdictExporter:
    """PASS or FAIL and a newline."""

    summary: ClassVar[str] = "one word, PASS or FAIL"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the word, and the reasons if they were asked for."""
        session_verdict = verdict(view, context.options)
        sink.write(_FORMS[context.options.form](view, session_verdict, context).encode())

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read the word, in whatever form it is."""
        text = report.read().decode()
        match text[:1]:
            case "{":
                word = json.loads(text)["verdict"]
            case "<":
                word = fromstring(text)[-1][-1].text  # noqa: S314 - our own
            case _:
                word = text.partition("\n")[0]
        if word not in _WORDS or not text.endswith("\n"):
            raise ValueError(f"it should say {' or '.join(_WORDS)}, and says {text!r}")


def _word(_view: SessionView, session_verdict: Verdict, _context: ExportContext) -> str:
    return f"{session_verdict.word}\n"


def _reasons(_view: SessionView, session_verdict: Verdict, context: ExportContext) -> str:
    catalog = load_catalog(context.lang)
    lines = (
        session_verdict.word,
        *(reason.text_in(catalog) for reason in session_verdict.reasons),
    )
    return "".join(f"{line_text(line)}\n" for line in lines)


def _json(view: SessionView, session_verdict: Verdict, _context: ExportContext) -> str:
    reasons = [reason.as_dict() for reason in session_verdict.reasons]
    content = {
        "session": view.session_id,
        "verdict": session_verdict.word,
        "passed": session_verdict.passed,
        "reasons": reasons,
    }
    return f"{json.dumps(content)}\n"


def _badge(_view: SessionView, session_verdict: Verdict, _context: ExportContext) -> str:
    colour = "#1a7f37" if session_verdict.passed else "#c62828"
    return _BADGE.format(word=session_verdict.word, colour=colour)


_FORMS: Final[Mapping[str, Callable[[SessionView, Verdict, ExportContext], str]]] = {
    "word": _word,
    "reasons": _reasons,
    "json": _json,
    "badge": _badge,
}

# The widths fit the two words in any font that a viewer may have.
_BADGE: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" width="102" height="20" role="img" \
aria-label="session: {word}"><title>session: {word}</title>\
<rect width="102" height="20" rx="3" fill="#444"/>\
<path d="M58 0h41a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H58z" fill="{colour}"/>\
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">\
<text x="29" y="14" textLength="44">session</text>\
<text x="80" y="14" textLength="30">{word}</text></g></svg>
"""


if TYPE_CHECKING:
    _: type[Exporter] = VerdictExporter
