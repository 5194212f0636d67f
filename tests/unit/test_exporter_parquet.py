"""The Parquet exporter: typed columns in groups of rows, which Arrow reads back."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pyarrow import ArrowInvalid
from pyarrow.parquet import ParquetFile
from tests.unit.one_job import session_of, started_again

from holdall.errors import PluginLoadError
from holdall.exports.pipeline import export
from holdall.registry.registry import Registry
from holdall.results import JobResult, Measurement
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import START, big_session, empty_session, sample_session
from holdall_exporters.parquet import COLUMNS, ParquetExporter

if TYPE_CHECKING:
    from holdall.testing.sessions import SampleSession


def file_of(session: SampleSession) -> Any:
    return ParquetFile(io.BytesIO(exported(ParquetExporter, session)))


@pytest.mark.sampled(6)
class TestParquetExporter(ExporterContract):
    """The Parquet exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[ParquetExporter]] = ParquetExporter


def test_each_job_is_a_row_of_typed_cells() -> None:
    result = JobResult(
        outcome="fail", comments="no", return_code=3, execution_duration=0.25, started_at=START
    )
    table = file_of(session_of(JobResult(outcome="fail"), result)).read()

    assert table.schema.names == list(COLUMNS)
    assert table.to_pylist() == [
        {
            "device": "local",
            "id": "com.example::disk",
            "summary": "com.example::disk",
            "category": "Uncategorised",
            "plugin": "shell",
            "certification_status": "non-blocker",
            "outcome": "fail",
            "counts_as": "fail",
            "in_flight": False,
            "flaky": False,
            "attempts": 2,
            "started": datetime(2026, 1, 1, tzinfo=UTC),
            "duration": 0.25,
            "return_code": 3,
            "reason": None,
            "comments": "no",
            "output_bytes": 0,
            "files": 0,
        }
    ]


def test_rows_are_those_of_the_session_whatever_is_in_it() -> None:
    jobs = list(sample_session().view().jobs())
    rows = file_of(sample_session()).read().to_pylist()

    assert [(each["device"], each["id"], each["outcome"]) for each in rows] == [
        (job.device_id, job.id, str(job.outcome)) for job in jobs
    ]
    assert [each["flaky"] for each in rows] == [job.is_flaky for job in jobs]


def test_the_session_is_in_the_metadata() -> None:
    about = file_of(empty_session()).schema_arrow.metadata

    assert about[b"holdall.session"] == b"sample-empty"
    assert about[b"holdall.verdict"] == b"FAIL"


def test_a_job_in_flight_is_a_row_too() -> None:
    (row,) = file_of(started_again(session_of())).read().to_pylist()

    assert (row["in_flight"], row["attempts"]) == (True, 0)


def test_rows_are_written_in_groups() -> None:
    file = file_of(big_session(4_500))

    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [
        2_000,
        2_000,
        500,
    ]


def test_numbers_beyond_a_column_are_the_largest_of_it() -> None:
    result = JobResult(outcome="fail", return_code=2**40, started_at=1e300)
    (row,) = file_of(session_of(result)).read().to_pylist()

    assert (row["return_code"], row["started"].year) == (2**31 - 1, 9999)


def test_measurements_are_counted_as_left_out() -> None:
    result = JobResult(outcome="pass", measurements=[Measurement(name="rate", value=7)])

    report = export(session_of(result), "parquet", io.BytesIO(), registry=Registry.discover())
    assert report.changes == {"measurements left out": 1}


def test_a_report_that_is_cut_short_is_not_whole() -> None:
    report = exported(ParquetExporter, sample_session())

    ParquetExporter.verify(io.BytesIO(report))
    with pytest.raises(ArrowInvalid):
        ParquetExporter.verify(io.BytesIO(report[:-3]))


def test_without_arrow_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "holdall_exporters.parquet")

    with pytest.raises(PluginLoadError, match=r'pip install "holdall\[analytics\]"'):
        Registry.discover().load("exporters", "parquet")
