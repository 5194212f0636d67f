"""Packages that `plugins new` writes: for every name, next to each other, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from holdall.cli.plugins.scaffold import new

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Cli

KINDS: Final = (
    *("exporter", "hooks", "importer", "provider", "provider_loader"),
    *("repository", "runner", "wrapper"),
)
NAMES: Final = ("test", "tests", "testing", "class", "import", "a", "x_1", "n" * 16, "n" * 40)
IDS: Final = ("acme.test", "test.report", "testing.a", "class.import")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write a package of every kind with every name."""
    folder = tmp_path_factory.mktemp("packages")
    written = []
    for kind in KINDS:
        for name in IDS if kind == "exporter" else NAMES:
            written.append(folder / f"{kind}-{name}")
            new.main([kind, name, "--directory", str(written[-1])], standalone_mode=False)
    return written


def test_the_tests_of_every_name_are_collected(packages: list[Path]) -> None:
    # Collecting all would take as long as the rest of this file.
    hard = [
        each for each in packages if each.name.endswith(("test", "test.report", "class", "nn"))
    ]
    options = ("--collect-only", "-q", "-W", "error", "-c", str(hard[0] / "pyproject.toml"))
    unused = ("cacheprovider", "randomly", "xdist")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *options),
            *(option for name in unused for option in ("-p", f"no:{name}")),
            *(str(package / "tests") for package in hard),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(each / "src") for each in hard)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    for package in hard:
        [module] = (package / "tests").glob("test_*.py")
        assert f"{module.name}::Test" in done.stdout


def test_ruff_has_nothing_to_say_of_any_name(packages: list[Path]) -> None:
    pytest.importorskip("ruff")
    done = subprocess.run(
        [*(sys.executable, "-m", "ruff", "check", "--no-cache"), *map(str, packages)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_no_two_packages_have_one_module(packages: list[Path]) -> None:
    modules = [module.name for package in packages for module in (package / "src").iterdir()]

    assert len(set(modules)) == len(packages)
    assert "holdall_runner_a" in modules


@pytest.mark.parametrize(
    ("kind", "name", "plain"),
    [
        ("runner", "a_", "a"),
        ("hooks", "a__b", "a_b"),
        ("exporter", "acme.x__y_", "acme.x_y"),
        ("provider", "loader_a", ""),
    ],
)
def test_a_name_that_gives_the_package_of_another_is_refused(
    holdall: Cli, kind: str, name: str, plain: str
) -> None:
    done = holdall("plugins", "new", kind, name)

    assert done.code == 2
    assert repr(name) in done.err
    assert repr(plain) in done.err or not plain
    assert "the package of" in done.err


@pytest.mark.parametrize("where", ["a file", "a dangling link", "a long name", "no such folder"])
def test_a_folder_that_cannot_be_written_is_named_and_nothing_stays(
    holdall: Cli, where: str
) -> None:
    (holdall.folder / "file").touch()
    (holdall.folder / "link").symlink_to("nowhere")
    name = "n" * 240 if where == "a long name" else "redis"
    target = {
        "a file": "file/new",
        "a dangling link": "link",
        "a long name": "above/new",
        "no such folder": "/proc/new",
    }[where]
    before = sorted(holdall.folder.rglob("*"))

    done = holdall("plugins", "new", "runner", name, "--directory", target)

    assert done.code == 2
    assert repr(target) in done.err
    assert done.err.count("\n") == 1
    assert sorted(holdall.folder.rglob("*")) == before
