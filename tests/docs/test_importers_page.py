"""The page of importers names each one that there is, and has a section for it."""

from __future__ import annotations

import re
from pathlib import Path

from holdall import Registry

PAGE = (Path(__file__).parents[2] / "docs/reference/importers.md").read_text(encoding="utf-8")


def test_every_importer_is_in_the_table_and_has_a_section() -> None:
    listed = re.findall(r"^\| \[`(\w+)`\]\(#([\w-]+)\) \|", PAGE, re.MULTILINE)
    installed = sorted(candidate.id for candidate in Registry.discover().candidates("importers"))
    sections = {
        re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))
        for title in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    }

    assert [name for name, _anchor in listed] == installed
    assert {anchor for _name, anchor in listed} <= sections
