"""YAML units: the records that they are read as, and what one of them costs that can't be read."""

from __future__ import annotations

import json
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from holdall.errors import RecordSyntaxError
from holdall.units import Job, Record, TestPlan, list_words, make_unit
from holdall.units.lists import statement
from holdall_plugins.providers.pxu import PxuLoader
from holdall_plugins.providers.yaml_units import Remark, parse_yaml_units

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.units import Provider


def parsed(text: str | bytes) -> list[Record | RecordSyntaxError | Remark]:
    data = text if isinstance(text, bytes) else dedent(text).encode()
    return list(parse_yaml_units(data))


def fields(text: str) -> dict[str, str]:
    (record,) = parsed(text)
    assert isinstance(record, Record), record
    return record.fields


def refusal(text: str | bytes) -> tuple[int, str]:
    (error,) = parsed(text)
    assert isinstance(error, RecordSyntaxError), error
    return error.line, error.reason


def load(path: Path, text: str) -> Provider:
    path.write_text(dedent(text))
    return PxuLoader().load(str(path))


def test_text_of_several_lines_keeps_its_last_newline_and_its_lone_dots() -> None:
    assert fields("command: |\n  a\n  .\n    b\n") == {"command": "a\n.\n  b\n"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("summary: yes", "True", id="a yes in a summary"),
        pytest.param("_summary: 2024-01-02", "2024-01-02", id="a date in a summary"),
        pytest.param("estimated_duration: 30", "30", id="a duration"),
        pytest.param("estimated-duration: 1.5", "1.5", id="a duration with a fraction"),
        pytest.param("xfail: true", "true", id="an expected failure"),
        pytest.param("os_version_id: 22.10", "22.10", id="a version"),
        pytest.param("command: 'true'", "true", id="a quoted word"),
        pytest.param("description: >\n  a\n  b\n", "a b\n", id="folded text"),
        pytest.param("depends:\n  a b # comment\n", "a b", id="text where a list may stand"),
        pytest.param("depends: [a, 'b c', 'd,e', 'f=g', 'h#i']", 'a\n"b c"\n"d,e"\n"f=g"\n"h#i"'),
        pytest.param("after: [ns::a]\n", "ns::a"),
        pytest.param("before: [a, b]", "a\nb"),
        pytest.param("salvages: ['a\"b']", 'a"b', id="a quote within a word"),
        pytest.param("nested_part: [a]", "a"),
        pytest.param("setup_include: [a]", "a"),
        pytest.param("bootstrap_include: [a, b]", "a\nb"),
        pytest.param(r"include: ['disk/read_\d+', 'a{2,3}']", 'disk/read_\\d+\n"a{2,3}"'),
        pytest.param("include: ['a certification-status=x']", '"a certification-status=x"'),
        pytest.param(
            "include:\n - a:\n   - certification-status: blocker\n   - category-id: x y\n",
            'a certification-status=blocker, category-id="x y"',
            id="overrides as a list",
        ),
        pytest.param(
            "mandatory-include:\n - 'a b': {auto-retry: 'no'}\n",
            '"a b" auto-retry=no',
            id="overrides as a mapping",
        ),
        pytest.param("exclude: []", "", id="an empty list"),
        pytest.param("include: ['\"b\"', \"'c'\", d]", "\\x22b\\x22\n'c'\nd", id="quotes"),
        pytest.param("include: ['\"a\" b', d]", '"\\x22a\\x22 b"\nd', id="quotes and blanks"),
        pytest.param('exclude: ["a\\nb", "c\\x85d"]', "a\\x0ab\nc\\x85d", id="line ends"),
        pytest.param("depends: ['\"b\"', c]", "\\x22b\\x22\nc", id="a quote in an id"),
        pytest.param('requires: [a.x == "1", b.y == "2"]', 'a.x == "1"\nb.y == "2"'),
        pytest.param("imports: [from a import b]", "from a import b"),
        pytest.param("template-filter:\n - >\n   a.x == '1'\n   or b\n", "a.x == '1' or b"),
        pytest.param("category_overrides: [apply a to b]", "apply a to b"),
        pytest.param("flags: [simple, noreturn]", "simple noreturn"),
        pytest.param("environ: [A, B]", "A B"),
        pytest.param("siblings: [{a: [b], n: 1}]", '[{"a": ["b"], "n": 1}]'),
        pytest.param("requires_manifest: [a, {b: 2}]", '["a", {"b": 2}]'),
        pytest.param("data: {a: null}", '{"a": null}'),
    ],
)  # fmt: skip
def test_a_value_becomes_the_text_that_means_the_same_in_a_pxu_file(text: str, value: str) -> None:
    assert list(fields(text).values()) == [value]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param("id: 5", 1, "YAML reads '5' as a number, and the field 'id' takes text"),
        pytest.param("\nid: 2024-01-02", 2, "YAML reads '2024-01-02' as a date"),
        pytest.param("id: a\ncommand: true", 2, "YAML reads 'true' as a yes or no"),
        pytest.param("id: a\nauto-retry: no", 2, "the field 'auto-retry' takes text; put it in q"),
        pytest.param("- id: a", 1, "a unit is a mapping of fields to values, not a list"),
        pytest.param("just text", 1, "a unit is a mapping of fields to values, not a text"),
        pytest.param("---\n", 1, "the document is empty"),
        pytest.param("{}", 1, "the unit has no fields"),
        pytest.param("id: a\n5: b", 2, "the name of a field is text, not a number"),
        pytest.param("id: a\n? [b]\n: c", 2, "the name of a field is text, not a list"),
        pytest.param("id: a\nsummary: [b]", 2, "the field 'summary' takes no list"),
        pytest.param("id: a\ncommand:\n  b: c", 3, "the field 'command' takes no mapping"),
        pytest.param("depends:\n - a\n - 5", 3, "an item of 'depends' is text, not a number"),
        pytest.param("include:\n - a\n -\n", 3, "an item of 'include' is text, not a value that"),
        pytest.param("include:\n - a: x\n   b: y\n", 2, "is one pattern with its overrides"),
        pytest.param("include:\n - a: x\n", 2, "overrides in 'include' are written 'field: value"),
        pytest.param("include:\n - a: {b: 1}\n", 2, "an item of 'include' is text, not a number"),
        pytest.param("include: ['']", 1, "the item '' is empty"),
        pytest.param("flags: [a b]", 1, "an item of 'flags' is one word, not 'a b'"),
        pytest.param("id: a\n\tb: c", 2, "it is no YAML: "),
        pytest.param("id: [a", 1, "it is no YAML: "),
        pytest.param("id: *a", 1, "the anchor 'a' is not defined before"),
        pytest.param("id: a\n\nx: &b [*b]", 3, "the anchor 'b' is not defined before"),
        pytest.param("id: !!python/object:os.system a", 1, "units hold no values of the type"),
        pytest.param("id: !!binary aGk=", 1, "units hold no values of the type"),
        pytest.param("a: !!set {b}", 1, "units hold no values of the type"),
        pytest.param("a: !!timestamp foo", 1, "'foo' is no timestamp; put it in quotes"),
        pytest.param("id: a\nb: !!timestamp", 2, "'' is no timestamp; put it in quotes"),
        pytest.param("id: a\nb: " + "1:" * 300 + "1.5", 2, "long is no float;", id="f60"),
        pytest.param("id: a\nb: 0x" + "f" * 20_000, 2, "long is no int;", id="hexadecimal"),
        pytest.param("a: 0b1" + "1" * 20_000, 1, "long is no int;", id="binary"),
        pytest.param("summary: " + "9" * 5000, 1, "long is no int;", id="decimal"),
        pytest.param("a: " + "1:" * 3000 + "1", 1, "long is no int;", id="base 60"),
        pytest.param("siblings: [{id: b, n: " + "9" * 5000 + "}]", 1, "is no int;", id="sibling"),
        pytest.param("a: !!int foo", 1, "'foo' is no int; put it in quotes"),
        pytest.param("a: !!bool foo", 1, "'foo' is no bool; put it in quotes"),
        pytest.param("a: b\n%YAML 9.9\n", 2, "it is no YAML: ", id="a directive at the end"),
        pytest.param("summary: 2024-13-45", 1, "'2024-13-45' is no timestamp: "),
        pytest.param("a: b\nc: \x07", 2, "YAML allows no such character: '\\x07'"),
        pytest.param(b"a: b\nc: \xff", 2, "it is not UTF-8; save it as UTF-8"),
        pytest.param("<<: a", 1, "'<<' takes a mapping or a list of them"),
        pytest.param("a: " + "[" * 21, 1, "it is nested more than 20 levels deep"),
        pytest.param("a: " + "[" * 100_000, 1, "nest", id="very deep"),
        pytest.param("a: " + "[" * 19 + "]" * 19 + "\nb:\n" + "- " * 20 + "x", 3, "nested more"),
    ],
)  # fmt: skip
def test_what_is_no_unit_is_refused_with_its_line(
    text: str | bytes, line: int, reason: str
) -> None:
    refused_line, refused_reason = refusal(text)

    assert reason in refused_reason
    assert refused_line == line


@pytest.mark.parametrize(
    "text",
    [
        "%YAML 1.1\n---\nid: a\n---\nid: b\n",
        "id: a\n...\n%YAML 1.1\n# c\n---\nid: b\n",
        "id: a\n\n# c\n%YAML 1.1\n%TAG !x! tag:x,2000:\n\n---\nid: b\n",
        "%TAG !y! tag:yaml.org,2002:\n---\nid: !y!str a\n---\nid: b\n",
        "id: a\n---\nid: b\n",
    ],
)
@pytest.mark.parametrize("is_fast", [True, False])
def test_directives_belong_to_the_document_behind_them(
    text: str, *, is_fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_fast:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)

    records = parsed(text)

    assert [record.fields for record in records if isinstance(record, Record)] == [
        {"id": "a"},
        {"id": "b"},
    ]
    assert len(records) == 2
    assert list(yaml.safe_load_all(text)) == [{"id": "a"}, {"id": "b"}]


def test_a_list_item_with_a_quote_is_a_pattern_beside_others() -> None:
    text = "unit: test plan\nid: p\ninclude: ['\"b\"', \"'c'\", '\"d e\"', f]\n"
    plan = make_unit(fields(text))
    assert isinstance(plan, TestPlan)
    ids = ['"b"', "'c'", '"d e"', "f", "b", "c"]

    matched = [[i for i in ids if pattern.matches_id(i)] for pattern in plan.lists.include]

    assert not plan.lists.faults
    assert matched == [['"b"'], ["'c'"], ['"d e"'], ["f"]]


def test_anchors_that_would_make_a_small_file_large_are_refused() -> None:
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    line, reason = refusal("\n".join(bomb))

    assert (line, reason) == (5, "its anchors make more than 100000 values of it")


def test_aliases_and_merged_mappings_are_read() -> None:
    (record, other) = parsed(
        """\
        id: a
        flags: &f [simple]
        environ: *f
        data: &d {a: x, b: y}
        siblings: [{<<: *d, b: z}, {<<: [{c: v}, *d], d: w}]
        ---
        <<: {plugin: shell, id: z}
        id: c
        """
    )

    assert isinstance(record, Record)
    assert record.fields["environ"] == "simple"
    assert json.loads(record.fields["siblings"]) == [
        {"a": "x", "b": "z"},
        {"a": "x", "b": "y", "c": "v", "d": "w"},
    ]
    assert isinstance(other, Record)
    assert other.fields == {"plugin": "shell", "id": "c"}


def test_each_document_fails_on_its_own() -> None:
    items = parsed(b"id: a\n---\nid: \xff\n---\n- b\n--- # comment\n\tx\n...\n---\nid: c\n")

    kinds = [(type(item).__name__, getattr(item, "line", 0)) for item in items]
    assert kinds == [
        ("Record", 0),
        ("RecordSyntaxError", 3),
        ("RecordSyntaxError", 5),
        ("RecordSyntaxError", 7),
        ("Record", 0),
    ]
    assert isinstance(items[-1], Record)
    assert (items[-1].fields, items[-1].first_line) == ({"id": "c"}, 10)


@pytest.mark.parametrize("text", ["", "# only\n\n", "\ufeff", "%YAML 1.1\n"])
def test_a_file_without_documents_holds_no_units(text: str) -> None:
    assert [item for item in parsed(text) if not isinstance(item, RecordSyntaxError)] == []


def test_a_line_of_dashes_in_a_text_is_no_marker() -> None:
    assert fields("command: |\n  ---\n  a\n") == {"command": "---\na\n"}


def test_the_last_of_two_fields_counts_and_a_field_without_value_is_left_out() -> None:
    assert parsed("id: a\nplugin:\nid: b\n") == [
        Record({"id": "b"}, 2, 3, {"id": 3, "plugin": 2}),
        Remark(2, "the field 'plugin' has no value; it is left out"),
        Remark(3, "the field 'id' stands twice, first on line 1; the last counts"),
    ]


def test_units_and_problems_name_their_lines(tmp_path: Path) -> None:
    provider = load(
        tmp_path / "x.yaml",
        """\
        # the first one

        id: a
        plugin: shell
        command: 'true'
        ---
        id: b
        plugin: shel
        ---

        id: c
        plugin: shell
        command: 'true'
        nonsense: x
        """,
    )

    assert [(unit.partial_id, unit.where) for unit in provider.unit_list] == [
        ("a", f"{tmp_path}/x.yaml:3"),
        ("b", f"{tmp_path}/x.yaml:7"),
        ("c", f"{tmp_path}/x.yaml:11"),
    ]
    assert [(problem.line, problem.severity) for problem in provider.problems] == [
        (8, "error"),
        (14, "warning"),
    ]


def test_a_job_and_a_plan_mean_what_they_would_in_a_pxu_file(tmp_path: Path) -> None:
    provider = load(
        tmp_path / "x.yaml",
        """\
        id: a
        _summary: translated
        plugin: shell
        command: 'true'
        depends: [b, other::c]
        flags: [simple, noreturn]
        ---
        unit: test plan
        id: p
        name: P
        include: [a]
        """,
    )

    job, plan = provider.unit_list
    assert isinstance(job, Job)
    assert (job.summary, job.depends) == ("translated", ("x::b", "other::c"))
    assert job.flags == {"simple", "noreturn"}
    assert isinstance(plan, TestPlan)
    assert plan.get("include") == "a"


def test_without_pyyaml_the_file_is_a_problem_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)

    (problem,) = load(tmp_path / "x.yaml", "id: a").problems

    assert (problem.severity, problem.file) == ("error", str(tmp_path / "x.yaml"))
    assert "pip install 'pyyaml>=6.0'" in problem.message


@given(st.text(alphabet="ab:-[]{}&*!#'\"\\|>%,=? \t\n.0é\x00") | st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    for item in parsed(text.encode(errors="surrogatepass")):
        assert isinstance(item, Record | RecordSyntaxError | Remark)


@given(st.lists(st.text(alphabet="ab.:/-,=# \\d{3}*é", min_size=1).filter(str.strip)))
def test_ids_of_a_list_are_read_back_as_they_were(items: list[str]) -> None:
    text = fields(f"depends: {json.dumps(items)}")["depends"]

    assert list_words(text) == tuple(item.strip() for item in items)


@given(
    st.text(alphabet="ab.:/-,=# \\d{3}*", min_size=1).filter(str.strip),
    st.lists(st.tuples(st.sampled_from(["a", "b-c"]), st.text(alphabet="ab ,=#", min_size=1))),
)
def test_patterns_and_their_overrides_are_read_back_as_they_were(
    pattern: str, overrides: list[tuple[str, str]]
) -> None:
    pairs = [(name, value.strip()) for name, value in overrides if value.strip()]
    item = {pattern: [{name: value} for name, value in pairs]}

    text = fields(f"include: {json.dumps([item])}")["include"]

    assert statement(text) == (pattern.strip(), tuple(pairs))


@pytest.mark.parametrize("name", ["lab", "lab/a.yaml", "lab/b.yml"])
def test_folders_and_files_of_yaml_are_providers(tmp_path: Path, name: str) -> None:
    (tmp_path / "lab").mkdir()
    for file in ("a.yaml", "b.yml"):
        (tmp_path / "lab" / file).write_text(f"id: {file}\nplugin: shell\ncommand: 'true'\n")

    loader = PxuLoader()

    assert loader.accepts(str(tmp_path / name))
    assert len(loader.load(str(tmp_path / name)).unit_list) == (2 if name == "lab" else 1)
