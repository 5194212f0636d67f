r"""The Test Anything Protocol, version 14: a point for each job, subtests below it.

What TAP has no words for is in YAML behind a point: the outcome itself, the time, comments,
measurements and output, each text as JSON writes it, which is YAML too. So a line of
output never looks like a line of the stream. In names `\` and `#` are escaped, and a brace at
their end, behind which node-tap expects a subtest, becomes `\x7b`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from holdall.results import Outcome
from holdall.view import verdict
from holdall.writing import (
    cause_of,
    dropped_mark,
    gathered,
    is_cut,
    kept_log,
    last_lines,
    line_text,
    log_text,
    strip_escapes,
    terminal_text,
    wants_log,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.results import JobResult, Measurement, Subtest
    from holdall.view import JobView, SessionView

_encode: Final = msgspec.json.Encoder().encode
_SUBTEST: Final = " " * 4
_PLAN: Final = re.compile(rb"1\.\.(\d+)(?: # .*)?\n")
_POINT: Final = re.compile(rb"(?:not )?ok (\d+) - ")
_END: Final = 4096  # bytes at the end of a stream in which its last line is looked for
_EXPECTED: Final = "expected to fail"


@dataclass(frozen=True)
class Options:
    """Options of the stream.

    Attributes:
        version: Version of TAP; older readers, `prove` among them, know 13 alone, which has no
            subtests: there they are in YAML.
        logs: Whose output it holds: nobody's, that of failed jobs, all.
        log_max: Bytes of one log at most; what is more is left out of its middle. `prove` takes no
            text of 32 766 characters.
    """

    version: Literal["14", "13"] = "14"
    logs: Literal["none", "failed", "all"] = "failed"
    log_max: Annotated[int, Meta(ge=1)] = 1 << 14


class TapExporter:
    """A plan, and a point for each job in the order of the run list."""

    summary: ClassVar[str] = "TAP 14 with subtests"
    suffix: ClassVar[str] = ".tap"
    media_type: ClassVar[str] = "text/x-tap; charset=utf-8"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the stream; a session in which no job passed has a point that says so."""
        for piece in gathered(_stream(view, context)):
            sink.write(piece)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read the stream, and see that it has the points of its plan and ends with a line."""
        report.readline()
        plan = _PLAN.fullmatch(report.readline())
        points, line = 0, b"\n"
        for line in report:
            point = _POINT.match(line)
            points += point is not None
            if point and int(point[1]) != points:
                raise ValueError(f"the point {int(point[1])} stands where {points} should")
        if plan is None or int(plan[1]) != points or not line.endswith(b"\n"):
            raise ValueError(f"it has {points} points, which is not what was planned, or no end")


def _stream(view: SessionView, context: ExportContext) -> Iterator[bytes]:
    """Yield the stream; a session that has not passed though no point says so has one more."""
    options: Options = context.options
    total = view.job_count
    session_verdict = verdict(view)
    is_silent = [reason.code for reason in session_verdict.reasons] == ["nothing-passed"]
    yield f"TAP version {options.version}\n1..{total + is_silent}\n".encode()
    several = len(view.devices) > 1
    for number, job in enumerate(view.jobs(), start=1):
        yield _job(number, job, context, several=several)
        if number % 100 == 0:
            context.progress(number, total)
    if is_silent:
        yield b"not ok %d - verdict\n  ---\n  outcome: nothing-passed\n" % (total + 1)
        yield b"  message: %b\n  ...\n" % _encode(str(session_verdict.reasons[0]))


def _job(number: int, job: JobView, context: ExportContext, *, several: bool) -> bytes:
    """Return the point of a job, with its subtests before it and YAML behind."""
    name = line_text(job.id) or "unnamed"
    if several:
        name = f"{line_text(job.device_id)}: {name}"
    if job.in_flight:
        return f"not ok {number} - {_escaped(name)}\n  ---\n  outcome: in-flight\n  ...\n".encode()
    result = job.last.result
    lines: list[str] = []
    if result.subtests and context.options.version == "14":
        lines += (f"# Subtest: {_unbraced(name)}", *_points(result.subtests))
    status = "ok" if _is_ok(job, result.outcome) else "not ok"
    lines.append(f"{status} {number} - {_escaped(name)}{_directive(job, result)}")
    facts = _facts(job, result, context)
    if facts:
        lines += ("  ---", *facts, "  ...")
    lines.append("")
    return "\n".join(lines).encode()


def _is_ok(job: JobView, outcome: Outcome) -> bool:
    """Whether a job speaks for a pass, or does not matter."""
    if outcome is Outcome.PASS:
        return not job.xfail
    return outcome.skipped  # what is open keeps the session from passing


def _directive(job: JobView, result: JobResult) -> str:
    outcome = result.outcome
    if outcome is Outcome.PASS:
        return ""
    if outcome.skipped:
        reason = result.skip_reason or result.comments
        text = _escaped(line_text(strip_escapes(reason))) if reason else ""
        return f" # SKIP {text}".rstrip()
    return f" # TODO {_EXPECTED}" if job.xfail and outcome is Outcome.FAIL else ""


def _facts(job: JobView, result: JobResult, context: ExportContext) -> list[str]:
    """Return the lines of YAML about the attempt that counts."""
    outcome, facts = result.outcome, []
    if outcome is not Outcome.PASS:
        facts.append(f"  outcome: {outcome.value}")
    elif job.xfail:
        facts.append("  outcome: unexpected-pass")
    if result.execution_duration is not None:
        facts.append(f"  duration_ms: {min(result.execution_duration * 1000, 1e300):.3f}")
    if job.summary != job.id:
        facts.append(f"  summary: {_text(job.summary)}")
    output, last = _output(job, context)
    message = strip_escapes(result.comments or "")
    if not message and job.went_wrong:
        message = last or cause_of(job, output=context.options.logs != "none")
    if message:
        facts.append(f"  message: {_text(message)}")
    if result.return_code:
        facts.append(f"  exit_code: {result.return_code}")
    if job.attempt_count > 1:
        earlier = ", ".join(attempt.outcome for attempt in job.attempts[:-1])
        facts.append(f"  earlier_attempts: [{earlier}]")
    facts += _parts(result, context.options)
    if output:
        facts.append(output)
    return facts


def _parts(result: JobResult, options: Options) -> Iterator[str]:
    """Yield the lines of YAML about measurements and files, and of subtests in TAP 13."""
    if result.subtests and options.version == "13":
        texts = [f"{part.name}: {part.outcome}" for part in result.subtests]
        yield _several("subtests", texts, options)
    if result.measurements:
        mappings = [_mapping(_measured(part)) for part in result.measurements]
        if options.version == "13":
            yield _several("measurements", mappings, options)
        else:
            yield "\n    - ".join(["  measurements:", *mappings])
    if result.attachments:
        yield _several("files", [file.name for file in result.attachments], options)


def _several(name: str, texts: list[str], options: Options) -> str:
    """Return several texts as YAML, in version 13 as one: `prove` takes no list of any text."""
    text = terminal_text("\n".join(texts))
    if options.version == "13":
        return f"  {name}: {_encode(text).decode()}"
    # In a text of JSON every quote has a backslash before it, so these are between texts.
    lines = _encode(text.split("\n"))[1:-1].replace(b'","', b'"\n    - "').decode()
    return f"  {name}:\n    - {lines}"


def _measured(part: Measurement) -> dict[str, Any]:
    fields = {name: getattr(part, name) for name in part.__struct_fields__}
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _output(job: JobView, context: ExportContext) -> tuple[str, str]:
    """Return the output as YAML, a text for each line, and what it says last.

    The latter is the last line of standard error, or else of standard output.
    """
    options: Options = context.options
    if not wants_log(options.logs, job):
        return "", ""
    kept = list(kept_log(job, options.log_max, context))
    text = "".join((*log_text(kept), dropped_mark(job.last.io_log_dropped))).removesuffix("\n")
    # Of a log that is cut, what stands last in standard error may be left out.
    whole = job.io_log if is_cut(job, options.log_max) else partial(iter, kept)
    errors = (record for record in whole() if record.stream == "stderr")
    last = last_lines(errors, 1) or last_lines(whole(), 1) or [""]
    return _several("output", [text], options), line_text(last[0])


def _points(subtests: tuple[Subtest, ...]) -> Iterator[str]:
    """Yield the plan and the points of subtests."""
    yield f"{_SUBTEST}1..{len(subtests)}"
    for number, part in enumerate(subtests, start=1):
        is_ok = part.outcome is Outcome.PASS or part.outcome.skipped
        skip = " # SKIP" if part.outcome.skipped else ""
        name = _escaped(line_text(part.name)) or "unnamed"
        yield f"{_SUBTEST}{'ok' if is_ok else 'not ok'} {number} - {name}{skip}"
        yield f"{_SUBTEST}  ---"
        yield f"{_SUBTEST}  outcome: {part.outcome}"
        if part.duration is not None:
            yield f"{_SUBTEST}  duration_ms: {min(part.duration * 1000, 1e300):.3f}"
        if part.message:
            yield f"{_SUBTEST}  message: {_text(strip_escapes(part.message))}"
        yield f"{_SUBTEST}  ..."


def _unbraced(line: str) -> str:
    return f"{line[:-1]}\\x7b" if line.endswith("{") else line


def _escaped(line: str) -> str:
    """Return *line* as a name or reason that no reader takes for more."""
    line = _unbraced(line)
    return line.replace("\\", "\\\\").replace("#", "\\#") if "\\" in line or "#" in line else line


def _text(text: str) -> str:
    """Return *text* in double quotes, as JSON and YAML have it, without control characters."""
    return _encode(text if text.isprintable() else terminal_text(text)).decode()


def _mapping(fields: dict[str, Any]) -> str:
    """Return a mapping in one line."""
    pairs = (
        f"{name}: {_text(value) if isinstance(value, str) else _encode(value).decode()}"
        for name, value in fields.items()
    )
    return f"{{{', '.join(pairs)}}}"


if TYPE_CHECKING:
    _: type[Exporter] = TapExporter
