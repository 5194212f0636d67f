"""The archive of a session that `holdall.tar` made: its JSON report, and the attachments in it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, Final

from holdall.reading import TarFiles, first_tar_name, json_items
from holdall_plugins.importers.json import record_report

if TYPE_CHECKING:
    from holdall.contracts import Importer
    from holdall.recording import Recorder

_OWN: Final = re.compile(r"[^/]+/(?:report\.|logs/|attachments/|manifest\.json$)")


class TarImporter:
    """Records the JSON report, and attachments by the names that the manifest says."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether the archive begins as one of a session does."""
        return _OWN.match(first_tar_name(head)) is not None

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record the session."""
        with TarFiles(source) as files, TemporaryDirectory(prefix="holdall-import-") as folder:
            report = next((name for name in files.names if name.endswith("/report.json")), None)
            if report is None or report.count("/") != 1:
                raise ValueError(
                    f"{source.name}: no report.json is in it; an archive that can be imported is "
                    "made with contents=json"
                )
            root = report.partition("/")[0]
            path = Path(folder, "report.json")
            for inside in ("report.json", "manifest.json"):
                with (
                    _member(files, f"{root}/{inside}") as content,
                    path.with_name(inside).open("wb") as target,
                ):
                    shutil.copyfileobj(content, target)
            attached = _Attached(files, root, path.with_name("manifest.json"))
            record_report(path, recorder, attached.content)


def _member(files: TarFiles, name: str) -> BinaryIO:
    if name not in files.names:
        raise ValueError(f"it has no member {name!r} among its {len(files.names)}")
    return files.open(name)


class _Attached:
    """The attachments of an archive, by its manifest."""

    def __init__(self, files: TarFiles, root: str, manifest: Path) -> None:
        self._files: Final = files
        self._root: Final = root
        self._names: Final[dict[tuple[str, str, int], list[str]]] = {}
        for number, member in enumerate(json_items(manifest, "members.item"), start=1):
            try:
                # What an attachment job wrote is in the report, and has no name of its own.
                if member["kind"] == "attachment" and "original_name" in member:
                    key = member["device"], member["job"], member["attempt"]
                    self._names.setdefault(key, []).append(member["name"])
            except (KeyError, TypeError) as error:
                raise ValueError(f"manifest.json: member {number} has no {error}") from error

    def content(self, device: str, job_id: str, attempt: int, place: int) -> BinaryIO | None:
        """Return the content of an attachment, by its place among those of an attempt."""
        names = self._names.get((device, job_id, attempt), [])
        if place >= len(names):
            return None
        return _member(self._files, f"{self._root}/{names[place]}")


if TYPE_CHECKING:
    _: type[Importer] = TarImporter
