"""Importers that break one promise each; `test_bad_importers_fail` checks that it is seen."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, ClassVar

from holdall.results import JobResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall import Recorder

HEAD = '{"format": "lab"}\n'


def written(folder: Path, *, jobs: int = 3, text: str = "quiet") -> Path:
    """Write a source that all importers here read."""
    path = folder / f"night-{jobs}.lab"
    rows = ({"name": f"job-{n}", "outcome": "pass", "text": text} for n in range(jobs))
    path.write_text(HEAD + "".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


class Good:
    """An object in JSON for each line; the others differ from it in one thing."""

    def accepts(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - content decides
        return head.startswith(HEAD.encode())

    def load(self, source: Path, recorder: Recorder) -> None:
        for number, row in self.rows(source):
            try:
                self.record(row, recorder)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise ValueError(f"line {number}: {error}") from error

    def rows(self, source: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        with source.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise ValueError(f"line {number}: {error}") from error
                if number > 1:
                    yield number, row

    def record(self, row: dict[str, Any], recorder: Recorder) -> None:
        recorder.record(row["name"], outcome=row["outcome"], output=row["text"].encode())


class TakesEverything(Good):
    def accepts(self, head: bytes, name: str) -> bool:
        return bool(head or name)


class TakesFilesOfAName(Good):
    def accepts(self, head: bytes, name: str) -> bool:
        return head.startswith(b"{") and name.endswith(".lab")


class StumblesOverNothing(Good):
    def accepts(self, head: bytes, name: str) -> bool:
        return head[0] == ord("{") and super().accepts(head, name)


class AnswersWithNothing(Good):
    def accepts(self, head: bytes, name: str) -> Any:
        return super().accepts(head, name) or None


class ByItsName(Good):
    def accepts(self, head: bytes, name: str) -> bool:
        return super().accepts(head, name) and name.endswith(".lab")


class TakesSmallOnes(Good):
    def accepts(self, head: bytes, name: str) -> bool:
        return super().accepts(head, name) and len(head) < 4096


class ReadsSmallOnes(Good):
    def load(self, source: Path, recorder: Recorder) -> None:
        if source.stat().st_size >= 1 << 20:
            raise ValueError("line 1: this is too large")
        super().load(source, recorder)


class Ponders(Good):
    def accepts(self, head: bytes, name: str) -> bool:
        end = time.process_time() + 0.2
        while head and time.process_time() < end:
            continue
        return super().accepts(head, name)


class Idle(Good):
    def record(self, row: dict[str, Any], recorder: Recorder) -> None: ...


class WithoutResults(Good):
    def record(self, row: dict[str, Any], recorder: Recorder) -> None:
        recorder.job(row["name"])


class Closes(Good):
    def load(self, source: Path, recorder: Recorder) -> None:
        super().load(source, recorder)
        recorder.close()


class CleansUp(Good):
    def load(self, source: Path, recorder: Recorder) -> None:
        super().load(source, recorder)
        source.unlink()


class WritesBeside(Good):
    def load(self, source: Path, recorder: Recorder) -> None:
        super().load(source, recorder)
        source.with_suffix(".cache").touch()


class Prints(Good):
    def record(self, row: dict[str, Any], recorder: Recorder) -> None:
        print("a job")  # noqa: T201
        super().record(row, recorder)


class TellsTheTime(Good):
    def record(self, row: dict[str, Any], recorder: Recorder) -> None:
        super().record({**row, "text": str(time.perf_counter_ns())}, recorder)


class SharesState(Good):
    rows_of_all: ClassVar[list[dict[str, Any]]] = []

    def load(self, source: Path, recorder: Recorder) -> None:
        self.rows_of_all.extend(row for _number, row in self.rows(source))
        time.sleep(0.05)  # the others come in between
        for row in list(self.rows_of_all):
            self.record(row, recorder)
        self.rows_of_all.clear()


class Careless(Good):
    def load(self, source: Path, recorder: Recorder) -> None:
        for _number, row in self.rows(source):
            self.record(row, recorder)


class Wordless(Good):
    def load(self, source: Path, recorder: Recorder) -> None:
        try:
            super().load(source, recorder)
        except ValueError:
            raise ValueError("it is damaged") from None


class LosesBlobs(Good):
    def record(self, row: dict[str, Any], recorder: Recorder) -> None:
        result = JobResult(outcome="pass", io_log_ref=f"sha256-{'0' * 64}", io_log_size=7)
        recorder.record_result(row["name"], result)


class Gathers(Good):
    def rows(self, source: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        yield from list(super().rows(source))
