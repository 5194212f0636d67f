"""The promise about hostile text: whoever reads the report comes to no harm."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from holdall.testing.checks.exporters.options import options_of, report_with
from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped, require
from holdall.testing.sessions import HOSTILE, hostile_session, sample_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdall.testing.checks.exporters.subject import ExporterSubject

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def tames_hostile_text(subject: ExporterSubject) -> None:
    """Control characters, markup and formulas in any text of a session do no harm to a reader."""
    require_tame(subject, subject.export(sample_session()))
    for name, text in HOSTILE.items():
        try:
            require_tame(subject, subject.export(hostile_session(text)))
        except CheckFailed as failure:
            raise CheckFailed(f"where every text is the sample {name!r}: {failure}") from failure


def tames_hostile_options(subject: ExporterSubject) -> None:
    """Hostile text in an option of text does no harm to a reader either."""
    texts = [row.name for row in options_of(subject) if "text" in re.split(r"\W", row.type)]
    if not texts:
        raise CheckSkipped("it has no option of text")
    for option in texts:
        for name, text in HOSTILE.items():
            report = report_with(subject, {option: text})
            try:
                require_tame(subject, report)
            except CheckFailed as failure:
                reason = f"where the option {option!r} is the sample {name!r}: {failure}"
                raise CheckFailed(reason) from failure


def require_tame(subject: ExporterSubject, report: bytes | None) -> None:
    """Fail if a report would do harm to a reader; None is one that was refused."""
    media = subject.exporter.media_type.partition(";")[0].strip().lower()
    if report is None or not (media.startswith("text/") or media.endswith(("json", "xml"))):
        return
    try:
        text = report.decode()
    except UnicodeDecodeError as error:
        raise CheckFailed(f"the report is not UTF-8: {error}") from error
    if media.startswith("text/") and not media.endswith("xml"):
        control = _CONTROLS.search(text)
        reason = f"a control character {control[0]!r} is in the report" if control else ""
        require(control is None, reason)
    for ending, look in _LOOKS.items():
        if media.endswith(ending) and not media.endswith(f"nd{ending}"):
            look(text)


def _xml(text: str) -> None:
    try:
        expat.ParserCreate().Parse(text.encode(), True)  # noqa: FBT003 - as expat has it
    except expat.ExpatError as error:
        raise CheckFailed(f"the report is no XML: {error}") from error


def _json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise CheckFailed(f"the report is no JSON: {error}") from error


def _json_lines(text: str) -> None:
    for line in text.removesuffix("\n").split("\n"):
        _json(line)


def _html(text: str) -> None:
    require("<script>alert(1)" not in text, "text of a job became a script of the page")
    require("<b onclick='x'>" not in text, "text of a job became markup of the page")


def _csv(text: str) -> None:
    cells = [cell for line in text.splitlines() for cell in re.split('[,;\t]"?', line)]
    formulas = [cell for cell in cells if cell.lstrip('"')[:1] in {"=", "@"}]
    require(not formulas, f"a cell begins a formula: {formulas[:1]}")


def _plain(text: str) -> None:
    mark = _BIDI.search(text)
    require(mark is None, f"{mark[0]!r} reorders what a terminal shows" if mark else "")


_LOOKS: Final[Mapping[str, Callable[[str], None]]] = {
    "xml": _xml,
    "json": _json,
    "x-ndjson": _json_lines,
    "html": _html,
    "csv": _csv,
    "plain": _plain,
}
