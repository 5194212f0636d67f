"""Blobs: bytes of any size, named by what is in them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from holdall.contracts import Sweepable
from holdall.errors import CorruptSessionError
from holdall.testing.guarantees.subject import RepositoryTests, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Storage
    from holdall.testing.guarantees.subject import RepositorySubject


class BlobGuarantees(RepositoryTests):
    """A blob is there, whole, before an entry can name it."""

    @pytest.mark.parametrize(
        "chunks",
        [
            pytest.param([], id="nothing"),
            pytest.param([b""], id="an empty chunk"),
            pytest.param([b"one"], id="one chunk"),
            pytest.param([b"several ", b"", b"chunks", b"\n\0\xff"], id="several chunks"),
            pytest.param([bytes(range(256)) * 4096] * 3 + [b"end"], id="3 MiB"),
        ],
    )
    def test_a_blob_comes_back_as_it_was(
        self, subject: RepositorySubject, chunks: list[bytes]
    ) -> None:
        """G6: a blob is readable by all once it has a name, also when its writer is gone."""
        storage = subject.create()

        ref = storage.put_blob(iter(chunks))

        data = b"".join(chunks)
        assert ref == f"sha256:{sha256(data).hexdigest()}"
        assert read_blob(subject.reader(), ref) == data
        storage.close()
        assert read_blob(subject.writer(), ref) == data

    def test_a_blob_can_be_read_in_pieces(self, subject: RepositorySubject) -> None:
        """A blob is an ordinary binary file for those who read it."""
        storage = subject.create()
        ref = storage.put_blob([b"one\n", b"two\n", b"three"])

        with storage.open_blob(ref) as blob:
            pieces = [blob.read(2), blob.readline(), *blob, blob.read()]

        assert pieces == [b"on", b"e\n", b"two\n", b"three", b""]

    def test_the_same_bytes_are_one_blob(self, subject: RepositorySubject) -> None:
        """G9: storing a blob may be repeated."""
        storage = subject.create()

        refs = {storage.put_blob([b"same"]), storage.put_blob([b"sa", b"me"])}

        assert len(refs) == 1
        assert read_blob(subject.reader(), refs.pop()) == b"same"

    def test_a_blob_whose_source_fails_is_not_stored(self, subject: RepositorySubject) -> None:
        """The source's own error comes through, and the storage stays usable."""
        storage = subject.create()

        def source() -> Iterator[bytes]:
            yield b"half"
            raise OSError("the source failed")

        with pytest.raises(OSError, match="the source failed"):
            storage.put_blob(source())

        with pytest.raises(CorruptSessionError):
            storage.open_blob(f"sha256:{sha256(b'half').hexdigest()}")
        assert storage.append(numbered(1), expect=0) == 1

    def test_a_blob_can_be_stored_under_the_name_of_other_bytes(
        self, subject: RepositorySubject
    ) -> None:
        """A wrapper that changes bytes names them by the plain ones; reading gives the stored."""
        storage = subject.create()
        plain = f"sha256:{sha256(b'plain').hexdigest()}"

        ref = storage.put_blob([b"chan", b"ged"], ref=plain)

        assert ref == plain
        assert read_blob(subject.reader(), plain) == b"changed"

    def test_a_blob_under_a_given_name_stays_as_it_is(self, subject: RepositorySubject) -> None:
        """G9: a wrapper that changes bytes in another way each time may repeat itself."""
        storage = subject.create()
        plain = f"sha256:{sha256(b'plain').hexdigest()}"
        storage.put_blob([b"changed"], ref=plain)

        assert storage.put_blob([b"otherwise"], ref=plain) == plain

        assert read_blob(subject.reader(), plain) == b"changed"

    def test_a_blob_is_not_stored_under_a_name_that_is_none(
        self, subject: RepositorySubject
    ) -> None:
        """A name that could not be opened again is refused."""
        storage = subject.create()

        with pytest.raises(CorruptSessionError):
            storage.put_blob([b"changed"], ref="sha256:../../lock")

    @pytest.mark.parametrize(
        "ref", ["sha256:" + "0" * 64, "sha256:../../lock", "sha256:", "md5:0", ""]
    )
    def test_a_blob_that_is_not_there_is_named_in_the_error(
        self, subject: RepositorySubject, ref: str
    ) -> None:
        """G8: a session that lacks a blob is damaged, and the error says which it lacks."""
        storage = subject.create()

        with pytest.raises(CorruptSessionError) as caught:
            storage.open_blob(ref)

        assert ref.removeprefix("sha256:") in str(caught.value)

    def test_a_session_has_blobs_of_its_own(self, subject: RepositorySubject) -> None:
        """Removing one session takes nothing from another."""
        one, other = subject.create("one"), subject.create("other")
        ref = one.put_blob([b"one's"])

        with pytest.raises(CorruptSessionError):
            other.open_blob(ref)

        assert other.put_blob([b"one's"]) == ref
        one.close()
        subject.again.remove("one")
        assert read_blob(other, ref) == b"one's"

    def test_a_compaction_leaves_blobs_alone(self, subject: RepositorySubject) -> None:
        """The snapshot may name them."""
        storage = subject.create("session", *numbered(3))
        ref = storage.put_blob([b"kept"])

        storage.compact(b"snapshot", expect=3)

        assert read_blob(subject.reader(), ref) == b"kept"

    def test_a_store_that_can_be_swept_lists_and_drops_blobs(
        self, subject: RepositorySubject
    ) -> None:
        """What is dropped is gone, what is not stays, and dropping may be repeated."""
        storage = subject.create()
        if not isinstance(storage, Sweepable):
            pytest.skip("the store is not Sweepable")
        kept, dropped = storage.put_blob([b"kept"]), storage.put_blob([b"dropped"])
        assert sorted(storage.blobs()) == sorted([kept, dropped])

        storage.drop(dropped)
        storage.drop(dropped)

        assert list(storage.blobs()) == [kept]
        assert read_blob(subject.reader(), kept) == b"kept"
        with pytest.raises(CorruptSessionError):
            subject.reader().open_blob(dropped)


def read_blob(storage: Storage, ref: str) -> bytes:
    """Return all bytes of a blob."""
    with storage.open_blob(ref) as blob:
        return blob.read()
