"""An importer at work: its errors are blamed on the file, or on the importer by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.errors import HoldallError, ImportSourceError
from holdall.registry import calling

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Importer
    from holdall.recording.recorder import Recorder
    from holdall.registry import Registry


def load_source(
    importer: str,
    named: str,
    path: Path,
    recorder: Recorder,
    *,
    plugins: Registry,
    nothing: str = "no result is in it",
) -> None:
    """Record what a file or folder holds.

    Args:
        importer: Id of the importer.
        named: What a user calls the source.
        path: Where it is.
        nothing: What to say where nothing was recorded.

    Raises:
        ImportSourceError: The importer refused what is in it, or recorded nothing.
        PluginError: The importer can't be loaded, or has a fault.
    """
    made: type[Importer] = plugins.load("importers", importer)
    candidate = plugins.resolve("importers", importer)
    before = recorder.job_count, recorder.result_count
    with calling(candidate.identity, f"importing {named}"):
        try:
            made().load(path, recorder)
        except HoldallError:
            raise
        except ValueError as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ImportSourceError(named, reason, candidate.id, candidate.origin) from error
    if before == (recorder.job_count, recorder.result_count):
        raise ImportSourceError(named, nothing, candidate.id, candidate.origin)
