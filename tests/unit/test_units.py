"""Units: kinds, spellings of fields, checksums, findings."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.errors import UnitError
from holdall.units import (
    KINDS,
    UNCATEGORISED,
    Finding,
    Job,
    Origin,
    SetupJob,
    Template,
    Unit,
    UnknownUnit,
    draft_unit,
    duration,
    make_unit,
    qualified,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SHELL = {"id": "a", "plugin": "shell", "command": "true"}


def job(**fields: str) -> Job:
    unit = make_unit({**SHELL, **fields}, namespace="com.example")
    assert isinstance(unit, Job)
    return unit


def doubts(fields: Mapping[str, str]) -> list[Finding]:
    return list(make_unit(fields).doubts())


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        pytest.param(SHELL, "job", id="no unit field"),
        pytest.param({**SHELL, "unit": "job"}, "job", id="job"),
        pytest.param({"unit": "template", "id": "a", "template-resource": "r"}, "template"),
        pytest.param({"unit": "test plan", "id": "a"}, "test plan"),
        pytest.param({"unit": "category", "id": "a"}, "category"),
        pytest.param(
            {"unit": "manifest entry", "id": "a", "value-type": "bool"}, "manifest entry"
        ),
        pytest.param({"unit": "exporter", "id": "a", "entry_point": "json"}, "exporter"),
        pytest.param({"unit": "packaging meta-data", "os-id": "debian"}, "packaging meta-data"),
    ],
)
def test_the_field_unit_says_which_kind_it_is(fields: dict[str, str], kind: str) -> None:
    unit = make_unit(fields)

    assert unit.kind == kind
    assert type(unit) is KINDS[kind]


def test_a_kind_that_is_not_known_is_kept_with_a_doubt() -> None:
    unit = make_unit({"unit": "test-plan", "id": "a"})

    assert type(unit) is UnknownUnit
    assert list(unit.doubts()) == [
        Finding("unit", "holdall has no use for this kind of unit; did you mean 'test plan'?")
    ]


def test_an_id_is_qualified_with_the_namespace() -> None:
    unit = job(depends="b org.other::c,d\ne")

    assert (unit.id, unit.partial_id) == ("com.example::a", "a")
    assert unit.depends == (
        "com.example::b",
        "org.other::c",
        "com.example::d",
        "com.example::e",
    )
    assert (qualified("a", ""), qualified("x::a", "y")) == ("a", "x::a")


def test_an_old_job_is_known_by_its_name() -> None:
    unit = make_unit({"name": "disk/old", "plugin": "shell", "command": "true"}, namespace="x")

    assert unit.id == "x::disk/old"
    assert [doubt.field for doubt in unit.doubts()] == ["name"]


@pytest.mark.parametrize("spelling", ["template-id", "template_id"])
def test_a_template_may_be_known_by_its_template_id(spelling: str) -> None:
    unit = make_unit(
        {"unit": "template", spelling: "t", "template-resource": "r"}, namespace="com.example"
    )

    assert unit.id == "com.example::t"


def test_a_template_without_an_id_of_its_own_is_known_by_what_it_makes_ids_from() -> None:
    unit = make_unit({"unit": "template", "id": "disk/read-{name}!", "template-resource": "r"})

    assert unit.id == "disk/read-name"


@pytest.mark.parametrize("spelling", ["category_id", "category-id", "_category-id"])
def test_a_field_is_found_in_every_spelling(spelling: str) -> None:
    assert job(**{spelling: "disk"}).category_id == "com.example::disk"


def test_a_field_marked_for_translation_wins_over_the_plain_one() -> None:
    assert job(summary="plain", _summary="marked").summary == "marked"
    assert job(_summary="marked", summary="plain").summary == "marked"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("", (), id="empty"),
        pytest.param("a", ("a",), id="one"),
        pytest.param("a b\n c", ("a", "b", "c"), id="blanks and newlines"),
        pytest.param("a,b , c,", ("a", "b", "c"), id="commas"),
    ],
)
def test_lists_are_separated_by_blanks_commas_or_newlines(
    written: str, read: tuple[str, ...]
) -> None:
    assert job(environ=written).environ == read


def test_a_job_has_the_documented_defaults() -> None:
    unit = job()

    assert (unit.summary, unit.description, unit.shell, unit.user) == ("a", "", "bash", "")
    assert (unit.category_id, unit.certification_status) == (UNCATEGORISED, "non-blocker")
    assert (unit.flags, unit.estimated_duration, unit.template_id) == (frozenset(), None, "")
    assert unit.automated


def test_purpose_steps_and_verification_make_up_for_a_description() -> None:
    parts = {"_purpose": "why", "_steps": "how", "_verification": "what"}

    assert job(**parts).description == "why\n\nhow\n\nwhat"
    assert job(**parts, description="all").description == "all"


def test_the_flag_simple_makes_a_shell_job() -> None:
    unit = make_unit({"id": "a", "command": "true", "flags": "simple"})

    assert isinstance(unit, Job)
    assert unit.plugin == "shell"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1.5", 1.5),
        ("0", 0.0),
        (" 90 ", 90.0),
        ("1h 2m 3s", 3723.0),
        ("1h:2m:3s", 3723.0),
        ("2m", 120.0),
        ("2 min", 120.0),
        ("1h 30s", 3630.0),
        ("1.5s", 1.5),
        ("", None),
        (":", None),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1h 2", None),
        ("3s 2m", None),
    ],
)
def test_a_duration_is_a_number_or_hours_minutes_and_seconds(
    text: str, seconds: float | None
) -> None:
    assert duration(text) == seconds


def test_a_checksum_is_the_hash_of_the_sorted_fields_and_the_namespace() -> None:
    text = '{"command":"true","id":"a","plugin":"shell","namespace":"com.example"}'

    assert job().checksum == hashlib.sha256(text.encode()).hexdigest()


def test_a_checksum_does_not_depend_on_the_order_of_fields_or_their_origin() -> None:
    turned = dict(reversed(SHELL.items()))

    one, other = make_unit(SHELL), make_unit(turned, origin=Origin("f.pxu", 3))

    assert one.checksum == other.checksum
    assert one == other
    assert hash(one) == hash(other)


@given(st.sampled_from(sorted(SHELL)), st.text(min_size=1))
def test_a_checksum_changes_with_any_field(name: str, value: str) -> None:
    changed = {**SHELL, name: value}

    same = draft_unit(changed).checksum == draft_unit(SHELL).checksum

    assert same == (changed == SHELL)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param(
            {"plugin": "shell", "command": "true"}, "the field 'id' is missing", id="no id"
        ),
        pytest.param({**SHELL, "id": "a::b"}, "an id can't hold '::' ('a::b')", id="colons"),
        pytest.param({"id": "a"}, "the field 'plugin' is missing", id="no plugin"),
        pytest.param(
            {"id": "a", "plugin": "sehll"},
            "the plugin 'sehll' is none of attachment, manual, resource, shell, user-interact, "
            "user-interact-verify, user-verify",
            id="unknown plugin",
        ),
        pytest.param(
            {"unit": "template", "id": "a"},
            "the field 'template-resource' is missing",
            id="template without a resource",
        ),
        pytest.param(
            {"unit": "template", "template-resource": "r"},
            "the field 'id' is missing",
            id="template without an id",
        ),
        pytest.param({"unit": "test plan"}, "the field 'id' is missing", id="plan without an id"),
        pytest.param(
            {"unit": "manifest entry"},
            "the field 'id' is missing; the field 'value-type' is missing",
            id="two faults at once",
        ),
    ],
)
def test_a_definition_of_no_use_is_refused_with_all_reasons(
    fields: dict[str, str], reason: str
) -> None:
    with pytest.raises(UnitError) as caught:
        make_unit(fields, origin=Origin("f.pxu", 7))

    assert caught.value.reason == reason
    assert caught.value.origin == "f.pxu:7"


def test_an_id_with_a_namespace_is_refused_even_if_it_is_the_right_one() -> None:
    with pytest.raises(UnitError, match="can't hold '::'"):
        make_unit({**SHELL, "id": "com.example::a"}, namespace="com.example")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(SHELL, [], id="none"),
        pytest.param(
            {"id": "a", "plugin": "shell"},
            [Finding("command", "a job with plugin 'shell' needs a command")],
            id="no command",
        ),
        pytest.param({"id": "a", "plugin": "manual"}, [], id="a manual job needs none"),
        pytest.param(
            {**SHELL, "estimated_duration": "soon"},
            [Finding("estimated_duration", "'soon' is no duration")],
            id="no duration",
        ),
        pytest.param(
            {"unit": "test plan", "id": "a"},
            [Finding("name", "the field 'name' is missing")],
            id="plan without a name",
        ),
    ],
)
def test_doubts_leave_a_definition_usable(fields: dict[str, str], expected: list[Finding]) -> None:
    assert doubts(fields) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"id": 1}, id="id"),
        pytest.param({"kind": None}, id="kind"),
        pytest.param({"namespace": b"x"}, id="namespace"),
        pytest.param({"fields": [("id", "a")]}, id="fields"),
        pytest.param({"fields": {"id": 1}}, id="value"),
        pytest.param({"fields": {1: "a"}}, id="key"),
    ],
)
def test_wrong_types_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="a unit's"):
        Unit(**{"kind": "job", "id": "a", "fields": SHELL, **wrong})


def test_a_unit_cannot_be_changed() -> None:
    fields = dict(SHELL)
    unit: Any = make_unit(fields)

    fields["id"] = "b"

    assert unit.fields["id"] == "a"
    with pytest.raises(AttributeError):
        unit.id = "b"
    with pytest.raises(TypeError):
        unit.fields["id"] = "b"


def test_units_of_different_kinds_are_different() -> None:
    category = make_unit({"unit": "category", "id": "a"})

    assert category != job()
    assert category != "a"


def test_a_template_makes_jobs_unless_it_says_otherwise() -> None:
    unit = make_unit(
        {"unit": "template", "id": "a-{name}", "template-resource": "r"}, namespace="com.example"
    )

    assert isinstance(unit, Template)
    assert (unit.makes, unit.resource) == ("job", "com.example::r")


def test_a_setup_job_is_a_job_of_its_own_kind_and_needs_no_plugin() -> None:
    unit = make_unit({"unit": "setup job", "id": "install", "command": "true"}, namespace="ns")

    assert isinstance(unit, SetupJob)
    assert isinstance(unit, Job)
    assert (unit.kind, unit.id, unit.plugin) == ("setup job", "ns::install", "shell")
    assert dict(unit.requires_manifest) == {}


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ('["has_x", "o::y"]', {"ns::has_x": True, "o::y": True}),
        ('[{"n": 4}, "z"]', {"ns::n": 4, "ns::z": True}),
        ('{"a": "b", "c": false}', {"ns::a": "b", "ns::c": False}),
    ],
)
def test_a_setup_job_names_the_answers_that_it_requires(
    text: str, answers: dict[str, object]
) -> None:
    fields = {"unit": "setup job", "id": "a", "command": "true", "requires-manifest": text}

    unit = make_unit(fields, namespace="ns")

    assert isinstance(unit, SetupJob)
    assert dict(unit.requires_manifest) == answers


@pytest.mark.parametrize("text", ["has_x", "[1]", "[[]]", "5"])
def test_required_answers_that_are_none_are_a_fault(text: str) -> None:
    fields = {"unit": "setup job", "id": "a", "command": "true", "requires_manifest": text}

    with pytest.raises(UnitError, match="the field 'requires-manifest' must "):
        make_unit(fields, namespace="ns")


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [("certification-status", "blocker"), ("certification_status", "non-blocker")],
)
def test_the_status_of_a_job_counts_in_one_spelling_as_in_checkbox(
    spelling: str, expected: str
) -> None:
    made = make_unit({"id": "a", "plugin": "shell", "command": "true", spelling: "blocker"})
    assert isinstance(made, Job)

    assert made.certification_status == expected
    assert any("only" in doubt.text for doubt in made.doubts()) == (expected != "blocker")


@pytest.mark.parametrize(("spelling", "expected"), [("auto-retry", "no"), ("auto_retry", "")])
def test_whether_a_job_is_retried_counts_in_one_spelling_as_in_checkbox(
    spelling: str, expected: str
) -> None:
    made = make_unit({"id": "a", "plugin": "shell", "command": "true", spelling: "no"})
    assert isinstance(made, Job)

    assert made.auto_retry == expected
