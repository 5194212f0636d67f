"""Output of the commands: tables for people, JSON for programs, diagnostics aside.

All that is printed goes through here: no escape sequence and no control character of a
title, an id or an error reaches a terminal, and a stream that is closed or full costs
neither a traceback nor a result.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from gettext import gettext as _
from typing import TYPE_CHECKING

from holdall.errors import OutputError, masked_url
from holdall.languages import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

    from holdall.view import JobView

# How many jobs came to what, by outcome.
_COUNTED = {
    "none": N_("{count} none"),
    "pass": N_("{count} pass"),
    "fail": N_("{count} fail"),
    "crash": N_("{count} crash"),
    "error": N_("{count} error"),
    "skip": N_("{count} skip"),
    "skipped-dependency": N_("{count} skipped-dependency"),
    "skipped-resource": N_("{count} skipped-resource"),
    "skipped-manifest": N_("{count} skipped-manifest"),
    "not-supported": N_("{count} not-supported"),
    "not-implemented": N_("{count} not-implemented"),
    "undecided": N_("{count} undecided"),
    "expected-fail": N_("{count} expected fail"),
    "unexpected-pass": N_("{count} unexpected pass"),
}


def open_streams() -> None:
    """Open the standard streams that are closed, and let all of them take any character.

    Otherwise the next file that is opened, say a journal, would be standard output to
    everything that prints. What is written to one that was closed is refused.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            with suppress(OSError):
                # The lowest number that is free, so this one.
                os.open(os.devnull, os.O_RDONLY)
                mode = "w" if number else "r"
                setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
                stream = getattr(sys, name)
        if number and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def finish_output() -> None:
    """Write what is left of standard output.

    Raises:
        OutputError: It can't be written.
    """
    _write(sys.stderr, "")
    _print("")


def output_error() -> str:
    """Return why standard output can't be written; nothing if it can."""
    error = _write(sys.stdout, "")
    return "" if error is None else str(getattr(error, "strerror", None) or error)


def note(text: str) -> None:
    """Print a line on standard error, about what is going on."""
    _write(sys.stderr, f"{one_line(text)}\n")


def note_lines(text: str) -> None:
    """Print a text of several lines on standard error."""
    _write(sys.stderr, f"{_lines(text)}\n")


def show_text(text: str) -> None:
    """Print a clean text on standard error as it is, say a prompt without an end of line."""
    _write(sys.stderr, text)


def print_line(text: str = "") -> None:
    """Print a line on standard output.

    Raises:
        OutputError: It can't be written.
    """
    _print(f"{one_line(text)}\n")


def print_lines(text: str) -> None:
    """Print a text of several lines on standard output.

    Raises:
        OutputError: It can't be written.
    """
    _print(f"{_lines(text)}\n")


def one_line(text: str) -> str:
    """Return *text* as one line that no terminal takes for anything but text.

    No URL in it shows its password.
    """
    text = masked_url(text)
    return text if text.isprintable() else _lines(text).replace("\n", "\u240a").replace("\t", " ")


def _lines(text: str) -> str:
    text = masked_url(text)
    if text.isprintable():
        return text
    # Listing plugins imports none of what this needs, as long as nothing is odd.
    from holdall.writing import terminal_text

    return terminal_text(text)


def _print(text: str) -> None:
    error = _write(sys.stdout, text)
    if error is not None and not isinstance(error, BrokenPipeError):
        raise OutputError(str(getattr(error, "strerror", None) or error)) from error


def _write(stream: TextIO, text: str) -> Exception | None:
    """Write and flush; return the error of a stream that can't be written, and is silent then."""
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError) as error:
        # Its reader is gone, or the disk is full. What waits in memory is written once more when
        # Python ends, and must not fail a second time.
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
        return error
    return None


def ending(job: JobView) -> str:
    """Return how a job ended: its outcome, and whether that is not what it says."""
    if job.counts_as is job.outcome:
        return job.outcome
    return f"{'unexpected' if job.counts_as.failed else 'expected'}-{job.outcome}"


def counted(outcomes: Mapping[str, int]) -> Iterator[str]:
    """Yield how many jobs came to each outcome, for people: `12 pass`."""
    for outcome, count in outcomes.items():
        yield _(_COUNTED[outcome]).format(count=count)


def print_json(value: object) -> None:
    """Print one JSON document on standard output."""
    text = json.dumps(value, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False)
    _print("".join(map(_in_json, text)) + "\n")


def _in_json(character: str) -> str:
    """Return *character* of a JSON text, escaped if a terminal may take it for a command."""
    if character.isprintable() or character == "\n":
        return character
    return json.dumps(character)[1:-1]


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows: a drawn table on a terminal, plain aligned lines in a pipe."""
    rows = [[one_line(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(columns, rows)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print_line("  ".join(cells).rstrip())


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console()
    with console.capture() as capture:
        console.print(table)
    _print(capture.get())
