"""The importers of streams of lines keep the promises of importers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from holdall.testing import ImporterContract
from holdall_plugins.importers.go import GoImporter
from holdall_plugins.importers.tap import KtapImporter, TapImporter

DATA: Final = Path(__file__).parents[1] / "data/importers"


class TestGoImporter(ImporterContract):
    importer = GoImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        event = '{"Action":"%s","Package":"p","Test":"T%d"%s}\n'
        output = ',"Output":"' + "x" * 3000 + '\\n"'
        large = tmp_path / "large.json"
        with large.open("w") as file:
            for number in range(1500):
                file.write(event % ("run", number, ""))
                file.write(event % ("output", number, output))
                file.write(event % ("pass", number, ""))
        return [DATA / "go/run.json", large]


class TestTapImporter(ImporterContract):
    importer = TapImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        return [DATA / "tap/node.tap", DATA / "tap/perl.tap", loud(tmp_path, "TAP version 14")]


class TestKtapImporter(ImporterContract):
    importer = KtapImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        return [DATA / "ktap/kunit.log", loud(tmp_path, "KTAP version 1")]


def loud(folder: Path, version: str) -> Path:
    """Write a stream that memory is measured with: few tests, of which much is said."""
    path = folder / "large.tap"
    with path.open("w") as file:
        file.write(f"{version}\n1..1500\n")
        for number in range(1, 1501):
            file.write(f"# {'x' * 3000}\nok {number} - test {number}\n")
    return path
