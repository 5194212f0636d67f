"""An archive as Checkbox makes it, which its own programs unpack and merge.

    submission.json                 in Checkbox's dialect
    submission.html
    submission.junit
    submission.xlsx                 where it can be made
    test_output/SLUG                what a job wrote to standard output
    test_output/SLUG.stderr         what it wrote to standard error
    attachment_files/SLUG           the same of attachment jobs
    attachment_files/SLUG.stderr

A slug is the id of the job, with a `_` for each character but letters, digits, `.`, `_` and
`-`. Of a job that was tried several times it is the output of the last attempt. Empty
files are left out.
"""

from __future__ import annotations

import re
import tarfile
from contextlib import closing
from dataclasses import dataclass
from io import SEEK_END
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from holdall.errors import PluginError
from holdall_exporters.tar.packing import PACKERS, Stream, add_member, spooled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import ExportContext, Sink
    from holdall.view import JobView, SessionView

REPORTS: Final = {
    "submission.json": "holdall.json",
    "submission.html": "holdall.html",
    "submission.junit": "holdall.junit",
    "submission.xlsx": "holdall.xlsx",
}
_REQUIRED: Final = ("submission.json", "submission.junit")  # the others want a package each
_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]")


def write_submission(view: SessionView, sink: Sink, context: ExportContext) -> None:
    """Write the archive as Checkbox lays it out, packed by xz unless something else was said."""
    method = context.options.compression
    with (
        PACKERS["xz" if method == "default" else method](cast("BinaryIO", Stream(sink))) as z,
        tarfile.open(fileobj=z, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        add_submission(Members(tar, context), view, context)


@dataclass
class Members:
    """A tar of members at its root, which remembers nothing."""

    tar: tarfile.TarFile
    context: ExportContext

    def report(self, name: str, report: BinaryIO) -> None:
        """Append a report."""
        size = report.seek(0, SEEK_END)
        report.seek(0)
        add_member(self.tar, name, report, size, self.context.now)

    def pieces(self, name: str, pieces: Iterable[bytes], size: int) -> None:
        """Append a member of at most *size* bytes, unless it is empty."""
        with spooled(pieces, self.context.temporary_folder, size) as content:
            if whole := content.seek(0, SEEK_END):
                content.seek(0)
                add_member(self.tar, name, content, whole, self.context.now)


def add_submission(members: Members, view: SessionView, context: ExportContext) -> None:
    """Append the reports and the output of all jobs."""
    for name, exporter_id in REPORTS.items():
        try:
            options = ("dialect=checkbox",) if name == "submission.json" else ()
            report = context.render(exporter_id, view, options)
        except PluginError as error:
            if name in _REQUIRED:
                raise
            context.warn("left-out", f"{name} is not in the archive: {error}")
            continue
        with report:
            members.report(name, report)
    total = view.job_count
    for number, (job, name) in enumerate(_named(view, context)):
        _add_output(members, job, name)
        if number % 100 == 0:
            context.progress(number, total)


def _named(view: SessionView, context: ExportContext) -> Iterator[tuple[JobView, str]]:
    """Yield the jobs with the names of their files, which no two share."""
    taken: set[str] = set()
    for job in view.jobs():
        folder = "attachment_files" if job.plugin == "attachment" else "test_output"
        slug = name = f"{folder}/{_OTHER.sub('_', job.id)}"
        count = 1
        while name in taken:
            count += 1
            name = f"{slug}~{count}"
        if count > 1:
            context.warn(
                "renamed", f"{slug!r} is the file of another job; {job.id!r} has {name!r}"
            )
        taken |= {name, f"{name}.stderr"}
        yield job, name


def _add_output(members: Members, job: JobView, name: str) -> None:
    attempt = job.last
    for stream, suffix in (("stdout", ""), ("stderr", ".stderr")):
        records = attempt.io_log()
        pieces = (record.data for record in records if record.stream == stream)
        members.pieces(f"{name}{suffix}", pieces, attempt.io_log_size)
    for attachment in attempt.attachments:
        with closing(attempt.open_attachment(attachment)) as content:
            file = f"attachment_files/{_OTHER.sub('_', f'{job.id}.{attachment.name}')}"
            members.pieces(file, iter(lambda: content.read(1 << 16), b""), attachment.size)
