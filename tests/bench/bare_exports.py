"""The libraries behind the formats, writing what our report holds, out of values ready made.

`READY[name]` takes our report apart into plain values, and `BARE[name]` writes
them again. So both write the same members, elements, cells, lines and rows.
`bare_pass` is what reading costs: every attribute and log that a format shows.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import tarfile
import zlib
from base64 import b64decode, b64encode
from copy import copy
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from lxml import etree
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from pyarrow import parquet

from holdall.writing.logs import wants_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts.exporters import Sink
    from holdall.view.session import SessionView

encode = msgspec.json.Encoder().encode

_STATE = ("outcome", "in_flight", "label", "duration", "skip_reason", "comments", "attempt_count")
_NAMED = ("id", "summary", *_STATE)
_DEFINED = ("description", "plugin", "certification_status", "template_id", "origin")
_ALL = (*_NAMED, *_DEFINED, "device_id", "category_id", "category", "checksum")
_SHOWN: dict[str, tuple[tuple[str, ...], Any]] = {
    "agent": (("id", "outcome", "in_flight", "comments"), "failed"),
    "csv": ((*_NAMED, "plugin", "certification_status", "category", "return_code"), "none"),
    "ctrf": ((*_NAMED, "plugin", "certification_status", "origin", "category"), "failed"),
    "global": (("outcome", "in_flight"), "none"),
    "html": (
        (*_NAMED, *_DEFINED, "device_id", "category", "return_code", "is_flaky"),
        "failed",
    ),
    "json": ((*_ALL, "estimated_duration"), "all"),
    "junit": (("id", *_STATE), "failed"),
    "markdown": (_NAMED, "failed"),
    "ndjson": ((*_ALL, "estimated_duration"), "all"),
    "otr": ((*_NAMED, "certification_status", "origin", "category"), "failed"),
    "parquet": ((*_NAMED, "plugin", "certification_status", "category", "return_code"), "none"),
    "tap": (_NAMED, "failed"),
    "tar": ((*_ALL, "estimated_duration"), "all"),
    "text": (_NAMED, "none"),
    "xlsx": (
        (*_NAMED, "description", "device_id", "category", "certification_status", "return_code"),
        "failed",
    ),
}
_TRIED = attrgetter(
    "outcome", "duration", "started_at", "comments", "skip_reason", "return_code",
    "interrupted_by", "io_log_size", "io_log_dropped", "attachments",
)  # fmt: skip


def bare_pass(name: str, view: SessionView) -> int:
    """Read each job once, with what the format shows of it; return the bytes of its logs."""
    names, logs = _SHOWN[name]
    shown = attrgetter(*names)
    size = 0
    for job in view.jobs():
        shown(job)
        for attempt in job.attempts if name in {"ctrf", "html", "json", "ndjson", "tar"} else ():
            _TRIED(attempt)
        if wants_log(logs, job):
            for record in job.io_log():
                size += len(record.data)
    return size


def ready_csv(report: bytes) -> Any:
    return list(csv.reader(io.StringIO(report.decode(), newline="")))


def bare_csv(ready: Any, sink: Sink) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(ready)
    sink.write(text.getvalue().encode())


def ready_ctrf(report: bytes) -> Any:
    document = msgspec.json.decode(report)
    return document, document["results"].pop("tests")


def ready_ndjson(report: bytes) -> Any:
    return list(map(msgspec.json.decode, report.splitlines()))


def bare_ndjson(ready: Any, sink: Sink) -> None:
    for line in ready:
        sink.write(encode(line) + b"\n")


def ready_json(report: bytes) -> Any:
    document = msgspec.json.decode(report)
    return {name: part for name, part in document.items() if name != "jobs"}, document["jobs"]


def bare_json(ready: Any, sink: Sink) -> None:
    head, jobs = ready
    sink.write(encode(head))
    for job in jobs:
        sink.write(encode(job) + b",\n")


def ready_junit(report: bytes) -> Any:
    return [
        (
            _attributes(suite),
            [_attributes(each) for each in suite.iter("property")],
            [
                (_attributes(case), [(part.tag, _attributes(part), part.text) for part in case])
                for case in suite.iter("testcase")
            ],
            suite.findtext("system-out"),
        )
        for suite in etree.fromstring(report)
    ]


def _attributes(element: Any) -> dict[str, str]:
    return dict(element.attrib)


def bare_junit(ready: Any, sink: Sink) -> None:
    with etree.xmlfile(sink, encoding="US-ASCII") as file, file.element("testsuites"):
        for attributes, properties, cases, history in ready:
            with file.element("testsuite", attributes):
                with file.element("properties"):
                    for each in properties:
                        file.write(etree.Element("property", each))
                for case, parts in cases:
                    element = etree.Element("testcase", case)
                    for tag, its_attributes, text in parts:
                        etree.SubElement(element, tag, its_attributes).text = text
                    file.write(element)
                with file.element("system-out"):
                    file.write(history)
                file.write(etree.Element("system-err"))


_DATA = re.compile(rb'(?<=<script id="data" )([^>]*>)([^<]*)')


def ready_html(report: bytes) -> Any:
    found = _DATA.search(report)
    assert found is not None
    lines = [msgspec.json.decode(gzip.decompress(b64decode(each))) for each in found[2].split()]
    return report[: found.start(2)], lines, report[found.end(2) :]


def bare_html(ready: Any, sink: Sink) -> None:
    before, lines, behind = ready
    sink.write(before)
    for line in lines:
        packer = zlib.compressobj(wbits=31)
        sink.write(b64encode(packer.compress(encode(line)) + packer.flush()) + b"\n")
    sink.write(behind)


def ready_parquet(report: bytes) -> Any:
    return parquet.read_table(io.BytesIO(report))


def bare_parquet(ready: Any, sink: Sink) -> None:
    stream = io.BytesIO()
    parquet.write_table(ready, stream, compression="zstd", row_group_size=2_000)
    sink.write(stream.getvalue())


def ready_text(report: bytes) -> Any:
    return report.decode().splitlines(keepends=True)


def bare_text(ready: Any, sink: Sink) -> None:
    for line in ready:
        sink.write(line.encode())


_STYLE = ("font", "fill", "alignment")


def ready_xlsx(report: bytes) -> Any:
    default: Any = Workbook().active
    plain = {name: getattr(default["A1"], name) for name in _STYLE}
    sheets = []
    for sheet in load_workbook(io.BytesIO(report)).worksheets:
        styles: dict[int, Any] = {0: None}
        rows = []
        for row in sheet.iter_rows():
            for cell in row:
                if cell.style_id not in styles:
                    parts = {name: getattr(cell, name) for name in _STYLE}
                    styles[cell.style_id] = {
                        name: copy(part) for name, part in parts.items() if part != plain[name]
                    }
            rows.append([(cell.value, styles[cell.style_id]) for cell in row])
        widths = {name: each.width for name, each in sheet.column_dimensions.items()}
        sheets.append((sheet.title, widths, sheet.freeze_panes, sheet.auto_filter.ref, rows))
    return sheets


def bare_xlsx(ready: Any, sink: Sink) -> None:
    book = Workbook(write_only=True)
    for title, widths, panes, filtered, rows in ready:
        sheet: Any = book.create_sheet(title)
        for name, width in widths.items():
            sheet.column_dimensions[name].width = width
        sheet.freeze_panes = panes
        for row in rows:
            sheet.append([_cell(sheet, *each) for each in row])
        sheet.auto_filter.ref = filtered
    stream = io.BytesIO()
    book.save(stream)
    sink.write(stream.getvalue())


def _cell(sheet: Any, value: Any, style: dict[str, Any] | None) -> Any:
    if style is None:
        return value
    cell = WriteOnlyCell(sheet, value)
    for name, part in style.items():
        setattr(cell, name, part)
    return cell


def ready_tar(report: bytes) -> Any:
    with tarfile.open(fileobj=io.BytesIO(report)) as tar:
        return [(each.name, content.read()) for each in tar if (content := tar.extractfile(each))]


def bare_tar(ready: Any, sink: Sink) -> None:
    stream: Any = sink
    with (
        gzip.GzipFile("", "wb", 6, stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in ready:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


READY: dict[str, Callable[[bytes], Any]] = {
    "agent": ready_text,
    "csv": ready_csv,
    "ctrf": ready_ctrf,
    "global": bytes,
    "html": ready_html,
    "json": ready_json,
    "junit": ready_junit,
    "markdown": ready_text,
    "ndjson": ready_ndjson,
    "otr": ready_text,
    "parquet": ready_parquet,
    "tap": ready_text,
    "tar": ready_tar,
    "text": ready_text,
    "xlsx": ready_xlsx,
}
BARE: dict[str, Callable[[Any, Sink], object]] = {
    "agent": bare_text,
    "csv": bare_csv,
    "ctrf": bare_json,
    "global": lambda ready, sink: sink.write(ready),
    "html": bare_html,
    "json": bare_json,
    "junit": bare_junit,
    "markdown": bare_text,
    "ndjson": bare_ndjson,
    "otr": bare_text,
    "parquet": bare_parquet,
    "tap": bare_text,
    "tar": bare_tar,
    "text": bare_text,
    "xlsx": bare_xlsx,
}
