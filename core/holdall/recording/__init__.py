"""Results of programs that are not holdall's, recorded in a session as they come."""

from holdall.recording.attempt import Attempt
from holdall.recording.importing import Imported, import_results
from holdall.recording.outputs import read_output
from holdall.recording.recorder import Recorder
from holdall.recording.sources import find_importer

__all__ = ["Attempt", "Imported", "Recorder", "find_importer", "import_results", "read_output"]
