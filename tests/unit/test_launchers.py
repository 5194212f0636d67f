"""Launchers as text: sections, keys, types, and the files below them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from holdall.cli.launchers import layers as layers_module
from holdall.cli.launchers.layers import Layers, read_layers
from holdall.cli.launchers.parsing import SECTIONS, parse, parse_file, typed
from holdall.cli.launchers.reports import reports_of
from holdall.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def values(text: str) -> dict[tuple[str, str], str]:
    return {key: value.text for key, value in parse(text, "l").values.items()}


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse(text, "l").problems]


def test_keys_are_told_from_values_by_the_equals_sign_alone() -> None:
    text = "[environment]\nA = b = c\n[manifest]\nns::id = yes\n"

    assert values(text) == {("environment", "A"): "b = c", ("manifest", "ns::id"): "yes"}
    assert problems("[environment]\nA: b\n") == ["l:2: 'A: b' is not KEY = VALUE"]


def test_keys_are_case_sensitive_comments_are_none_and_values_go_on() -> None:
    text = "# c\n[environment]\n; c\na = 1\nA = 2\n\n    more\n  # c\n    and more\n"

    assert values(text) == {("environment", "a"): "1", ("environment", "A"): "2\nmore\nand more"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b,c", ["a", "b", "c"]),
        ("'a b', c", ["a b", "c"]),
        ("a\n b", ["a", "b"]),
        ("", []),
    ],
)
def test_a_list_is_words_of_a_shell_with_commas_as_blanks(text: str, words: list[str]) -> None:
    assert typed("list", text) == words


@pytest.mark.parametrize(
    ("text", "truth"),
    [("yes", True), ("True", True), ("YES", True), ("1", False), ("on", False), ("no", False)],
)
def test_only_yes_and_true_mean_yes(text: str, *, truth: bool) -> None:
    assert typed("truth", text) is truth


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[test paln]\na = b\n",
            "l:1: there is no section [test paln]; did you mean 'test",
        ),
        ("[metadata]\n", "l:1: there is no section [metadata]; "),
        ("[ui]\nouput = show\n", "l:2: [ui] has no key 'ouput'; did you mean 'output'?"),
        ("[UI]\ntype = silent\n", "l:1: there is no section [UI]"),
        ("[launcher]\napi_flags = a\n", "l:2: Checkbox has no key 'api_flags' any more"),
        (
            "[ui]\nmax_attempts = many\n",
            "l:2: max_attempts = many does not count: it is no",
        ),
        ("[ui]\nauto_retry = 1\n", "l:2: auto_retry = 1 means no: only yes and true mean yes"),
        ("[ui]\ntype = slient\n", "l:2: type = slient is none of interactive, silent"),
        ("[test selection]\nexclude = 'a\n", "l:2: exclude = 'a does not count: No closing"),
        ("a = b\n", "l:1: 'a' stands in no section"),
        ("[report]\n", "l:1: the section [report] needs a name, such as [report:mine]"),
        ("[reprot:x]\n", "l:1: there is no section [reprot:x]; did you mean 'report'?"),
    ],
)
def test_what_does_not_count_is_a_problem_of_its_line(text: str, message: str) -> None:
    (found, *others) = problems(text)

    assert found.startswith(message)
    assert others == []


@pytest.mark.parametrize("number", ["x", "-1", "99999999999999", "9" * 5000, "²"])
def test_a_type_that_checkbox_does_not_know_is_silent_and_a_bad_number_the_default(
    number: str,
) -> None:
    layers = Layers({"l": parse(f"[ui]\ntype = slient\nmax_attempts = {number}\n", "l")})

    assert layers.text("ui", "type", "interactive") == "slient"
    assert layers.number("ui", "max_attempts", 3) == 3


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "l"
    path.write_text("[launcher]\nstock_reports = none\n", encoding="utf-8-sig")

    parsed = parse_file(path)

    assert {key: value.text for key, value in parsed.values.items()} == {
        ("launcher", "stock_reports"): "none"
    }
    assert parsed.problems == []


def test_the_old_name_of_a_section_is_taken() -> None:
    assert values("[daemon]\nnormal_user = me\n") == {("agent", "normal_user"): "me"}
    assert problems("[daemon]\nnormal_user = me\n") == []


def test_every_key_can_be_given() -> None:
    samples = {"text": "a", "list": "a b", "truth": "yes", "number": "3"}
    lines = []
    for section, keys in SECTIONS.items():
        name = f"{section}:x" if section in {"report", "transport", "exporter"} else section
        lines.append(f"[{name}]")
        lines += [
            f"{key} = {known.values[0] if known.values else samples[known.kind]}"
            for key, known in keys.items()
        ]

    assert problems("\n".join(lines)) == []


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Make the folders that configuration files are looked for in."""
    made = {"home": tmp_path / "home" / ".config", "system": tmp_path / "xdg"}
    made["snap"] = tmp_path / "snap"
    for folder in made.values():
        folder.mkdir(parents=True)
    monkeypatch.setattr(layers_module, "_SYSTEM", made["system"])
    return made


def read(tmp_path: Path, launcher: str) -> Layers:
    path = tmp_path / "launcher"
    path.write_text(launcher)
    environ = {"HOME": str(tmp_path / "home"), "SNAP_DATA": str(tmp_path / "snap")}
    return read_layers(path, environ)


def test_a_launcher_is_stronger_than_files_of_home_imports_system_and_snap(
    tmp_path: Path, folders: dict[str, Path]
) -> None:
    chain = "[config]\nconfig_filename = other.conf\n"
    (folders["home"] / "checkbox.conf").write_text(f"{chain}[environment]\nA=home\nB=home\n")
    (folders["system"] / "other.conf").write_text("[environment]\nB=other\nC=other\n")
    (folders["system"] / "checkbox.conf").write_text("[environment]\nC=system\nD=system\n")
    (folders["snap"] / "checkbox.conf").write_text("[environment]\nD=snap\nE=snap\n")

    layers = read(tmp_path, "[environment]\nA=launcher\n")

    found = {name: value.text for name, value in layers.free("environment").items()}
    assert found == {"A": "launcher", "B": "home", "C": "other", "D": "system", "E": "snap"}


def test_files_that_name_each_other_are_read_once(
    tmp_path: Path, folders: dict[str, Path]
) -> None:
    (folders["home"] / "a").write_text("[config]\nconfig_filename = b\n[ui]\noutput = hide\n")
    (folders["home"] / "b").write_text("[config]\nconfig_filename = a\n")

    layers = read(tmp_path, "[config]\nconfig_filename = a\n")

    assert [file.rpartition("/")[2] for file in layers.files] == ["launcher", "a", "b"]
    assert layers.text("ui", "output") == "hide"


def test_a_list_takes_the_place_of_that_below(tmp_path: Path, folders: dict[str, Path]) -> None:
    (folders["home"] / "checkbox.conf").write_text("[test selection]\nexclude = a b\n")

    assert read(tmp_path, "").words("test selection", "exclude") == ("a", "b")
    assert read(tmp_path, "[test selection]\nexclude = c\n").words(
        "test selection", "exclude"
    ) == ("c",)


def test_a_configuration_file_that_is_not_there_is_told(
    tmp_path: Path, folders: dict[str, Path]
) -> None:
    assert folders

    layers = read(tmp_path, "[config]\nconfig_filename = gone.conf\n")

    (problem,) = layers.problems
    assert "no configuration file 'gone.conf' is in" in str(problem)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b", None])
def test_what_is_no_text_file_is_an_error_of_the_file(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "l"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=str(path)):
        read_layers(path, {})


MOMENT = datetime(2026, 11, 26, 1, 2, 3, 45, tzinfo=UTC)
STAMP = "/home/me/.local/share/checkbox-ng/submission_2026-11-26T01.02.03.000045"


def reports(text: str) -> tuple[list[tuple[str, str | None, tuple[str, ...]]], list[str]]:
    warnings: list[str] = []
    layers = Layers({"l": parse(text, "l")})
    made = reports_of(layers, {"HOME": "/home/me"}, MOMENT, warnings.append)
    return [(one.target.name, one.target.path, one.options) for one in made], warnings


def test_stock_reports_are_those_of_checkbox_where_it_writes_them() -> None:
    files = [
        ("holdall.text", None, ()),
        ("holdall.html", f"{STAMP}.html", ()),
        ("holdall.junit", f"{STAMP}.junit.xml", ()),
        ("holdall.tar", f"{STAMP}.tar.xz", ("flavour=checkbox",)),
    ]
    json = [("holdall.json", f"{STAMP}.json", ("dialect=checkbox",))]

    assert reports("") == (files, [])
    assert reports("[launcher]\nstock_reports = submission_json\n") == (json, [])
    assert reports("[launcher]\nstock_reports = none\n") == ([], [])


def test_what_would_be_sent_is_told() -> None:
    made, warnings = reports("[launcher]\nstock_reports = certification\n")

    assert made == []
    assert warnings == ["l:2: the report certification is not sent: nothing is uploaded anywhere"]


def test_a_report_has_an_exporter_with_options_and_a_transport() -> None:
    text = (
        "[launcher]\nstock_reports = none\n"
        "[exporter:mine]\nunit = com.canonical.plainbox::tar\noptions = a b\n"
        "[transport:file]\ntype = file\npath = ~/r.tar\n"
        "[transport:err]\ntype = stream\nstream = stderr\n"
        "[report:1]\nexporter = mine\ntransport = file\nforced = yes\n"
        "[report:2]\nexporter = text\ntransport = err\n"
        "[report:3]\nexporter = text\ntransport = stdout\n"
        "[report:4]\nexporter = text\ntransport = c3\n"
    )

    made, warnings = reports(text)

    assert made == [
        ("tar", "/home/me/r.tar", ("flavour=checkbox", "a", "b")),
        ("text", "/dev/stderr", ()),
        ("text", None, ()),
    ]
    assert warnings == ["l:24: the report 4 is not sent: nothing is uploaded anywhere"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "[launcher]\nstock_reports = txt\n",
            "is called 'txt'; did you mean 'text'",
        ),
        ("[report:a]\ntransport = stdout\n", "it has no exporter"),
        ("[report:a]\nexporter = text\n", "it has no transport"),
        ("[report:a]\nexporter = txet\ntransport = stdout\n", "no section [exporter:txet]; did"),
        ("[report:a]\nexporter = text\ntransport = out\n", "there is no section [transport:out]"),
        (
            "[report:a]\nexporter = text\ntransport = t\n[transport:t]\ntype = file\n",
            "it has no path = FILE",
        ),
        (
            "[report:a]\nexporter = text\ntransport = t\n[transport:t]\ntype = carrier\n",
            "no transport is of the type 'carrier'",
        ),
    ],
)
def test_a_report_that_lacks_something_is_an_error(text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        reports(text)

    assert reason in str(caught.value)
