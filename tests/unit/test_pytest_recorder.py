"""What pytest says of a test, as an outcome: each kind of report, by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from holdall_plugins.pytest_recorder.definitions import heading, job_id
from holdall_plugins.pytest_recorder.outcomes import (
    REPEATED,
    Ending,
    ending,
    measured,
    subtest_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def report(when: str, outcome: str = "passed", longrepr: Any = None, **more: Any) -> Any:
    return SimpleNamespace(when=when, outcome=outcome, longrepr=longrepr, **more)


def phases(*reports: Any) -> Mapping[str, Any]:
    return {each.when: each for each in reports}


SET_UP, TORN_DOWN, PASSED = report("setup"), report("teardown"), report("call")


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        pytest.param([SET_UP, PASSED, TORN_DOWN], Ending("pass"), id="passed"),
        pytest.param(
            [SET_UP, report("call", "failed", "boom"), TORN_DOWN],
            Ending("fail", comments="boom"),
            id="failed",
        ),
        pytest.param(
            [report("setup", "skipped", ("x.py", 1, "Skipped: no"))],
            Ending("skip", skip_reason="no"),
            id="skipped",
        ),
        pytest.param(
            [report("setup", "failed", "boom")],
            Ending("error", comments="set-up failed: boom"),
            id="error in set-up",
        ),
        pytest.param(
            [SET_UP, report("call", "rerun", "boom")],
            Ending("fail", comments="boom"),
            id="rerun",
        ),
        pytest.param(
            [SET_UP, TORN_DOWN],
            Ending("skip", skip_reason="pytest did not call the test"),
            id="not called",
        ),
        pytest.param(
            [SET_UP, report("???", "failed", "worker 'gw0' crashed")],
            Ending("crash", comments="worker 'gw0' crashed"),
            id="worker crashed",
        ),
        pytest.param(
            [SET_UP, report("call", "skipped", "boom", wasxfail="reason: known")],
            Ending("fail", comments="expected to fail: known", xfail=True),
            id="xfailed",
        ),
        pytest.param(
            [
                SET_UP,
                report("call", "skipped", "", wasxfail=""),
                report("teardown", "failed", "x"),
            ],
            Ending(
                "error",
                comments="tear-down failed: x",
                phases=(("test", "fail", "expected to fail"), ("tear-down", "error", "x")),
            ),
            id="xfailed, error in tear-down",
        ),
        pytest.param(
            [SET_UP, report("call", "failed", "a"), report("teardown", "failed", "b")],
            Ending(
                "fail",
                comments="a\ntear-down failed: b",
                phases=(("test", "fail", "a"), ("tear-down", "error", "b")),
            ),
            id="failed, error in tear-down",
        ),
    ],
)
def test_reports_on_the_phases_of_a_test_come_to_one_outcome(
    reports: list[Any], expected: Ending
) -> None:
    assert ending(phases(*reports)) == expected


def test_a_test_with_a_failed_subtest_has_failed_though_its_call_passed() -> None:
    end = ending(phases(SET_UP, PASSED, TORN_DOWN), failed_subtests=2)

    assert end == Ending("fail", comments="contains 2 failed subtests")


def test_a_try_that_flaky_keeps_for_itself_has_failed() -> None:
    assert ending(phases(SET_UP, TORN_DOWN), without_call=REPEATED) == REPEATED


def test_a_long_message_is_cut_and_says_so() -> None:
    end = ending(phases(SET_UP, report("call", "failed", "x" * 5000)))

    assert end.comments is not None
    assert end.comments.endswith("... (all of it is in the output)")
    assert len(end.comments) < 2100


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.5, 1.5), (3, 3), (True, True), ("x", "x"), (float("inf"), "inf"), (None, "None")],
)
def test_values_of_properties_stay_numbers_where_measurements_can_hold_them(
    value: object, expected: object
) -> None:
    assert measured(value) == expected
    assert type(measured(value)) is type(expected)


@pytest.mark.parametrize(
    ("node_id", "expected"),
    [
        ("a/test_x.py::test_a", "a/test_x.py"),
        ("a/test_x.py::TestB::test_a[c::d]", "a/test_x.py::TestB"),
        ("a/test_x.py", "a/test_x.py"),
        ("a[1]/test_x.py", "a[1]/test_x.py"),
    ],
)
def test_the_heading_of_a_node_id_is_its_file_and_class(node_id: str, expected: str) -> None:
    assert heading(node_id) == expected


def test_the_group_that_a_worker_appends_is_no_part_of_an_id() -> None:
    marks = [pytest.mark.xdist_group("b").mark, pytest.mark.xdist_group(name="a").mark]

    def item(node_id: str, *, is_grouped: bool) -> Any:
        config = SimpleNamespace(getoption=lambda *_args, **_more: is_grouped)
        return SimpleNamespace(nodeid=node_id, config=config, iter_markers=lambda _name: marks)

    assert job_id(item("test_x.py::test_a@a_b", is_grouped=True)) == "test_x.py::test_a"
    assert job_id(item("test_x.py::test_a[@a_b]", is_grouped=True)) == "test_x.py::test_a[@a_b]"
    assert job_id(item("test_x.py::test_a@a_b", is_grouped=False)) == "test_x.py::test_a@a_b"


def test_a_subtest_is_known_by_what_it_was_given() -> None:
    context = SimpleNamespace(msg="part", kwargs={"i": "1"})

    assert subtest_name(report("call", context=context)) == "part (i=1)"
    assert (
        subtest_name(report("call", context=SimpleNamespace(msg=None, kwargs={}))) == "(subtest)"
    )
    assert subtest_name(PASSED) is None
