"""The page about the architecture shows the rooms that the code has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
ROOMS = {path.stem for path in (ROOT / "core" / "holdall").iterdir() if path.suffix in {"", ".py"}}
NO_ROOMS = {"__init__", "__main__", "__pycache__", "locale", "py"}
GROUND = {"deprecation", "doors", "version"}  # which any room may import


def test_the_picture_is_the_one_that_the_imports_give() -> None:
    script = Path(__file__).with_name("rooms.py")

    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, check=False, text=True
    )

    assert done.returncode == 0, done.stderr


def test_the_public_names_are_those_of_the_doors() -> None:
    script = Path(__file__).with_name("public_names.py")

    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, check=False, text=True
    )

    assert done.returncode == 0, done.stderr


def test_every_public_name_says_what_it_is() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(\w+)` \|  ?\|$", page, re.MULTILINE) == []


def test_every_room_has_its_paragraph() -> None:
    terms = re.findall(r"^(`.+)\n: ", PAGE, re.MULTILINE)
    described = {name for term in terms for name in re.findall(r"`(\w+)`", term)}

    assert described == (ROOMS - NO_ROOMS - GROUND) | {"plugins", "exporters"}


def test_every_file_that_the_page_names_is_there() -> None:
    paths = re.findall(r"`((?:core|plugins|exporters|tests|docs)/[\w./-]+)`", PAGE)

    assert [path for path in paths if "NAME" not in path and not (ROOT / path).exists()] == []
