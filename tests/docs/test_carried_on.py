"""The page on what was carried on names tests that exist, and leaves nothing out."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "carried-on.md"


def rows() -> Iterator[tuple[str, str]]:
    """What the page numbers or names as a trap, with what it says of its proof."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and re.match(r"\d", cells[0]):
            yield cells[0], cells[2]


def named_tests() -> list[tuple[str, str]]:
    return [found for _, proof in rows() for found in re.findall(r"`(\S+?\.py)::(\w+)`", proof)]


def test_every_test_that_the_page_names_exists() -> None:
    defined: dict[str, set[str]] = {}
    missing = []
    for file, name in named_tests():
        if file not in defined:
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            nodes = (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))
            defined[file] = {each.name for each in nodes}
        if name not in defined[file]:
            missing.append(f"{file}::{name}")

    assert missing == []
    assert len(named_tests()) > 80


def test_every_number_and_trap_has_a_test_or_a_reason() -> None:
    numbers = [number for number, _ in rows()]

    assert [int(each) for each in numbers if each.isdigit()] == list(range(1, 74))
    assert all("`" in proof or proof.startswith("not carried: ") for _, proof in rows())
