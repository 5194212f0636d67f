"""Text as a terminal and the programs around it take it."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COLOUR = re.compile(r"\^\[\[[0-9;]*m")


def plain(path: Path) -> bytes:
    """Return a report in ASCII, without the character that `cat -v` has for controls."""
    return path.read_text("utf-8").replace("^", "").encode("ascii", "replace")


def test_cat_shows_nothing_that_steers_a_terminal(
    written: Callable[..., dict[str, Any]], program: Callable[[str], str], run: Callable[..., str]
) -> None:
    for each in written("text", ".txt", "logs=all").values():
        assert "^" not in run(program("cat"), "-v", text=plain(each.path))


def test_cat_shows_colours_and_no_other_escape(
    written: Callable[..., dict[str, Any]], program: Callable[[str], str], run: Callable[..., str]
) -> None:
    for each in written("text", ".txt", "logs=all", "color=always").values():
        shown = run(program("cat"), "-v", text=plain(each.path))
        assert "^" not in COLOUR.sub("", shown)
        assert "^" in shown or not each.session.view().job_count


def test_iconv_finds_it_to_be_utf_8(
    written: Callable[..., dict[str, Any]], program: Callable[[str], str], run: Callable[..., str]
) -> None:
    for each in written("text", ".txt", "logs=all").values():
        run(program("iconv"), "-f", "UTF-8", "-t", "UTF-16", "-o", os.devnull, each.path)


def test_no_line_is_wider_than_was_asked_for(
    written: Callable[..., dict[str, Any]], program: Callable[[str], str]
) -> None:
    paths = [each.path for each in written("text", ".txt", "width=60").values()]

    done = subprocess.run(
        [program("wc"), "-L", *paths],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )

    widths = {
        name.decode().rpartition("/")[2]: int(width)
        for width, name in (line.split(maxsplit=1) for line in done.stdout.splitlines())
    }
    assert {name: width for name, width in widths.items() if width > 60} == {}
