"""Errors of turning a session into a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.errors.root import HoldallError, listed, near

if TYPE_CHECKING:
    from collections.abc import Sequence


class ExportError(HoldallError):
    """A report can't be made; an older one of the same name is left as it was."""


class UnknownOptionError(ExportError, ValueError):
    """The exporter has no option of that name."""

    def __init__(self, exporter_id: str, option: str, known: Sequence[str]) -> None:
        super().__init__(exporter_id, option, known)
        self.exporter_id = exporter_id
        self.option = option
        self.known = tuple(known)

    def __str__(self) -> str:
        return (
            f"the exporter {self.exporter_id!r} has no option {self.option!r}"
            f"{near(self.option, self.known)} (options: {listed(self.known)})"
        )


class OptionValueError(ExportError, ValueError):
    """An option of an exporter was given a value that it does not take."""

    def __init__(self, exporter_id: str, option: str, value: str, reason: str) -> None:
        super().__init__(exporter_id, option, value, reason)
        self.exporter_id = exporter_id
        self.option = option
        self.value = value
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"the option {self.option!r} of the exporter {self.exporter_id!r} does not take "
            f"{self.value!r}: {self.reason}"
        )


class NestedReportError(ExportError):
    """A report would contain itself."""

    def __init__(self, exporter_id: str, inside: Sequence[str]) -> None:
        super().__init__(exporter_id, inside)
        self.exporter_id = exporter_id
        self.inside = tuple(inside)

    def __str__(self) -> str:
        way = " of ".join(repr(exporter_id) for exporter_id in reversed(self.inside))
        return (
            f"cannot put a report of {self.exporter_id!r} into that of {way}: it would be inside "
            "itself; leave it out"
        )


class UnknownLanguageError(ExportError, LookupError):
    """No catalog exists for the language that a report was requested in."""

    def __init__(self, lang: str, known: Sequence[str]) -> None:
        super().__init__(lang, known)
        self.lang = lang
        self.known = tuple(known)

    def __str__(self) -> str:
        return (
            f"cannot write a report in the language {self.lang!r}: no catalog has it"
            f"{near(self.lang, self.known)} (languages: {listed(self.known)})"
        )


class ExportTargetError(ExportError):
    """The target of a report can't be written."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(target, reason)
        self.target = target
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot write the report to {self.target!r}: {self.reason}"


class OutputError(HoldallError):
    """The output of a command can't be written."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot write to standard output: {self.reason}; nothing that is stored was lost"


class ExportCancelled(ExportError):  # noqa: N818 - an order that was followed, not a fault
    """The caller cancelled the export."""

    def __init__(self, exporter_id: str) -> None:
        super().__init__(exporter_id)
        self.exporter_id = exporter_id

    def __str__(self) -> str:
        return f"the export {self.exporter_id!r} was cancelled; nothing was written"


class ProviderNotLoadedError(ExportError, LookupError):
    """The provider of the requested exporter unit is not loaded."""

    def __init__(self, unit_id: str, provider: str, version: str, source: str) -> None:
        super().__init__(unit_id, provider, version, source)
        self.unit_id = unit_id
        self.provider = provider
        self.version = version
        self.source = source

    def __str__(self) -> str:
        return (
            f"cannot export {self.unit_id!r}: it would be a unit of the provider "
            f"{self.provider!r} {self.version}, which is not loaded or does not have it; load "
            f"{self.source!r} and give it to the export (--source on the command line)"
        )


class ReportTemplateError(ExportError):
    """A template of a report has an error."""

    def __init__(self, template: str, line: int, reason: str) -> None:
        super().__init__(template, line, reason)
        self.template = template
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        location = f"{self.template}, line {self.line}" if self.line else self.template
        return f"cannot make a report of the template {location}: {self.reason}"
