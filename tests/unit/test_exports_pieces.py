"""Pieces of a report in larger ones: the same bytes, and never much more of them in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from holdall.writing.files import gathered

if TYPE_CHECKING:
    from collections.abc import Iterator


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_gathered_pieces_are_the_same_bytes(pieces: list[bytes]) -> None:
    assert b"".join(gathered(pieces)) == b"".join(pieces)


def test_many_small_pieces_become_few_of_64_kib_and_a_rest() -> None:
    sizes = [len(piece) for piece in gathered([b"x" * 1000] * 200)]

    assert sizes == [66_000, 66_000, 66_000, 2_000]


def test_a_piece_is_given_before_the_next_ones_are_made() -> None:
    made = []

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            made.append(number)
            yield b"x" * 100_000

    first = next(gathered(pieces()))

    assert len(first) == 100_000
    assert made == [0]
