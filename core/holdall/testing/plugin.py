"""Fixtures for authors of plugins; loaded with `-p holdall.testing.plugin`, never by itself."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from holdall.registry import Registry
from holdall.testing.sessions import sample_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from holdall.testing.sessions import SampleSession

    MakePlugin = Callable[..., Path]


@pytest.fixture
def holdall_registry() -> Registry:
    """A registry without plugins; nothing that is installed is in it."""
    return Registry.empty()


@pytest.fixture
def holdall_session() -> SampleSession:
    """A session with every outcome, two devices and hostile text; `holdall.export` takes it."""
    return sample_session()


@pytest.fixture
def holdall_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakePlugin]:
    """Make installed distributions in a folder of the test's own.

    points = {"holdall.exporters": {"acme.md": "acme_md:Exporter"}}
    holdall_plugin("acme-md", {"acme_md.py": SOURCE}, points)
    """
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    before = set(sys.modules)

    def make(
        name: str,
        files: Mapping[str, str],
        entry_points: Mapping[str, Mapping[str, str]],
        *,
        version: str = "1.0",
        requires: tuple[str, ...] = (),
    ) -> Path:
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        head = f"Metadata-Version: 2.3\nName: {name}\nVersion: {version}\n"
        needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        (info / "METADATA").write_text(f"{head}{needs}", encoding="utf-8")
        lines = [
            line
            for group, points in entry_points.items()
            for line in (f"[{group}]", *(f"{key} = {value}" for key, value in points.items()))
        ]
        (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        for path, text in files.items():
            target = site / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        written = [*files, *(f"{info.name}/{path.name}" for path in info.iterdir())]
        record = "".join(f"{path},,\n" for path in written)
        (info / "RECORD").write_text(record, encoding="utf-8")
        importlib.invalidate_caches()
        return site

    yield make
    _forget(before, site)


def _forget(before: set[str], site: Path) -> None:
    """Take the modules of the folder out of the process again."""
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(site)):
            del sys.modules[name]
