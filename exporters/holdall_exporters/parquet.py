"""Parquet, a row for each job in typed columns, for programs that count over many sessions.

The columns are those of `holdall.csv`. Rows are written in groups, so that no more than one
group is held in memory, however many jobs there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, ClassVar, Final

from msgspec import Meta

from holdall.view import verdict
from holdall.writing import count_parts_left_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.view import JobView, SessionView

if find_spec("pyarrow") is None:  # said when the exporter is loaded, as of every missing extra
    raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")

_LAST: Final = 253_402_300_799.0  # the end of the year 9999, past which readers can't go
_LARGEST: Final = 2**31 - 1

# How each column is stored: texts that many jobs have are stored once.
COLUMNS: Final = {
    "device": "repeated",
    "id": "text",
    "summary": "text",
    "category": "repeated",
    "plugin": "repeated",
    "certification_status": "repeated",
    "outcome": "repeated",
    "counts_as": "repeated",
    "in_flight": "bool",
    "flaky": "bool",
    "attempts": "int",
    "started": "moment",
    "duration": "float",
    "return_code": "int",
    "reason": "text",
    "comments": "text",
    "output_bytes": "long",
    "files": "int",
}


@dataclass(frozen=True)
class Options:
    """Options of the table.

    Attributes:
        rows: Rows of a group; one group is in memory at a time.
    """

    rows: Annotated[int, Meta(ge=1)] = 2_000


class ParquetExporter:
    """A row for each job in the order of the run list."""

    summary: ClassVar[str] = "Parquet, a row for each job in typed columns"
    suffix: ClassVar[str] = ".parquet"
    media_type: ClassVar[str] = "application/vnd.apache.parquet"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the rows, a group at a time."""
        arrow, parquet = _modules()
        schema = _schema(arrow, view)
        rows = _rows(view, context)
        written = arrow.PythonFile(_Written(sink), mode="w")
        with parquet.ParquetWriter(written, schema, compression="zstd") as writer:
            while taken := list(islice(rows, context.options.rows)):
                columns = [
                    arrow.array(column, each.type)
                    for column, each in zip(zip(*taken, strict=True), schema, strict=True)
                ]
                writer.write_batch(arrow.RecordBatch.from_arrays(columns, schema=schema))

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read every group of rows."""
        _arrow, parquet = _modules()
        file = parquet.ParquetFile(report)
        if file.schema_arrow.names != list(COLUMNS):
            raise ValueError("its columns have other names")
        rows = sum(batch.num_rows for batch in file.iter_batches())
        if rows != file.metadata.num_rows:
            raise ValueError(f"it says {file.metadata.num_rows} rows, and has {rows}")


class _Written:
    """What Arrow writes to: it asks how far it is, which a sink does not know."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._size = 0

    def write(self, data: bytes) -> int:
        self._sink.write(bytes(data))
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Do nothing: the sink is flushed by its owner."""

    def close(self) -> None:
        self.closed = True


def _modules() -> tuple[ModuleType, ModuleType]:
    """Return Arrow and what of it writes Parquet: too large to be imported with this module."""
    return import_module("pyarrow"), import_module("pyarrow.parquet")


def _schema(arrow: ModuleType, view: SessionView) -> Any:
    """Return the columns, with what is said of the whole session."""
    kinds = {
        "text": arrow.string(),
        "repeated": arrow.dictionary(arrow.int32(), arrow.string()),
        "bool": arrow.bool_(),
        "int": arrow.int32(),
        "long": arrow.int64(),
        "float": arrow.float64(),
        "moment": arrow.timestamp("ms", tz="UTC"),
    }
    about = {
        "holdall.session": view.session_id,
        "holdall.title": view.title,
        "holdall.state": view.state,
        "holdall.verdict": verdict(view).word,
    }
    return arrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()], about)


def _rows(view: SessionView, context: ExportContext) -> Iterator[tuple[object, ...]]:
    total = view.job_count
    for number, job in enumerate(view.jobs()):
        yield _row(job, context)
        if number % 100 == 0:
            context.progress(number, total)


def _row(job: JobView, context: ExportContext) -> tuple[object, ...]:
    """Return the cells of a job; what is about an attempt is about the last one."""
    result = job.last.result
    count_parts_left_out(job, context)
    started, code = result.started_at, result.return_code
    return (
        job.device_id,
        job.id,
        job.summary,
        job.category,
        job.plugin,
        job.certification_status,
        job.outcome.value,
        job.counts_as.value,
        job.in_flight,
        job.is_flaky,
        job.attempt_count,
        None if started is None else round(min(max(started, 0.0), _LAST) * 1000),
        result.execution_duration,
        None if code is None else max(-_LARGEST, min(code, _LARGEST)),
        result.skip_reason or None,
        result.comments or None,
        result.io_log_size,
        len(result.attachments),
    )


if TYPE_CHECKING:
    _: type[Exporter] = ParquetExporter
