"""The page on the TOML form has a row for each field, in the words of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from holdall_plugins.providers.toml_fields import TABLES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "toml.md"
HEAD = "| field | takes | means |\n|---|---|---|\n"


def written(kind: str) -> str:
    return "".join(
        f"| `{name}` | {field.value.shape} | {field.meaning} |\n"
        for name, field in TABLES[kind].items()
    )


def shown(page: str, kind: str) -> re.Match[str]:
    title = "[provider]" if kind == "provider" else f"[{kind}.NAME]"
    pattern = rf"^## `{re.escape(title)}`\n.*?{re.escape(HEAD)}(?P<rows>(?:\|[^\n]*\n)*)"
    found = re.search(pattern, page, re.MULTILINE | re.DOTALL)
    assert found, f"toml.md has no table of the fields of {title}"
    return found


@pytest.mark.parametrize("kind", TABLES)
def test_every_field_of_a_table_is_documented_in_its_words(kind: str) -> None:
    assert shown(PAGE.read_text(encoding="utf-8"), kind)["rows"] == written(kind)


def write() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for kind in TABLES:
        start, end = shown(page, kind).span("rows")
        page = page[:start] + written(kind) + page[end:]
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write()
