"""Every error of holdall, under one root, with its data as attributes.

A message says what was tried, on what, why it failed and what to do. All of
them survive pickling: `args` are the data, the words are made in `__str__`.
"""

from holdall.errors.exports import (
    ExportCancelled,
    ExportError,
    ExportTargetError,
    OptionValueError,
    UnknownOptionError,
)
from holdall.errors.plugins import (
    PluginCallError,
    PluginConflictError,
    PluginError,
    PluginLoadError,
    PluginUnavailableError,
    UnknownPluginError,
)
from holdall.errors.providers import (
    ProviderError,
    ProviderLoadError,
    RecordSyntaxError,
    UnitError,
    UnknownProviderError,
)
from holdall.errors.root import (
    HoldallError,
)
from holdall.errors.session import (
    DependencyCycleError,
    DependencyDuplicateError,
    DependencyError,
    DependencyMissingError,
    DependencyUnknownError,
    ExpressionError,
    IncompatibleJobError,
    MissingJobError,
    NothingSelectedError,
    SessionError,
    SessionResumeError,
    UnknownUnitError,
)
from holdall.errors.storage import (
    ClosedStorageError,
    CorruptSessionError,
    FailedStorageError,
    LockedStorageError,
    MissingBlobError,
    NewerFormatError,
    ReadOnlyStorageError,
    SessionExistsError,
    SessionIdError,
    StaleWriterError,
    StorageAccessError,
    StorageError,
    StorageFullError,
    StoreUrlError,
    UnknownSessionError,
)

__all__ = [
    "ClosedStorageError",
    "CorruptSessionError",
    "DependencyCycleError",
    "DependencyDuplicateError",
    "DependencyError",
    "DependencyMissingError",
    "DependencyUnknownError",
    "ExportCancelled",
    "ExportError",
    "ExportTargetError",
    "ExpressionError",
    "FailedStorageError",
    "HoldallError",
    "IncompatibleJobError",
    "LockedStorageError",
    "MissingBlobError",
    "MissingJobError",
    "NewerFormatError",
    "NothingSelectedError",
    "OptionValueError",
    "PluginCallError",
    "PluginConflictError",
    "PluginError",
    "PluginLoadError",
    "PluginUnavailableError",
    "ProviderError",
    "ProviderLoadError",
    "ReadOnlyStorageError",
    "RecordSyntaxError",
    "SessionError",
    "SessionExistsError",
    "SessionIdError",
    "SessionResumeError",
    "StaleWriterError",
    "StorageAccessError",
    "StorageError",
    "StorageFullError",
    "StoreUrlError",
    "UnitError",
    "UnknownOptionError",
    "UnknownPluginError",
    "UnknownProviderError",
    "UnknownSessionError",
    "UnknownUnitError",
]
