"""The packages in docs/examples are those that the pages show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.docs.test_docs import EXAMPLES, PAGES, blocks, name

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_shows_the_files_of_its_example_as_they_are(page: Path) -> None:
    shown = {block.file: block.text for block in blocks(page) if (EXAMPLES / block.file).is_file()}

    kept = {file: (EXAMPLES / file).read_text(encoding="utf-8") for file in shown}
    assert shown == kept


def test_every_example_is_shown_on_a_page() -> None:
    shown = {block.file for page in PAGES for block in blocks(page)}
    projects = {path.parent for path in EXAMPLES.glob("*/pyproject.toml")}

    assert [
        project.name
        for project in projects
        if not any(file.startswith(f"{project.name}/") for file in shown)
    ] == []
