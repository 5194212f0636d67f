"""Scaffolds and the examples of the pages, built, installed and used in a fresh environment."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.venvs import ROOT, fresh

if TYPE_CHECKING:
    from tests.e2e.venvs import Venv

EXAMPLES = ROOT / "docs" / "examples"
SCRIPTS = Path(sysconfig.get_path("scripts"))

SCAFFOLDS = {"hooks": ("trial_hooks", ())}
"""By kind: the name that is scaffolded, and what `plugins check` is given besides."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """An environment with holdall, a scaffolded package of each kind, and every example."""
    made = fresh(tmp_path_factory.mktemp("lab"))
    for kind, (name, _more) in SCAFFOLDS.items():
        folder = made.folder / "scaffolds" / kind
        done = made.holdall("plugins", "new", kind, name, "--directory", str(folder))
        assert done.code == 0, done.err
    scaffolds = [made.folder / "scaffolds" / kind for kind in SCAFFOLDS]
    made.install(*scaffolds, *(path.parent for path in EXAMPLES.glob("*/pyproject.toml")))
    return made


@pytest.mark.parametrize("kind", SCAFFOLDS)
def test_a_scaffolded_package_passes_its_own_tests(lab: Venv, kind: str) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly")

    tests = lab.run(lab.python, "-m", "pytest", *options, cwd=lab.folder / "scaffolds" / kind)

    assert (tests.code, "passed" in tests.out) == (0, True), tests.out


@pytest.mark.parametrize("kind", SCAFFOLDS)
def test_a_scaffolded_package_passes_the_checks_of_its_kind(lab: Venv, kind: str) -> None:
    name, more = SCAFFOLDS[kind]

    checked = lab.holdall("plugins", "check", name, *more)

    assert (checked.code, "checks passed" in checked.out) == (0, True), checked.out + checked.err


def test_the_tools_find_nothing_wrong_with_scaffolds_and_examples(lab: Venv) -> None:
    folders = [lab.folder / "scaffolds" / kind for kind in SCAFFOLDS]
    folders += [path.parent for path in EXAMPLES.glob("*/pyproject.toml")]
    sources = [str(file) for folder in folders for file in folder.rglob("*.py")]
    config = ("--config-file", str(folders[0] / "pyproject.toml"), "--explicit-package-bases")
    commands = (
        ("ruff", "check", "--no-cache", *map(str, folders)),
        ("ruff", "format", "--check", "--no-cache", *map(str, folders)),
        ("mypy", *config, "--cache-dir", str(lab.folder / "mypy"), *sources),
    )
    if not all((SCRIPTS / command[0]).exists() for command in commands):
        pytest.skip("ruff and mypy are not installed")

    done = [lab.run(SCRIPTS / command[0], *command[1:]) for command in commands]

    assert [each.out + each.err for each in done if each.code] == []
