"""What a plugin of each kind must be: Protocols, for authors and type checkers."""

from holdall.contracts.exporters import (
    ExportContext,
    Exporter,
    ExportReport,
    ExportWarning,
    ReportKind,
    Sink,
)
from holdall.contracts.importers import Importer
from holdall.contracts.providers import ProviderLoader
from holdall.contracts.runners import Person, ProcessMark, Runner, Task
from holdall.contracts.stores import (
    HasFolder,
    HasSummaries,
    Level,
    LogWriter,
    Mode,
    Repository,
    SessionEnds,
    SessionInfo,
    SessionPhase,
    Storage,
    Sweepable,
)

__all__ = [
    "ExportContext",
    "ExportReport",
    "ExportWarning",
    "Exporter",
    "HasFolder",
    "HasSummaries",
    "Importer",
    "Level",
    "LogWriter",
    "Mode",
    "Person",
    "ProcessMark",
    "ProviderLoader",
    "ReportKind",
    "Repository",
    "Runner",
    "SessionEnds",
    "SessionInfo",
    "SessionPhase",
    "Sink",
    "Storage",
    "Sweepable",
    "Task",
]
