"""Sessions: made, listed, damaged and removed, each without touching the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import pytest

from holdall.errors import (
    CorruptSessionError,
    LockedStorageError,
    SessionExistsError,
    StorageError,
    UnknownSessionError,
)
from holdall.journal import (
    START,
    Journal,
    MetadataChanged,
    SessionCreated,
    decode,
    encode,
    list_sessions,
)
from holdall.testing.guarantees.subject import RepositoryTests, numbered

if TYPE_CHECKING:
    from holdall.contracts import Repository
    from holdall.testing.guarantees.subject import RepositorySubject

IDS = ("a", "A b", "holdall-2026-11-23T10.11.12", "ünï:cödé", "%41", "x" * 200, "-", "a.session")
"""Ids of sessions that a store might confuse, or trip over."""

BAD_IDS = ("", ".", "..", ".hidden", "a/b", "/", "../a", "a\0b", "a\nb", "x" * 201, "\udc80")
"""Ids that no store takes, because some can't hold them."""


class SessionGuarantees(RepositoryTests):
    """A repository keeps its sessions apart."""

    def test_a_session_is_created_once(self, subject: RepositorySubject) -> None:
        """The second call is refused, and changes nothing."""
        storage = subject.create("session", *numbered(1))

        with pytest.raises(SessionExistsError):
            subject.again.create("session")
        storage.close()
        with pytest.raises(SessionExistsError):
            subject.repository.create("session")

        assert subject.entries() == numbered(1)

    def test_of_many_who_create_a_session_one_does(self, subject: RepositorySubject) -> None:
        """G9: creating is one step, whoever else does it at the same moment."""

        def create(repository: Repository) -> int:
            try:
                repository.create("session").close()
            except (SessionExistsError, LockedStorageError):
                return 0
            return 1

        with ThreadPoolExecutor(8) as pool:
            created = list(pool.map(create, [subject.repository, subject.again] * 8))

        assert sum(created) == 1
        assert list(subject.again.ids()) == ["session"]

    @pytest.mark.parametrize("session_id", IDS)
    def test_a_session_can_have_an_odd_id(
        self, subject: RepositorySubject, session_id: str
    ) -> None:
        """What no store takes is written down; everything else all of them take."""
        subject.create(session_id, *numbered(1)).close()

        assert subject.entries(session_id) == numbered(1)
        assert list(subject.again.ids()) == [session_id]
        subject.again.remove(session_id)
        assert list(subject.again.ids()) == []

    @pytest.mark.parametrize("session_id", BAD_IDS)
    def test_an_id_that_is_unfit_is_refused(
        self, subject: RepositorySubject, session_id: str
    ) -> None:
        """Everywhere, and before anything is done."""
        for use in (subject.repository.create, subject.repository.open, subject.repository.remove):
            with pytest.raises(ValueError, match="cannot be called"):
                use(session_id)

        assert list(subject.again.ids()) == []

    def test_a_list_tells_what_each_session_is(self, subject: RepositorySubject) -> None:
        """Newest first, and one that was never checkpointed is empty."""
        assert list_sessions(subject.again) == []
        for moment, title in ((2.0, "newest"), (1.0, "oldest")):
            events = [SessionCreated(at=moment, session_id=title, title=title.upper())]
            entries, _ = encode(events, START)
            subject.create(title, *entries)
        subject.create("never used")

        infos = [(info.id, info.title, info.state) for info in list_sessions(subject.again)]

        assert infos == [
            ("newest", "NEWEST", "new"),
            ("oldest", "OLDEST", "new"),
            ("never used", "", "empty"),
        ]

    def test_ids_are_those_of_all_sessions(self, subject: RepositorySubject) -> None:
        """Each once, also of those that somebody writes and of those without entries."""
        assert list(subject.again.ids()) == []
        for session_id in ("written", "closed", "empty", "removed"):
            storage = subject.create(session_id, *numbered(session_id != "empty"))
            if session_id != "written":
                storage.close()
        subject.repository.remove("removed")

        ids = list(subject.again.ids())

        assert sorted(ids) == ["closed", "empty", "written"]
        assert ids[-1] == "empty"

    def test_ids_open_no_session(self, subject: RepositorySubject) -> None:
        """G11: a damaged session is known by its id as any other."""
        for session_id in ("damaged", "whole"):
            _create_with_events(subject, session_id, 40)
        self.damage(subject.repository, "damaged")

        assert sorted(subject.again.ids()) == ["damaged", "whole"]

    def test_a_list_knows_what_a_journal_says_last(self, subject: RepositorySubject) -> None:
        """A summary, at the end of a journal or of a snapshot, is what a list shows."""
        for session_id, is_compacted in (("closed", False), ("compacted", True)):
            journal = Journal.begin(subject.create(session_id))
            title = session_id.upper()
            journal.append([SessionCreated(at=1.0, session_id=session_id, title=title)])
            journal.append([MetadataChanged(at=3.0, changes={})])
            if is_compacted:
                journal.compact(at=4.0)
            journal.close()

        infos = {
            info.id: (info.title, info.state, info.created, info.modified)
            for info in list_sessions(subject.again)
        }

        assert infos == {
            "closed": ("CLOSED", "new", 1.0, 3.0),
            "compacted": ("COMPACTED", "new", 1.0, 3.0),
        }

    def test_of_a_removed_session_nothing_can_be_read(self, subject: RepositorySubject) -> None:
        """G10: it is gone for all, also for those who had it open."""
        storage = subject.create("session", *numbered(600))
        ref = storage.put_blob([b"blob"])
        storage.close()
        reader = subject.reader()
        list(reader.read())

        subject.repository.remove("session")

        for mode in (subject.reader, subject.writer):
            with pytest.raises(UnknownSessionError):
                mode()
        assert list(subject.again.ids()) == []
        with pytest.raises(StorageError):
            list(reader.read())
        with pytest.raises(StorageError):
            reader.open_blob(ref)

    def test_a_removed_session_leaves_nothing_to_the_next_of_its_name(
        self, subject: RepositorySubject
    ) -> None:
        """G10: a new session of an old name is new."""
        old = subject.create("session", *numbered(3))
        ref = old.put_blob([b"old"])
        log = old.open_log("job")
        log.write(b"old")
        log.flush()
        old.close()
        subject.again.remove("session")

        new = subject.create()

        assert (new.head, subject.entries(), new.open_log("job").size) == (0, [], 0)
        with pytest.raises(CorruptSessionError):
            new.open_blob(ref)

    def test_a_session_that_is_written_is_not_removed(self, subject: RepositorySubject) -> None:
        """Whoever writes it goes on, as if nobody had tried."""
        storage = subject.create("session", *numbered(1))

        with pytest.raises(LockedStorageError):
            subject.again.remove("session")

        storage.append(numbered(1, first=2), expect=1)
        assert subject.entries() == numbered(2)

    def test_removing_what_is_not_there_says_so(self, subject: RepositorySubject) -> None:
        """G9: removing again is distinguished from removing."""
        subject.create().close()
        subject.again.remove("session")

        with pytest.raises(UnknownSessionError):
            subject.again.remove("session")

    def test_damage_is_never_returned_as_data(self, subject: RepositorySubject) -> None:
        """G8: what is damaged is reported, by the store or by the journal's checks."""
        _create_with_events(subject, "session", 40)
        self.damage(subject.repository, "session")

        with pytest.raises(StorageError):
            list(decode("session", subject.reader().read()))

    def test_a_damaged_session_hinders_no_other(self, subject: RepositorySubject) -> None:
        """G11: the others are listed and opened, and the damaged one can be removed."""
        for session_id in ("damaged", "whole"):
            _create_with_events(subject, session_id, 40)
        self.damage(subject.repository, "damaged")

        states = {info.id: info.state for info in list_sessions(subject.again)}

        assert states == {"damaged": "damaged", "whole": "new"}
        assert len(subject.entries("whole")) == 40
        assert subject.writer("whole").head == 40
        subject.again.remove("damaged")
        assert list(subject.again.ids()) == ["whole"]

    def test_a_repository_can_be_found_again(self, subject: RepositorySubject) -> None:
        """Its URL is text without line ends that starts with a name."""
        assert subject.repository.url == subject.again.url
        assert subject.repository.url.partition(":")[0].partition("?")[0].isalnum()

    def test_a_repository_is_at_its_url(self, subject: RepositorySubject) -> None:
        """What one of that URL holds is what this one holds, and each storage names it."""
        storage = subject.create("session", *numbered(1))
        again = self.reopen(subject.repository)

        assert storage.repository.url == subject.repository.url == again.url
        assert list(again.ids()) == ["session"]
        assert list(storage.repository.ids()) == ["session"]
        reader = subject.reader()
        assert reader.repository.url == again.url


def _create_with_events(subject: RepositorySubject, session_id: str, count: int) -> None:
    created = SessionCreated(at=1.0, session_id=session_id)
    # The bytes of two sessions differ, so that `damage` finds those of the right one.
    change = MetadataChanged(
        at=2.0, changes={"title": msgspec.Raw(msgspec.json.encode(session_id * 12))}
    )
    changes = [change for _ in range(count - 1)]
    entries, _ = encode([created, *changes], START)
    storage = subject.create(session_id)
    for number, entry in enumerate(entries):
        storage.append([entry], expect=number)
    storage.close()
