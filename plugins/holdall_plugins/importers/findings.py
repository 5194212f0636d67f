"""What importers have in common: an attempt as a file tells it, and its recording."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from holdall import Measurement
from holdall.reading import LongText, file_below, moment_of, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO

    from holdall import Recorder, Subtest
    from holdall.results import Stream

    Content = bytes | Path | BinaryIO | LongText

_Item = TypeVar("_Item")

LONGEST_COMMENT: Final = 2**20
"""Characters of a comment at most."""

_CUT: Final = "texts of failures beyond a million characters"
_PIECE: Final = 64 * 1024
_MOST_MILLISECONDS: Final = 1e14  # the year 5138; what is beyond is no moment that can be shown
_LOCAL: Final = frozenset({"", "localhost", "127.0.0.1", "::1", "localhost.localdomain", "tbd"})


@dataclass(slots=True)
class Finding:
    """One attempt at a case, as a file tells it."""

    outcome: str
    duration: float | None = None
    started_at: float | None = None
    comments: str | None = None
    skip_reason: str | None = None
    # Most cases have none of these; a container is made for those that do.
    output: Sequence[tuple[Stream, LongText]] = ()
    attachments: Mapping[str, Content] | None = None
    subtests: Sequence[Subtest] = ()
    measurements: Sequence[Measurement] = ()

    def write(self, stream: Stream, text: LongText) -> None:
        """Add output, unless it is blank."""
        if text:
            self.output = _with(self.output, (stream, text))

    def attach(self, name: str, content: Content) -> None:
        """Add a file; one of the same name gets a number."""
        stem, dot, suffix = name.rpartition(".")
        files = dict(self.attachments or {})
        unique, number = name, 2
        while unique in files:
            unique = f"{stem} ({number}).{suffix}" if dot else f"{name} ({number})"
            number += 1
        self.attachments = {**files, unique: content}

    def measure(self, name: str, value: str | float) -> None:
        """Add a property, which is a measurement without limits."""
        self.add_measurement(Measurement(name=name, value=value))

    def add_measurement(self, measurement: Measurement) -> None:
        """Add a measurement."""
        self.measurements = _with(self.measurements, measurement)

    def add_subtest(self, subtest: Subtest) -> None:
        """Add a part that has an outcome of its own."""
        self.subtests = _with(self.subtests, subtest)

    def record(self, recorder: Recorder, job_id: str, device: str | None) -> None:
        """Record it as an attempt at a job."""
        recorder.record(
            job_id,
            outcome=self.outcome,
            device=device,
            started_at=self.started_at,
            duration=self.duration,
            comments=self.comments or None,
            skip_reason=self.skip_reason or None,
            output=self._records() if self.output else b"",
            attachments=self._files(),
            subtests=self.subtests,
            measurements=self.measurements,
        )

    def _files(self) -> Mapping[str, bytes | Path | BinaryIO]:
        """Return the files; a text lives as long as the attempt that it is a file of."""
        return {
            name: content.stream() if isinstance(content, LongText) else content
            for name, content in (self.attachments or {}).items()
        }

    def _records(self) -> Iterator[tuple[float, Stream, bytes]]:
        for stream, text in self.output:
            source = text.stream()
            while piece := source.read(_PIECE):
                yield 0.0, stream, piece


def _with(items: Sequence[_Item], item: _Item) -> list[_Item]:
    """Return *items* with one more: the same list, if they are a list already."""
    if not isinstance(items, list):
        items = list(items)
    items.append(item)
    return items


@dataclass(slots=True)
class Devices:
    """The facts that a file tells of devices, recorded at the end of a `with` block.

    So they are too where the file turned out to be damaged: what was sound of it may be kept.
    """

    recorder: Recorder
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)

    def add(self, device: str | None, facts: Mapping[str, str], what: str) -> None:
        """Add facts; the first value of a fact counts, others are counted as left out."""
        if not facts:
            return
        known = self.facts.setdefault(device or self.recorder.device_id, {})
        others = sum(known.setdefault(name, value) != value for name, value in facts.items())
        if others:
            self.recorder.leave_out(f"{what} with several values", others)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, ValueError):
            self._record()

    def _record(self) -> None:
        """Record the devices of which the file tells something."""
        for device in {**self.facts, **self.descriptions}:
            self.recorder.device(
                device,
                description=self.descriptions.get(device, ""),
                facts=self.facts.get(device, {}),
            )


class Names:
    """Names that are unique: the second one of a name gets ` (2)`.

    Only their hashes are kept, so that long names take no memory.
    """

    def __init__(self) -> None:
        self._counts: Final[Counter[int]] = Counter()

    def unique(self, name: str) -> str:
        """Return *name*, with a number behind it if it was there before."""
        while True:
            key = hash(name)
            self._counts[key] += 1
            if self._counts[key] == 1:
                return name
            name = f"{name} ({self._counts[key]})"


def device_named(host: str) -> str | None:
    """Return the id of the device that a host's name is, None for one that names none."""
    host = host.strip()
    return None if host.lower() in _LOCAL else host


def duration_of(text: str | None, recorder: Recorder) -> float | None:
    """Return a duration; one that is unsound is left out and counted."""
    if not text:
        return None
    seconds = seconds_of(text)
    if seconds is None:
        recorder.leave_out("durations that are no number of seconds")
    return seconds


def start_of(text: str | None, recorder: Recorder) -> float | None:
    """Return when something began; a time that is unsound is left out and counted."""
    if not text:
        return None
    moment = moment_of(text)
    if moment is None:
        recorder.leave_out("times that are not of ISO 8601")
    return moment


def milliseconds_of(value: Any, what: str, recorder: Recorder) -> float | None:
    """Return the seconds that a number of milliseconds is; one that is unsound is counted."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < _MOST_MILLISECONDS:
        recorder.leave_out(f"{what} that are no number of milliseconds")
        return None
    return float(value) / 1000


def comment_of(text: LongText, recorder: Recorder) -> str:
    """Return a text for a comment; what is beyond its length is counted."""
    if text.size > LONGEST_COMMENT:
        recorder.leave_out(_CUT)
    return text.head(LONGEST_COMMENT)


def joined(*texts: str) -> str:
    """Return texts below each other, without those that are blank or stand in the next one."""
    kept = [text for text in texts if text.strip()]
    return "\n".join(
        text
        for number, text in enumerate(kept)
        if number == len(kept) - 1 or text.strip() not in kept[number + 1]
    )


def attach_named(finding: Finding, folder: Path, name: str, recorder: Recorder) -> None:
    """Attach the file that a report names, if it is below the report's folder."""
    path = file_below(folder, name)
    if path is None:
        recorder.leave_out("attachments that are not below the folder of the file")
    else:
        finding.attach(path.name, path)
