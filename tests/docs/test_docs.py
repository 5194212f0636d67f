"""Everything the documentation shows is tried, and what it lists is what there is.

In a page, blocks run in their order in one folder. A block `python` is run; one
with `file=NAME` behind its language is written to that file. In a block
`console`, lines that begin with `$ ` are run by bash, and `> ` continues one;
the lines behind them are what is printed. Ids, moments, durations, places and
the width of columns may differ; `...` stands for anything.
"""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"  # packages, whose README files are their own
PAGES = [
    ROOT / "README.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if EXAMPLES not in page.parents),
]
PATIENCE_S = 100

_FENCE = re.compile(
    r"^```(?P<language>\w+)(?: file=(?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\[[^\]]+\]\((?P<target>[^)\s]+)\)")
_MARK = "\x1e"

# What differs each time, and what it is compared as.
_CHANGING = (
    (re.compile(r"holdall-\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f]{6}"), "(session)"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "(moment)"),
    (re.compile(r"\d+(\.\d+)? m?s\b"), "(duration)"),
    (re.compile(r"file:///[^\s,`]*"), "(url)"),
    (re.compile(r"(?<!\w)/\S*/(?=lab\b)"), "(place)/"),
    (re.compile(r" +"), " "),
)

# A pip that needs no network: it builds with what is installed here, and into a folder.
_PIP = """\
#!/usr/bin/env bash
set -euo pipefail
test "$1" = install
shift
exec "{python}" -m pip install --no-build-isolation --no-deps --no-index --quiet \\
    --disable-pip-version-check --root-user-action ignore --upgrade --target "{site}" "$@"
"""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    file: str
    text: str

    def commands(self) -> Iterator[tuple[str, str]]:
        """Yield each command of a console block, with what it is said to print."""
        command, output = "", ""
        for line in self.text.splitlines(keepends=True):
            if line.startswith("$ "):
                if command:
                    yield command, output
                command, output = line[2:], ""
            elif line.startswith(">") and not output:
                command += line[1:].removeprefix(" ")
            else:
                output += line
        if command:
            yield command, output


def blocks(page: Path) -> list[Block]:
    return [
        Block(found["language"], found["file"] or "", found["text"])
        for found in _FENCE.finditer(page.read_text(encoding="utf-8"))
    ]


class Folder:
    """Where the blocks of one page are tried."""

    def __init__(self, place: Path) -> None:
        self.place = place
        site, programs = place / ".site", place / ".bin"
        programs.mkdir(parents=True)
        pip = programs / "pip"
        pip.write_text(_PIP.format(python=sys.executable, site=site))
        pip.chmod(0o755)
        self.environ = {
            "HOME": str(place),
            "HOLDALL_STORE": f"file://{place}/sessions",
            "LANG": "C.UTF-8",
            "PATH": os.pathsep.join(
                [str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            # Of the plugins of pytest that are installed here, a reader has this one.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_PLUGINS": "holdall_plugins.pytest_recorder",
            "PYTHONPATH": str(site),
        }

    def try_out(self, block: Block) -> None:
        # What a page has below /tmp is here, so that nothing meets what another run left.
        block = replace(block, text=block.text.replace("/tmp/holdall-", f"{self.place}/holdall-"))
        if block.file:
            path = self.place / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            done = self._run([sys.executable, "-W", "error", "-c", block.text])
            assert done.returncode == 0, done.stdout
        elif block.language == "console":
            self._try_console(block)

    def _try_console(self, block: Block) -> None:
        shown = list(block.commands())
        script = "".join(f"printf '{_MARK}'\n{command}" for command, _ in shown)
        done = self._run(["bash", "-euo", "pipefail", "-c", script])
        assert done.returncode == 0, done.stdout
        printed = done.stdout.split(_MARK)[1:]
        for (command, expected), output in zip(shown, printed, strict=True):
            if expected:
                compare(command, expected, output)

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.place,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
        )


def compare(command: str, expected: str, output: str) -> None:
    """Fail unless *output* is what the page shows, aside from what changes."""
    for pattern, word in _CHANGING:
        expected, output = pattern.sub(word, expected), pattern.sub(word, output)
    fits = doctest.OutputChecker().check_output(expected, output, doctest.ELLIPSIS)
    assert fits, f"$ {command}\nthe page shows:\n{expected}\nand it printed:\n{output}"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_examples_of_a_page_work_as_they_are_shown(page: Path, tmp_path: Path) -> None:
    found = blocks(page)
    if any("$ pip install" in block.text for block in found):
        for module in ("hatchling", "pip"):
            if importlib.util.find_spec(module) is None:
                pytest.skip(f"the page builds a package, and {module} is not installed here")
    folder = Folder(tmp_path)

    for block in found:
        folder.try_out(block)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = [found["target"] for found in _LINK.finditer(page.read_text(encoding="utf-8"))]
    local = [target.partition("#")[0] for target in targets if "://" not in target]

    assert [target for target in local if target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_names_no_place_of_one_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert re.findall(r"/(?:home/(?!me/)|root/|work/|Users/)\w+", text) == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    reached = {
        (index.parent / found["target"]).resolve()
        for found in _LINK.finditer(index.read_text(encoding="utf-8"))
    }

    assert {name(page) for page in PAGES} - {
        name(page) for page in reached if page.is_relative_to(ROOT)
    } == {"docs/index.md"}
