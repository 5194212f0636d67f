"""The html report in the eyes of two checkers."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# What jobs wrote may end in blanks, and titles of sessions may be long.
RULES = {
    "root": True,
    "extends": ["html-validate:recommended", "html-validate:a11y"],
    "rules": {"no-trailing-whitespace": "off", "long-title": "off"},
}


@pytest.mark.parametrize("options", [["logs=all"], ["logs=none", "failures-max=0"]], ids=str)
def test_the_nu_checker_finds_no_error(
    options: list[str],
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    node_module: Callable[[str], Path],
) -> None:
    checker = node_module("vnu-jar/build/dist/vnu.jar")
    command = [program("java"), "-jar", str(checker), "--format", "json", "--exit-zero-always"]
    pages = [str(each.path) for each in written("html", ".html", *options).values()]

    done = subprocess.run([*command, *pages], capture_output=True, check=True, timeout=100)

    messages = json.loads(done.stderr or done.stdout)["messages"]
    wrong = [each for each in messages if each["type"] != "info"]
    assert wrong == []


def test_html_validate_finds_nothing(
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    node_module: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    script = node_module("html-validate/bin/html-validate.mjs")
    pages = [each.path for each in written("html", ".html", "logs=all").values()]
    config = tmp_path / "rules.json"
    config.write_text(json.dumps(RULES), "utf-8")
    found = tmp_path / "found.json"

    subprocess.run(
        [program("node"), script, "--config", config, "--formatter", f"json={found}", *pages],
        check=False,
        capture_output=True,
        timeout=100,
    )

    read = json.loads(found.read_text("utf-8"))
    assert [(each["filePath"], each["messages"]) for each in read if each["messages"]] == []
