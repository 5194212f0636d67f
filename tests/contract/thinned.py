"""The contract of stores with fewer repetitions; all of them are in the soak run."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import pytest

from holdall.testing.guarantees.devices import DeviceGuarantees

if TYPE_CHECKING:
    from holdall.contracts import Repository
    from holdall.testing.crash import Call


REPEATED: Final = [
    pytest.param(step, marks=pytest.mark.soak) for step in ("create", "append", "remove")
]


class ThinnedExchanges(DeviceGuarantees):
    """Each step makes many exchanges that are alike, and a lost one takes long to be missed."""

    every: ClassVar[int] = 3
    """Every how manieth connection is lost; 1 is each."""

    def loses_connection(
        self, repository: Repository, names: tuple[str, ...], number: int
    ) -> list[Call]:
        return super().loses_connection(repository, names, (number - 1) * self.every + 1)


class ThinnedKills(DeviceGuarantees):
    """A wrapper of plain files does of most steps what they do, which has a test of its own."""

    @pytest.mark.parametrize("step", ["compact", "put_blob", *REPEATED])
    def test_a_kill_at_any_system_call_loses_nothing(
        self, repository: Repository, step: str
    ) -> None:
        super().test_a_kill_at_any_system_call_loses_nothing(repository, step)
