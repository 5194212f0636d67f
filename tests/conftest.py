"""What some tests need besides Python packages; where it is missing they skip, and say so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

INSTALL: Final = (
    "apt-get install -y --no-install-recommends chromium default-jre-headless jq libarchive-tools "
    "libreoffice-calc-nogui libxml2-utils npm poppler-utils xz-utils zstd && npm install "
    "--prefix tests --no-save --no-audit --no-fund --ignore-scripts ajv axe-core html-validate "
    "junit2json vnu-jar xunit-viewer"
)
NODE_MODULES: Final = Path(
    os.environ.get("HOLDALL_NODE_MODULES", Path(__file__).parent / "node_modules")
)


@pytest.fixture(scope="session")
def install() -> str:
    """Return the command that installs all of it."""
    return INSTALL


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Return what finds a program's path, or skips the test."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"there is no {name}: {INSTALL}")
        return path

    return find


@pytest.fixture(scope="session")
def node_module() -> Callable[[str], Path]:
    """Return what finds a file of a package of npm, or skips the test."""

    def find(name: str) -> Path:
        path = NODE_MODULES / name
        if not path.exists():
            pytest.skip(f"there is no {name} in {NODE_MODULES}: {INSTALL}")
        return path

    return find
