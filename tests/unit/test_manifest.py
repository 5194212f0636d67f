from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import UnknownUnitError
from holdall.journal import ManifestAnswered
from holdall.session.context import SessionDeviceContext
from holdall.session.manager import SessionManager
from holdall.session.manifest import Manifest
from holdall.session.readiness import SKIP_OUTCOMES, InhibitionCause
from holdall.session.state import SessionState
from holdall.units import Job, Provider, draft_unit, make_unit
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall.units import Unit

IMPORT = "from com.canonical.plainbox import manifest"


def entry(entry_id: str, value_type: str = "bool") -> Unit:
    fields = {"unit": "manifest entry", "id": entry_id, "name": entry_id, "value-type": value_type}
    return make_unit(fields, namespace="com.example")


def gated(requires: str) -> Job:
    fields = {"id": "a", "plugin": "shell", "command": "true"}
    made = make_unit({**fields, "imports": IMPORT, "requires": requires}, namespace="com.example")
    assert isinstance(made, Job)
    return made


def state_of(*units: Unit) -> SessionState:
    state = SessionState(units)
    state.update_desired_job_list(state.job_list)
    return state


def test_a_job_that_asks_the_manifest_waits_for_its_answer() -> None:
    state = state_of(entry("has_dock"), gated("manifest.has_dock == 'True'"))
    (job_state,) = state.job_state_map.values()

    (reason,) = job_state.readiness_inhibitor_list

    assert reason.cause is InhibitionCause.REQUIRED_MANIFEST
    assert SKIP_OUTCOMES[reason.cause] == "skipped-manifest"
    assert "manifest.has_dock == 'True'" in str(reason)


@pytest.mark.parametrize(
    ("value_type", "answer", "requires", "starts"),
    [
        ("bool", True, "manifest.q == 'True'", True),
        ("bool", False, "manifest.q == 'True'", False),
        ("natural", 4, "int(manifest.q) >= 4", True),
        ("natural", 3, "int(manifest.q) >= 4", False),
        ("string", "blue", "manifest.q in ['blue', 'red']", True),
    ],
)
def test_an_answer_lets_a_job_start_or_not(
    value_type: str,
    answer: Any,
    requires: str,
    starts: bool,  # noqa: FBT001 - a column of the table
) -> None:
    state = state_of(entry("q", value_type), gated(requires))
    (job_state,) = state.job_state_map.values()
    assert not job_state.can_start()

    state.update_manifest({"q": answer})

    assert job_state.can_start() is starts


def test_answers_to_other_questions_stay() -> None:
    state = state_of(entry("one"), entry("two", "string"))

    state.update_manifest({"one": True})
    state.update_manifest({"two": "words"})
    state.update_manifest({"one": False})

    assert state.manifest == {"com.example::one": "False", "com.example::two": "words"}


@pytest.mark.parametrize(
    ("value_type", "answer", "error"),
    [
        ("bool", "True", TypeError),
        ("bool", 1, TypeError),
        ("natural", True, TypeError),
        ("natural", "4", TypeError),
        ("natural", -1, ValueError),
        ("string", 4, TypeError),
    ],
)
def test_an_answer_of_another_kind_is_refused_and_changes_nothing(
    value_type: str, answer: Any, error: type[Exception]
) -> None:
    state = state_of(entry("q", value_type), entry("other"))

    with pytest.raises(error, match="::q"):
        state.update_manifest({"other": True, "q": answer})

    assert state.manifest == {}


def test_a_question_that_nobody_asks_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownUnitError, match="did you mean 'has_dock'"):
        state_of(entry("has_dock")).update_manifest({"has_dok": True})


def test_answers_come_back() -> None:
    units = [entry("has_dock"), gated("manifest.has_dock == 'True'")]
    manager = SessionManager.create_with_unit_list(units, MemoryRepository())
    assert manager.state is not None
    manager.state.update_desired_job_list(manager.state.job_list)
    manager.state.update_manifest({"has_dock": True})
    manager.checkpoint()
    manager.storage.close()

    storage = manager.storage.repository.open(manager.storage.id)
    again = SessionManager.load_session(units, storage).state

    assert again is not None
    assert again.manifest == {"com.example::has_dock": "True"}
    assert again.job_state_map["com.example::a"].can_start()


# The resource


def entry_of(namespace: str, entry_id: str, value_type: str = "bool", **fields: str) -> Unit:
    given = {"unit": "manifest entry", "id": entry_id, "name": entry_id, "value-type": value_type}
    return make_unit({**given, **fields}, namespace=namespace)


def provider(name: str, namespace: str, *units: Unit) -> Provider:
    return Provider(name, namespace=namespace, version="1", source=name, read=lambda: units)


def records(*providers: Provider, **answers: Any) -> list[dict[str, str]]:
    context = SessionDeviceContext()
    for each in providers:
        context.add_provider(each)
    context.state.update_manifest(answers)
    return [dict(record) for record in context.state.manifest_entries.records]


def test_each_provider_has_a_record_with_its_name_and_the_values_of_its_namespace() -> None:
    one = provider("one", "a", entry_of("a", "has_dock"), entry_of("a", "ports", "natural"))
    other = provider("other", "b", entry_of("b", "colour", "string"))

    made = records(one, other, has_dock=True)

    assert made == [
        {"ns": "a", "name": "one", "has_dock": "True", "ports": "0"},
        {"ns": "b", "name": "other", "colour": ""},
    ]


def test_what_nobody_answered_is_false_or_zero() -> None:
    state = state_of(entry("q"), gated("manifest.q == 'False'"))

    assert state.job_state_map["com.example::a"].can_start()


def test_an_entry_is_called_by_its_resource_key() -> None:
    one = provider("one", "a", entry_of("a", "has_dock", **{"resource-key": "dock"}))

    assert records(one, has_dock=True) == [{"ns": "a", "name": "one", "dock": "True"}]


def test_entries_of_one_name_in_two_namespaces_have_answers_of_their_own() -> None:
    state = state_of(entry_of("a", "q"), entry_of("b", "q"))

    state.update_manifest({"a::q": True})

    assert state.manifest == {"a::q": "True"}
    with pytest.raises(UnknownUnitError, match="a::q"):
        state.update_manifest({"q": True})


def test_an_answer_of_a_session_of_an_earlier_version_counts() -> None:
    state = state_of(entry("q"), gated("manifest.q == 'True'"))

    state.apply(ManifestAnswered(at=1.0, answers={"q": "True"}))

    assert state.job_state_map["com.example::a"].can_start()


# What is asked, and what setup jobs want


def test_jobs_ask_for_the_entries_that_their_expressions_cite() -> None:
    state = state_of(
        entry("one"), entry("two"), entry("three"), entry_of("elsewhere", "one"), entry("other")
    )
    both = gated("manifest.one == 'True' and manifest.two == 'True'\nmanifest.three == 'x'")

    cited = state.manifest_entries.cited([both])

    assert [each.id for each in cited] == [
        "com.example::one",
        "com.example::two",
        "com.example::three",
    ]


@pytest.mark.parametrize(
    ("wanted", "answers", "starts"),
    [
        ('["q"]', {}, False),
        ('["q"]', {"q": True}, True),
        ('[{"q": false}]', {}, True),
        ('[{"com.example::n": 4}]', {"n": 4}, True),
        ('{"n": 4}', {"n": 5}, False),
        ('["nobody_asks"]', {}, False),
    ],
)
def test_a_job_may_want_answers_by_its_field(
    wanted: str,
    answers: dict[str, Any],
    starts: bool,  # noqa: FBT001 - a column of the table
) -> None:
    fields = {"id": "a", "plugin": "shell", "command": "true", "requires_manifest": wanted}
    state = state_of(entry("q"), entry("n", "natural"), make_unit(fields, namespace="com.example"))
    state.update_manifest(answers)

    reasons = state.job_state_map["com.example::a"].readiness_inhibitor_list

    assert (not reasons) is starts
    assert {reason.cause for reason in reasons} <= {InhibitionCause.REQUIRED_MANIFEST}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 3000 + "]" * 3000, id="nested"),
        pytest.param('[{"a": ' + "[" * 900 + "]" * 900 + "}]", id="a nested answer"),
        pytest.param("9" * 5000, id="a number of 5000 digits"),
    ],
)
def test_a_setup_job_that_wants_too_much_of_the_manifest_is_a_fault(text: str) -> None:
    fields = {"unit": "setup job", "id": "s", "command": "true", "requires_manifest": text}

    unit = draft_unit(fields, namespace="ns")

    assert isinstance(unit, Job)
    assert "requires-manifest" in unit.fault
    assert list(Manifest().inhibitors(unit))


def test_a_lone_surrogate_in_a_wanted_answer_becomes_text_that_a_journal_holds() -> None:
    text = r'[{"a\ud800": "\udcff"}]'
    fields = {"unit": "setup job", "id": "s", "command": "true", "requires_manifest": text}

    (inhibitor,) = Manifest().inhibitors(make_unit(fields, namespace="ns"))  # type: ignore[arg-type]

    assert str(inhibitor).encode()
