from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.errors import ExpressionError
from holdall.results import IOLogRecord
from holdall.session.resources import parse_imports, requirements, resource_output
from holdall.units import make_unit

if TYPE_CHECKING:
    from holdall.session.resources import ResourceExpression


def expression(text: str, imports: str = "") -> ResourceExpression:
    fields = {"id": "a", "plugin": "shell", "command": "true", "requires": text}
    (found,) = requirements(make_unit({**fields, "imports": imports}, namespace="ns"))
    return found


DISKS = {"ns::disk": ({"size": "5", "kind": "SSD"}, {"size": "10", "kind": "HDD"})}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("disk.kind == 'SSD'", True),
        ("disk.kind == 'tape'", False),
        ("int(disk.size) > 5 and disk.kind == 'HDD'", True),
        ("int(disk.size) > 5 and disk.kind == 'SSD'", False),
        ("disk.kind in ['SSD', 'NVMe']", True),
        ("disk.kind not in ('SSD', 'HDD')", False),
        ("not (disk.kind == 'SSD')", True),
        ("'S' in disk.kind or disk.kind == 'x'", True),
        ("1 < int(disk.size) <= 5", True),
        ("len(disk.kind) == 3", True),
        ("disk.missing == ''", True),
        ("float(disk.size) == -1", False),
        ("int(disk.kind) == 3", False),
        # Without a parenthesis each part may have a record of its own, with one none may.
        ("disk.size == '5' and disk.kind == 'HDD'", True),
        ("(disk.size == '5' and disk.kind == 'HDD')", False),
        ("disk.size == '5' and disk.kind in ('HDD',)", False),
        ("disk.size == '5' and disk.kind in ['HDD']", True),
        ("disk.size == '7' or disk.size == '5' and disk.kind == 'HDD'", True),
        ("disk.kind == 'p and q' or disk.kind == 'SSD'", True),
        ("disk.size == 5", False),
        ("disk.size in '15 16'", True),
        ("disk.size == '5' and True", True),
        ("disk", True),
        ("disk == 1", False),
        ("disk.kind == 'SSD'  # and why", True),
    ],
)
def test_an_expression_holds_if_any_record_satisfies_it(text: str, holds: bool) -> None:  # noqa: FBT001 - a row of the table
    assert expression(text).holds(DISKS) is holds


def test_several_resources_are_tried_in_every_combination() -> None:
    found = expression("disk.kind == 'HDD' and os.name == disk.name2")
    resources = {
        "ns::disk": ({"kind": "SSD", "name2": "a"}, {"kind": "HDD", "name2": "b"}),
        "ns::os": ({"name": "x"}, {"name": "b"}),
    }

    assert found.resource_ids == ("ns::disk", "ns::os")
    assert found.holds(resources)


def test_imports_name_resources_of_other_namespaces() -> None:
    found = expression(
        "exe.name == 'lsblk' and package.name == 'x'",
        "from com.example import executable as exe\nfrom com.example import package",
    )

    assert found.resource_ids == ("com.example::executable", "com.example::package")


def test_an_import_that_is_none_is_refused_with_its_line() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_imports("from a import b\nimport os")

    assert caught.value.line == 2


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "disk.__class__.__name__ == 'x'",
        "(lambda: 1)()",
        "disk.kind.upper() == 'SSD'",
        "[d for d in disk]",
        "disk['kind'] == 'SSD'",
        "disk.size ** 9999",
        "open(disk.kind)",
        "f'{disk.kind}'",
        "len(disk.kind, 2)",
        "disk.kind = 'x'",
        "disk.kind ==",
        "b'x' == disk.kind",
        "1 == 1",
        "(" * 3000 + "disk.kind" + ")" * 3000,
        "not " * 2000 + "disk.kind",
    ],
)
def test_what_is_not_allowed_is_refused_with_line_and_column(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        expression(text)

    assert caught.value.line == 1
    assert caught.value.column >= 1


def test_too_many_combinations_are_an_error_and_not_tried_for_ever() -> None:
    many = tuple({"x": str(number)} for number in range(2000))
    found = expression("(a.x != b.x and a.x == b.y)")

    with pytest.raises(ExpressionError, match="more than 1000000 combinations of records of a, b"):
        found.holds({"ns::a": many, "ns::b": many})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("(a.x == '1999' and b.x == '1999')", True),
        ("(a.x == b.x and a.x == '1999')", True),
        ("(a.x == b.x and a.x == '2000')", False),
        ("(a.x == b.x and int(a.x) > 1998)", True),
    ],
)
def test_conditions_on_one_resource_leave_few_records_to_combine(text: str, holds: bool) -> None:  # noqa: FBT001 - a row of the table
    many = tuple({"x": str(number)} for number in range(2000))

    assert expression(text).holds({"ns::a": many, "ns::b": many}) is holds


def test_a_record_without_the_number_asked_for_does_not_end_the_search() -> None:
    found = expression("(int(a.x) > 1 and a.x != '')")

    assert found.holds({"ns::a": ({"x": "none"}, {"x": "2"})})


@pytest.mark.parametrize(("text", "holds"), [("a.x is 'ab'", False), ("a.x is not 'ab'", True)])
def test_identity_is_allowed_and_hardly_ever_holds(text: str, holds: bool) -> None:  # noqa: FBT001 - a row of the table
    assert expression(text).holds({"ns::a": ({"x": b"ab".decode()},)}) is holds


def test_each_line_of_requires_is_an_expression_of_its_own() -> None:
    unit = make_unit(
        {
            "id": "a",
            "plugin": "shell",
            "command": "true",
            "requires": "b.x == '1'\n\n# c\nc.y == '2'",
        },
        namespace="ns",
    )

    assert [each.resource_ids for each in requirements(unit)] == [("ns::b",), ("ns::c",)]


def test_resource_records_keep_what_stands_around_a_broken_one() -> None:
    output = b"name: a\n\nbroken\n\nname: b\n"

    found = resource_output([IOLogRecord(0.0, "stdout", output)])

    assert found.records == ({"name": "a"}, {"name": "b"})
    assert [error.line for error in found.errors] == [3]


def test_a_record_may_be_split_over_pieces_of_output() -> None:
    log = [IOLogRecord(0.0, "stdout", b"na"), IOLogRecord(0.0, "stderr", b"x: y\n")]

    log.append(IOLogRecord(0.1, "stdout", b"me: a\n"))
    assert resource_output(log).records == ({"name": "a"},)


def test_bytes_that_are_no_text_are_kept_as_escapes() -> None:
    log = [IOLogRecord(0.0, "stdout", b"name: \xff\n")]

    assert resource_output(log).records == ({"name": "\\xff"},)


def test_no_records_count_as_one_empty_record() -> None:
    assert resource_output([]).records == ({},)


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    unit = make_unit({"id": "a", "plugin": "shell", "command": "x", "requires": text})
    try:
        for each in requirements(unit):
            each.holds({})
    except ExpressionError as error:
        assert str(error)  # noqa: PT017 - either way is fine, but nothing else
