"""The importers of formats in JSON keep the promises of importers, with the samples of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from holdall.testing import ImporterContract
from holdall_plugins.importers.allure import AllureImporter
from holdall_plugins.importers.ctrf import CtrfImporter
from holdall_plugins.importers.openhtf import OpenHtfImporter

DATA: Final = Path(__file__).parents[1] / "data" / "importers"


class TestCtrfImporter(ImporterContract):
    importer = CtrfImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        path = tmp_path / "large.json"
        with path.open("w", encoding="utf-8") as file:
            file.write('{"reportFormat": "CTRF", "results": {"tests": [')
            test = {"status": "failed", "duration": 1, "message": "x" * 5000}
            texts = (json.dumps({"name": f"t{number}", **test}) for number in range(400))
            file.write(",".join(texts))
            file.write("]}}")
        return [DATA / "ctrf" / "everything.json", path]


class TestAllureImporter(ImporterContract):
    importer = AllureImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        folder = tmp_path / "large"
        folder.mkdir()
        for number in range(400):
            result = {
                "uuid": f"u{number}",
                "fullName": f"t{number}",
                "status": "failed",
                "stage": "finished",
                "statusDetails": {"message": "x" * 5000},
                "start": number,
            }
            text = json.dumps(result)
            folder.joinpath(f"{number}-result.json").write_text(text, encoding="utf-8")
        return [DATA / "allure" / "pytest", folder]


class TestOpenHtfImporter(ImporterContract):
    importer = OpenHtfImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        path = tmp_path / "large.json"
        with path.open("w", encoding="utf-8") as file:
            for number in range(400):
                details = {"code": number, "description": "x" * 5000}
                record = {
                    "dut_id": "D1",
                    "station_id": "bench",
                    "metadata": {"test_name": f"t{number}"},
                    "outcome": "FAIL",
                    "outcome_details": [details],
                }
                file.write(json.dumps(record) + "\n")
        return [DATA / "openhtf" / "fail.json", path]
