"""Lists what `holdall plugins check` looks at, by kind of plugin.

python tests/docs/check_tables.py   # writes docs/reference/checks.md anew
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from holdall.registry import KINDS
from holdall.testing.checks import promise_of, suite_of

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "checks.md"

HEAD: Final = """\
# What `plugins check` looks at

[`holdall plugins check ID`](cli.md#holdall-plugins-check) makes these checks of an installed
plugin, and the contract class of the kind in `holdall.testing` makes them as tests. The checks of
stores and wrappers are tests, by the [guarantees of
stores](stores.md#how-each-promise-is-tested).

The page is written by `python tests/docs/check_tables.py` from the code, and a test compares it.
"""


def page() -> str:
    """Return the page as it should be."""
    sections = [
        "\n".join(
            (
                f"## {kind}",
                "",
                "| check | promise |",
                "|---|---|",
                *(f"| `{each.__name__}` | {promise_of(each)} |" for each in suite_of(kind).checks),
            )
        )
        for kind in KINDS
        if kind != "repositories"
    ]
    return "\n".join((HEAD, *(f"{section}\n" for section in sections))).rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
