"""Settings, stores and devices of holdall.toml, as commands use them."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from holdall.cli.configuration import read_configuration
from holdall.cli.schema import config_schema
from holdall.errors import ConfigurationError, PolicyError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Cli

LAB = "[stores.lab]\nurl = 'file://{folder}/lab'\n[devices.dut-7]\ndescription = 'left board'\n"
RUNNER = """\
from holdall import JobResult

class Runner:
    @classmethod
    def from_url(cls, url, *, options=None):
        runner = cls()
        runner.url = url
        return runner

    def run(self, task):
        task.started(None)
        task.output("stdout", f"{task.device.id} by {self.url}\\n".encode())
        return JobResult(outcome="pass")

    def interrupted(self, process):
        return "unknown"
"""


@pytest.fixture
def lab(holdall: Cli) -> Cli:
    """A command line with a stranger's runner `remote` and a provider of one job."""
    site = holdall.folder / "site"
    info = site / "acme_remote-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.3\nName: acme-remote\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[holdall.runners]\nremote = acme_remote:Runner\n")
    (site / "acme_remote.py").write_text(RUNNER)
    holdall.environ["PYTHONPATH"] = str(site)
    (holdall.folder / "jobs").mkdir()
    (holdall.folder / "jobs" / "a.pxu").write_text(
        "id: a\n_summary: a\nplugin: shell\ncommand: true\n"
    )
    return holdall


def configure(holdall: Cli, text: str) -> None:
    (holdall.folder / "holdall.toml").write_text(text)


def test_defaults_of_an_exporter_come_from_its_settings_and_options_win(holdall: Cli) -> None:
    configure(holdall, '[settings."holdall.verdict"]\nempty = "pass"\nmin-tests = 99\n')
    assert holdall("run", "smoke", "--job", "cpu/count").code == 0

    few = holdall("export", "last", "global")
    enough = holdall("export", "last", "global", "-O", "min-tests=0")

    assert (few.out, enough.out) == ("FAIL\n", "PASS\n")


def test_a_setting_that_is_no_option_names_file_line_and_near_names(holdall: Cli) -> None:
    configure(holdall, '[settings."holdall.text"]\nwidht = 40\n')
    holdall("run", "smoke", "--job", "cpu/count")

    done = holdall("export", "last", "text")

    assert done.code == 2
    assert f"{holdall.folder}/holdall.toml:1, settings.holdall.text" in done.err
    assert "did you mean 'width'" in done.err


def test_a_store_and_a_device_have_names(lab: Cli) -> None:
    configure(lab, LAB.format(folder=lab.folder))

    run = lab("run", "./jobs", "--store", "lab", "--device", "dut-7", "--export", "json")

    assert run.code == 0, run.err
    assert json.loads(run.out)["devices"] == [
        {"id": "dut-7", "description": "left board", "facts": {}}
    ]
    assert (lab.folder / "lab").is_dir()


def test_two_devices_on_one_machine_are_refused_before_a_session_begins(lab: Cli) -> None:
    done = lab("run", "./jobs", "--device", "left", "--device", "right")

    assert done.code == 2
    assert "the devices 'left' and 'right', all of them on this machine" in done.err
    assert "--device right=RUNNER" in done.err
    assert lab("sessions", "list", "--json").out == "[]\n"


def test_devices_are_reached_by_the_runners_that_are_named(lab: Cli) -> None:
    configure(lab, "[devices.left]\nrunner = 'remote://10.0.0.1'\n")

    done = lab("run", "./jobs", "--device", "left", "--device", "right=remote:9", "--export=text")
    logs = lab("export", "last", "text", "-O", "logs=all").out

    assert done.code == 0, done.err
    assert "left by remote://10.0.0.1" in logs
    assert "right by remote:9" in logs


def test_a_session_goes_on_by_the_runners_it_began_with_or_another_that_is_named(lab: Cli) -> None:
    program = """
import holdall
from holdall import Device, SessionDeviceContext, SessionManager
with SessionManager.create(holdall.open_repository("{store}")) as manager:
    context = manager.add_device_context(
        SessionDeviceContext(device=Device("left", runner="remote:first")))
    context.add_provider(holdall.load_provider("./jobs"))
    context.state.update_desired_job_list(context.state.job_list)
    manager.checkpoint()
"""
    for arguments, wanted in (((), "remote:first"), (("--device", "left=remote:x"), "remote:x")):
        assert lab.python(program.format(store=f"file://{lab.store}")).code == 0

        assert lab("resume", *arguments).code == 0

        assert f"left by {wanted}" in lab("export", "last", "text", "-O", "logs=all").out


def test_resume_refuses_a_device_that_the_session_does_not_have(lab: Cli) -> None:
    lab("run", "./jobs")

    done = lab("resume", "last", "--device", "lft=remote:x")

    assert (done.code, "no device 'lft' (devices: local)" in done.err) == (2, True)


_LAB = "[stores.lab]\nurl = 'x:'\nretention = "
_KEPT = ":3, stores.lab.retention"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("[store.lab]\nurl = 'x'\n", ":1, store", "no such table; did you mean 'stores'"),
        ("[stores.lab]\nulr = 'x'\n", ":2, stores.lab.ulr", "did you mean 'url'"),
        ("[stores.lab]\ninner = []\n", ":1, stores.lab", "it has no key 'url'"),
        ("[stores.lab]\nurl = 3\n", ":2, stores.lab.url", "should be a text"),
        ("[stores.lab]\nurl = 'x'\ninner = 'y'\n", ":3, stores.lab.inner", "a list of texts"),
        (f"{_LAB}{{older = 'soon'}}", f"{_KEPT}.older", "'soon' is no age"),
        (f"{_LAB}{{keep = -1}}", f"{_KEPT}.keep", "a number that is not negative"),
        (f"{_LAB}{{keep = true}}", f"{_KEPT}.keep", "a number that is not negative"),
        (f"{_LAB}{{keep = 1, states = ['good']}}", f"{_KEPT}.states", "'good' is none of empty"),
        (f"{_LAB}{{states = ['new']}}", _KEPT, "it needs a key 'older', 'keep' or 'max_bytes'"),
        (f"{_LAB}{{kep = 1}}", f"{_KEPT}.kep", "did you mean 'keep'"),
        (f"{_LAB}5", _KEPT, "should be a table"),
        ("[stores]\nlab = 'x'\n", ":2, stores.lab", "should be a table"),
        ("[stores.'a:b']\nurl = 'x'\n", ":1, stores.a:b", "can't have a ':'"),
        ("[devices.d]\nrunnr = 'x'\n", ":2, devices.d.runnr", "did you mean 'runner'"),
        ("[devices.d]\ndescription = 0\n", ":2, devices.d.description", "should be a text"),
        ("[devices.d]\nrunner = ''\n", ":2, devices.d.runner", "should be a text"),
        ("[devices.d]\nfacts = {a = 1}\n", ":2, devices.d.facts.a", "should be a text"),
        ("[settings]\n'a.b' = 1\n", ":2, settings.a.b", "should be a table"),
        ("[plugins]\nblok = []\n", ":2, plugins.blok", "did you mean 'block'"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_schema_refuses_it_too(
    tmp_path: Path, text: str, place: str, reason: str
) -> None:
    path = tmp_path / "holdall.toml"
    path.write_text(text)

    with pytest.raises((ConfigurationError, PolicyError)) as caught:
        read_configuration({"HOME": str(tmp_path)}, tmp_path)

    assert f"{path}{place}" in str(caught.value)
    assert reason in str(caught.value)
    schema = Draft202012Validator(config_schema())
    assert not schema.is_valid(tomllib.loads(text)) or "a:b" in text


def test_what_the_reader_takes_is_what_the_schema_takes(tmp_path: Path) -> None:
    text = """
[plugins]
allow = ["dist:acme-*"]
block = []
prefer = {"acme.md" = "acme"}
alias.results = "holdall.json"
strict = true
[settings."holdall.text"]
width = 80
[stores.lab]
url = "mirror"
inner = ["file:///a", "other"]
[devices.dut-7]
runner = "ssh://root@dut-7"
description = ""
facts = {board = "B"}
"""
    (tmp_path / "holdall.toml").write_text(text)

    configuration = read_configuration({"HOME": str(tmp_path)}, tmp_path)

    Draft202012Validator.check_schema(config_schema())
    Draft202012Validator(config_schema()).validate(tomllib.loads(text))
    assert configuration.stores["lab"].inner == ("file:///a", "other")
    assert configuration.devices["dut-7"].runner == "ssh://root@dut-7"
    assert configuration.settings["holdall.text"].values == {"width": 80}


def test_the_projects_file_counts_over_the_users_key_by_key(tmp_path: Path) -> None:
    users = tmp_path / ".config" / "holdall"
    users.mkdir(parents=True)
    (users / "holdall.toml").write_text('[settings."a.b"]\nx = 1\ny = 1\n[stores.s]\nurl = "1"\n')
    (tmp_path / "holdall.toml").write_text('[settings."a.b"]\ny = 2\n[stores.s]\nurl = "2"\n')

    environ = {"HOME": str(tmp_path)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
        configuration = read_configuration(environ, tmp_path)

    assert configuration.settings["a.b"].values == {"x": 1, "y": 2}
    assert configuration.stores["s"].url == "2"


@pytest.mark.parametrize("how", ["option", "variable"])
def test_single_plugins_are_left_out_by_their_ids(lab: Cli, how: str) -> None:
    if how == "variable":
        lab.environ["HOLDALL_NO_PLUGINS"] = "dist:acme-remote"
    before = ["--no-plugins=remote"] if how == "option" else []

    done = lab(*before, "plugins", "list", "runners", "--json")

    states = {each["id"]: each["state"] for each in json.loads(done.out)}
    assert states == {"local": "ready", "remote": "blocked"}


def test_the_schema_is_printed(holdall: Cli) -> None:
    assert json.loads(holdall("schema", "config").out) == config_schema()


def test_names_of_sessions_to_remove_are_all_looked_up_before_one_is_removed(lab: Cli) -> None:
    for _ in range(2):
        assert lab("run", "./jobs").code == 0

    done = lab("sessions", "rm", "last", "last")

    assert (done.code, done.out.count("removed")) == (0, 1)
    assert len(json.loads(lab("sessions", "list", "--json").out)) == 1
