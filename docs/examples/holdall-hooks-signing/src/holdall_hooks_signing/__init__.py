"""Each report of holdall, signed: `report.html` gets a `report.html.hmac` beside it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from holdall import hookimpl
from holdall.settings import Settings, options_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from holdall import ExportReport


@dataclass(frozen=True)
class SigningOptions:
    """What can be set in the table `settings.signing` of holdall.toml.

    Attributes:
        key_file: The file with the key to sign with; nothing is signed without it.
    """

    key_file: str = ""


class SigningListener:
    """Signs the digest of a report with a key that is shared with who checks it."""

    Options: ClassVar[type] = SigningOptions

    def __init__(self) -> None:
        """Begin with nothing set; holdall calls `configure` before any other hook."""
        self._options = SigningOptions()

    @hookimpl
    def configure(self, settings: Mapping[str, Any]) -> None:
        """Take what is set; a name or a value that is no option is an error that says so."""
        self._options = options_of(self, Settings(settings, "settings.signing"))

    @hookimpl(wrapper=True)
    def wrap_export(self) -> Generator[None]:
        """Fail an export that could not be signed, before its first byte."""
        if self._options.key_file:
            self._key()
        yield

    @hookimpl
    def export_finished(self, report: ExportReport) -> None:
        """Sign a report that was written; of one that goes to a stream there is no file."""
        target = Path(report.target)
        if self._options.key_file and report.exception is None and target.is_file():
            signature = hmac.new(self._key(), report.sha256.encode(), "sha256").hexdigest()
            target.with_name(f"{target.name}.hmac").write_text(f"{signature}\n", encoding="ascii")

    def _key(self) -> bytes:
        key = Path(self._options.key_file).read_bytes().strip()
        if not key:
            raise ValueError(f"there is no key in {self._options.key_file}")
        return key


listener = SigningListener()
