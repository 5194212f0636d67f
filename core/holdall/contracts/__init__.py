"""The contract of each kind of plugin: Protocols, for authors and type checkers."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
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
    from holdall.contracts.people import AttemptEnded, Move, Person, Question, Reply
    from holdall.contracts.providers import (
        FindsProviders,
        InstalledProvider,
        ProviderLoader,
        Translates,
    )
    from holdall.contracts.runners import ChecksAccounts, ProcessMark, Runner, Task
    from holdall.contracts.stores import (
        HasExistence,
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
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".exporters": (
                "AnyExporter",
                "ExportContext",
                "Exporter",
                "ExportReport",
                "ExportWarning",
                "FolderExporter",
                "FolderSink",
                "HasOptions",
                "HasSchema",
                "ReportKind",
                "Sink",
                "SplitExporter",
                "SplitSink",
                "Verifies",
            ),
            ".importers": ("Importer",),
            ".people": ("AttemptEnded", "Move", "Person", "Question", "Reply"),
            ".providers": (
                "FindsProviders",
                "InstalledProvider",
                "ProviderLoader",
                "Translates",
            ),
            ".runners": ("ChecksAccounts", "ProcessMark", "Runner", "Task"),
            ".stores": (
                "HasExistence",
                "HasFolder",
                "HasSummaries",
                "Level",
                "LogWriter",
                "Mode",
                "Repository",
                "SessionEnds",
                "SessionInfo",
                "SessionPhase",
                "Storage",
                "Sweepable",
            ),
        },
    )

__all__ = [
    "AnyExporter",
    "AttemptEnded",
    "ChecksAccounts",
    "ExportContext",
    "ExportReport",
    "ExportWarning",
    "Exporter",
    "FindsProviders",
    "FolderExporter",
    "FolderSink",
    "HasExistence",
    "HasFolder",
    "HasOptions",
    "HasSchema",
    "HasSummaries",
    "Importer",
    "InstalledProvider",
    "Level",
    "LogWriter",
    "Mode",
    "Move",
    "Person",
    "ProcessMark",
    "ProviderLoader",
    "Question",
    "Reply",
    "ReportKind",
    "Repository",
    "Runner",
    "SessionEnds",
    "SessionInfo",
    "SessionPhase",
    "Sink",
    "SplitExporter",
    "SplitSink",
    "Storage",
    "Sweepable",
    "Task",
    "Translates",
    "Verifies",
]
