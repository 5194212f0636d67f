"""What a folder of Allure says of the run: its environment and who executed it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from holdall.reading import text_lines
from holdall_plugins.importers.allure.results import read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from holdall import Recorder

_MOST_FACTS: Final = 10_000
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_KEY: Final = re.compile(r"((?:\\.|[^\\:=\s])+)\s*[=:]?\s*(.*)", re.DOTALL)


def record_run(folder: Path, recorder: Recorder, devices: Collection[str]) -> None:
    """Record facts of the devices that took part, and count what a session can't keep.

    Raises:
        ValueError: A file is damaged; the message has its name.
    """
    facts: dict[str, str] = {}
    environment = folder / "environment.properties"
    if _is_there(environment):
        for name, value in _properties(environment):
            if len(facts) == _MOST_FACTS:
                recorder.leave_out("facts beyond ten thousand")
                break
            facts[name] = value
    executor = folder / "executor.json"
    if _is_there(executor):
        told = read(executor, dict[str, Any])
        facts |= {f"executor {name}": str(value) for name, value in told.items() if value}
    for device in sorted(devices) if facts else ():
        recorder.device(device, facts=facts)
    categories = folder / "categories.json"
    if _is_there(categories):
        recorder.leave_out("categories of failures", len(read(categories, list[Any])))
    if _is_there(folder / "environment.xml"):
        recorder.leave_out("environments in XML")


def _is_there(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _properties(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the properties of a file as Java writes them."""
    joined = ""
    try:
        for _number, line in text_lines(path, errors="backslashreplace"):
            text = line.lstrip()
            if not joined and (not text or text[0] in "#!"):
                continue
            joined += text
            if (len(joined) - len(joined.rstrip("\\"))) % 2:
                joined = joined[:-1]
                continue
            match = _KEY.fullmatch(joined)
            joined = ""
            if match:
                yield _unescaped(match[1]), _unescaped(match[2])
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        escaped = match[1]
        return chr(int(escaped[1:], 16)) if len(escaped) > 1 else _CONTROLS.get(escaped, escaped)

    return _ESCAPE.sub(character, text)
