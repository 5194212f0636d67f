"""A browser and axe-core, where the system has them; else the tests say what is missing."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
INSTALL = (
    "apt-get install -y --no-install-recommends chromium npm && npm install --prefix "
    "tests/browser --no-save --no-audit --no-fund --ignore-scripts axe-core"
)


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
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a running Chromium."""
    if chromium().program() is None:
        pytest.skip(f"there is no Chromium: {INSTALL}")
    with chromium().Chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the source of axe-core."""
    folder = Path(os.environ.get("HOLDALL_NODE_MODULES", HERE / "node_modules"))
    path = folder / "axe-core" / "axe.min.js"
    if not path.exists():
        pytest.skip(f"there is no axe-core in {folder}: {INSTALL}")
    return path.read_text("utf-8")


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for screenshots; HOLDALL_SCREENSHOTS names one that is kept."""
    kept = os.environ.get("HOLDALL_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
