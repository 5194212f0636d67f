"""Facts about what all stores do alike."""

from __future__ import annotations

import io
import pickle
from hashlib import sha256

import pytest

from holdall.errors import CorruptSessionError, SessionIdError
from holdall.stores.checks import check_session_id, checked_blob


def test_the_error_of_a_bad_id_says_what_is_wrong_with_it() -> None:
    with pytest.raises(SessionIdError) as caught:
        check_session_id("a/b")

    assert str(caught.value) == (
        "a session cannot be called 'a/b': it holds a slash or a character that can't be "
        "printed; choose another id"
    )
    assert isinstance(caught.value, ValueError)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args  # noqa: S301 - ours


def test_the_length_of_an_id_is_counted_in_bytes() -> None:
    assert check_session_id("é" * 100) == "é" * 100
    with pytest.raises(SessionIdError, match="longer than 200 bytes"):
        check_session_id("é" * 101)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_blob_reads_the_same_in_pieces_of_any_size(size: int) -> None:
    data = bytes(range(50))
    ref = f"sha256:{sha256(data).hexdigest()}"

    with checked_blob(iter([data[:20], b"", data[20:]]), ref, session_id="s") as blob:
        pieces = b"".join(iter(lambda: blob.read(size), b""))

    assert pieces == data


def test_a_blob_of_other_bytes_raises_at_its_end_and_not_before() -> None:
    ref = f"sha256:{sha256(b'what was stored').hexdigest()}"

    with checked_blob(iter([b"what ", b"is there"]), ref, session_id="s") as blob:
        assert blob.read(5) == b"what "
        with pytest.raises(CorruptSessionError, match=ref):
            blob.read()


def test_closing_a_blob_closes_its_source() -> None:
    closed = []

    def source() -> object:
        try:
            yield b"data"
        finally:
            closed.append(True)

    blob = checked_blob(source(), "sha256:" + "0" * 64, session_id="s")  # type: ignore[arg-type]
    blob.read(1)
    blob.close()

    assert closed == [True]
    assert isinstance(blob, io.BufferedReader)
