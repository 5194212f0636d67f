"""A secret that a job wrote in pieces is masked wherever the pieces end."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.results import IOLogRecord
from holdall.writing import LARGEST_MATCH, MaskedLog, masked_records

if TYPE_CHECKING:
    from holdall.results import Stream

SECRET = "hunter2-hünter3"  # noqa: S105 - the subject
TEXT = f"before {SECRET} between {SECRET}{SECRET} behind\n".encode()


def masked(*pieces: bytes) -> bytes:
    records = (IOLogRecord(0.1, "stdout", piece) for piece in pieces)
    shown = masked_records(records, re.compile(re.escape(SECRET)), lambda _match: "***")
    return b"".join(record.data for record in shown)


def bytes_of(records: list[IOLogRecord], stream: str) -> bytes:
    return b"".join(record.data for record in records if record.stream == stream)


@given(st.lists(st.integers(0, len(TEXT)), max_size=8))
def test_a_secret_is_masked_however_a_log_is_cut_into_pieces(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(TEXT)]
    pieces = [TEXT[start:end] for start, end in pairwise(ends)]

    assert masked(*pieces) == b"before *** between ****** behind\n"


def test_a_secret_is_masked_at_every_place_of_a_long_log() -> None:
    data = b"." * (5 * LARGEST_MATCH) + TEXT
    pieces = [data[start : start + 7] for start in range(0, len(data), 7)]

    assert SECRET.encode() not in masked(*pieces)
    assert masked(*pieces).count(b"***") == 3


@pytest.mark.parametrize("gap", [0, LARGEST_MATCH // 2, 8 * LARGEST_MATCH])
def test_a_secret_is_masked_that_goes_on_in_its_stream_behind_what_the_other_wrote(
    gap: int,
) -> None:
    half, rest = SECRET[:5].encode(), SECRET[5:].encode()
    noise = [IOLogRecord(0.1, "stderr", b"-" * 1024) for _number in range(gap // 1024 or 1)]
    records = [IOLogRecord(0.1, "stdout", half), *noise, IOLogRecord(0.2, "stdout", rest)]

    shown = list(masked_records(iter(records), re.compile(re.escape(SECRET)), lambda _m: "***"))

    assert [record.data for record in shown if record.stream == "stdout"] == [b"***"]
    assert [record for record in shown if record.stream == "stderr"] == noise


@pytest.mark.parametrize("offset", [0, LARGEST_MATCH, 4 * LARGEST_MATCH - 5])
def test_a_secret_is_masked_of_which_each_stream_has_a_part(offset: int) -> None:
    half, rest = SECRET[:5].encode(), SECRET[5:].encode()
    records = [
        IOLogRecord(0.1, "stdout", b"." * offset + half),
        IOLogRecord(0.1, "stderr", rest + b" behind"),
        IOLogRecord(0.2, "stdout", b"." * (5 * LARGEST_MATCH)),
    ]

    shown = list(masked_records(iter(records), re.compile(re.escape(SECRET)), lambda _m: "***"))

    assert bytes_of(shown, "stdout") == b"." * offset + b"***" + b"." * (5 * LARGEST_MATCH)
    assert bytes_of(shown, "stderr") == b" behind"


@given(
    st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=6)), max_size=30),
    st.integers(1, 8),
)
def test_a_log_without_a_match_stays_what_it_is(
    written: list[tuple[Stream, bytes]], hold: int
) -> None:
    records = [IOLogRecord(0.1, stream, data) for stream, data in written if data]
    log = MaskedLog(lambda _text: (), hold=hold)

    shown = [done for record in records for done in log.feed(record)] + log.finish()

    for stream in ("stdout", "stderr"):
        assert bytes_of(shown, stream) == bytes_of(records, stream)


def test_all_but_the_end_of_a_log_is_known_at_any_moment() -> None:
    log = MaskedLog(lambda _text: (), hold=16)

    assert log.feed(IOLogRecord(0.1, "stdout", b"12345678")) == []
    assert log.feed(IOLogRecord(0.2, "stdout", b"1234567890123456")) == []
    assert log.advance() == [IOLogRecord(0.1, "stdout", b"12345678")]
    assert log.finish() == [IOLogRecord(0.2, "stdout", b"1234567890123456")]
