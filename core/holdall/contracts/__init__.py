"""What a plugin of each kind must be: Protocols, for authors and type checkers."""

from holdall.contracts.exporters import (
    AnyExporter,
    ExportContext,
    Exporter,
    ExportReport,
    ExportWarning,
    FolderExporter,
    FolderSink,
    HasOptions,
    HasSchema,
    ReportKind,
    Sink,
    SplitExporter,
    SplitSink,
    Verifies,
)
from holdall.contracts.importers import Importer
from holdall.contracts.providers import ProviderLoader
from holdall.contracts.runners import Person, ProcessMark, Runner, Task
from holdall.contracts.stores import (
    LogWriter,
    Mode,
    Repository,
    SessionInfo,
    SessionPhase,
    Storage,
)

__all__ = [
    "AnyExporter",
    "ExportContext",
    "ExportReport",
    "ExportWarning",
    "Exporter",
    "FolderExporter",
    "FolderSink",
    "HasOptions",
    "HasSchema",
    "Importer",
    "LogWriter",
    "Mode",
    "Person",
    "ProcessMark",
    "ProviderLoader",
    "ReportKind",
    "Repository",
    "Runner",
    "SessionInfo",
    "SessionPhase",
    "Sink",
    "SplitExporter",
    "SplitSink",
    "Storage",
    "Task",
    "Verifies",
]
