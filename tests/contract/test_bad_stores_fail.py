"""The contract finds out stores that break it: a suite that lets them pass proves nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from defusedxml.ElementTree import parse

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

BROKEN = {
    "Forgets": "test_append_returns_the_new_head",
    "Reorders": "test_ten_thousand_entries_come_back_in_order",
    "HalfWrites": "test_a_batch_of_odd_entries_comes_back_as_it_was",
    "WritesPiecemeal": "test_a_reader_sees_whole_batches_while_others_are_appended",
    "DoubleWrites": "test_every_entry_comes_back_as_it_was",
    "RepeatsDoubled": "test_repeating_an_append_stores_it_once",
    "NeverRepeats": "test_repeating_an_append_stores_it_once",
    "LiesAboutHead": "test_a_new_session_is_empty",
    "ReturnsOldHead": "test_append_returns_the_new_head",
    "StripsEntries": "test_every_entry_comes_back_as_it_was",
    "ReadsOneTooFew": "test_entries_survive_closing",
    "IgnoresAfter": "test_read_begins_behind_the_number_it_is_given",
    "RenumbersOnCompaction": "test_a_compaction_leaves_the_snapshot_alone",
    "CompactsNothing": "test_a_compaction_leaves_the_snapshot_alone",
    "CompactsWhatItHasNotSeen": "test_compacting_behind_another_entry_than_the_last_is_refused",
    "CompactsOnce": "test_repeating_a_compaction_does_it_once",
    "CountsFromOne": "test_a_session_can_begin_with_another_number_than_one",
    "MixesThreads": "test_a_thread_that_writes_while_another_does_is_refused",
    "NamesBlobsItself": "test_a_blob_can_be_stored_under_the_name_of_other_bytes",
    "ForgetsLogs": "test_what_was_flushed_of_a_log_can_be_read",
    "ListsEmptyFirst": "test_ids_are_those_of_all_sessions",
    "CutsBlobs": "test_a_blob_comes_back_as_it_was",
    "OneLogForAll": "test_logs_of_any_names_are_kept_apart",
    "WritesWhenReading": "test_a_reader_changes_nothing",
    "TwoWriters": "test_after_a_take_over_nothing_of_the_old_writer_is_accepted",
    "OverwritesOnCreate": "test_a_session_is_created_once",
    "HidesInsteadOfRemoving": "test_of_a_removed_session_nothing_can_be_read",
    "TakesAnyId": "test_an_id_that_is_unfit_is_refused",
    "MakesOnOpen": "test_a_session_that_was_never_created_is_unknown",
    "ListsUntilDamage": "test_ids_open_no_session",
}


SURVIVES = "test_what_was_acknowledged_survives_a_kill"
BROKEN_ON_DISK = {
    "KeepsInMemory": SURVIVES,
    "FlushStaysInProcess": SURVIVES,
    "DropsTailAfterKill": SURVIVES,
    "NeverSyncs": "test_every_durable_step_is_synced",
    "SwallowsFailedSyncs": "test_a_sync_that_fails_is_never_acknowledged",
    "OneProcessLock": "test_a_writer_of_another_process_keeps_others_out",
    "WritesWhenOpenedForReading": "test_opening_for_reading_changes_no_file",
    "UncheckedBlobs": "test_a_damaged_blob_is_not_returned",
    "NamesLargeBlobsWrongly": "test_a_large_blob_is_named_by_all_its_bytes",
    "UrlLeadsElsewhere": "test_a_repository_is_at_its_url",
    "NamesAnotherRepository": "test_a_repository_is_at_its_url",
    "ReaderHoldsLock": "test_a_reader_that_pauses_keeps_no_writer_waiting",
    "RereadsAllHistory": "test_opening_reads_the_end_alone",
    "CompactsInTwoSteps": "test_a_kill_at_any_system_call_loses_nothing",
    "ForgetsHalfOnRemoval": "test_a_kill_at_any_system_call_loses_nothing",
}
TRACED = {
    "test_every_durable_step_is_synced",
    "test_a_sync_that_fails_is_never_acknowledged",
    "test_a_kill_at_any_system_call_loses_nothing",
}
BROKEN_ON_SERVER = {
    "Swallows": "test_a_sync_that_fails_is_never_acknowledged",
    "RaisesWhatTheClientRaises": "test_a_sync_that_fails_is_never_acknowledged",
    "WaitsForNoAnswer": "test_every_durable_step_is_synced",
    "UncheckedBlobs": "test_a_damaged_blob_is_not_returned",
}
ALL_BROKEN = (
    *BROKEN.items(),
    *BROKEN_ON_DISK.items(),
    *((f"{store} on a server", test) for store, test in BROKEN_ON_SERVER.items()),
)


@pytest.fixture(scope="module")
def failed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[str]]:
    """Return the tests that failed, by the store they ran over: one that somebody asks for."""
    folder = tmp_path_factory.mktemp("bad")
    asked = {
        str(item.callspec.params.get("store"))
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module
    }

    def some(broken: Mapping[str, str], more: str = "") -> dict[str, str]:
        return {store: test for store, test in broken.items() if f"{store}{more}" in asked}

    served = some(BROKEN_ON_SERVER, " on a server")
    return {
        **_failed(folder, "bad_stores.py", "Altered", some(BROKEN), ()),
        **_failed(folder, "bad_durable_stores.py", "Untouched", some(BROKEN_ON_DISK), TRACED),
        **{
            f"{store} on a server": tests
            for store, tests in _failed(
                *(folder, "bad_served_stores.py", "Served", served),
                {*TRACED, *BROKEN_ON_SERVER.values()},
            ).items()
        },
    }


def _failed(
    folder: Path, name: str, good: str, broken: Mapping[str, str], fine: Collection[str]
) -> dict[str, set[str]]:
    report = folder / f"{name}.xml"
    stores = Path(__file__).with_name(name)
    chosen = [f"{stores}::Test{store}::{test}" for store, test in broken.items()]
    whole = [f"{stores}::Test{good}::{test}" for test in fine] or [f"{stores}::Test{good}"]
    command = [sys.executable, "-m", "pytest", *whole, *chosen]
    options = ["-q", "--tb=no", "--assert=plain", "-p", "no:xdist", f"--junitxml={report}"]
    ended = subprocess.run(
        [*command, *options], capture_output=True, check=False, cwd=stores.parents[2]
    )
    due = pytest.ExitCode.TESTS_FAILED if broken else pytest.ExitCode.OK
    assert ended.returncode == due, ended.stdout.decode()

    failed: dict[str, set[str]] = defaultdict(set)
    for case in parse(report).iter("testcase"):
        store = case.get("classname", "").rpartition(".Test")[2]
        failed[store] |= set()
        failure = case.find("failure")
        if failure is not None:
            failed[store].add(case.get("name", "").partition("[")[0])
            if store == good:  # the only one whose failure anybody has to understand
                sys.stderr.write(f"{case.get('name')}: {failure.get('message')}\n")
    return failed


@pytest.mark.sampled(12)
@pytest.mark.parametrize(("store", "test"), ALL_BROKEN)
def test_a_store_that_breaks_a_promise_fails(
    failed: dict[str, set[str]], store: str, test: str
) -> None:
    if test in TRACED and not shutil.which("strace"):
        pytest.skip("strace is not installed, so system calls can't be seen")

    assert failed[store] == {test}


@pytest.mark.parametrize("store", ["Altered", "Untouched", "Served on a server"])
def test_a_store_that_keeps_them_all_passes(failed: dict[str, set[str]], store: str) -> None:
    assert failed[store] == set()
