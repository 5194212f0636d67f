"""What the command line says of a store that can't be opened, or is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Cli


def test_a_store_that_is_a_path_is_refused_with_what_to_write(holdall: Cli) -> None:
    found = holdall("sessions", "list", "--store", "/tmp/x")

    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "holdall: cannot open the store '/tmp/x': it is a path; write 'file:///tmp/x' "
        "(it was given as --store)\n"
    )


def test_a_wrong_variable_is_named(holdall: Cli) -> None:
    holdall.environ["HOLDALL_STORE"] = "nonsense"

    found = holdall("sessions", "list")

    assert found.code == 2
    assert found.err.endswith("(it was given as HOLDALL_STORE)\n")


def test_a_wrong_url_in_a_file_is_named_with_the_file(holdall: Cli) -> None:
    (holdall.folder / "holdall.toml").write_text('[stores.lab]\nurl = "file://lab"\n')

    found = holdall("sessions", "list", "--store", "lab")

    assert found.code == 2
    assert "stores.lab" in found.err
    assert "holdall.toml" in found.err


def test_a_store_that_is_not_there_is_not_made_by_a_command_that_reads(holdall: Cli) -> None:
    listed = holdall("sessions", "list")
    shown = holdall("sessions", "show", "last")

    assert listed.code == 0
    assert "there is no store 'file://" in listed.err
    assert "yet; the first session makes it (it was given as HOLDALL_STORE)\n" in listed.err
    assert shown.code == 3
    assert "there is no such store yet" in shown.err
    assert not holdall.store.exists()
