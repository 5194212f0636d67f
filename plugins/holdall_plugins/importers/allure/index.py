"""What is known of a folder of results, in a file: there may be more than memory holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE results (start REAL, name TEXT);
CREATE TABLE fixtures (child TEXT, place INTEGER, name TEXT, outcome TEXT, message TEXT);
CREATE TABLE jobs (history TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID;
CREATE TABLE ids (id TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID;
"""


class Index:
    """Names of results in the order of their start, fixtures that failed, and ids of jobs."""

    def __init__(self) -> None:
        self._folder: Final = TemporaryDirectory(prefix="holdall-allure-")
        try:
            path = Path(self._folder.name, "index")
            # An import may run in any thread, but only in one.
            self._database: Final = sqlite3.connect(path, check_same_thread=False)
            self._database.executescript(_TABLES)
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()
        self._folder.cleanup()

    def add_result(self, start: float, name: str) -> None:
        """Add the file of a result."""
        self._database.execute("INSERT INTO results VALUES (?, ?)", (start, _stored(name)))

    def add_fixture(self, child: str, name: str, outcome: str, message: str) -> None:
        """Add a fixture around the result *child*."""
        place = "(SELECT count(*) FROM fixtures)"
        self._database.execute(
            f"INSERT INTO fixtures VALUES (?, {place}, ?, ?, ?)",  # noqa: S608 - a constant
            tuple(map(_stored, (child, name, outcome, message))),
        )

    def seal(self) -> None:
        """Make what was added quick to find."""
        self._database.execute("CREATE INDEX of_results ON results (start, name)")
        self._database.execute("CREATE INDEX of_fixtures ON fixtures (child)")

    def results(self) -> Iterator[str]:
        """Yield the names of files in the order in which the tests began."""
        with closing(self._database.cursor()) as cursor:
            for (name,) in cursor.execute("SELECT name FROM results ORDER BY start, name"):
                yield name

    def fixtures(self, child: str) -> list[tuple[str, str, str]]:
        """Return name, outcome and message of each fixture around a result."""
        query = "SELECT name, outcome, message FROM fixtures WHERE child = ? ORDER BY place"
        return self._database.execute(query, (_stored(child),)).fetchall()

    def job(self, history: str, wanted: str) -> str:
        """Return the id of the job that *history* is known by; a new one gets an id of its own."""
        history, wanted = _stored(history), _stored(wanted)
        query = "SELECT id FROM jobs WHERE history = ?"
        known: tuple[str] | None = self._database.execute(query, (history,)).fetchone()
        if known:
            return known[0]
        name = wanted
        while (count := self._count(name)) > 1:
            name = f"{wanted} ({count})"
        self._database.execute("INSERT INTO jobs VALUES (?, ?)", (history, name))
        return name

    def _count(self, name: str) -> int:
        """Return how often an id was wanted, this time included."""
        self._database.execute(
            "INSERT INTO ids VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1",
            (name,),
        )
        query = "SELECT count FROM ids WHERE id = ?"
        count: int = self._database.execute(query, (name,)).fetchone()[0]
        return count


def _stored(text: str) -> str:
    """Return a text as SQLite takes it, also with half of a surrogate pair in it."""
    return text.encode(errors="replace").decode()
