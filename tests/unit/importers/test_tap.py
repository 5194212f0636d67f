"""TAP and KTAP of several tools become jobs, with the counts that the tools give."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.recording import find_importer, import_results
from holdall.testing.importers import imported
from holdall_plugins.importers.tap import KtapImporter, TapImporter
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall.view import JobView

DATA = Path(__file__).parents[2] / "data/importers"


def told(text: str, folder: Path) -> list[tuple[str, str, str]]:
    """Return id, outcome and what is said of each job of a stream."""
    source = folder / "stream.tap"
    source.write_text(text)
    return [
        (job.id, str(job.outcome), job.comments or job.last.skip_reason or "")
        for job in imported(TapImporter, source).jobs()
    ]


def counted(jobs: list[JobView]) -> dict[str, int]:
    labels = ("todo" if job.xfail else str(job.outcome) for job in jobs)
    return dict(Counter(labels))


def test_nodes_own_counts_are_those_of_the_jobs() -> None:
    jobs = list(imported(TapImporter, DATA / "tap/node.tap").jobs())

    # "# tests 9", "# pass 4", "# fail 3", "# skipped 1", "# todo 1" are at the end of the file.
    assert counted(jobs) == {"pass": 4, "fail": 3, "skip": 1, "todo": 1}
    assert [job.id for job in jobs if "suite" in job.id] == [
        "suite / inner",
        "suite / inner fails",
        "suite / deep / deepest",
    ]
    assert {job.id: job.comments for job in jobs}["suite / inner fails"] == "boom"
    assert all(job.duration is not None for job in jobs)


def test_perls_subtests_stand_below_their_name() -> None:
    jobs = list(imported(TapImporter, DATA / "tap/perl.tap").jobs())

    assert [(job.id, str(job.outcome)) for job in jobs] == [
        ("plain", "pass"),
        ("equal", "fail"),
        ("sub / in", "pass"),
        ("sub / in bad", "fail"),
        ("test 4", "skip"),
        ("todo one", "fail"),
    ]
    assert [job.xfail for job in jobs] == [False] * 5 + [True]


def test_a_log_of_the_kernel_has_its_parts() -> None:
    jobs = list(imported(KtapImporter, DATA / "ktap/kunit.log").jobs())

    assert [(job.id, str(job.outcome)) for job in jobs] == [
        ("list-kunit-test / list_test_list_init", "pass"),
        ("list-kunit-test / list_test_list_add", "fail"),
        ("list-kunit-test / list_test_list_del", "skip"),
        ("param / each / value 0", "pass"),
        ("param / each / value 1", "pass"),
    ]
    assert "EXPECTATION FAILED at lib/list-test.c:55" in jobs[1].comments


@pytest.mark.parametrize(
    ("name", "importer"),
    [("tap/node.tap", "tap"), ("tap/perl.tap", "tap"), ("ktap/kunit.log", "ktap")],
)
def test_streams_are_found_by_their_content(name: str, importer: str) -> None:
    assert find_importer(DATA / name) == importer


def test_parts_whose_name_comes_behind_them_have_it(tmp_path: Path) -> None:
    text = "1..1\n    ok 1 - a\n    not ok 2 - b\n    1..2\nnot ok 1 - whole\n"

    assert told(text, tmp_path) == [("whole / a", "pass", ""), ("whole / b", "fail", "")]


def test_a_point_whose_parts_do_not_explain_it_is_a_job(tmp_path: Path) -> None:
    text = "1..1\n# Subtest: whole\n    ok 1 - a\n    1..1\nnot ok 1 - whole\n"

    assert told(text, tmp_path) == [("whole / a", "pass", ""), ("whole", "fail", "")]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("1..3\nok 1 - a\n", ("plan", "error", "3 tests were planned, 1 ran")),
        ("ok 1 - a\n", ("plan", "error", "there is no plan; the stream may be cut off")),
        ("1..0 # SKIP no network\n", ("plan", "skip", "no network")),
        (
            "1..2\nok 1 - a\nBail out! on fire\n",
            ("Bail out!", "error", "the run bailed out: on fire"),
        ),
        ("1..1\nok 1 - a # TODO later\n", ("a", "pass", "passed, though it is to do: later")),
        ("1..1\nnot ok 1 - a\n# got 1\n# wanted 2\n", ("a", "fail", "# got 1\n# wanted 2")),
        ("1..1\nok\n", ("test 1", "pass", "")),
        ("1..2\nok 1 - a\nok 2 - a\n", ("a (2)", "pass", "")),
        ("1..3\nok 1 - a\nok 2 - a (2)\nok 3 - a\n", ("a (2) (2)", "pass", "")),
        ("1..1\nok 1 - costs \\# 5 # SKIP no money\n", ("costs # 5", "skip", "no money")),
    ],
)
def test_the_last_word_of_a_stream(tmp_path: Path, text: str, last: tuple[str, str, str]) -> None:
    assert told(text, tmp_path)[-1] == last


def test_yaml_that_is_none_stays_as_output(tmp_path: Path) -> None:
    text = "1..1\nnot ok 1 - a\n  ---\n  message: [\n  ...\n"

    assert told(text, tmp_path) == [("a", "fail", "  message: [".strip())]


@pytest.mark.parametrize(
    "block",
    [
        "a: !!timestamp foo",
        'a: !!int ""',
        "a: !!bool foo",
        "a: " + "1:" * 300 + "1.5",
        "a: " + "1:" * 50_000 + "1",
        "duration_ms: 1" + "0" * 400,
        "duration_ms: true",
        "a: !!python/object/apply:os.system [true]",
    ],
)
def test_yaml_of_a_stranger_is_text(tmp_path: Path, block: str) -> None:
    text = f"1..1\nnot ok 1 - a\n  ---\n  {block}\n  ...\n"

    [(job_id, outcome, _said)] = told(text, tmp_path)
    assert (job_id, outcome) == ("a", "fail")


def test_subtests_without_end_are_refused_with_their_line(tmp_path: Path) -> None:
    source = tmp_path / "deep.tap"
    lines = (f"{' ' * 4 * depth}# Subtest: n\n" for depth in range(1500))
    source.write_text("1..1\n" + "".join(lines) + f"{' ' * 4 * 1500}ok 1 - x\n")

    with pytest.raises(ValueError, match=r"line 1[0-9][0-9]: subtests are nested more than 100"):
        imported(TapImporter, source)


def test_a_second_plan_makes_nothing_good(tmp_path: Path) -> None:
    last = told("1..5\nok 1 - a\n1..1\n", tmp_path)[-1]

    assert last == ("plan", "error", "5 tests were planned, 1 ran")


def test_the_summary_behind_the_plan_is_counted() -> None:
    done = import_results(DATA / "tap/node.tap", MemoryRepository())

    assert done.left_out == {"lines behind the plan": 8}


@pytest.mark.parametrize(
    ("name", "outcomes", "expected_to_fail"),
    [
        # prove: 7 tests, failed 2 and 4, 1 skipped; the parts of tests 3 and 4 count for them.
        ("prove", {"pass": 5, "fail": 3, "skip": 1}, 1),
        # Node: 11 tests, pass 6, fail 2, cancelled 1, skipped 1, todo 1.
        ("node20", {"pass": 6, "fail": 3, "skip": 1, "crash": 1}, 1),
        # tape: 6 tests, pass 5, fail 1; what is skipped or to do counts as passed there.
        ("tape", {"pass": 3, "fail": 2, "skip": 1}, 1),
        # node-tap: total 5, pass 2, fail 1, todo 1, skip 1; it does not run what is to do.
        ("nodetap", {"pass": 3, "fail": 1, "skip": 1}, 0),
        # bats: 4 tests, 1 failure, 1 skipped.
        ("bats", {"pass": 2, "fail": 1, "skip": 1}, 0),
    ],
)
def test_counts_of_real_streams(
    name: str, outcomes: dict[str, int], expected_to_fail: int
) -> None:
    jobs = list(imported(TapImporter, DATA / f"tap/{name}.tap").jobs())

    assert Counter(str(job.outcome) for job in jobs) == outcomes
    assert sum(job.xfail for job in jobs) == expected_to_fail


def test_a_timeout_of_node_is_a_crash_and_a_suite_without_tests_is_none() -> None:
    source = DATA / "tap/node20.tap"
    jobs = {job.id: job for job in imported(TapImporter, source).jobs()}

    assert str(jobs["slow"].outcome) == "crash"
    assert "empty" not in jobs
    assert import_results(source, MemoryRepository()).left_out["suites without tests"] == 1


def test_times_of_bats_are_durations_and_no_part_of_names() -> None:
    jobs = list(imported(TapImporter, DATA / "tap/bats.tap").jobs())

    assert [(job.id, job.duration) for job in jobs] == [
        ("adds", 0.014),
        ("fails", 0.01),
        ("skips", 0.033),
        ("adds with # hash", 0.013),
    ]


def test_what_was_said_stands_in_its_order(tmp_path: Path) -> None:
    text = "1..2\nnot ok 1 - a\n  ---\n  x: 1\n  ...\n# next\nok 2 - b\n"

    assert told(text, tmp_path)[0] == ("a", "fail", "x: 1\n# next")


def test_points_that_are_indented_too_far_are_not_lost(tmp_path: Path) -> None:
    source = tmp_path / "deep.log"
    source.write_text(
        "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n      not ok 1 deep\nnot ok 1 outer\n"
    )

    jobs = list(imported(KtapImporter, source).jobs())

    assert [(job.id, str(job.outcome)) for job in jobs] == [
        ("outer / deep", "fail"),
        ("outer / plan", "error"),
    ]
