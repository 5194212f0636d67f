"""The checks of a store, in a process of its own: the shipped contract over new repositories."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from holdall.cli.plugins.channel import LAST, PLANNED, Channel
from holdall.errors import HoldallError, StoreUrlError
from holdall.stores import open_repository

if TYPE_CHECKING:
    from holdall.registry import Candidate, Registry

_SHAPES = (
    "{scheme}://{{folder}}/store",
    "{scheme}:///{{folder}}/store",
    "{scheme}://{{folder}}",
    "{scheme}::file://{{folder}}/store",
)


def url_for(candidate: Candidate, registry: Registry, url: str | None) -> str:
    """Return the URL to check a store at: *url*, or one of the shapes that it takes.

    Raises:
        StoreUrlError: It takes none of them, or *url* is one place for all tests.
    """
    if url is not None and "{folder}" not in url:
        reason = (
            "each test needs an empty place; write {folder} where the path of a new folder may "
            "stand, as in 'sqlite:///{folder}/lab.db' or 'redis://127.0.0.1/1?prefix={folder}'"
        )
        raise StoreUrlError(url, reason)
    if url is not None:
        return url
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        for shape in (shape.format(scheme=candidate.id) for shape in _SHAPES):
            try:
                open_repository(shape.replace("{folder}", folder), registry=registry)
            except HoldallError:
                continue
            return shape
    reason = "it takes no URL with a folder; give one by --url, {folder} stands for a new folder"
    raise StoreUrlError(f"{candidate.id}:", reason)


def main() -> None:
    """Make the checks, and send a row for each check and for each guarantee."""
    channel = Channel()
    channel.send({"check": "its import", "outcome": ""})
    from holdall.testing.checks import Finding
    from holdall.testing.checks.repositories.installed import outcomes, planned
    from holdall.testing.checks.repositories.promises import by_guarantee

    for promise in planned():
        about = ", ".join(promise.guarantees)
        channel.send_finding(Finding(promise.test, about, PLANNED))
    channel.send({"check": "its tests", "outcome": ""})
    rows = outcomes()
    for _promise, finding in rows:
        channel.send_finding(finding)
    for guarantee, how, outcome in by_guarantee(rows):
        channel.send({"guarantee": guarantee, "how": how, "outcome": outcome})
    channel.send({LAST: True})


if __name__ == "__main__":
    main()
