"""Files in a tar of strangers: found by name, opened in place, nothing written anywhere."""

from __future__ import annotations

import tarfile
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

MOST_MEMBERS: Final = 200_000
"""How many members an archive may have; the name of each takes memory."""

_FAULTS: Final = (tarfile.TarError, EOFError, OSError)


class TarFiles:
    """The plain files of a tar that is not packed, by name; of two with one name the last.

    Links, folders and devices are left out. Used in a `with` block.

    Raises:
        ValueError: It is no tar, is cut off, or has more than `MOST_MEMBERS` members.
    """

    def __init__(self, path: Path) -> None:
        self.names: Final[dict[str, int]] = {}
        self._begins: Final[dict[str, int]] = {}
        self._path: Final = path
        try:
            self._tar: Final = tarfile.open(path, "r:")  # noqa: SIM115 - closed by the block
        except _FAULTS as error:
            raise ValueError(f"{path.name} is no tar archive: {error}") from error
        try:
            self._read()
        except BaseException:
            self._tar.close()
            raise

    def _read(self) -> None:
        count = 0
        try:
            while member := self._tar.next():
                count += 1
                if count > MOST_MEMBERS:
                    raise ValueError(f"it has more than {MOST_MEMBERS} members")
                if member.isreg():
                    self._begins[member.name] = member.offset_data
                    self.names[member.name] = member.size
                self._tar.members.clear()  # type: ignore[attr-defined]  # it would keep all
        except _FAULTS as error:
            raise ValueError(f"damaged behind member {count}: {error}") from error
        size = self._path.stat().st_size
        for name, begin in self._begins.items():
            if begin + self.names[name] > size:
                raise ValueError(f"cut off in the member {name!r}")

    def open(self, name: str) -> BinaryIO:
        """Return the content of a file.

        Raises:
            KeyError: There is none of that name.
        """
        member = tarfile.TarInfo(name)
        member.offset_data, member.size = self._begins[name], self.names[name]
        return cast("BinaryIO", self._tar.extractfile(member))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._tar.close()


def first_tar_name(head: bytes) -> str:
    """Return the name of the first member of a tar with this beginning, empty if it is none."""
    if head[257:262] != b"ustar":
        return ""
    try:
        with tarfile.open(fileobj=BytesIO(head), mode="r:") as tar:
            member = tar.next()
            return member.name if member else ""
    except (*_FAULTS, ValueError):
        return ""
