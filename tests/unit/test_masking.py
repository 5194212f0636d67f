"""A secret that a job wrote in pieces is masked wherever the pieces end."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from holdall.results import IOLogRecord
from holdall.writing import LARGEST_MATCH, masked_records

SECRET = "hunter2-hünter3"  # noqa: S105 - the subject
TEXT = f"before {SECRET} between {SECRET}{SECRET} behind\n".encode()


def masked(*pieces: bytes) -> bytes:
    records = (IOLogRecord(0.1, "stdout", piece) for piece in pieces)
    shown = masked_records(records, re.compile(re.escape(SECRET)), lambda _match: "***")
    return b"".join(record.data for record in shown)


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


def test_what_one_stream_wrote_does_not_go_on_in_the_other() -> None:
    half, rest = SECRET[:5].encode(), SECRET[5:].encode()
    records = [IOLogRecord(0.1, "stdout", half), IOLogRecord(0.1, "stderr", rest)]

    shown = list(masked_records(iter(records), re.compile(re.escape(SECRET)), lambda _m: "***"))

    assert shown == records


def test_each_match_is_masked_once_and_bytes_that_are_no_text_stay() -> None:
    counted = []

    def mask(match: re.Match[str]) -> str:
        counted.append(match[0])
        return "***"

    records = iter(
        [IOLogRecord(0.1, "stdout", b"\xff\x00key=1 "), IOLogRecord(0.2, "stdout", b"key=2")]
    )
    shown = masked_records(records, re.compile(r"key=\d"), mask)

    assert b"".join(record.data for record in shown) == b"\xff\x00*** ***"
    assert counted == ["key=1", "key=2"]
