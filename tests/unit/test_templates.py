from __future__ import annotations

import json
from typing import Any

import pytest

from holdall.errors import DependencyDuplicateError, TemplateInstanceError
from holdall.results import JobResult, Outcome
from holdall.session.manager import SessionManager
from holdall.session.state import SessionState
from holdall.session.templates import instances, template_resource
from holdall.units import Job, Template, TestPlan, Unit, make_unit
from holdall_plugins.stores.memory import MemoryRepository

DISKS = ({"name": "sda", "size": "9"}, {"name": "sdb", "size": "100"})


def template(**fields: str) -> Template:
    given = {
        "unit": "template",
        "id": "read-{name}",
        "template-resource": "disk",
        "plugin": "shell",
        "command": "true",
        **fields,
    }
    made = make_unit({name[:1] + name[1:].replace("_", "-"): text for name, text in given.items()})
    assert isinstance(made, Template)
    return made


def job(job_id: str, **fields: str) -> Job:
    made = make_unit({"id": job_id, "plugin": "shell", "command": "true", **fields})
    assert isinstance(made, Job)
    return made


def made_from(source: Template, *records: dict[str, str]) -> list[Unit]:
    found = list(instances(source, records))
    assert all(isinstance(each, Unit) for each in found), found
    return [each for each in found if isinstance(each, Unit)]


def commands(source: Template, *records: dict[str, str]) -> list[str]:
    return [each.get("command") for each in made_from(source, *records)]


SIBLINGS = (
    '[{"id": "more-{name}", "command": "x {{{size}}}", "depends": ["read-{name}", "{size}"]}]'
)


def test_the_values_of_siblings_in_json_are_filled_in() -> None:
    (made, _other) = made_from(template(siblings=SIBLINGS), *DISKS)

    assert json.loads(made.get("siblings")) == [
        {"id": "more-sda", "command": "x {9}", "depends": ["read-sda", "9"]}
    ]


def test_siblings_within_siblings_are_filled_in_as_json_too() -> None:
    inner = [{"id": "b-{name}", "steps": "{nothing}", "n": 1, "{name}": None}]
    text = json.dumps([{"id": "a-{name}", "siblings": json.dumps(inner)}])

    (made,) = made_from(template(siblings=text), DISKS[0])

    (outer,) = json.loads(made.get("siblings"))
    assert outer["id"] == "a-sda"
    assert json.loads(outer["siblings"]) == [
        {"id": "b-sda", "steps": "{nothing}", "n": 1, "{name}": None}
    ]


def test_siblings_that_are_json_behind_filling_in_alone_are_text() -> None:
    (made,) = made_from(template(siblings='[{{"id": "b-{name}"}}]'), DISKS[0])

    assert json.loads(made.get("siblings")) == [{"id": "b-sda"}]


def test_jinja_fills_in_the_values_of_siblings() -> None:
    text = '[{"id": "b-{{ name }}", "summary": "{{ quoted }}"}]'
    source = template(id="read-{{ name }}", template_engine="jinja2", siblings=text)

    (made,) = made_from(source, {"name": "sda", "quoted": '5" disk'})

    assert json.loads(made.get("siblings")) == [{"id": "b-sda", "summary": '5" disk'}]


def printed(*records: dict[str, str]) -> JobResult:
    text = "\n\n".join("\n".join(f"{k}: {v}" for k, v in each.items()) for each in records)
    return JobResult(outcome=Outcome.PASS, io_log=((0.0, "stdout", text.encode()),))


def state_of(*units: Unit) -> SessionState:
    state = SessionState([job("disk", plugin="resource"), *units])
    state.update_desired_job_list(state.job_list)
    return state


def record(state: SessionState, *records: dict[str, str]) -> None:
    disk = state.get_unit("disk")
    assert isinstance(disk, Job)
    state.update_job_result(disk, printed(*records))


@pytest.mark.parametrize(
    ("engine", "text", "expected"),
    [
        ("", "dd if=/dev/{name}", "dd if=/dev/sda"),
        ("format", "dd if=/dev/{name}", "dd if=/dev/sda"),
        ("default", "dd if=/dev/{name}", "dd if=/dev/sda"),
        ("format", "awk '{{print {size}}}'", "awk '{print 9}'"),
        ("format", "{name:>5}|{name!r}", "  sda|'sda'"),
        ("format", "no placeholder", "no placeholder"),
        ("jinja2", "dd if=/dev/{{ name }}", "dd if=/dev/sda"),
        ("jinja2", "{% if size|int > 5 %}big{% endif %}", "big"),
        ("jinja2", "awk '{print}'", "awk '{print}'"),
    ],
)
def test_an_engine_fills_in_the_record(engine: str, text: str, expected: str) -> None:
    source = template(template_engine=engine, command=text)
    if engine == "jinja2":
        source = template(template_engine=engine, command=text, id="read-{{ name }}")

    assert commands(source, DISKS[0]) == [expected]


@pytest.mark.parametrize(
    "text",
    ["{name.__class__}", "{name[0]}", "{}", "{0}", "{nobody}", "{name:>{width}}", "{name:>9999}"],
)
def test_a_placeholder_that_is_more_than_a_name_of_the_record_is_refused(text: str) -> None:
    (found,) = instances(template(command=text), DISKS[:1])

    assert isinstance(found, TemplateInstanceError)


def test_a_sandbox_keeps_jinja_from_the_insides_of_python() -> None:
    source = template(
        template_engine="jinja2", id="read-{{ name }}", command="{{ name.__class__.__mro__ }}"
    )

    (found,) = instances(source, DISKS[:1])

    assert isinstance(found, TemplateInstanceError)
    assert "SecurityError" in found.reason


def test_a_missing_parameter_costs_its_own_instance_and_says_what_is_there() -> None:
    source = template(command="echo {size}")

    found = list(instances(source, [{"name": "sda"}, {"name": "sdb", "size": "1"}]))

    error, made = found
    assert isinstance(error, TemplateInstanceError)
    assert error.record == 1
    assert "no 'size' (it has: __index__, name)" in str(error)
    assert isinstance(made, Job)
    assert made.id == "read-sdb"


def test_an_unknown_engine_is_a_problem_with_its_name() -> None:
    (found,) = instances(template(template_engine="mustache"), DISKS)

    assert "'mustache'" in str(found)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("disk.name == 'sdb'", ["read-sdb"]),
        ("int(disk.size) > 5", ["read-sda", "read-sdb"]),
        ("disk.name in ['sda']\nint(disk.size) > 50", []),
    ],
)
def test_a_filter_lets_records_pass_that_satisfy_all_its_lines(
    expression: str, expected: list[str]
) -> None:
    assert [u.id for u in made_from(template(template_filter=expression), *DISKS)] == expected


def test_of_another_resource_a_filter_knows_no_record() -> None:
    assert made_from(template(template_filter="net.up == 'yes'"), *DISKS) == []
    either = template(template_filter="net.up == 'yes' or disk.name == 'sda'")
    assert [made.id for made in made_from(either, *DISKS)] == ["read-sda"]


def test_a_resource_of_another_namespace_goes_by_its_partial_id_in_a_filter() -> None:
    fields = {"template_resource": "other::disk", "template_filter": "disk.name == 'sdb'"}

    assert [made.id for made in made_from(template(**fields), *DISKS)] == ["read-sdb"]


def test_a_filter_that_is_no_expression_is_one_problem() -> None:
    (found,) = instances(template(template_filter="disk.name =="), DISKS)

    assert "no expression" in str(found)


def test_an_import_names_the_resource_of_another_namespace() -> None:
    source = template(
        template_imports="from com.example import disk_2 as disk",
        template_filter="disk.name == 'sda'",
    )

    assert template_resource(source) == "com.example::disk_2"
    assert [u.id for u in made_from(source, *DISKS)] == ["read-sda"]


def test_an_import_that_is_none_is_a_problem_of_the_template_alone() -> None:
    state = state_of(template(template_imports="import disk"), job("a"))

    assert [str(each).partition("'import disk'")[1] for each in state.problems] == [
        "'import disk'"
    ]
    assert [each.id for each in state.job_list] == ["disk", "a"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, "read-name"), ({"template_id": "reads"}, "reads")],
)
def test_the_template_id_is_given_or_the_id_without_its_signs(
    fields: dict[str, str], expected: str
) -> None:
    source = template(**fields)

    (made,) = made_from(source, DISKS[0])

    assert source.id == expected
    assert isinstance(made, Job)
    assert made.template_id == expected


def test_the_index_counts_accepted_records_from_one() -> None:
    source = template(id="read-{name}-{__index__}", template_filter="disk.name != 'sr0'")

    assert [u.id for u in made_from(source, {"name": "sr0"}, *DISKS)] == [
        "read-sda-1",
        "read-sdb-2",
    ]


def test_the_index_counts_from_one_also_where_one_record_is_all() -> None:
    assert made_from(template(id="read-{__index__}"), DISKS[0])[0].id == "read-1"


def test_the_index_counts_the_records_that_pass_the_filter() -> None:
    source = template(id="read-{__index__}", template_filter="disk.name == 'sdb'")

    assert [made.id for made in made_from(source, *DISKS)] == ["read-1"]


@pytest.mark.parametrize("field", ["environ", "purpose", "steps"])
def test_a_missing_parameter_stays_as_written_where_no_program_reads_it(field: str) -> None:
    (made,) = made_from(template(**{field: "see {nothing}"}), DISKS[0])

    assert made.get(field) == "see {nothing}"


def test_jinja_renders_nothing_for_what_is_missing_and_drops_no_instance() -> None:
    command = "{{ __system_env__['NOBODY_SET'] }}|{{ nothing }}|{{ size }}"
    source = template(id="read-{{ name }}", template_engine="jinja2", command=command)

    assert commands(source, *DISKS) == ["||9", "||100"]


def test_jinja_is_told_the_environment_of_jobs() -> None:
    command = "{{ __system_env__['LAB'] }} {{ __checkbox_env__.get('LAB') }}"
    source = template(id="read-{{ name }}", template_engine="jinja2", command=command)

    (made,) = instances(source, DISKS[:1], {"LAB": "north"})

    assert isinstance(made, Job)
    assert made.command == "north north"


def test_an_empty_record_makes_nothing() -> None:
    assert made_from(template(), {}) == []


def test_instances_have_no_fields_that_only_concern_the_template() -> None:
    source = template(template_filter="disk.name != ''", template_summary="all disks")

    (made,) = made_from(source, DISKS[0])

    assert {name for name in made.fields if name.startswith("template")} == {"template-id"}


def test_a_template_makes_units_of_the_kind_it_says() -> None:
    source = template(template_unit="category", name="Disk {name}", id="disk-{name}")

    (made,) = made_from(source, DISKS[0])

    assert (made.kind, made.id, made.summary) == ("category", "disk-sda", "Disk sda")


def test_a_resource_result_makes_jobs() -> None:
    state = state_of(template())

    record(state, *DISKS)

    assert [each.id for each in state.job_list] == ["disk", "read-sda", "read-sdb"]
    assert not state.job_state_map["read-sda"].can_start()  # it is there, and not selected


def test_a_template_that_comes_behind_the_result_makes_jobs_at_once() -> None:
    state = state_of()
    record(state, *DISKS)

    state.add_unit(template())

    assert [each.id for each in state.job_list] == ["disk", "read-sda", "read-sdb"]


def test_a_second_result_adds_what_is_new_and_keeps_what_was_there() -> None:
    state = state_of(template())

    record(state, DISKS[0])
    record(state, DISKS[1])

    assert [each.id for each in state.job_list] == ["disk", "read-sda", "read-sdb"]


def test_a_template_that_was_removed_makes_nothing_more() -> None:
    source = template()
    state = state_of(source)

    state.remove_unit(source)
    record(state, *DISKS)

    assert [each.id for each in state.job_list] == ["disk"]


def test_an_instance_whose_id_is_taken_is_a_problem_and_the_others_are_made() -> None:
    """TRAP 3.4: upstream gives up all that was to be selected."""
    state = state_of(job("read-sda", summary="another one"), template())

    record(state, *DISKS)

    (problem,) = state.problems
    assert isinstance(problem, DependencyDuplicateError)
    assert problem.unit_id == "read-sda"
    assert [each.id for each in state.job_list] == ["disk", "read-sda", "read-sdb"]


def test_instances_of_one_template_that_clash_are_a_problem_each() -> None:
    state = state_of(template(id="read", template_id="reads", command="dd if={name}"))

    record(state, *DISKS)

    assert [each.id for each in state.job_list] == ["disk", "read"]
    assert len(state.problems) == 1


def test_a_plan_selects_instances_by_the_template_and_overrides_them() -> None:
    found = make_unit(
        {"unit": "test plan", "id": "p", "include": "reads certification-status=blocker"}
    )
    assert isinstance(found, TestPlan)
    manager = SessionManager.create_with_unit_list(
        [job("disk", plugin="resource"), template(template_id="reads"), found], MemoryRepository()
    )
    context = manager.default_device_context
    assert context is not None
    manager.test_plans = (found,)

    record(context.state, *DISKS)
    context.refresh_selection()

    assert context.selection.jobs == ("read-sda", "read-sdb")
    states = context.state.job_state_map
    assert states["read-sda"].effective_certification_status == "blocker"


def test_a_load_makes_the_jobs_again() -> None:
    units: list[Any] = [job("disk", plugin="resource"), template()]
    manager = SessionManager.create_with_unit_list(units, MemoryRepository())
    state = manager.state
    assert state is not None
    record(state, *DISKS)
    state.update_desired_job_list(state.job_list)
    made = state.get_unit("read-sda")
    assert isinstance(made, Job)
    state.update_job_result(made, JobResult(outcome="fail"))
    manager.checkpoint()
    manager.storage.close()

    storage = manager.storage.repository.open(manager.storage.id)
    again = SessionManager.load_session(units, storage).state

    assert again is not None
    assert [each.id for each in again.run_list] == ["disk", "read-sda", "read-sdb"]
    assert again.job_state_map["read-sda"].result.outcome == "fail"
    assert again.job_state_map["read-sda"].job == made


def jinja_job(job_id: str, **fields: str) -> Job:
    return job(job_id, **{"template-engine": "jinja2", **fields})


def test_a_plain_job_may_be_written_in_jinja_its_id_included() -> None:
    written = jinja_job("lab-{{ __checkbox_env__['LAB'] }}", command="echo {{ nothing }}.")

    state = SessionState([written])
    assert [each.id for each in state.job_list] == ["lab-"]
    state.set_environ({"LAB": "north"})

    (made,) = state.job_list
    assert (made.id, made.command) == ("lab-north", "echo .")
    assert state.made_from[made.id] == written.id
    assert state.add_unit(written) is made


def test_a_plain_job_of_the_default_engine_keeps_its_braces() -> None:
    (made,) = SessionState([job("a", command="echo {x} {{ y }}")]).job_list

    assert made.command == "echo {x} {{ y }}"


def test_a_plain_job_that_cannot_be_rendered_is_a_problem() -> None:
    state = SessionState([jinja_job("a", command="{% if %}")])

    assert [type(each) for each in state.problems] == [TemplateInstanceError]


def test_an_instance_whose_requirements_cannot_be_read_is_none_and_the_others_stay() -> None:
    source = template(requires="disk.name == '{name}'")

    error, made = instances(source, [{"name": "it's"}, {"name": "sda"}])

    assert isinstance(error, TemplateInstanceError)
    assert "ExpressionError" in error.reason
    assert isinstance(made, Job)


def test_an_instance_whose_command_opens_a_quote_is_none() -> None:
    source = template(command="echo '{name}'")

    error, made = instances(source, [{"name": "it's"}, {"name": "sda"}])

    assert isinstance(error, TemplateInstanceError)
    assert "No closing quotation" in error.reason
    assert isinstance(made, Job)
    assert commands(template(command="echo {name} # don't"), DISKS[0]) == ["echo sda # don't"]


@pytest.mark.parametrize(("value", "expected"), [("1", "True"), ("0", "False"), ("", "False")])
def test_jinja_knows_whether_the_system_is_a_core_one(value: str, expected: str) -> None:
    source = template(
        id="read-{{ name }}", template_engine="jinja2", command="{{ __on_ubuntucore__ }}"
    )

    (made,) = instances(source, DISKS[:1], {"CHECKBOX_OS_IS_UBUNTUCORE": value})

    assert isinstance(made, Job)
    assert made.command == expected


def test_a_text_marked_for_translation_is_as_lenient_as_without_the_mark() -> None:
    (made,) = made_from(template(_steps="see {nothing}"), DISKS[0])

    assert made.get("steps") == "see {nothing}"
