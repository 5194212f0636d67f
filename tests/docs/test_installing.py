"""What the tests of the formats need is installed by one command, which is documented."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "how-to" / "read-the-formats-back.md"


def test_the_command_that_skipped_tests_show_is_the_documented_one(install: str) -> None:
    assert f"```\n{install}\n```" in PAGE.read_text("utf-8")


def test_the_command_installs_every_package_of_npm_that_is_asked_for(install: str) -> None:
    asked_for = {
        name
        for path in TESTS.rglob("*.py")
        if "node_modules" not in path.parts
        for name in re.findall(r'node_module\("([^"/]+)/', path.read_text("utf-8"))
    }

    assert asked_for
    named = install.partition("npm install")[2].split()
    assert asked_for <= {re.sub("(?<=.)@.*", "", name) for name in named}  # without versions
