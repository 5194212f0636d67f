"""The table of how each promise of a store is tested is the one that the suite gives."""

from __future__ import annotations

import re
from pathlib import Path

from tests.contract import test_file, test_memory, test_sqlite

from holdall.testing.checks.repositories.promises import GUARANTEES, coverage, promises

STORES = Path(__file__).parents[2] / "docs" / "reference" / "stores.md"
ON_A_DISK = test_file.TestFileRepository


def table() -> str:
    contracts = (ON_A_DISK, test_sqlite.TestSqliteRepository, test_memory.TestMemoryRepository)
    ways = [coverage(contract) for contract in contracts]
    rows = (
        f"| {name} | {text} | {' | '.join(way[name] for way in ways)} |"
        for name, text in GUARANTEES.items()
    )
    return "\n".join(rows)


def test_the_table_of_guarantees_is_what_the_suite_tests() -> None:
    assert table() in STORES.read_text(encoding="utf-8")


def test_every_guarantee_is_explained_to_implementers() -> None:
    text = STORES.read_text(encoding="utf-8").partition("## The guarantees in words\n")[2]
    explained = re.findall(r"^### (G\d+): \S.*\n\n\S", text, re.MULTILINE)

    assert explained == list(GUARANTEES)


def test_every_guarantee_is_tested_for_a_store_on_a_disk() -> None:
    assert [name for name, how in coverage(ON_A_DISK).items() if how == "not applicable"] == []
    assert {name for promise in promises(ON_A_DISK) for name in promise.guarantees} == set(
        GUARANTEES
    )
