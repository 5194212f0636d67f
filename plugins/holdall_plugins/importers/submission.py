"""What Checkbox submits: `submission.json`, alone or in an archive with what its jobs wrote."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from holdall.reading import TarFiles, first_tar_name, json_items

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import Importer
    from holdall.recording import Recorder
    from holdall.results import Stream

_ARCHIVED: Final = re.compile(r"(?:\./)?(?:submission\.\w+|test_output/.*|attachment_files/.*)")
_BEGIN: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"title"\s*:')
_SIGN: Final = re.compile(rb'"(?:testplan_id|custom_joblist|packaging)"\s*:')
_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]")
_FACTS: Final = ("kernel", "architecture", "kernel-cmdline", "image-version", "buildstamp")
_NOT_KEPT: Final = {
    "packages.item": "packages",
    "snap-packages.item": "snap packages",
    "rejected-jobs.item": "rejected jobs",
    "devices.item": "devices of the machine",
    "raw-devices-dmi": "tables of DMI",
}
_RESULTS: Final = ("results", "resource-results", "attachment-results")


class SubmissionImporter:
    """Records the results; facts that are one text each become facts of the device."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether it begins as a submission does, or an archive whose members are those."""
        if _BEGIN.match(head):
            return _SIGN.search(head) is not None
        return _ARCHIVED.fullmatch(first_tar_name(head)) is not None

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record a submission."""
        with source.open("rb") as file:
            is_archive = first_tar_name(file.read(4096)) != ""
        if not is_archive:
            _record(source, recorder, None)
            return
        with TarFiles(source) as files, TemporaryDirectory(prefix="holdall-import-") as folder:
            prefix = "" if "submission.json" in files.names else "./"
            if f"{prefix}submission.json" not in files.names:
                raise ValueError(f"{source.name}: no submission.json is in it")
            path = Path(folder, "submission.json")
            with files.open(f"{prefix}submission.json") as content, path.open("wb") as target:
                shutil.copyfileobj(content, target)
            _record(path, recorder, _Outputs(files, prefix))


class _Outputs:
    """What the jobs wrote, in an archive."""

    def __init__(self, files: TarFiles, prefix: str) -> None:
        self._files: Final = files
        self._prefix: Final = prefix

    def of(self, folder: str, job_id: str) -> Iterator[tuple[float, Stream, bytes]] | None:
        """Return what a job wrote, None if the archive does not say."""
        slug = f"{self._prefix}{folder}/{_OTHER.sub('_', job_id)}"
        streams: tuple[tuple[str, Stream], ...] = ((slug, "stdout"), (f"{slug}.stderr", "stderr"))
        found = [(name, stream) for name, stream in streams if name in self._files.names]
        return self._records(found) if found else None

    def _records(self, found: list[tuple[str, Stream]]) -> Iterator[tuple[float, Stream, bytes]]:
        """Yield standard output, then standard error: an archive keeps no moments."""
        for name, stream in found:
            with self._files.open(name) as content:
                while piece := content.read(65536):
                    yield 0.0, stream, piece


def _record(source: Path, recorder: Recorder, outputs: _Outputs | None) -> None:
    for title in json_items(source, "title", before="results"):
        recorder.suggest_title(str(title))
    for plan in json_items(source, "testplan_id", before="results"):
        recorder.plan(str(plan))
    found = False
    for members in _RESULTS:
        for number, result in enumerate(json_items(source, f"{members}.item"), start=1):
            found = True
            try:
                _record_job(result, recorder, members, outputs)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
                raise ValueError(f"{members} {number}: {what}") from error
    if not found:
        raise ValueError(f"{source.name}: it has no results")
    # Behind the results, so that those of a document that is cut off are there.
    _record_facts(source, recorder)
    for where, what in _NOT_KEPT.items():
        for _item in json_items(source, where):
            recorder.leave_out(what)


def _record_facts(source: Path, recorder: Recorder) -> None:
    facts: dict[str, str] = {}
    for name in _FACTS:
        for value in json_items(source, name):
            if type(value) is str:
                facts[name] = value
    for name in ("distribution", "processor", "memory"):
        for record in json_items(source, name):
            if type(record) is dict:
                facts.update({f"{name}.{key}": str(value) for key, value in record.items()})
    if facts:
        recorder.device(recorder.device_id, facts=facts)


def _record_job(
    found: Mapping[str, Any], recorder: Recorder, members: str, outputs: _Outputs | None
) -> None:
    job_id = found.get("full_id") or found["id"]
    is_attachment = members == "attachment-results"
    recorder.job(
        job_id,
        summary=found.get("name") or "",
        category=found.get("category") or "",
        category_id=found.get("category_id") or "",
        plugin=found.get("plugin") or ("attachment" if is_attachment else "shell"),
        certification_status=found.get("certification_status") or "non-blocker",
        template_id=found.get("template_id") or "",
    )
    folder = "attachment_files" if is_attachment else "test_output"
    text = found.get("io_log") or ""
    log = outputs.of(folder, job_id) if outputs else None
    recorder.record(
        job_id,
        outcome=found.get("outcome") or found["status"],
        # Checkbox writes 0 where it knows of none.
        duration=float(found["duration"]) if found.get("duration") else None,
        comments=found.get("comments") or None,
        skip_reason=found.get("skip_reason") or None,
        output=text.encode("utf-8", "surrogatepass") if log is None else log,
    )


if TYPE_CHECKING:
    _: type[Importer] = SubmissionImporter
