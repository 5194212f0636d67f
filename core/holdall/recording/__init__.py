"""Results of programs that are not holdall's, recorded in a session as they come."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
    from holdall.recording.attempt import Attempt
    from holdall.recording.importing import Imported, import_results
    from holdall.recording.outputs import read_output
    from holdall.recording.recorder import Recorder
    from holdall.recording.sources import find_importer
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".attempt": ("Attempt",),
            ".importing": ("Imported", "import_results"),
            ".outputs": ("read_output",),
            ".recorder": ("Recorder",),
            ".sources": ("find_importer",),
        },
    )

__all__ = ["Attempt", "Imported", "Recorder", "find_importer", "import_results", "read_output"]
