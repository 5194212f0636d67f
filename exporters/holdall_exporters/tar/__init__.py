"""A compressed tar of everything: the reports, each log and each attachment as files.

    SESSION/report.html              and other reports, each by the name of its exporter
    SESSION/report.json
    SESSION/report.junit.xml
    SESSION/logs/JOB.ATTEMPT.log     what the job wrote, byte for byte
    SESSION/attachments/JOB.ATTEMPT/NAME
    SESSION/manifest.json            names, sizes, digests, and the ids that names stand for

With `flavour=checkbox` it is laid out as Checkbox's, which `holdall_exporters.tar.checkbox` has.

With several devices there is a folder for each in `logs` and `attachments`. The
standard output of attachment jobs is an attachment. The same session gives the
same bytes; all of it is streamed.
"""

from __future__ import annotations

import tarfile
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from io import SEEK_END
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final, Literal, cast

import msgspec

from holdall.errors import ExportError, PluginError
from holdall.writing import attachment_names, attempt_path, free_name, iso, lone_name
from holdall_exporters.tar.checkbox import write_submission
from holdall_exporters.tar.packing import (
    PACKERS,
    Stream,
    add_member,
    spool,
    spooled,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from holdall.contracts import ExportContext, Exporter, ReportKind, Sink
    from holdall.view import AttemptView, JobView, SessionView

# The reports that `default` stands for, and the one of them that wants a package of its own: an
# archive nobody asked anything of is one without it, too.
_DEFAULT: Final = ("holdall.html", "holdall.json", "holdall.junit")
_MAY_BE_MISSING: Final = "holdall.html"
_OWN: Final = "holdall."
_LINKS: Final = "archive"  # the option of reports, anybody's, that link to the files beside them
_PIECE: Final = 1 << 16

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Options:
    """Options of the archive.

    Attributes:
        contents: The exporters whose reports are inside, by id or alias. `default` is html, json
            and junit, without html where that is not installed; `none` is none.
        compression: How it is packed; the name of the file does not change it. `zst` wants the
            extra `zstd`; `default` is gz, and xz for Checkbox.
        data: Whether it holds each log and each attachment as files.
        flavour: Whose layout it has; that of Checkbox has contents of its own.
        inside: Options of the reports inside, each with the exporter's name in front, as
            `html.logs=all`.
    """

    contents: tuple[str, ...] = ("default",)
    compression: Literal["default", "gz", "xz", "zst", "none"] = "default"
    data: bool = True
    flavour: Literal["holdall", "checkbox"] = "holdall"
    inside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse options of reports that nobody asks for."""
        if self.inside and self.flavour == "checkbox":
            raise ValueError("inside is of no use with flavour=checkbox, whose reports are given")


class TarExporter:
    """Reports first, then logs and attachments in the order of the jobs, the manifest last."""

    summary: ClassVar[str] = "archive with reports, logs and attachments"
    suffix: ClassVar[str] = ".tar.gz"
    media_type: ClassVar[str] = "application/gzip"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the archive; the sink need not be able to go back."""
        options: Options = context.options
        if options.flavour == "checkbox":
            write_submission(view, sink, context)
            return
        kinds = list(_contents(context))  # before anything is written: one may be unknown
        inside = _options_inside(kinds, context)
        stream = cast("BinaryIO", Stream(sink))
        folder = lone_name(view.session_id)
        with (
            PACKERS[options.compression](stream) as z,
            tarfile.open(fileobj=z, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            spool(context.temporary_folder) as manifest,
        ):
            archive = _Archive(tar, folder, context.now, manifest)
            for name, kind in _named(kinds):
                beside = _beside(kind, options, inside.get(kind.id, ()))
                with context.render(kind.id, view, beside) as report:
                    size = report.seek(0, SEEK_END)
                    report.seek(0)
                    archive.add(name, report, size, _Origin("report", kind.media_type))
            if context.options.data:
                _add_files(archive, view, context)
            archive.finish(view, context)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read the archive to its end, and compare every member with the manifest."""
        plain = unpacked(report)
        digests: dict[str, str] = {}
        submission = False
        manifest: dict[str, Any] = {}
        with tarfile.open(fileobj=plain, mode="r|") as tar:
            for member in tar:
                content = tar.extractfile(member)
                name = member.name.partition("/")[2]
                if content is None:
                    raise ValueError(f"{member.name!r} is no file")
                if member.name == "submission.json":
                    msgspec.json.decode(content.read(), type=dict[str, msgspec.Raw])
                    digests = {}
                    submission = True
                elif name == "manifest.json":
                    manifest = msgspec.json.decode(content.read())
                else:
                    digests[name] = _digest(cast("BinaryIO", content))
        while plain.read(_PIECE):  # to where the packing has its own sum
            continue
        if submission:
            return
        listed = {member["name"]: member["sha256"] for member in manifest.get("members", [])}
        if not manifest or listed != digests:
            raise ValueError("the members are not those of the manifest")


def _digest(content: BinaryIO) -> str:
    digest = sha256()
    while piece := content.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


@dataclass(frozen=True)
class _Origin:
    """The origin of a member: a report, a log or an attachment."""

    kind: str
    media_type: str
    device: str | None = None
    job: str | None = None
    attempt: int | None = None
    original_name: str | None = None


@dataclass
class _Archive:
    """A tar that remembers, outside memory, what was put into it."""

    tar: tarfile.TarFile
    folder: str
    now: datetime
    manifest: BinaryIO
    _members: int = field(default=0, init=False)

    def add(self, name: str, content: BinaryIO, size: int, origin: _Origin) -> None:
        """Append a member with *content*, which is read once and never goes back.

        Raises:
            ExportError: It does not hold *size* bytes, no more and no less.
        """
        reader = _Digesting(content)
        try:
            self._append(name, cast("BinaryIO", reader), size)
        except OSError as error:
            if reader.size == size:
                raise
            raise self._lies(name, size, f"it ends after {reader.size:,}") from error
        if reader.read(1):  # a blob is checked when its end is reached
            raise self._lies(name, size, "it goes on behind them")
        entry = {"name": name, "size": size, "sha256": reader.digest(), **vars(origin)}
        self.manifest.write(b",\n" if self._members else b"\n")
        self.manifest.write(_encode({k: v for k, v in entry.items() if v is not None}))
        self._members += 1

    def _lies(self, name: str, size: int, reason: str) -> ExportError:
        return ExportError(
            f"cannot put {name!r} into the archive: the session says that it has {size:,} bytes, "
            f"but {reason}; leave the files out with data=no"
        )

    def _append(self, name: str, content: BinaryIO, size: int) -> None:
        add_member(self.tar, f"{self.folder}/{name}", content, size, self.now)

    def finish(self, view: SessionView, context: ExportContext) -> None:
        """Append the manifest."""
        head = {
            "format": "holdall-archive",
            "format_version": 1,
            "session": view.session_id,
            "exported": {
                "at": iso(self.now),
                "exporter": "holdall.tar",
                "by": context.provenance,
            },
        }
        with spool(context.temporary_folder) as whole:
            whole.write(_encode(head)[:-1] + b',\n"members": [')
            self.manifest.seek(0)
            while piece := self.manifest.read(_PIECE):
                whole.write(piece)
            whole.write(b"\n]}\n")
            size = whole.tell()
            whole.seek(0)
            self._append("manifest.json", whole, size)


def _contents(context: ExportContext) -> Iterator[ReportKind]:
    """Yield the reports that are to be inside, each once, however it was named."""
    asked_for: tuple[str, ...] = context.options.contents
    seen = set()
    for name in asked_for:
        for report_name in _DEFAULT if name == "default" else (name,) if name != "none" else ():
            try:
                kind = context.kind_of(report_name)
            except PluginError as error:
                if report_name != _MAY_BE_MISSING or name != "default":
                    raise
                context.warn("left-out", f"report.html is not in the archive: {error}")
                continue
            if kind.id not in seen:
                seen.add(kind.id)
                yield kind


def _options_inside(
    kinds: Iterable[ReportKind], context: ExportContext
) -> dict[str, tuple[str, ...]]:
    """Return the options of the reports inside, by the exporter's id.

    Raises:
        ExportError: One has no exporter in front, or one whose report is not inside.
    """
    wanted = {kind.id for kind in kinds}
    found: dict[str, tuple[str, ...]] = {}
    for text in context.options.inside:
        left, equals, value = text.partition("=")
        exporter, dot, name = left.rpartition(".")
        if not dot or not name:
            raise ExportError(
                f"cannot use inside={text}: in front of an option stands the name of the "
                "exporter and a dot, as in inside=html.logs=all"
            )
        its_id = context.kind_of(exporter).id
        if its_id not in wanted:
            raise ExportError(
                f"cannot use inside={text}: the report of {its_id} is not inside; "
                f"name it in contents=default,{exporter}, or leave the option out"
            )
        found[its_id] = (*found.get(its_id, ()), f"{name}{equals}{value}")
    return found


def _beside(kind: ReportKind, options: Options, own: tuple[str, ...]) -> tuple[str, ...]:
    """Return the options of a report that may link to the files beside it, if it can."""
    links = options.data and _LINKS in kind.options
    if not links or any(option.partition("=")[0] == _LINKS for option in own):
        return own
    return (f"{_LINKS}=yes", *own)


def _named(kinds: Iterable[ReportKind]) -> Iterator[tuple[str, ReportKind]]:
    """Yield the reports with their names: `report.json`, `report.junit.xml`, `report.acme.md.md`.

    The name is that of the exporter, and does not depend on what else is inside.
    """
    taken: set[str] = set()
    for kind in kinds:
        word = f".{kind.id.removeprefix(_OWN)}"
        wanted = f"report{'' if kind.suffix == word else word}{kind.suffix}"
        name = free_name(wanted, taken)
        taken.add(name)
        yield name, kind


def _add_files(archive: _Archive, view: SessionView, context: ExportContext) -> None:
    several = len(view.devices) > 1
    total, folder = view.job_count, context.temporary_folder
    for number, job in enumerate(view.jobs()):
        for count, attempt in enumerate(job.attempts, start=1):
            if not attempt.io_log_size and not attempt.attachments:  # as with most
                continue
            path = attempt_path(job, count, several_devices=several)
            if attempt.io_log_size:
                _add_log(archive, job, attempt, path, count, folder)
            _add_attachments(archive, job, attempt, path, count)
        if number % 100 == 0:
            context.progress(number, total)


def _add_log(  # noqa: PLR0917 - a function of this module alone
    archive: _Archive, job: JobView, attempt: AttemptView, path: str, count: int, folder: Path
) -> None:
    is_attachment = job.plugin == "attachment"
    both = {"stdout", "stderr"}
    for name, kind, streams in (
        (f"attachments/{path}/stdout", "attachment", {"stdout"} if is_attachment else set()),
        (f"logs/{path}.log", "log", {"stderr"} if is_attachment else both),
    ):
        pieces = (record.data for record in attempt.io_log() if record.stream in streams)
        origin = _Origin(kind, "text/plain", job.device_id, job.id, count)
        with spooled(pieces if streams else (), folder, attempt.io_log_size) as content:
            if size := content.seek(0, SEEK_END):
                content.seek(0)
                archive.add(name, content, size, origin)


def _add_attachments(
    archive: _Archive, job: JobView, attempt: AttemptView, path: str, count: int
) -> None:
    names = attachment_names(job, attempt)
    for attachment, name in zip(attempt.attachments, names, strict=True):
        origin = _Origin(
            "attachment", attachment.media_type, job.device_id, job.id, count, attachment.name
        )
        with closing(attempt.open_attachment(attachment)) as content:
            archive.add(f"attachments/{path}/{name}", content, attachment.size, origin)


class _Digesting:
    """A file that is read once, and the size and the digest of what was read of it."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._digest = sha256()
        self.size = 0

    def read(self, size: int) -> bytes:
        piece = self._content.read(size)
        self._digest.update(piece)
        self.size += len(piece)
        return piece

    def digest(self) -> str:
        return self._digest.hexdigest()


if TYPE_CHECKING:
    _: type[Exporter] = TarExporter
