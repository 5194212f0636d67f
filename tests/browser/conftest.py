"""A browser and axe-core, where the system has them; else the tests say what is missing."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent


def chromium() -> Any:
    """Return the module beside this one; tests are no package."""
    name = "holdall_tests_chromium"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / "chromium.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory, install: str) -> Iterator[Any]:
    """Return a running Chromium."""
    if chromium().program() is None:
        pytest.skip(f"there is no Chromium: {install}")
    with chromium().Chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="session")
def axe(node_module: Callable[[str], Path]) -> str:
    """Return the source of axe-core."""
    return node_module("axe-core/axe.min.js").read_text("utf-8")


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for screenshots; HOLDALL_SCREENSHOTS names one that is kept."""
    kept = os.environ.get("HOLDALL_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
