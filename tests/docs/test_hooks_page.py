"""Every hook has an example that runs."""

from __future__ import annotations

import re
from pathlib import Path

from holdall.hooks import specs

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "hooks.md"


def test_every_hook_has_an_example() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    implemented = {
        name
        for block in blocks
        for name in re.findall(r"@hookimpl[^\n]*\n\s*def (\w+)\(self", block)
    }

    assert implemented == {*specs.OBSERVERS, *specs.WRAPPERS, "configure"}
