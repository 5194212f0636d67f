"""Record what a fleet did in the night: near first, shipped far, kept twice, and reported."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import holdall
from holdall.contracts import Repairable, Shippable
from holdall.stores import NamedStore
from holdall.upkeep import check_session, copy_session

if TYPE_CHECKING:
    from holdall.contracts import Repository


def own_stores(folder: Path, office: str) -> dict[str, NamedStore]:
    """Return the stores of this application, under names that mean something to it.

    `night` is written: near first, and shipped to the office. `archive` keeps what is over
    twice. `replay` gives the archive to be gone on with, and leaves it as it is.
    """
    here = folder.absolute()
    return {
        "near": NamedStore(f"file://{here}/near"),
        "office": NamedStore(office),
        "night": NamedStore("tiered?close_s=1", inner=("near", "office")),
        "archive": NamedStore(
            "mirror", inner=(f"file://{here}/archive", f"sqlite:///{here}/archive.db")
        ),
        "replay": NamedStore("overlay", inner=("readonly::archive", f"file://{here}/replay")),
    }


class Fleet:
    """The sessions of the fleet, in stores that are opened by name."""

    def __init__(self, folder: Path, office: str) -> None:
        self._folder = folder
        self._stores = own_stores(folder, office)

    def store(self, name: str) -> Repository:
        """Return one of the stores of this application."""
        return holdall.open_repository(name, stores=self._stores)

    def record(self, device: str, measured: dict[str, float], *, limit: float) -> str:
        """Record the measurements of a device, one durable result after the other."""
        night = self.store("night")
        with holdall.Recorder.create(night, title=f"Night of {device}", device=device) as recorder:
            for disk, speed in measured.items():
                with recorder.attempt(f"disk/{disk}") as attempt:
                    attempt.write(b"%.1f MB/s\n" % speed)
                    attempt.measurement("speed", speed, unit="MB/s", lower=limit)
                    attempt.finish("pass" if speed >= limit else "fail")
                recorder.checkpoint()  # durable near when it returns, whatever the office does
            return recorder.session_id

    def ship(self) -> dict[str, str]:
        """Bring to the office what is only near, and return why the rest is not there yet."""
        night = self.store("night")
        assert isinstance(night, Shippable)
        problems = {}
        for shipment in list(night.unshipped()):
            try:
                night.ship(shipment.id)
            except holdall.HoldallError as error:
                problems[shipment.id] = str(error)
        return problems

    def archive(self, session_id: str) -> None:
        """Copy a session into the archive, and make sure that both of its stores have it."""
        archive = self.store("archive")
        copy_session(self.store("night"), session_id, archive)
        assert isinstance(archive, Repairable)
        for repair in archive.repair(session_id):
            print(f"{repair.store}: {repair.problem}, repaired: {repair.is_repaired}")
        for damage in check_session(archive, session_id, deep=True).damage:
            print(damage)

    def replay(self, session_id: str, note: str) -> None:
        """Go on with an archived session in the lab; the archive keeps what it has."""
        with holdall.Recorder.append(self.store("replay"), session_id) as recorder:
            recorder.record("lab/replayed", outcome="pass", comments=note)

    def report(self, store: str, session_id: str) -> bytes:
        """Write the JSON report of a session of a store, and return it."""
        path = self._folder / f"{session_id}.{store}.json"
        with closing(self.store(store).open(session_id, mode="r")) as storage:
            holdall.export(storage, "json", path)
        return path.read_bytes()


def main() -> None:
    """Record two devices, ship, archive, and list what failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--office", help="URL of the far store, such as postgresql://lab@db/lab")
    given = parser.parse_args()
    office = given.office or f"sqlite:///{given.folder.absolute()}/office.db"
    fleet = Fleet(given.folder, office)
    for device, speed in {"dut-7": 87.5, "dut-8": 12.0}.items():
        fleet.record(device, {"root": speed, "data": 55.0}, limit=50.0)
    for session_id, reason in fleet.ship().items():
        print(f"{session_id} is not shipped: {reason}")
    for info in holdall.list_sessions(fleet.store("office")):
        fleet.archive(info.id)
        fleet.report("archive", info.id)
        print(f"{info.title}: {info.verdict}")


if __name__ == "__main__":
    main()
