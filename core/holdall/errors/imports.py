"""Errors of importing results of other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.errors.root import HoldallError, listed

if TYPE_CHECKING:
    from collections.abc import Sequence


class ImportingError(HoldallError):
    """A file of another tool can't be imported."""


class NoImporterError(ImportingError, LookupError):
    """No installed importer accepts the file."""

    def __init__(self, source: str, asked: Sequence[str], faults: Sequence[str] = ()) -> None:
        super().__init__(source, asked, faults)
        self.source = source
        self.asked = tuple(asked)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        if self.faults:
            failed = f"; {len(self.faults)} could not be asked: {'; '.join(self.faults)}"
        else:
            failed = ""
        return (
            f"no importer accepts {self.source!r} (asked: {listed(self.asked)}{failed}); install "
            "one for its format, or name one (--as NAME, in code importer=NAME) to see why it "
            "does not take it"
        )


class SeveralImportersError(ImportingError, LookupError):
    """Several installed importers accept the file."""

    def __init__(self, source: str, importers: Sequence[str]) -> None:
        super().__init__(source, importers)
        self.source = source
        self.importers = tuple(importers)

    def __str__(self) -> str:
        return (
            f"{len(self.importers)} importers accept {self.source!r}: {listed(self.importers)}; "
            "name the one that is meant (--as NAME, in code importer=NAME)"
        )


class ImportSourceError(ImportingError):
    """The file can't be read, or is damaged, or is not what the importer reads."""

    def __init__(self, source: str, reason: str, importer: str = "", origin: str = "") -> None:
        super().__init__(source, reason, importer, origin)
        self.source = source
        self.reason = reason
        self.importer = importer
        self.origin = origin

    def __str__(self) -> str:
        by = f" by the importer {self.importer!r} of {self.origin}" if self.importer else ""
        return f"cannot import {self.source!r}{by}: {self.reason}"
