"""The contract of importers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.recording import Recorder

HEAD: Final = 4096
"""How many bytes of a file `accepts` sees; fewer of a shorter one."""


class Importer(Protocol):
    """Records the results that another tool left: class of the group `holdall.importers`.

    An importer is made without arguments for each source. It sees no event of the
    journal: what it records with the `Recorder` it was given is the session.
    """

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether this is the importer's format, by content rather than by name.

        Args:
            head: The first `HEAD` bytes of the file, of what is in it if it was packed by
                gzip, bzip2 or xz; empty for a folder.
            name: Name of the file or folder, without the folders it is in.
        """
        ...

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record everything that *source* holds.

        It is read piece by piece: what the importer keeps in memory must not grow
        with the number of results. The caller makes the last checkpoint and closes
        the recorder; one in between, after some thousand results, is welcome.

        Args:
            source: A file, or a folder for formats that are folders; not to be changed.
                What comes from a pipe, or was packed, is in a temporary file.
            recorder: Records into the session.

        Raises:
            ValueError: The file is not what `accepts` took it for, or is damaged; the
                message says where.
        """
        ...


@runtime_checkable
class FolderImporter(Importer, Protocol):
    """An importer of a format that is a folder; the folder is looked at, not its name."""

    def accepts_folder(self, folder: Path) -> bool:
        """Return whether this is the importer's format.

        A folder that no importer accepts is imported file by file.

        Args:
            folder: A folder of any size, to be looked at and left as it is.
        """
        ...
