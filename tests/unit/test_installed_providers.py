"""Providers that are installed as Checkbox's are, and source trees with a `manage.py` only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.contracts import InstalledProvider
from holdall.errors import AmbiguousProviderError, ProviderLoadError, UnknownProviderError
from holdall.providers import found_providers, load_provider
from holdall.registry import Registry
from holdall.registry.candidates import Declared
from holdall_plugins.providers.installed import find_installed, search_path
from holdall_plugins.providers.pxu import PxuLoader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.units import Provider

JOB = "id: a\nplugin: shell\ncommand: true\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def definition(name: str = "org.x:a", version: str = "1.0", **fields: str) -> str:
    lines = [f"{key} = {value}" for key, value in fields.items()]
    return "\n".join(["[PlainBox Provider]", f"name = {name}", f"version = {version}", *lines, ""])


def registry() -> Registry:
    pxu = "holdall_plugins.providers.pxu:PxuLoader"
    return Registry.of(Declared("provider_loaders", "pxu", pxu, "holdall", "1.0"))


def load(text: str | Path, environ: Mapping[str, str] | None = None, lang: str = "") -> Provider:
    return load_provider(text, registry=registry(), environ=environ, lang=lang)


def found(environ: Mapping[str, str], side_loaded: Path) -> list[tuple[str, str, str]]:
    return [
        (provider.name, provider.source, provider.state)
        for provider in find_installed(environ, side_loaded)
    ]


def test_providers_are_looked_for_where_checkbox_looks() -> None:
    assert [str(folder) for folder in search_path({"HOME": "/home/me"})] == [
        "/usr/local/share/plainbox-providers-1",
        "/usr/share/plainbox-providers-1",
        "/home/me/.local/share/plainbox-providers-1",
        "/var/tmp/checkbox-providers-develop",
    ]


def test_the_users_data_folder_is_that_of_xdg() -> None:
    folders = search_path({"HOME": "/home/me", "XDG_DATA_HOME": "/data"})

    assert str(folders[2]) == "/data/plainbox-providers-1"


def test_providerpath_stands_in_place_of_all_folders() -> None:
    assert search_path({"HOME": "/x", "PROVIDERPATH": "/a::/b"}) == [Path("/a"), Path("/b")]


def test_installed_definitions_are_found_and_not_read_any_further(tmp_path: Path) -> None:
    a = write(tmp_path / "one/a.provider", definition("org.x:a", "1.0~dev3"))
    b = write(tmp_path / "two/b.provider", definition("b", namespace="org.y", nonsense="x"))

    environ = {"PROVIDERPATH": f"{tmp_path}/one:{tmp_path}/missing:{tmp_path}/two"}

    assert list(find_installed(environ, tmp_path / "none")) == [
        InstalledProvider("org.x:a", "org.x:a", "1.0~dev3", str(a)),
        InstalledProvider("b", "org.y:b", "1.0", str(b)),
    ]


def test_a_broken_definition_is_listed_with_its_reason(tmp_path: Path) -> None:
    path = write(tmp_path / "a.provider", definition("org.x:a", "new"))

    (broken,) = find_installed({"PROVIDERPATH": str(tmp_path)}, tmp_path / "none")

    assert (broken.name, broken.source, broken.state) == ("a", str(path), "broken")
    assert "field 'version': 'new' is no version" in broken.reason


def test_two_of_one_name_are_ambiguous_and_name_each_other(tmp_path: Path) -> None:
    one = write(tmp_path / "one/a.provider", definition("org.x:a"))
    two = write(tmp_path / "two/b.provider", definition("a", namespace="org.x"))
    environ = {"PROVIDERPATH": f"{tmp_path}/one:{tmp_path}/two"}

    first, second = find_installed(environ, tmp_path / "none")

    assert (first.state, second.state) == ("ambiguous", "ambiguous")
    assert first.reason == f"{two} is called org.x:a too; remove one, or run it by its path"
    with pytest.raises(AmbiguousProviderError) as caught:
        load("org.x:a", environ)
    assert str(caught.value) == (
        f"several providers are called 'org.x:a': {one} and {two}; write the path of the one "
        "that is meant, or remove the others"
    )


def test_a_definition_that_two_folders_share_is_one(tmp_path: Path) -> None:
    write(tmp_path / "one/a.provider", definition())
    (tmp_path / "two").symlink_to("one")

    environ = {"PROVIDERPATH": f"{tmp_path}/one:{tmp_path}/two"}

    assert len(list(find_installed(environ, tmp_path / "none"))) == 1


def test_a_side_loaded_provider_takes_the_place_of_its_namesake(tmp_path: Path) -> None:
    write(tmp_path / "a.provider", definition("org.x:a"))
    write(tmp_path / "side/mine/manage.py", "setup(name='org.x:a', version='2')\n")

    providers = found({"PROVIDERPATH": str(tmp_path)}, tmp_path / "side")

    assert providers == [
        ("org.x:a", str(tmp_path / "side/mine"), "ready"),
        ("org.x:a", str(tmp_path / "a.provider"), "shadowed"),
    ]


def test_a_side_loaded_provider_that_cannot_be_read_is_broken(tmp_path: Path) -> None:
    path = write(tmp_path / "side/mine/manage.py", "setup(")

    (provider,) = find_installed({"PROVIDERPATH": "/no/such"}, tmp_path / "side")

    assert (provider.name, provider.state) == ("mine", "broken")
    assert provider.reason.startswith(f"{path} can't be used: it is no Python on line 1: ")


@pytest.mark.parametrize("name", ["org.x:a", "a", "checkbox-provider-b", "b", "org.y:b"])
def test_a_provider_is_loaded_by_its_name(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a.provider", definition("org.x:a"))
    write(tmp_path / "b.provider", definition("checkbox-provider-b", namespace="org.y"))
    if name.endswith("b") and name != "checkbox-provider-b":
        write(tmp_path / "b.provider", definition("org.y:b"))

    assert load(name, {"PROVIDERPATH": str(tmp_path)}).version == "1.0"


def test_the_source_of_such_a_provider_finds_it_without_any_search(tmp_path: Path) -> None:
    write(tmp_path / "a.provider", definition("org.x:a"))
    provider = load("a", {"PROVIDERPATH": str(tmp_path)})

    assert load(provider.source) == provider
    with pytest.raises(UnknownProviderError, match="'a'"):
        load("a")


def test_an_unknown_name_suggests_those_that_are_found(tmp_path: Path) -> None:
    write(tmp_path / "a.provider", definition("org.x:disks"))

    with pytest.raises(UnknownProviderError, match=r"did you mean 'org\.x:disks'"):
        load("org.x:disk", {"PROVIDERPATH": str(tmp_path)})


def test_a_broken_one_is_refused_for_its_own_reason(tmp_path: Path) -> None:
    write(tmp_path / "a.provider", definition("org.x:a", "new"))

    with pytest.raises(ProviderLoadError, match="'new' is no version"):
        load("a", {"PROVIDERPATH": str(tmp_path)})


def test_a_loader_that_fails_to_find_hides_nothing_of_others(tmp_path: Path) -> None:
    class Fragile(PxuLoader):
        def find(self, environ: Mapping[str, str]) -> list[InstalledProvider]:  # type: ignore[override]
            raise OSError(f"no {environ}")

    write(tmp_path / "a.provider", definition("org.x:a"))
    plugins = registry()
    plugins.register("provider_loaders", "fragile", Fragile)

    providers = found_providers(plugins, {"PROVIDERPATH": str(tmp_path)})

    assert [provider.name for provider in providers] == ["org.x:a"]


def test_of_several_definitions_in_a_folder_one_is_named_with_or_without_its_ending(
    tmp_path: Path,
) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.provider", definition(f"org.x:{name}"))

    with pytest.raises(ProviderLoadError) as caught:
        load(tmp_path)

    assert caught.value.reason == (
        "'a.provider' and 'b.provider' are both there; write the whole path of the one that is "
        f"meant, such as {tmp_path}/a.provider"
    )
    assert load(tmp_path / "b.provider").name == load(tmp_path / "b").name == "org.x:b"


MANAGE = """\
from plainbox.provider_manager import setup, N_
import sys
VERSION = "1." "2"
WHO = _("disks")
DESCRIPTION: str = N_("Checks of " + WHO)
sys.exit(1)  # which would end a program that ran it
setup(
    name="2013.com.canonical.certification:checkbox",
    version=VERSION,
    description=DESCRIPTION,
    gettext_domain="checkbox",
    strict=False,
)
"""


def test_a_source_tree_is_read_and_not_run(tmp_path: Path) -> None:
    write(tmp_path / "manage.py", MANAGE)
    write(tmp_path / "units/a.pxu", JOB)
    write(tmp_path / "jobs/b.txt.in", JOB.replace("a", "b", 1))
    write(tmp_path / "other/c.pxu", "nothing: to be read")
    for name in ("bin", "data"):
        (tmp_path / name).mkdir()

    provider = load(tmp_path)

    assert (provider.name, provider.namespace, provider.version, provider.description) == (
        "2013.com.canonical.certification:checkbox",
        "2013.com.canonical.certification",
        "1.2",
        "Checks of disks",
    )
    assert [unit.partial_id for unit in provider.unit_list] == ["a", "b"]
    assert provider.problems == []
    assert (provider.bin_folder, provider.data_folder) == (tmp_path / "bin", tmp_path / "data")
    assert (provider.folder, provider.gettext_domain) == (tmp_path, "checkbox")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("name='org.x:a', version='1'", ("org.x:a", "org.x", "1")),
        ("name='a', namespace='org.x', version='1'", ("a", "org.x", "1")),
        ("name='org.x:a', namespace='org.y', version='1'", ("org.x:a", "org.y", "1")),
    ],
)
def test_name_and_namespace_are_what_setup_is_given(
    tmp_path: Path, arguments: str, expected: tuple[str, str, str]
) -> None:
    write(tmp_path / "manage.py", f"import x\nx.setup({arguments})\n")

    provider = load(tmp_path)

    assert (provider.name, provider.namespace, provider.version) == expected
    assert provider.problems == []


@pytest.mark.parametrize(
    ("arguments", "name", "problems"),
    [
        ("name='disks', version='1'", "disks", ["nothing says the namespace"]),
        ("version='1'", "tree", ["nothing says the namespace"]),
        ("name=f(), version='1'", "tree", ["'name' is computed", "nothing says the namespace"]),
        ("name='a b', version='1'", "tree", ["'a b' is neither", "nothing says the namespace"]),
        ("name='org.x:a', version=version()", "org.x:a", ["'version' is computed"]),
    ],
)
def test_what_manage_py_does_not_say_is_a_guess_and_a_warning(
    tmp_path: Path, arguments: str, name: str, problems: list[str]
) -> None:
    write(tmp_path / "tree/manage.py", f"\nsetup({arguments})\n")

    provider = load(tmp_path / "tree")

    assert provider.name == name
    assert [(problem.line, problem.severity) for problem in provider.problems] == [
        (2, "warning")
    ] * len(problems)
    for problem, reason in zip(provider.problems, problems, strict=True):
        assert reason in problem.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("setup(", "it is no Python on line 1: ", id="open"),
        pytest.param("print('x')", "it calls no 'setup'", id="no setup"),
        pytest.param("x = " + "(" * 9999, "it is no Python on line 1: ", id="nested"),
        pytest.param("x = " + "-" * 99_999 + "1", "it is nested too deep", id="nested signs"),
        pytest.param(f"setup(name={'+'.join(['a'] * 2000)})", "it is nested too deep", id="sum"),
        pytest.param("\0", "it is no Python: source code", id="a null"),
        pytest.param("x = '\udcff'", "it is no Python", id="no text"),
        pytest.param("#" * 1_000_001, "it is larger than 1000000 bytes", id="large"),
    ],
)
def test_a_manage_py_that_says_nothing_leaves_the_folder_a_guess(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = write(tmp_path / "tree/manage.py", "")
    path.write_bytes(text.encode(errors="surrogateescape"))
    write(tmp_path / "tree/units/a.pxu", JOB)

    provider = load(tmp_path / "tree")

    assert (provider.namespace, [unit.id for unit in provider.unit_list]) == ("tree", ["tree::a"])
    assert [(problem.file, problem.severity) for problem in provider.problems] == [
        (str(tmp_path / "tree"), "warning")
    ]
    assert f"mend {path} ({reason}" in provider.problems[0].message


def test_the_folder_of_a_lab_gives_its_name_without_a_word(tmp_path: Path) -> None:
    write(tmp_path / "lab/a.pxu", JOB)

    assert load(tmp_path / "lab").problems == []


def test_a_folder_of_translations_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    text = definition(location=str(tmp_path), gettext_domain="x", locale_dir="/no/such")
    path = write(tmp_path / "a.provider", text)

    provider = load(path)

    (problem,) = provider.problems
    assert str(problem) == (
        f"{path}:6: warning: field 'locale_dir': there is no folder '/no/such'; "
        "texts are not translated"
    )
