from __future__ import annotations

from pathlib import Path

import pytest
from holdall.errors import ProviderLoadError
from holdall.testing import ProviderLoaderContract

from holdall_provider_loader_table import SUFFIX, TableLoader

SAMPLE = Path(__file__).parent / "samples" / f"burnin{SUFFIX}"


def with_a_short_line(folder: Path) -> Path:
    path = folder / SAMPLE.name
    path.write_text(SAMPLE.read_text(encoding="utf-8") + "fan;Fans\n", encoding="utf-8")
    return path


class TestTableLoader(ProviderLoaderContract):
    """It keeps the promises of every provider loader."""

    loader = TableLoader

    @pytest.fixture
    def source(self) -> str:
        return str(SAMPLE)

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> str:
        return str(with_a_short_line(tmp_path))


def test_each_line_is_a_job_under_its_heading() -> None:
    provider = TableLoader().load(str(SAMPLE))

    assert [(unit.kind, unit.id) for unit in provider.unit_list] == [
        ("category", "acme.burnin::disks"),
        ("job", "acme.burnin::root"),
        ("job", "acme.burnin::tmp"),
        ("category", "acme.burnin::programs"),
        ("job", "acme.burnin::shell"),
    ]


def test_a_line_that_is_too_short_is_a_problem_and_costs_no_other(tmp_path: Path) -> None:
    provider = TableLoader().load(str(with_a_short_line(tmp_path)))

    (problem,) = provider.problems
    assert (problem.line, problem.severity) == (5, "error")
    assert len(provider.unit_list) == 5


def test_a_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / f"other{SUFFIX}"
    path.write_text("name;price\n", encoding="utf-8")

    with pytest.raises(ProviderLoadError, match="its first line is not 'id;category;"):
        TableLoader().load(str(path))
