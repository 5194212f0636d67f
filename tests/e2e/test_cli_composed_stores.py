"""`holdall sessions repair`, `ship` and `list` over stores that are over several others."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.contract.several import away

from holdall.journal import Journal, MetadataChanged, SessionCreated
from holdall_plugins.stores.file import FileRepository

if TYPE_CHECKING:
    from tests.e2e.conftest import Cli


@pytest.fixture
def composed(holdall: Cli) -> Cli:
    """Return the command line, with a mirror and tiers of `one` and `two`; `one` has a session."""
    urls = [f"file://{holdall.folder}/{name}" for name in ("one", "two")]
    (holdall.folder / "holdall.toml").write_text(
        f'[stores.both]\nurl = "mirror"\ninner = {json.dumps(urls)}\n'
        f'[stores.carried]\nurl = "tiered"\ninner = {json.dumps(urls)}\n',
        encoding="utf-8",
    )
    journal = Journal.begin(FileRepository(holdall.folder / "one").create("session"))
    journal.append([SessionCreated(at=1.0, session_id="session")])
    journal.append([MetadataChanged(at=2.0, changes={})])
    journal.close()
    return holdall


def test_what_is_only_near_is_listed_and_shipped(composed: Cli) -> None:
    listed = json.loads(composed("sessions", "list", "--store", "carried", "--json").out)
    table = composed("sessions", "list", "--store", "carried").out
    shipped = composed("sessions", "ship", "--store", "carried", "--json")
    again = composed("sessions", "ship", "--store", "readonly::carried")

    assert [(info["id"], info["unshipped"]) for info in listed] == [("session", 3)]
    assert "NOT SHIPPED" in table
    assert json.loads(shipped.out) == [{"id": "session", "entries": 3, "reason": ""}]
    assert (again.code, "is no store that ships" in again.err) == (2, True)
    assert composed("sessions", "ship", "--store", "carried").out == "every session is far\n"
    assert composed("sessions", "ship", "session", "--store", "carried").out == (
        "session: 0 entries shipped\n"
    )


def test_what_can_not_be_shipped_is_said_with_the_reason(composed: Cli) -> None:
    (composed.folder / "two").mkdir()
    with away(composed.folder / "two"):
        found = composed("sessions", "ship", "--store", "carried")
        listed = json.loads(composed("sessions", "list", "--store", "carried", "--json").out)

    assert (found.code, found.out.startswith("session: not shipped: cannot ")) == (3, True)
    assert [info["unshipped"] for info in listed] == [None]


def test_what_a_store_lacks_is_said_and_repaired(composed: Cli) -> None:
    dry = composed("sessions", "repair", "--store", "both", "--dry-run")
    (composed.folder / "two").mkdir()
    with away(composed.folder / "two"):
        failed = composed("sessions", "repair", "--store", "both")
    done = composed("sessions", "repair", "last", "--store", "both", "--json")

    assert (dry.code, dry.out.endswith("two: it lacks the session\n")) == (0, True)
    assert (failed.code, "not repaired: " in failed.out) == (3, True)
    [repair] = json.loads(done.out)
    assert (repair["problem"], repair["is_repaired"]) == ("it lacks the session", True)
    with closing(FileRepository(composed.folder / "two").open("session", mode="r")) as storage:
        assert storage.head == 3
    assert composed("sessions", "repair", "--store", "both").out == (
        "nothing is amiss in the stores that could be asked\n"
    )


@pytest.mark.parametrize("command", ["repair", "ship"])
def test_a_store_over_none_is_refused(composed: Cli, command: str) -> None:
    found = composed("sessions", command)

    assert (found.code, "is no store that" in found.err) == (2, True)
