"""Draws the rooms of the project and the arrows between them from the imports in its code.

python tests/docs/rooms.py          # writes the picture into docs/explanation/architecture.md
python tests/docs/rooms.py --check  # changes nothing, and fails if it would

An arrow means that code in one room imports from another, imports for types included. The
picture leaves out each arrow that a longer way says already; the table below it has them all.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
FOLDERS = {"holdall": "core", "holdall_plugins": "plugins", "holdall_exporters": "exporters"}
BEGIN, END = "<!-- drawn by tests/docs/rooms.py -->\n", "<!-- end of the drawing -->\n"

# The three modules that describe what outsiders get name types of higher rooms.
UPWARD = {
    ("contracts", "recording"),
    ("contracts", "view"),
    ("hooks", "exports"),
    ("hooks", "session"),
}
GROUND = {"deprecation", "doors", "languages", "version"}  # small modules that any room may import


class Rooms(NamedTuple):
    """The rooms, and for each the rooms that it imports."""

    imports: Mapping[str, frozenset[str]]

    def drawn(self) -> Iterator[tuple[str, str]]:
        """Yield the arrows that no longer way stands for."""
        for room, others in self.imports.items():
            for other in sorted(others):
                detours = (
                    self.below(via) for via in others - {other} if (room, via) not in UPWARD
                )
                if (room, other) in UPWARD or not any(other in below for below in detours):
                    yield room, other

    def below(self, room: str) -> set[str]:
        """Return every room that *room* reaches by arrows that lead downwards."""
        reached: set[str] = set()
        waiting = [room]
        while waiting:
            current = waiting.pop()
            for other in self.imports[current]:
                if (current, other) not in UPWARD and other not in reached:
                    reached.add(other)
                    waiting.append(other)
        return reached


def read_rooms() -> Rooms:
    """Return the rooms as the code has them now."""
    imports: dict[str, set[str]] = {}
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder / package).rglob("*.py")):
            if "data" in path.parts:
                continue
            module = path.relative_to(ROOT / folder).with_suffix("").parts
            room = room_of(module)
            if room is None:
                continue
            found = imports.setdefault(room, set())
            for target in imported(path):
                other = room_of(target)
                if other not in {None, room}:
                    found.add(str(other))
    return Rooms({room: frozenset(others) for room, others in sorted(imports.items())})


def room_of(module: tuple[str, ...]) -> str | None:
    """Return the room of a module; None for what is in no room."""
    package, *rest = module
    if package in {"holdall_plugins", "holdall_exporters"}:
        return package.removeprefix("holdall_")
    if package != "holdall" or not rest or rest[0] in {"__init__", "__main__", *GROUND}:
        return None
    return rest[0]


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield tuple(node.module.split("."))
        elif isinstance(node, ast.Import):
            for name in node.names:
                yield tuple(name.name.split("."))


def drawing(rooms: Rooms) -> str:
    """Return the picture and the table, as Markdown."""
    lines = ["```mermaid", "flowchart TD"]
    for room, other in rooms.drawn():
        arrow = "-. types .->" if (room, other) in UPWARD else "-->"
        lines.append(f"    {room} {arrow} {other}")
    lines += ["```", "", "| room | imports |", "|---|---|"]
    for room, others in rooms.imports.items():
        names = ", ".join(f"`{other}`" for other in sorted(others))
        lines.append(f"| `{room}` | {names or '-'} |")
    return "\n".join(lines) + "\n"


def with_drawing(page: str, drawn: str) -> str:
    """Return *page* with *drawn* in the place of the drawing that it has."""
    before, _, rest = page.partition(BEGIN)
    _old, _, after = rest.partition(END)
    return f"{before}{BEGIN}{drawn}{END}{after}"


def main() -> None:
    """Write the drawing, or compare it."""
    page = PAGE.read_text(encoding="utf-8")
    new = with_drawing(page, drawing(read_rooms()))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(new, encoding="utf-8")
    elif new != page:
        sys.exit(f"{PAGE.name} shows other rooms than the code has; run {Path(__file__).name}")


if __name__ == "__main__":
    main()
