"""How Sphinx makes a site of these pages: `python -m sphinx -W docs build/site`.

The pages are plain Markdown and name each other by plain links. What a site needs besides, the
navigation and a page for each public module, is added here while it is built.
"""

from __future__ import annotations

import re
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pygments.lexers.special import TextLexer
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.util.logging import getLogger

import holdall

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = getLogger(__name__)

HERE: Final = Path(__file__).parent
MODULES: Final = HERE / "reference" / "modules"

sys.path.append(str(HERE.parent / "tests" / "docs"))
public_names: Final = import_module("public_names")

_LINK: Final = re.compile(r"\[(?P<text>[^\[\]]+)\]\((?P<target>[^)\s]+)\)")

_HIDDEN: Final = "\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n{entries}\n```\n"

# A class describes attributes in its docstring, and nowhere else.
_GOOGLE: Final = Config(napoleon_use_ivar=True)

# What Sphinx reads of this file.

project = "holdall"
version = release = holdall.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["examples"]  # packages, which have a README.md each

html_theme = "furo"
html_title = f"holdall {release}"
html_copy_source = False
toc_object_entries = False  # a third of the build; the names are in the index and the search

myst_heading_anchors = 3  # links to headings are written as GitHub takes them
myst_enable_extensions = ["deflist"]

default_role = "py:obj"  # docstrings put code in single backticks, as Markdown does
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False

# The pages in the order of the navigation; a new one without a place here fails the build.
NAVIGATION: Final = {
    "Tutorial": ["tutorial/*"],
    "How to": ["how-to/*"],
    "Reference": ["reference/*"],
    "Public modules": ["reference/modules/*"],
    "Explanation": ["explanation/*"],
    "History": ["changelog"],
}


def prepare(app: Sphinx, docname: str, source: list[str]) -> None:
    """Unlink what the site does not have; give the index the tables that the navigation is of."""
    folder = app.env.doc2path(docname).parent

    def shown(link: re.Match[str]) -> str:
        target = folder / link["target"].partition("#")[0]
        is_page = target.resolve().is_relative_to(HERE) and not _is_example(target.resolve())
        return link[0] if is_page or not target.exists() else link["text"]

    source[0] = _LINK.sub(shown, source[0])
    if docname == "index":
        for caption, pages in NAVIGATION.items():
            entries = "\n".join(pages)
            source[0] += _HIDDEN.format(caption=caption, entries=entries)


def _is_example(path: Path) -> bool:
    return path.is_relative_to(HERE / "examples")


def write_modules(app: Sphinx) -> None:
    """Write a page for each public module; Sphinx reads pages from files only."""
    del app
    MODULES.mkdir(exist_ok=True)
    for page, text in module_pages().items():
        (MODULES / f"{page}.rst").write_text(text, encoding="utf-8")


def remove_modules(app: Sphinx, error: Exception | None) -> None:
    """Leave the folder of the pages as it was."""
    del app, error
    shutil.rmtree(MODULES, ignore_errors=True)


def module_pages() -> dict[str, str]:
    """Return what the page of each public module holds."""
    front = "\n".join(f"* {_link(name)}" for name in sorted(holdall.__all__))
    text = f".. automodule:: holdall\n   :no-members:\n\n{front}\n"
    pages = {"holdall": _titled("holdall", text)}
    for room in (*public_names.DOORS, *public_names.MODULES):
        name = f"holdall.{room}"
        pages[name] = _titled(name, f".. automodule:: {name}\n\n{_constants(room)}")
    return pages


def _constants(room: str) -> str:
    """Describe constants behind a door: autodoc looks for their docstrings elsewhere."""
    if room in public_names.MODULES:
        return ""
    module = import_module(f"holdall.{room}")
    summaries = public_names.summaries(room)
    return "".join(
        f".. py:data:: {name}\n\n   {summaries[name]}\n\n"
        for name in _public(room)
        if getattr(getattr(module, name), "__name__", "") != name
    )


def _public(room: str) -> list[str]:
    """Return the public names of a room."""
    return sorted(public_names.summaries(room))


def _titled(title: str, text: str) -> str:
    return f"{title}\n{'=' * len(title)}\n\n{text}"


def _link(name: str) -> str:
    """Return the link to where a name of the front door is described."""
    homes = (room for room in (*public_names.DOORS, *public_names.MODULES) if _has(room, name))
    home = next(homes, None)
    return f":py:obj:`{name} <holdall.{home}.{name}>`" if home else f"``{name}``"


def _has(room: str, name: str) -> bool:
    return name in _public(room)


def check_names(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names that no page describes."""
    del app
    described = {name for name, *_ in env.get_domain("py").get_objects()}
    for room in (*public_names.DOORS, *public_names.MODULES):
        for name in _public(room):
            if f"holdall.{room}.{name}" not in described:
                logger.warning("no page describes holdall.%s.%s", room, name)


def leave_out(
    app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out what Python writes as the docstring of a field of a named tuple."""
    del app, what, name, skip, options
    return (getattr(obj, "__doc__", None) or "").startswith("Alias for field number") or None


def read_docstring(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Read sections of Google style; the extension would take `a: b` of a property for a type."""
    if what not in {"attribute", "data", "property"}:
        lines[:] = GoogleDocstring(lines, _GOOGLE, app, what, name, obj, options).lines()


def setup(app: Sphinx) -> None:
    """Connect the functions of this file."""
    app.add_lexer("mermaid", TextLexer)  # shown as it is written; the table below it says the same
    app.connect("builder-inited", write_modules)
    app.connect("env-check-consistency", check_names)
    app.connect("source-read", prepare)
    app.connect("autodoc-process-docstring", read_docstring)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("build-finished", remove_modules)
