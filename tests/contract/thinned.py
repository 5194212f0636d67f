"""The contract of stores on servers, with fewer of the exchanges whose connection is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from holdall.testing.guarantees.devices import DeviceGuarantees

if TYPE_CHECKING:
    from holdall.contracts import Repository
    from holdall.testing.crash import Call


class ThinnedExchanges(DeviceGuarantees):
    """Each step makes many exchanges that are alike, and a lost one takes long to be missed."""

    every: ClassVar[int] = 3
    """Every how manieth connection is lost; 1 is each."""

    def loses_connection(
        self, repository: Repository, names: tuple[str, ...], number: int
    ) -> list[Call]:
        return super().loses_connection(repository, names, (number - 1) * self.every + 1)
