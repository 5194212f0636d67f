"""The checks of a store, in a process of its own: the shipped contract over new repositories."""

from __future__ import annotations

import json
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from holdall.errors import HoldallError, StoreUrlError
from holdall.stores import open_repository

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """Make the checks, and print a line for each check and for each guarantee."""
    from holdall.testing.checks.repositories.installed import outcomes
    from holdall.testing.checks.repositories.promises import by_guarantee

    rows = outcomes()
    for _promise, finding in rows:
        _print({**finding._asdict(), "words": finding.message})
    for guarantee, how, outcome in by_guarantee(rows):
        _print({"guarantee": guarantee, "how": how, "outcome": outcome})


def _print(row: Mapping[str, Any]) -> None:
    sys.stdout.write(f"\x1e{json.dumps(row)}\n")


if __name__ == "__main__":
    main()
