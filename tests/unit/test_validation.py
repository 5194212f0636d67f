"""What `providers validate` finds: the severity, the line, and the way out."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from holdall.validation import Issue, validate
from holdall_plugins.providers.pxu import PxuLoader

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.units import Provider

GOOD = """\
    id: good
    plugin: shell
    command: true
    _summary: Good

    id: disks
    plugin: resource
    command: true
    _summary: Disks

    id: twin
    plugin: shell
    command: true
    _summary: Twin
    flags: also-after-suspend simple
    depends: good
    siblings: [{"id": "other", "depends": "twin"}]

    unit: template
    template-resource: disks
    id: made/{name}
    template-id: made
    plugin: shell
    command: true
    _summary: Made
    depends: good
    requires: disks.name == '{name}'
    category_id: com.canonical.plainbox::audio

    unit: category
    id: heading
    _name: Heading

    unit: manifest entry
    id: has_it
    _name: It
    value-type: bool

    unit: test plan
    id: plan
    _name: Plan
    include:
     good
     made
     made/sda
     after-suspend-twin
     other certification-status=blocker
     t.*
     com.canonical.plainbox::manifest
    bootstrap_include: disks
    category_overrides: apply heading to good
"""


def provider(folder: Path, text: str, name: str = "ns") -> Provider:
    path = folder / f"{name}.pxu"
    path.write_text(dedent(text))
    return PxuLoader().load(str(path))


def found(folder: Path, text: str) -> list[tuple[int, str, str]]:
    """Return line, severity and message of what is wrong with *text* besides the good parts."""
    good = dedent(GOOD)
    issues = validate([provider(folder, f"{good}\n{dedent(text)}")])
    before = good.count("\n") + 1
    return [(issue.line - before, issue.severity, issue.message) for issue in issues]


def test_definitions_that_are_right_have_no_issues(tmp_path: Path) -> None:
    suspend = """\
        id: suspend/suspend_advanced_auto
        plugin: shell
        command: true
        _summary: Suspend
        """

    own = provider(tmp_path, GOOD)

    assert validate([own, provider(tmp_path, suspend, "com.canonical.certification")]) == []


JOB = "id: a\nplugin: shell\ncommand: true\n_summary: A\n"
PLAN = "unit: test plan\nid: p\n_name: P\ninclude:\n"
ENTRY = "unit: manifest entry\nid: e\n_name: E\n"
TEMPLATE = JOB.replace("id: a\n", "unit: template\nid: x{a}\ntemplate-resource: disks\n")


@pytest.mark.parametrize(
    ("text", "line", "severity", "message"),
    [
        (JOB + "colour: red", 5, "warning", "does not know the field 'colour'"),
        (JOB + "flags: simple\n nosuch", 6, "warning", "no flag is called 'nosuch'"),
        (JOB + "flags: norturn", 5, "warning", "did you mean 'noreturn'?"),
        (JOB + "depends:\n good\n goood", 7, "error", "no job 'ns::goood'; did you mean 'good'?"),
        (JOB + "after: nope", 5, "error", "no job 'ns::nope'; define it, or give the provider"),
        (JOB + "before: nope", 5, "error", "no job 'ns::nope'"),
        (JOB + "salvages: nope", 5, "error", "no job 'ns::nope'"),
        (JOB + "depends: o::x", 5, "advice", "give the one with the namespace 'o' as a SOURCE"),
        (JOB + "category_id: nope", 5, "error", "no category 'ns::nope'"),
        (JOB + "requires: a b", 5, "error", "it is no expression"),
        (JOB + "requires:\n disks.a == 'b'\n nope.c == 'd'", 7, "error", "no resource 'ns::nope'"),
        (JOB + "requires: good.a == 'b'", 5, "error", "plugin 'shell', and prints no records"),
        (JOB + "imports: disks", 5, "error", "an import is 'from NAMESPACE import ID"),
        (
            JOB + "imports: from com.canonical.plainbox import manifest\n"
            "requires: manifest.has_at == 'True'",
            6,
            "error",
            "no manifest entry 'ns::has_at'; did you mean 'has_it'?",
        ),
        (JOB + "certification-status: good", 5, "error", "'good' is none of blocker"),
        (JOB + "auto-retry: maybe", 5, "error", "'maybe' is neither yes nor no"),
        (JOB + "user: me", 5, "warning", "Checkbox takes 'root' alone, not 'me'"),
        (JOB + "siblings: [1]", 5, "error", "siblings: 1 is not an object"),
        (JOB.replace("A\n", "A" * 81 + "\n"), 4, "warning", "a summary of 81 characters"),
        ("id: a\nplugin: shell\ncommand: true\n", 1, "advice", "the field 'summary' is missing"),
        ("id: a\nplugin: manual\n_summary: A", 2, "error", "a manual job without steps"),
        ("id: a\nplugin: user-verify\ncommand: a\n_summary: A", 2, "warning", "tells its person"),
        (
            "id: a\nplugin: manual\n_summary: A\nsteps: x\ncommand: y",
            5,
            "warning",
            "nobody runs the command of a manual job",
        ),
        ("id: a\nplugin: user-verify\n_summary: A\nsteps: x", 1, "error", "needs a command"),
        ("id: a\nplugin: shel\n", 2, "error", "the plugin 'shel' is none of"),
        (
            "unit: setup job\nid: a\nplugin: manual\n_summary: A\nsteps: x\n",
            3,
            "error",
            "a setup job has plugin 'shell'",
        ),
        (
            'unit: setup job\nid: a\ncommand: a\n_summary: A\nrequires_manifest: ["no"]',
            5,
            "error",
            "no manifest entry 'ns::no'",
        ),
        (ENTRY + "value-type: text", 4, "error", "'text' is neither 'bool' nor 'natural'"),
        (ENTRY.replace("e\n", "_e\n", 1) + "value-type: bool", 2, "error", "say why in 'hidden-"),
        (TEMPLATE + "template-unit: test plan", 7, "error", "no template makes units of the kind"),
        (TEMPLATE + "template-engine: mako", 7, "error", "'mako' is neither 'default' nor"),
        (TEMPLATE.replace("x{a}", "x"), 2, "error", "all units that it makes have one id"),
        (TEMPLATE.replace("disks", "disk"), 3, "error", "no resource 'ns::disk'; did you mean"),
        (TEMPLATE.replace("disks", "good"), 3, "error", "and prints no records"),
        (TEMPLATE + "template-filter: disks.a =", 7, "error", "it is no expression"),
        (TEMPLATE + "depends: made/{name}\n y{a}", 8, "error", "no job 'ns::y{a}'"),
        (PLAN + " good\n goood", 6, "error", "no job 'ns::goood'; did you mean 'good'?"),
        (PLAN + " ns::good\n ns::made/sda\n a.b", 7, "error", "no job 'ns::a.b'"),
        (PLAN + " o.p::a.b", 5, "advice", "give the one with the namespace 'o.p' as a SOURCE"),
        (PLAN + " g(", 5, "error", "is no regular expression"),
        (PLAN + " good nope=1", 5, "error", "'nope' overrides nothing"),
        (PLAN + "exclude: nope", 5, "warning", "no job 'ns::nope'"),
        (PLAN + "mandatory_include: nope", 5, "error", "no job 'ns::nope'"),
        (PLAN + "bootstrap_include: nope", 5, "error", "no job 'ns::nope'"),
        (PLAN + "setup_include: nope", 5, "error", "no job 'ns::nope'"),
        (PLAN + "nested_part: plun", 5, "error", "no test plan 'ns::plun'; did you mean 'plan'?"),
        (PLAN + "category_overrides: apply x to good", 5, "error", "no category 'ns::x'"),
        (PLAN + "category_overrides: a to b", 5, "warning", "is not 'apply VALUE to PATTERN'"),
        (PLAN + "estimated_duration: long", 5, "warning", "'long' is no duration"),
        (PLAN + " good auto-retry=maybe", 5, "error", "'maybe' is neither yes nor no"),
        (
            PLAN + " good\n good certification-status=blokcer",
            6,
            "error",
            "did you mean 'blocker'?",
        ),
        (
            PLAN
            + "certification_status_overrides:\n apply blocker to good\n apply blokcer to good",
            7,
            "error",
            "'blokcer' is none of blocker",
        ),
        (
            PLAN + "certification_status_overrides:\n apply blocker to goo\n",
            6,
            "warning",
            "no job or template has an id that 'ns::goo' matches",
        ),
        (PLAN + "category_overrides: apply heading to mad", 5, "warning", "no job or template"),
        (PLAN + " good category-id=nope", 5, "error", "no category 'nope'"),
        (PLAN + " good category-id=heading", 5, "error", "written whole, as 'ns::heading'"),
        (PLAN + "# goodd\n good # x\n t.*goodd.*\n goodd", 8, "error", "no job 'ns::goodd'"),
        (PLAN + " good\n go\\.od", 6, "error", "no job 'ns::go.od'"),
        (PLAN + "category-overrides: x\ncategory_overrides:", 5, "warning", "has an effect"),
        (JOB + "certification_status: x\ncertification-status: blocker", 5, "warning", "effect"),
        (JOB + "requires:\n # a comment, (\n disks.a == 'b'\n a b", 8, "error", "no expression"),
        (
            JOB + "imports: from com.canonical.plainbox import manifest as m\n"
            "requires: m.has_at == 'True'",
            6,
            "error",
            "no manifest entry 'ns::has_at'; did you mean 'has_it'?",
        ),
        (JOB + 'siblings: [{"id": "o::b"}]', 5, "error", "an id can't hold '::'"),
        (JOB + 'siblings: [{"id": "b", "plugin": "shel"}]', 5, "error", "the plugin 'shel'"),
        (JOB + 'siblings: [{"id": "b", "depends": true}]', 5, "error", "no job 'ns::True'"),
        (JOB + 'siblings: [{"id": "b", "requires": "a b"}]', 5, "error", "it is no expression"),
        (JOB + 'siblings: [{"depends": "good"}]', 5, "error", "has no 'id'"),
        (
            JOB + 'siblings:\n [{"id": "b"},\n {"id": "c", "unit": "template",'
            ' "template-resource": "disks"}]',
            7,
            "error",
            "it is a template, and only a job runs",
        ),
        (TEMPLATE + "siblings: [1]", 7, "error", "siblings: 1 is not an object"),
        (TEMPLATE + "estimated_duration: long", 7, "warning", "'long' is no duration"),
        (TEMPLATE + "xfail: perhaps", 7, "warning", "'perhaps' is neither true nor false"),
        (TEMPLATE + "certification_status: blocker", 7, "warning", "only 'certification-status'"),
        (TEMPLATE + "flags: nosuch", 7, "warning", "no flag is called 'nosuch'"),
        (PLAN.replace("include:\n", ""), 2, "error", "a test plan has a field 'include'"),
    ],
)
def test_an_issue_has_its_severity_its_line_and_a_way_out(
    tmp_path: Path, text: str, line: int, severity: str, message: str
) -> None:
    issues = [issue for issue in found(tmp_path, text) if issue[0] > 0]

    assert message in issues[0][2]
    assert [(issue[0], issue[1]) for issue in issues] == [(line, severity)]


def test_jobs_in_a_circle_are_named_in_its_order(tmp_path: Path) -> None:
    text = "".join(
        f"id: {name}\nplugin: shell\ncommand: true\n_summary: A\n{field}: {other}\n\n"
        for name, field, other in [
            ("a", "depends", "b"),
            ("b", "after", "c"),
            ("a2", "before", "c"),
        ]
    )

    (cycle,) = (
        issue
        for issue in found(tmp_path, text + JOB.replace("id: a", "id: c") + "depends: a\n")
        if "itself" in issue[2]
    )

    assert cycle == (
        5,
        "error",
        "job 'ns::a': it needs itself: ns::a -> ns::b -> ns::c -> ns::a; remove one of the steps",
    )


@pytest.mark.parametrize(
    ("fields", "line", "severity", "path"),
    [
        (("plugin: resource\nrequires: b.x == 'y'", "plugin: resource\nrequires: a.x == 'y'"),
         5, "error", "itself: ns::a -> ns::b -> ns::a"),
        (("plugin: shell\nbefore: b", "plugin: shell\nbefore: a"), 5, "warning",
         "itself where all of these run: ns::a -> ns::b -> ns::a"),
        (("plugin: shell\ngroup: g\nafter: b", "plugin: shell\nafter: c"), 6, "warning",
         "itself where all of these run: group g -> ns::b -> group g"),
        (("plugin: shell\nsalvages: b", "plugin: shell\nsalvages: a"), 5, "warning",
         "itself where all of these run: ns::a -> ns::b -> ns::a"),
        (("plugin: shell\nafter: b\ndepends: o::x", "plugin: shell\nafter: a"), 5, "error",
         "itself: ns::a -> ns::b -> ns::a"),
    ],
)  # fmt: skip
def test_circles_are_those_that_a_run_would_drop(
    tmp_path: Path, fields: tuple[str, str], line: int, severity: str, path: str
) -> None:
    one, other = fields
    text = f"id: a\ncommand: true\n_summary: A\n{one}\n\nid: b\ncommand: true\n_summary: B\n"
    text += f"{other}\n\nid: c\nplugin: shell\ncommand: true\n_summary: C\ngroup: g\n"

    (cycle,) = (issue for issue in found(tmp_path, text) if "itself" in issue[2])

    assert cycle[:2] == (line, severity)
    assert f"it needs {path}; " in cycle[2]


def test_what_a_template_makes_behind_a_manual_suspend_is_not_what_it_makes_behind_one(
    tmp_path: Path,
) -> None:
    text = TEMPLATE + "flags: also-after-suspend-manual\n\n" + PLAN
    text += " after-suspend-manual-xy\n after-suspend-xy\n"

    issues = [issue for issue in found(tmp_path, text) if issue[0] > 0]

    assert [issue[:2] for issue in issues] == [(14, "error")]


def test_entries_are_asked_for_by_their_keys_whosever_they_are(tmp_path: Path) -> None:
    text = JOB + "imports: from com.canonical.plainbox import manifest\n"
    one = provider(tmp_path, text + "requires: manifest.key == 'True'\n")
    other = provider(tmp_path, ENTRY + "value-type: bool\nresource-key: key\n", "o")

    assert [issue.severity for issue in validate([one])] == ["error"]
    assert validate([one, other]) == []


@pytest.mark.parametrize("flag", ["preserve-locale", "win32", "explicit-fail", "deprecated"])
def test_a_flag_that_checkbox_knows_is_fine_though_nothing_acts_on_it(
    tmp_path: Path, flag: str
) -> None:
    assert [i for i in found(tmp_path, JOB + f"flags: {flag}\n") if i[0] > 0] == []


def test_a_field_without_a_value_is_an_error_once(tmp_path: Path) -> None:
    path = tmp_path / "ns.yaml"
    path.write_text("id: a\nsummary: A\nplugin: shell\ncommand:\n")

    (issue,) = validate([PxuLoader().load(str(path))])

    assert (issue.line, issue.severity, issue.field) == (4, "error", "command")


def test_plans_in_a_circle_are_an_error(tmp_path: Path) -> None:
    text = PLAN + "nested_part: q\n\n" + PLAN.replace("id: p", "id: q") + "nested_part: p\n"

    (cycle,) = (issue for issue in found(tmp_path, text) if issue[0] > 0)

    assert cycle[:2] == (5, "error")
    assert "ns::p -> ns::q -> ns::p" in cycle[2]


def test_two_providers_with_one_id_are_an_error_that_names_both(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = provider(tmp_path / "one", JOB)
    two = provider(tmp_path / "two", JOB)

    assert validate([one, two]) == [
        Issue(
            f"{tmp_path}/two/ns.pxu",
            1,
            "error",
            f"job 'ns::a': 'ns' has it too, at {tmp_path}/one/ns.pxu:1; "
            "give one of them another id",
            "ns::a",
            "id",
        )
    ]


def test_ids_of_other_sources_count(tmp_path: Path) -> None:
    one = provider(tmp_path, JOB + "depends: o::b\n")
    other = provider(tmp_path, JOB.replace("id: a", "id: b"), "o")

    assert [issue.severity for issue in validate([one])] == ["advice"]
    assert validate([one, other]) == []


def test_lines_of_yaml_units_are_found_too(tmp_path: Path) -> None:
    path = tmp_path / "ns.yaml"
    path.write_text("id: a\nsummary: A\nplugin: shell\n\ncommand: |\n\n  a\ndepends:\n- b\n---\n")

    (_empty, issue) = sorted(validate([PxuLoader().load(str(path))]), key=lambda i: -i.line)

    assert (issue.line, issue.severity) == (9, "error")
