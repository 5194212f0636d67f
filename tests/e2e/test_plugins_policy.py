"""The integrator's rules, from files, variables and the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from platformdirs import user_config_path

from holdall.cli.configuration import read_configuration, users_folder
from holdall.registry.policy import Rule

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Cli

STRANGER = "[holdall.exporters]\nacme.md = acme_md:Exporter\n"


@pytest.fixture
def stranger(holdall: Cli) -> Cli:
    info = holdall.folder / "site" / "acme_md-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.3\nName: acme-md\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(STRANGER)
    holdall.environ["PYTHONPATH"] = str(info.parent)
    return holdall


def state(holdall: Cli, *before: str) -> tuple[str, str]:
    done = holdall(*before, "plugins", "list", "exporters", "--json")
    assert done.code == 0, done.err
    (found,) = (each for each in json.loads(done.out) if each["id"] == "acme.md")
    return found["state"], found["reason"]


def test_a_file_in_a_folder_above_blocks_and_is_named_with_its_line(stranger: Cli) -> None:
    path = stranger.folder / "holdall.toml"
    path.write_text("[plugins]\n# words\nblock = ['dist:acme-*']\n")

    words = f"blocked by the rule 'dist:acme-*' ({path}:3, plugins.block)"
    assert state(stranger) == ("blocked", words)


def test_the_users_file_counts_where_the_project_has_none(stranger: Cli) -> None:
    folder = stranger.folder / "home" / ".config" / "holdall"
    folder.mkdir(parents=True)
    (folder / "holdall.toml").write_text("[plugins]\nallow = []\n")

    assert state(stranger)[0] == "blocked"
    (stranger.folder / "holdall.toml").write_text("[plugins]\nallow = ['acme.*']\n")
    assert state(stranger)[0] == "ready"


def test_variables_count_over_files_and_block_beats_all(stranger: Cli) -> None:
    (stranger.folder / "holdall.toml").write_text("[plugins]\nallow = []\n")

    stranger.environ["HOLDALL_PLUGINS_ALLOW"] = "acme.md"
    assert state(stranger)[0] == "ready"
    stranger.environ["HOLDALL_PLUGINS_BLOCK"] = "rule.one, acme.md"
    assert state(stranger)[0] == "blocked"


@pytest.mark.parametrize("how", ["option", "variable"])
def test_no_plugins_leaves_holdalls_own(stranger: Cli, how: str) -> None:
    if how == "variable":
        stranger.environ["HOLDALL_NO_PLUGINS"] = "1"
    found = state(stranger, *(["--no-plugins"] if how == "option" else []))

    name = "--no-plugins" if how == "option" else "HOLDALL_NO_PLUGINS=1"
    assert found == ("blocked", f"{name}: only holdall's own plugins are used")


def test_a_rule_that_matches_nothing_is_told_with_near_names(stranger: Cli) -> None:
    stranger.environ["HOLDALL_PLUGINS_BLOCK"] = "acme.mb"

    done = stranger("plugins", "list")

    assert done.err == (
        "holdall: the rule 'acme.mb' (HOLDALL_PLUGINS_BLOCK) matches no plugin; "
        "did you mean 'acme.md'?\n"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[plugins]\nblock = 'x'\n", ":2, plugins.block: it is 'x' and should be a list of texts"),
        (
            "[plugins]\n\nblok = []\n",
            ":3, plugins.blok: there is no such key; did you mean 'block",
        ),
        ("[plugins]\nstrict = 1\n", ":2, plugins.strict: it is 1 and should be true or false"),
        ("[plugins]\nprefer = ['x']\n", ":2, plugins.prefer: it is ['x'] and should be like"),
        ("plugins = 3\n", ":1, plugins: it is 3 and should be a table"),
        ("[plugins\n", "at line 1, column"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_file_line_and_key(
    stranger: Cli, text: str, words: str
) -> None:
    path = stranger.folder / "holdall.toml"
    path.write_text(text)

    done = stranger("plugins", "list")

    assert done.code == 2
    assert f"holdall: cannot apply the plugin policy of {path}" in done.err
    assert words in done.err
    assert done.err.count("\n") == 1


def test_a_variable_that_is_neither_yes_nor_no_is_refused(stranger: Cli) -> None:
    stranger.environ["HOLDALL_NO_PLUGINS"] = "maybe"

    done = stranger("plugins", "list")

    assert (done.code, "it is 'maybe' and should be 1 or 0" in done.err) == (2, True)


def test_strict_rules_stop_commands_and_not_the_search_for_problems(stranger: Cli) -> None:
    (stranger.folder / "holdall.toml").write_text("[plugins]\nstrict = true\nblock = ['gone']\n")

    refused = stranger("sessions", "list")

    assert refused.code == 4
    assert "under a strict policy for plugins: rule 'gone'" in refused.err
    assert stranger("plugins", "list").code == 0


def test_dotted_keys_without_quotes_are_read_as_meant(tmp_path: Path) -> None:
    (tmp_path / "holdall.toml").write_text('[plugins.prefer]\nacme.md = "acme"\n')

    found = read_configuration({"HOME": str(tmp_path)}, tmp_path).policy

    where = f"{tmp_path}/holdall.toml:1, plugins.prefer"
    assert found.prefer == {"acme.md": Rule("acme", where)}


@pytest.mark.parametrize("given", ["/x/config", "", None])
def test_the_users_folder_is_the_one_that_platformdirs_tells(
    monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    if given is None:
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CONFIG_HOME", given)

    assert users_folder() == user_config_path("holdall")
