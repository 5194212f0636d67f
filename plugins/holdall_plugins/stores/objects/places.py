"""The keys of a repository: one folder that lists its sessions, one that holds each.

`sessions/ID/` has the `head`, which makes the session exist, its ends, and the leases of
those who write it; `data/PLACE/` all else. The place is another one when an id is used
again, so what comes late for a removed session meets nothing.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

SESSIONS: Final = "sessions"
TRASH: Final = "trash"
PROBE: Final = "probe"
HEAD: Final = "head"
ENDS: Final = "ends-"
LEASE: Final = "writer-"


class Place(NamedTuple):
    """The keys of one session.

    Attributes:
        session_id: Its id.
        name: The name of its place.
    """

    session_id: str
    name: str

    @property
    def listed(self) -> str:
        """The folder that says that the session exists, and who writes it."""
        return listed_key(self.session_id)

    @property
    def head(self) -> str:
        """The object that makes the session exist."""
        return f"{self.listed}/{HEAD}"

    @property
    def ends(self) -> str:
        """The object with its first and last entries, there as soon as it has any."""
        return f"{self.listed}/{ENDS}{self.name}"

    @property
    def data(self) -> str:
        """The folder of all that it holds."""
        return f"data/{self.name}"

    @property
    def journal(self) -> str:
        """The folder of its batches."""
        return f"{self.data}/journal"

    @property
    def blobs(self) -> str:
        """The folder of its blobs."""
        return f"{self.data}/blobs"

    @property
    def logs(self) -> str:
        """The folder of its live logs."""
        return f"{self.data}/logs"

    @property
    def beside(self) -> str:
        """The folder of what is made beside the journal, and swept if nothing came of it."""
        return f"{self.data}/beside"

    @property
    def trash(self) -> str:
        """The object that says that the session is being removed."""
        return f"{TRASH}/{encoded(self.session_id)}/{self.name}"

    def batch(self, at: int) -> str:
        """Return the key of what is at a position of the journal."""
        return f"{self.journal}/{at:020d}"

    def before(self, at: int) -> str:
        """Return the key behind which a listing begins at that position."""
        return self.batch(at - 1) if at > 0 else ""

    def log(self, name: str) -> str:
        """Return the folder of a live log, whose name may be any text."""
        return f"{self.logs}/{sha256(name.encode()).hexdigest()[:32]}"

    def lease(self, writer: str) -> str:
        """Return the key of a writer's lease."""
        return f"{self.listed}/{LEASE}{self.name}-{writer}"

    def is_lease(self, key: str) -> bool:
        """Whether it is the key of a writer's lease, of this session and no earlier one."""
        return key.startswith(f"{self.listed}/{LEASE}{self.name}-")


def listed_key(session_id: str) -> str:
    """Return the folder that says that a session exists."""
    return f"{SESSIONS}/{encoded(session_id)}"


def encoded(session_id: str) -> str:
    """Return an id in characters that no server and no client changes."""
    return quote(session_id, safe="").replace("~", "%7E").replace("%", "=")


def decoded(text: str) -> str:
    """Return the id that was encoded."""
    return unquote(text.replace("=", "%"))
