"""A thing under test."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import force_setattr

LOCAL: Final = "local"
"""Id of the device that runs holdall, and name of its runner."""


class Device(msgspec.Struct, frozen=True):
    """A thing under test.

    Attributes:
        id: Its name in the session; `local` is the machine that runs holdall.
        description: Text for reports.
        facts: What is known of it, by name.
        runner: URL of the runner that performs its jobs, such as `ssh://root@dut-7`.
    """

    id: str = LOCAL
    description: str = ""
    facts: dict[str, str] = {}
    runner: str = LOCAL

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id:
            raise ValueError(
                f"a device's id must be a string with something in it, not {self.id!r}"
            )
        force_setattr(self, "id", self.id.encode("utf-8", "backslashreplace").decode())
        if not isinstance(self.runner, str) or not self.runner:
            raise ValueError(f"a device's runner must be a URL, not {self.runner!r}")
        if not isinstance(self.description, str):
            raise TypeError(f"a device's description must be a string, not {self.description!r}")
        if not isinstance(self.facts, dict) or not all(
            isinstance(word, str) for fact in self.facts.items() for word in fact
        ):
            raise TypeError(f"a device's facts must map strings to strings, not {self.facts!r}")
