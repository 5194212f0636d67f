"""What `load_provider` makes of what a user types."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from holdall.errors import (
    PluginCallError,
    PluginConflictError,
    PluginLoadError,
    ProviderLoadError,
    UnknownProviderError,
)
from holdall.providers import installed_providers, load_provider
from holdall.registry.candidates import Declared
from holdall.registry.registry import Registry
from holdall.units import make_unit
from holdall.units.provider import Provider, ProviderProblem

if TYPE_CHECKING:
    from pathlib import Path

PXU = "holdall_plugins.providers.pxu:PxuLoader"
PACKAGE = "holdall_plugins.providers.package:PackageLoader"
SMOKE = "holdall_plugins.providers.smoke"


class EchoLoader:
    """Takes every path that ends in `.echo`."""

    def accepts(self, source: str) -> bool:
        return source.endswith(".echo")

    def load(self, source: str) -> Provider:
        return Provider("echo", namespace="echo", version="1", source=source, read=tuple)


class FragileLoader:
    """Fails at everything."""

    def accepts(self, source: str) -> bool:
        raise RuntimeError(f"cannot look at {source}")

    def load(self, source: str) -> Provider:
        raise RuntimeError(f"cannot load {source}")


class ExitingLoader(FragileLoader):
    """Ends the process, if it may."""

    def accepts(self, source: str) -> bool:
        raise SystemExit(f"no place like {source}")

    def load(self, source: str) -> Provider:
        raise SystemExit(f"nothing like {source}")


class EmptyHandedLoader:
    """Returns no provider."""

    def accepts(self, source: str) -> bool:
        return bool(source)

    def load(self, source: str) -> object:
        return {"source": source}


def registry(**loaders: type) -> Registry:
    made = Registry.of(
        Declared("provider_loaders", "pxu", PXU, "holdall", "1.0"),
        Declared("provider_loaders", "package", PACKAGE, "holdall", "1.0"),
        Declared("providers", "smoke", SMOKE, "holdall", "1.0"),
        Declared("providers", "disks", "no_such_package", "acme", "2.0"),
    )
    for name, loader in loaders.items():
        made.register("provider_loaders", name, loader)
    return made


def pxu_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("id: a\nplugin: shell\ncommand: true\n")
    return path


def test_a_path_finds_its_loader(tmp_path: Path) -> None:
    path = pxu_file(tmp_path / "a.pxu")

    provider = load_provider(path, registry=registry())

    assert [unit.id for unit in provider.unit_list] == ["a::a"]
    assert (provider.loader, provider.source) == ("pxu", f"pxu:{path}")


def test_the_source_of_a_provider_finds_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pxu_file(tmp_path / "a.pxu")
    monkeypatch.chdir(tmp_path)
    provider = load_provider("a.pxu", registry=registry())
    monkeypatch.chdir("/")

    assert load_provider(provider.source, registry=registry()) == provider


def test_a_loader_may_be_named_before_the_path() -> None:
    provider = load_provider("echo:what only it knows", registry=registry(echo=EchoLoader))

    assert (provider.loader, provider.source) == ("echo", "echo:what only it knows")


def test_a_word_before_a_colon_that_is_no_loader_belongs_to_the_path(tmp_path: Path) -> None:
    path = pxu_file(tmp_path / "nvme: disks" / "a.pxu")

    assert load_provider(path, registry=registry()).name == "a"


def test_an_installed_provider_is_found_by_its_name() -> None:
    provider = load_provider("smoke", registry=registry())

    assert (provider.name, provider.loader, provider.source) == ("smoke", "package", "smoke")


def test_a_path_goes_before_an_installed_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pxu_file(tmp_path / "smoke/a.pxu")
    monkeypatch.chdir(tmp_path)

    assert load_provider("smoke", registry=registry()).folder == tmp_path / "smoke"


def test_a_folder_without_a_provider_does_not_hide_an_installed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "smoke").mkdir()
    monkeypatch.chdir(tmp_path)

    assert load_provider("smoke", registry=registry()).loader == "package"


def test_a_name_that_is_neither_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownProviderError) as caught:
        load_provider("smok", registry=registry())

    assert str(caught.value) == (
        "no provider is called 'smok' and no such path exists; did you mean 'smoke'? "
        "(installed: disks, smoke; a path or loader:path works too)"
    )


def test_a_path_that_no_loader_takes_is_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(ProviderLoadError) as caught:
        load_provider(tmp_path, registry=registry())

    assert str(caught.value) == (
        f"cannot load a provider from {str(tmp_path)!r}: no loader takes it "
        "(asked: package, pxu); write loader:path to see why one does not"
    )


def test_a_definition_at_fault_is_refused_for_its_own_reason(tmp_path: Path) -> None:
    path = tmp_path / "x.provider"
    path.write_text("[PlainBox Provider]\nname = a.b:c\n")

    with pytest.raises(ProviderLoadError, match="field 'version': it is missing"):
        load_provider(tmp_path, registry=registry())


def test_a_broken_loader_is_passed_over_when_nobody_asked_for_it(tmp_path: Path) -> None:
    plugins = registry(afragile=FragileLoader)
    plugins.register("provider_loaders", "absent", "no_such_module:Loader")

    assert load_provider(pxu_file(tmp_path / "a.pxu"), registry=plugins).loader == "pxu"


def test_a_broken_loader_is_blamed_when_it_was_asked_for() -> None:
    plugins = registry(fragile=FragileLoader)
    plugins.register("provider_loaders", "absent", "no_such_module:Loader")

    with pytest.raises(PluginCallError) as caught:
        load_provider("fragile:x", registry=plugins)
    with pytest.raises(PluginLoadError, match="no_such_module"):
        load_provider("absent:x", registry=plugins)

    assert str(caught.value) == (
        "the provider loader 'fragile' of application failed loading 'x': RuntimeError: cannot "
        "load x; this is a fault of the plugin, report it to its authors"
    )


def test_a_loader_that_exits_ends_nothing(tmp_path: Path) -> None:
    plugins = registry(aexiting=ExitingLoader)

    assert load_provider(pxu_file(tmp_path / "a.pxu"), registry=plugins).loader == "pxu"
    with pytest.raises(PluginCallError, match="SystemExit: nothing like x"):
        load_provider("aexiting:x", registry=plugins)


def test_a_loader_that_returns_something_else_is_blamed() -> None:
    with pytest.raises(PluginCallError, match="and not a Provider"):
        load_provider("empty:x", registry=registry(empty=EmptyHandedLoader))


def test_two_claims_to_one_provider_name_are_an_error() -> None:
    plugins = registry()
    plugins.register("providers", "disks", "other")

    with pytest.raises(PluginConflictError, match=r"acme 2\.0 and application"):
        load_provider("disks", registry=plugins)


def test_installed_providers_are_listed_with_those_that_cannot_be_used() -> None:
    broken, smoke = installed_providers(registry())

    assert isinstance(smoke, Provider)
    assert smoke.source == "smoke"
    assert isinstance(broken, ProviderLoadError)
    assert broken.source == "no_such_package"


def test_everything_installed_is_known_without_a_registry() -> None:
    assert load_provider("smoke") in list(installed_providers())


def test_providers_are_equal_by_name_namespace_version_and_source() -> None:
    make = partial(Provider, "a", namespace="a", version="1", read=tuple)

    assert make(source="x") == make(source="x")
    assert hash(make(source="x")) == hash(make(source="x"))
    assert make(source="x") != make(source="y")
    assert make(source="x") != "a"


def test_units_that_no_file_holds_clash_without_a_place() -> None:
    one, other = (
        make_unit({"id": "a", "plugin": "shell", "command": command}, namespace="x")
        for command in ("true", "false")
    )
    provider = Provider("a", namespace="x", version="1", source="", read=lambda: [one, one, other])

    assert provider.unit_list == [one]
    assert provider.problems == [
        ProviderProblem(
            "",
            0,
            "error",
            "the job 'x::a' is defined before, and differently; that one counts, "
            "give this one another id",
        )
    ]


def test_a_problem_reads_as_compilers_print_them() -> None:
    assert str(ProviderProblem("a.pxu", 3, "error", "what")) == "a.pxu:3: error: what"
    assert str(ProviderProblem("a.pxu", 0, "warning", "what")) == "a.pxu: warning: what"


def test_a_problem_is_an_error_or_a_warning() -> None:
    with pytest.raises(ValueError, match="not 'hint'"):
        ProviderProblem("a.pxu", 3, "hint", "what")  # type: ignore[arg-type]
