"""Lists the public names of each room, with what their docstrings begin with.

python tests/docs/public_names.py          # writes docs/reference/api.md anew
python tests/docs/public_names.py --check  # changes nothing, and fails if it would
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.append(str(Path(__file__).parent))
member_tables = import_module("member_tables")

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "api.md"
CORE = ROOT / "core" / "holdall"
DOORS: Final = (
    "contracts",
    "writing",
    "reading",
    "view",
    "stores",
    "recording",
    "redaction",
    "session",
    "upkeep",
    "exports",
    "hooks",
    "journal",
    "registry",
    "units",
    "testing",
    "errors",
)
MODULES: Final = (
    "front_ends",
    "languages",
    "processes",
    "providers",
    "results",
    "settings",
    "tracing",
)

HEAD = """\
# Public names

The names here are what programs and plugins may use: those of the front door, `holdall`, of the
doors of the rooms, and of the modules that are rooms by themselves. What is not listed may change
at any time. The [architecture](../explanation/architecture.md) says what each room is for, and
[compatibility](compatibility.md) how long a name lives. Errors have [a page of their
own](errors.md).

An author of exporters reads [what an exporter sees](#what-an-exporter-sees), with every member and
its type, and then [the kit](#holdallwriting) and [the contract](exporter-contract.md); whoever
runs sessions reads the front door and [`holdall.session`](#holdallsession). The docstrings of all
of these are pages of the site, under *Public modules*.

The page is written by `python tests/docs/public_names.py` from the code, and a test compares it.
"""


def page() -> str:
    """Return the page as the code wants it."""
    parts = [HEAD, member_tables.part()]
    parts.append(_section("holdall", sorted(_front_door()), _front_door()))
    for name in (*DOORS, *MODULES):
        found = summaries(name)
        parts.append(_section(f"holdall.{name.replace('/', '.')}", sorted(found), found))
    return "\n".join(parts)


@cache
def summaries(room: str) -> dict[str, str]:
    """Return the public names of a room, each with what its docstring begins with."""
    if room in MODULES:
        return dict(_definitions(CORE / f"{room}.py"))
    return _sources(room, _exported(CORE / room / "__init__.py"))


def _section(title: str, names: list[str], summaries: dict[str, str]) -> str:
    rows = [f"| `{name}` | {summaries.get(name, '')} |" for name in names]
    return "\n".join([f"## `{title}`", "", "| name | is |", "|---|---|", *rows, ""])


def _front_door() -> dict[str, str]:
    """Return the names of the front door, each with what it is where it comes from."""
    tree = ast.parse((CORE / "__init__.py").read_text(encoding="utf-8"))
    homes = {
        name.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
        if name.name in _exported(CORE / "__init__.py") - {"__version__"}
    }
    summaries = {"__version__": "The version of this holdall."}
    for name, home in homes.items():
        room = home.removeprefix("holdall.")
        path = CORE / f"{room}.py"
        known = dict(_definitions(path)) if path.exists() else _sources(room, {name})
        summaries[name] = known[name]
    return summaries


def _exported(door: Path) -> set[str]:
    tree = ast.parse(door.read_text(encoding="utf-8"))
    return next(
        set(map(str, ast.literal_eval(node.value)))
        for node in tree.body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "__all__"
        and isinstance(node.value, ast.List)
    )


def _sources(room: str, names: set[str]) -> dict[str, str]:
    """Return what the files of a room say of *names*."""
    summaries: dict[str, str] = {}
    for path in sorted((CORE / room).rglob("*.py")):
        for name, summary in _definitions(path):
            if name in names and (summary or name not in summaries):
                summaries[name] = summary
    return summaries


def _definitions(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the public definitions of a file, with the first line of their docstrings."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            name, docstring = node.name, ast.get_docstring(node) or ""
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if not isinstance(target, ast.Name):
                continue
            name, docstring = target.id, _text_of(following)
        else:
            continue
        if not name.startswith("_"):
            summary = docstring.strip().partition("\n\n")[0]
            yield name, summary.replace("\n", " ").replace("|", "\\|")


def _text_of(node: ast.stmt | None) -> str:
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return node.value.value
    return ""


def main() -> None:
    """Write the page, or compare it."""
    new = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(new, encoding="utf-8")
    elif new != PAGE.read_text(encoding="utf-8"):
        sys.exit(f"{PAGE.name} lists other names than the code has; run {Path(__file__).name}")


if __name__ == "__main__":
    main()
