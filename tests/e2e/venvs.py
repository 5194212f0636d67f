"""Fresh virtual environments with holdall in them, made without network."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
PATIENCE_S = 100


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Venv:
    """A virtual environment that has what it needs in reach, and nothing of holdall at first."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def run(self, *command: str | Path, cwd: Path | None = None, **variables: str) -> Done:
        """Run a command with nothing of the caller's environment but the search path."""
        home = self.folder / "home"
        environ = {
            "HOME": str(home),
            "HOLDALL_STORE": f"file://{self.folder}/store",
            "LANG": "C.UTF-8",
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            **variables,
        }
        done = subprocess.run(
            [str(part) for part in command],
            env=environ,
            cwd=cwd or home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def holdall(self, *arguments: str, **variables: str) -> Done:
        return self.run(self.python.parent / "holdall", *arguments, cwd=None, **variables)

    def install(self, *projects: Path) -> None:
        """Build a wheel of each project, and install them all as pip does."""
        wheels = self.folder / "wheels"
        known = set(wheels.glob("*.whl"))
        for project in projects:
            build = ("-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels))
            _checked([sys.executable, *build], cwd=project)
        new = sorted(str(path) for path in set(wheels.glob("*.whl")) - known)
        options = ("--no-index", "--no-deps", "--no-cache-dir", "--quiet")
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install"]
        _checked([*pip, "--disable-pip-version-check", *options, *new], cwd=self.folder)


def fresh(folder: Path) -> Venv:
    """Return a new environment with holdall, installed from a wheel of this very tree."""
    for module in ("hatchling", "pip", "venv"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"packages are built and installed here, and {module} is not installed")
    made = Venv(folder)
    _checked([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], cwd=folder)
    (folder / "home").mkdir()
    (folder / "reach").mkdir()
    for name in _dependencies():
        (folder / "reach" / name.name).symlink_to(name)
    site = made.run(made.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    Path(site.out.strip(), "reach.pth").write_text(f"{folder / 'reach'}\n")
    made.install(ROOT)
    return made


def _dependencies() -> list[Path]:
    """Return what is installed here, holdall and what is editable aside."""
    folders = {Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")}
    return [
        path
        for folder in folders
        for path in folder.iterdir()
        if "holdall" not in path.name and path.suffix != ".pth"
    ]


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def _checked(command: list[str], *, cwd: Path) -> None:
    done = subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
