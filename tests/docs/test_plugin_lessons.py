"""Every lesson that the page tells is held by a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "explanation" / "plugin-lessons.md"


def named() -> list[tuple[str, str]]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(r"`(test_\w+\.py)::(test_\w+)`", text)


def functions(file: str) -> set[str]:
    found: set[str] = set()
    for path in TESTS.rglob(file):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return found


def test_each_lesson_names_a_test_that_exists() -> None:
    gone = [f"{file}::{test}" for file, test in named() if test not in functions(file)]

    assert gone == []


def test_each_lesson_but_the_one_left_out_names_a_test() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    without = [row for row in rows if "::test_" not in row and not row.startswith("| what")]

    assert len(named()) == 29
    assert len(without) == 1
    assert "left out" in without[0]
