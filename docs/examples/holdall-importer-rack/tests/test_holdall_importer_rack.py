from __future__ import annotations

from pathlib import Path

import pytest
from holdall.testing import ImporterContract
from holdall.testing.importers import imported

from holdall_importer_rack import RackImporter

SAMPLE = Path(__file__).parent / "samples" / "night.csv"


def large(folder: Path) -> Path:
    """Write a source of more than a MiB, that memory is measured with."""
    head, *rows = SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    path = folder / "large.csv"
    text = "".join(rows).replace("no fan", "no fan " * 3000)
    path.write_text(head + text * 60, encoding="utf-8")
    return path


class TestRackImporter(ImporterContract):
    """It keeps the promises of every importer."""

    importer = RackImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        return [SAMPLE, large(tmp_path)]


def test_each_line_is_a_job_of_its_board() -> None:
    jobs = list(imported(RackImporter, SAMPLE).jobs())

    assert [(job.device_id, job.id, str(job.outcome), job.comments) for job in jobs] == [
        ("board-0042", "disk/speed", "pass", ""),
        ("board-0042", "fan/noise", "fail", "loud; replace the fan"),
        ("board-0043", "disk/speed", "crash", ""),
        ("board-0043", "fan/noise", "skip", "no fan"),
    ]


def test_a_value_above_its_limit_is_a_measurement_that_failed() -> None:
    noise = list(imported(RackImporter, SAMPLE).jobs())[1].measurements[0]

    assert (noise.value, noise.upper, str(noise.outcome)) == (41.5, 40, "fail")


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("NOK", "BAD", "line 3: the verdict 'BAD' is none of OK, NOK, ABORTED, N/A"),
        ("41.5", "loud", "line 3: could not convert string to float: 'loud'"),
        (";no fan", "", "line 5: a line has as many columns as the first one"),
    ],
)
def test_a_damage_is_named_with_its_line(tmp_path: Path, good: str, bad: str, words: str) -> None:
    damaged = tmp_path / "damaged.csv"
    damaged.write_text(SAMPLE.read_text(encoding="utf-8").replace(good, bad), encoding="utf-8")

    with pytest.raises(ValueError, match=words):
        imported(RackImporter, damaged)
