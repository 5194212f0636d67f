"""Results of programs that are not holdall's, recorded in a session as they come."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
    from holdall.recording.attempt import Attempt
    from holdall.recording.importing import Imported, find_importer, import_results
    from holdall.recording.recorder import Recorder
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".attempt": ("Attempt",),
            ".importing": ("Imported", "find_importer", "import_results"),
            ".recorder": ("Recorder",),
        },
    )

__all__ = ["Attempt", "Imported", "Recorder", "find_importer", "import_results"]
