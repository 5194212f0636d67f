"""What a session is, as data: events, and how they are stored."""

from holdall.journal.codec import Position, decode, encode
from holdall.journal.describe import SessionInfo, describe
from holdall.journal.record import Journal, read_events

__all__ = [
    "Journal",
    "Position",
    "SessionInfo",
    "decode",
    "describe",
    "encode",
    "read_events",
]
