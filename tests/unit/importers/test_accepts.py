"""Each sample is accepted by the importer of its format, and by no other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.errors import PluginError
from holdall.recording import find_importer
from holdall.testing.checks.fresh import own_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.registry import Registry

# What these read is made by their own tests, of sessions and of facts.
MADE_IN_TESTS = {"json", "plainbox", "submission", "tar"}
SAMPLES = Path(__file__).parents[2] / "data" / "importers"


def samples() -> Iterator[tuple[str, Path]]:
    """Yield each sample with the id of its importer, which its folder is called by."""
    for folder in sorted(SAMPLES.iterdir()):
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                yield folder.name, path


@pytest.fixture(scope="module")
def registry() -> Registry:
    return own_plugins()


@pytest.mark.parametrize(
    ("importer", "path"),
    [pytest.param(*each, id=f"{each[0]}/{each[1].name}") for each in samples()],
)
def test_a_sample_is_accepted_by_its_importer_alone(
    registry: Registry, importer: str, path: Path
) -> None:
    try:
        registry.load("importers", importer)
    except PluginError as error:
        pytest.skip(str(error))

    assert find_importer(path, registry=registry) == importer


def test_every_importer_has_a_sample() -> None:
    declared = {candidate.id for candidate in own_plugins().candidates("importers")}

    assert declared - {importer for importer, _path in samples()} - MADE_IN_TESTS == set()
